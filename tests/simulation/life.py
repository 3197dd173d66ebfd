"""Random life of a team on call: what happens, what fails under it, and the calm at its end."""

import asyncio
import gc
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from bot.wire import incident_from_json
from rules.incident import State
from rules.schedule.resolution import on_call
from tests.simulation.answers import Heard
from tests.simulation.chance import FAIR, Diary, Fate, Weather, repeatable_ids
from tests.simulation.contact import contacts, reachable
from tests.simulation.doings import Doings
from tests.simulation.machine import Machine
from tests.simulation.pipelines import with_pipelines
from tests.simulation.services import SimulatedServices
from tests.simulation.slack import SimulatedSlack
from tests.simulation.storage import Disk
from tests.simulation.team import (
    ANA,
    BO,
    CY,
    JOURNAL,
    USERS,
    book,
    pace_of,
    people,
    schedule,
    start_of,
)
from tests.simulation.time import VirtualClock, VirtualLoop, pause
from tests.simulation.weathers import SILENT, SLEEPY, WEATHERS
from tests.simulation.world import FailingGroups, Parts, World

_INSTANT = 1e-6
_MOST_POSTS = 1000
_LOOKS = 5.0
"""Seconds after which a death is noticed at the latest."""
_NEVER = float("inf")
_SETTLES = timedelta(minutes=4)
"""Since when somebody is on call who must have what goes with it."""
_MOST_DEATHS = 6
"""Deaths of one weather; after them it is fair, or nothing else would ever happen."""
_RACE = timedelta(seconds=5)
"""An ack that comes while a page is on its way does not call it back."""
_TWO = 0.3
"""So many lives have two replicas on one database."""
_REACHED = 0.35
"""In so many lives people are reached besides Slack."""
_RUNNING = 0.2
"""In so many lives pipelines run."""


@dataclass(slots=True)
class Past:
    """A life that is over: what there is to judge it by."""

    seed: int
    world: World
    heard: Heard
    deaths: int
    ended_at: datetime
    lasted: timedelta
    on_call: tuple[str, ...] = ()
    """Who has been primary for a while at the end, as the roster and what people changed say."""
    calm: int = 0
    """Minutes of it that nothing failed in, at its end."""


def live(seed: int, disk: Disk, parts: Parts | None = None) -> Past:
    """Live the life of a seed, and return what is left of it. Raises when the bot ends by itself."""
    gc.disable()  # half of its work would be to look again at what stays
    try:
        with repeatable_ids(seed), asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(_begin(seed, disk, parts or Parts()))
    finally:
        gc.enable()


async def _begin(seed: int, disk: Disk, parts: Parts) -> Past:
    return await _Life(seed, disk, parts).whole()


def _chosen(told: bool | None, what: str, seed: int, share: float) -> bool:
    return Random(f"{what} {seed}").random() < share if told is None else told


class _Life:
    def __init__(self, seed: int, disk: Disk, parts: Parts) -> None:
        self._fate = fate = Fate(seed)
        self._dice = fate.dice
        self._loop = asyncio.get_running_loop()
        fate.now = self._loop.time
        lives = parts.lives
        # coins of their own: the other lives stay what they were
        self._reached = _chosen(lives.reached, "reached", seed, _REACHED)
        has_runs = _chosen(lives.runs, "runs", seed, _RUNNING)
        self._clock = clock = VirtualClock(start_of(self._dice), self._loop)
        diary = Diary()
        groups = FailingGroups(clock)
        groups.fault = groups.after = groups.trouble
        self._pace = pace_of(self._dice)
        disk.begin_life()
        replicas = 2 if self._dice.random() < _TWO else 1
        replicas = lives.replicas or replicas
        self._world = World(
            fate,
            clock,
            disk,
            SimulatedSlack(fate, clock, diary, USERS),
            groups,
            people(),
            book(self._pace),
            schedule((ANA, BO, CY)),
            diary,
            parts,
            replicas,
            has_runs=has_runs,
        )
        if self._reached:
            self._is_reachable()
        if has_runs:
            self._world.book = with_pipelines(self._world.book, self._pace, clock.start)
        self._world.slack.is_late = self._is_late
        self._world.slack.lane_of = self._lane_of
        self._seed = seed
        self._machines = [
            Machine(self._world, f"bot {number}") for number in range(1, replicas + 1)
        ]
        self._starts_at = dict.fromkeys(self._machines, 0.0)
        self._thaws_at = dict.fromkeys(self._machines, _NEVER)
        for machine in self._machines:
            machine.on_sleep = self._sleeps
        self._doings = Doings(self._world, self._machines, self._passes)
        self._deaths_left = _MOST_DEATHS
        usual = (*WEATHERS, *(SLEEPY if replicas > 1 else ()), *(SILENT if self._reached else ()))
        self._weathers = lives.weathers or usual
        self._lost = 0
        """Seconds that the clock has to pass again before what was due then is due."""
        self._may_jump = replicas == 1 and self._dice.random() < 0.15

    def _is_reachable(self) -> None:
        world = self._world
        world.services = SimulatedServices(self._fate, self._clock, world.diary)
        world.services.is_late = self._is_late_elsewhere
        world.people = reachable(world.people)
        world.book = replace(world.book, contacts=contacts(world.people), journal=JOURNAL)

    async def whole(self) -> Past:
        pace = self._pace
        self._world.note("life", f"of seed {self._seed}, with {len(self._machines)} of the bot")
        if self._world.parts.lives.weathers:
            self._weather()
        ends = self._dice.randint(*pace.lasts) * 60
        while self._loop.time() < ends:
            await self._passes(self._dice.expovariate(1 / pace.gap))
            await self._happens()
        self._comes(FAIR)
        self._world.note("life", "calm from here")
        for machine in self._machines:
            machine.thaw()
            if machine.whole is None:
                self._starts_at[machine] = 0.0
        await self._passes(pace.calm * 60 + self._lost)
        past = Past(self._seed, self._world, self._doings.heard,
                    sum(machine.deaths for machine in self._machines), self._clock.now(),
                    timedelta(seconds=self._loop.time()), await self._on_call(), pace.calm)  # fmt: skip
        for machine in self._machines:
            await machine.kill()
        return past

    async def _happens(self) -> None:
        chosen = self._dice.random()
        if chosen < 0.12:
            self._weather()
        elif chosen < 0.16:
            await self._kills()
        elif chosen < 0.20:
            await self._freezes()
        elif chosen < 0.22:
            self._jumps()
        else:
            await self._doings.one()

    async def _passes(self, seconds: float) -> None:
        """Let time pass; a process that dies is started again a little later."""
        until = self._loop.time() + seconds
        while True:
            now = self._loop.time()
            for machine in self._machines:
                await self._keep_up(machine, now)
            if len(self._world.slack.posts) > _MOST_POSTS:
                raise RuntimeError("the bot posts without end")
            left = until - self._loop.time()
            if left <= _INSTANT:
                return
            soonest = min(*self._starts_at.values(), *self._thaws_at.values())
            alive = {machine.whole for machine in self._machines if machine.whole is not None}
            rest = max(_INSTANT, min(left, soonest - now, _LOOKS))
            if alive:
                await asyncio.wait(alive, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
            else:
                await pause(rest)

    async def _keep_up(self, machine: Machine, now: float) -> None:
        if self._thaws_at[machine] <= now:
            self._thaws_at[machine] = _NEVER
            machine.thaw()
        if machine.whole is not None and machine.has_died():
            await self._ends(machine, self._dice.choice((1, 2, 5, 5, 30)))
            self._deaths_left -= 1
            if not self._deaths_left:
                self._comes(FAIR)
        if self._starts_at[machine] <= now:
            self._starts_at[machine] = _NEVER
            machine.start()

    async def _ends(self, machine: Machine, rest: float) -> None:
        await machine.kill()
        self._thaws_at[machine] = _NEVER
        self._starts_at[machine] = self._loop.time() + rest

    # what fails

    def _comes(self, weather: Weather) -> None:
        self._fate.weather = weather
        self._fate.skies.append((self._loop.time(), weather))

    def _weather(self) -> None:
        self._comes(self._dice.choice(self._weathers))
        self._deaths_left = _MOST_DEATHS
        said = {
            name: value
            for name in Weather.__slots__
            if (value := getattr(self._fate.weather, name))
        }
        self._world.note("weather", str(said or "fair"))

    async def _kills(self) -> None:
        machine = self._dice.choice(self._machines)
        if machine.whole is None:
            return
        rest = self._dice.choice(self._pace.downs)
        await self._ends(machine, rest)
        if len(self._machines) == 1:
            await self._passes(rest)

    async def _freezes(self) -> None:
        """Stop a process as it is, mostly for longer than its leases hold."""
        machine = self._dice.choice(self._machines)
        while machine.is_up:
            if machine.freeze():
                self._sleeps(machine)
                return
            await pause(0.003)

    def _sleeps(self, machine: Machine) -> None:
        self._doings.heard.slept = True
        self._thaws_at[machine] = self._loop.time() + self._dice.choice((3, 7, 9, 20, 70))

    def _jumps(self) -> None:
        if not self._may_jump:
            return
        heard = self._doings.heard
        seconds = self._dice.choice((-3, 2, 3, 90, -600, 600, 3600, -3600))
        self._clock.jumped += timedelta(seconds=seconds)
        heard.jumped, heard.ahead = True, max(heard.ahead, self._clock.jumped)
        self._lost += max(0, -seconds)
        self._world.note("world", f"the clock jumps by {seconds} s")

    # looking

    async def _on_call(self) -> tuple[str, ...]:
        bot, now = self._machines[0].bot, self._clock.now()
        if bot is None:
            return ()
        changes = await bot.store.reader.changes(now - timedelta(days=1))
        in_force = self._world.schedule.with_changes(changes)
        answer = on_call(in_force, now - timedelta(days=2), now + timedelta(days=2))
        looks = [now - _SETTLES * tenths / 10 for tenths in range(11)]
        primaries = [answer.at("data", "primary", look) for look in looks]
        return tuple(one for one in primaries[0] if all(one in others for others in primaries))

    def _lane_of(self, key: str) -> str:
        found = self._doings.rows("SELECT lane FROM job WHERE key = ?", key) if key else ()
        return str(found[0]["lane"]) if found else ""

    def _is_late(self, key: str) -> str:
        """Say that a page begins which an acknowledgement had stopped, "" when it may begin."""
        return self._taken_before(key, "kind = 'page' AND key = ?", key)

    def _is_late_elsewhere(self, page: str, method: str) -> str:
        """Say the same of a message by another method."""
        about = f"{page} by {method}"
        which = "kind = 'contact' AND json_extract(payload, '$.page') = ?"
        return self._taken_before(
            about, f"{which} AND json_extract(payload, '$.method') = ?", page, method
        )

    def _taken_before(self, about: str, which: str, *values: str) -> str:
        found = self._doings.rows(
            "SELECT payload, incident.body FROM job JOIN incident ON incident.id = incident_id"
            f" WHERE {which}",
            *values,
        )
        if not found or self._doings.heard.jumped:
            return ""
        at = incident_from_json(found[0]["body"])
        forced = json.loads(found[0]["payload"])["force"]
        since = at.acked_at if at.state is State.ACKNOWLEDGED and not forced else None
        if at.state is State.RESOLVED:
            since = at.resolved_at
        if since is None or self._clock.now() - since < _RACE:
            return ""
        return f"{about} began at {self._clock.now():%H:%M:%S}, #{at.number} was taken at {since:%H:%M:%S}"
