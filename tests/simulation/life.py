"""Hours of random life of a team on call: what breaks, what people do, and what fails under them."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from bot.acts.access import AskAccess, GiveBack, RevokeAll
from bot.acts.act import AckAll, Act, MakeSilence, OnIncident, OpenByHand
from bot.acts.roster import MakeOverride
from bot.wire import incident_from_json
from rules.access.group import AccessGroup, AccessRules, Duty, Whom
from rules.incident import Incident, State
from rules.people import People, Person
from rules.policy import OnCallOf, OnePerson, Policy, Step
from rules.rulebook import Route, RuleBook
from rules.schedule.resolution import on_call
from rules.schedule.roster import Layer, RotationPlan, Schedule, Unit
from tests.simulation.bot import CHANNEL, FailingGroups, Machine, Parts, World
from tests.simulation.chance import FAIR, Diary, Fate, Weather, repeatable_ids
from tests.simulation.slack import SimulatedSlack
from tests.simulation.storage import Disk
from tests.simulation.time import VirtualClock, VirtualLoop, pause

ANA, BO, CY, DEE = (f"{name}@example.com" for name in ("ana", "bo", "cy", "dee"))
USERS = {ANA: "U0ANA0001", BO: "U0BO00001", CY: "U0CY00001", DEE: "U0DEE0001"}
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STARTS = (
    datetime(2026, 11, 23, 1, tzinfo=UTC),
    datetime(2026, 11, 23, 1, tzinfo=UTC),
    # both nights on which the clocks of Berlin change
    datetime(2026, 10, 24, 23, 10, tzinfo=UTC),
    datetime(2027, 3, 27, 23, 10, tzinfo=UTC),
)
CALM = 50 * MINUTE
"""The end of every life, in which nothing fails and all that is due is done."""
_INSTANT = 1e-6
_MOST_DEATHS = 6
"""Deaths of one weather; after them it is fair, or nothing else would ever happen."""
_RACE = timedelta(seconds=5)
"""An ack that comes while a page is on its way does not call it back."""
HOSTILE = "<!channel> <https://evil.example|bank> <@U0ANA0001> *late* {now} & `x`"
WEATHERS: tuple[Weather, ...] = (
    FAIR,
    Weather(throttled=0.3),
    Weather(refused_5xx=0.2, done_5xx=0.2),
    Weather(lost_before=0.2, lost_after=0.3),
    Weather(unreachable=0.9),
    Weather(commit_fails=0.1, commit_unheard=0.1, read_fails=0.01),
    Weather(die=0.004),
    Weather(die=0.02, lost_after=0.1),
    Weather(groups_fail=0.6),
    Weather(0.003, 0.03, 0.03, 0.003, 0.08, 0.05, 0.05, 0.05, 0.08, 0.03, 0.2),
)
POLICY = Policy(
    "default",
    (
        Step((OnCallOf("primary"),), 5 * MINUTE),
        Step((OnCallOf("secondary"),), 10 * MINUTE),
        Step((OnePerson(CY),), 10 * MINUTE),
    ),
)


@dataclass(slots=True)
class Heard:
    """What the outside knows: which deliveries were answered 202, and which were tried."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Thing that broke by the key of its delivery."""
    tried: dict[str, str] = field(default_factory=dict)
    acts: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    jumped: bool = False


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
    """Who is primary at the end, as the roster and what people changed say."""


def live(seed: int, disk: Disk, parts: Parts | None = None) -> Past:
    """Live the life of a seed, and return what is left of it. Raises when the bot ends by itself."""
    with repeatable_ids(seed), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_Life(seed, disk, parts or Parts()).whole())


class _Life:
    def __init__(self, seed: int, disk: Disk, parts: Parts) -> None:
        self._fate = fate = Fate(seed)
        self._dice = fate.dice
        self._clock = VirtualClock(self._dice.choice(STARTS))
        diary = Diary()
        groups = FailingGroups(self._clock)
        groups.fate = fate
        groups.fault = groups.after = groups.trouble
        self._world = World(
            fate,
            self._clock,
            disk,
            SimulatedSlack(fate, self._clock, diary, USERS),
            groups,
            _people(),
            _book(),
            _schedule((ANA, BO, CY)),
            diary,
            parts,
        )
        disk.begin_life(fate)
        self._world.slack.is_late = self._is_late
        self._seed = seed
        self._machine = Machine(self._world)
        self._heard = Heard()
        self._keys = 0
        self._deaths_left = _MOST_DEATHS
        self._may_jump = self._dice.random() < 0.15
        self._acts: tuple[tuple[int, Callable[[], Coroutine[Any, Any, None]]], ...] = (
            (10, self._fires),
            (3, self._burst),
            (5, self._recovers),
            (10, self._clicks),
            (2, self._asks_all),
            (2, self._silences),
            (2, self._overrides),
            (2, self._roster_changes),
            (3, self._access),
            (6, self._weather),
            (2, self._killed),
            (1, self._jumps),
            (1, self._pages_by_hand),
        )

    async def whole(self) -> Past:
        fate = self._fate
        await self._machine.start()
        ends = self._clock.now() + timedelta(minutes=self._dice.randint(20, 60))
        while self._clock.now() < ends:
            await self._passes(self._dice.expovariate(1 / 120))
            (act,) = self._dice.choices(
                [one for _, one in self._acts], [weight for weight, _ in self._acts]
            )
            await act()
        fate.weather = FAIR
        self._world.note("life", "calm from here")
        await self._passes(CALM.total_seconds())
        past = Past(self._seed, self._world, self._heard, self._machine.deaths, self._clock.now(),
                    timedelta(seconds=asyncio.get_running_loop().time()),
                    await self._on_call())  # fmt: skip
        await self._machine.kill()
        return past

    async def _passes(self, seconds: float) -> None:
        """Let time pass; a process that dies is started again a little later."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while until - loop.time() > _INSTANT:
            if not await self._machine.look():
                await self._starts_again()
            await self._machine.rests(min(until - loop.time(), 60.0))

    async def _starts_again(self) -> None:
        await self._machine.kill()
        self._fate.dead = False
        self._deaths_left -= 1
        if not self._deaths_left:
            self._fate.weather = FAIR
        rest = self._dice.choice((1, 2, 5, 5, 30))
        if self._fate.weather is not FAIR and self._dice.random() < 0.05:
            rest = self._dice.randint(600, 7200)
        await pause(rest)
        await self._machine.start()

    async def _on_call(self) -> tuple[str, ...]:
        if self._machine.bot is None:
            return ()
        now = self._clock.now()
        changes = await self._machine.bot.store.reader.changes(now - timedelta(days=1))
        schedule = self._world.schedule.with_changes(changes)
        answer = on_call(schedule, now - timedelta(days=2), now + timedelta(days=2))
        return answer.at("data", "primary", now)

    # the outside

    async def _send(self, status: str, thing: str, **more: str) -> None:
        self._keys += 1
        key = f"delivery-{self._keys}"
        title = f"{thing} {HOSTILE}" if self._dice.random() < 0.2 else f"{thing} failed"
        body = {"title": title, "key": thing, "status": status, **more}
        self._world.note("world", f"{thing} {status} ({key})")
        for _ in range(6):  # as senders do, until they are heard
            if self._machine.bot is not None:
                if status == "firing":
                    self._heard.tried[key] = thing
                if await self._machine.guarded(
                    self._machine.bot.posts(json.dumps(body).encode(), key)
                ):
                    if status == "firing":
                        self._heard.accepted[key] = thing
                    return
            self._heard.refused += 1
            await self._passes(10)

    async def _fires(self) -> None:
        severity = self._dice.choice(("critical", "error", "error", "warning"))
        await self._send("firing", f"job-{self._dice.randint(1, 8)}", severity=severity)

    async def _burst(self) -> None:
        for _ in range(self._dice.randint(2, 5)):
            await self._fires()

    async def _recovers(self) -> None:
        await self._send("resolved", f"job-{self._dice.randint(1, 8)}")

    # people

    async def _ask(self, who: str, act: Act) -> None:
        self._keys += 1
        key = f"act-{self._keys}"
        self._world.note(who.split("@", maxsplit=1)[0], str(act))
        if self._machine.bot is None:
            return
        if await self._machine.guarded(self._machine.bot.asks(act, USERS[who], key)):
            self._heard.acts[f"slack:{key}"] = str(act)

    async def _clicks(self) -> None:
        incidents = [one for one in self._incidents() if one.is_open or self._dice.random() < 0.2]
        if not incidents:
            return
        at, who = self._dice.choice(incidents), self._dice.choice((ANA, BO, CY))
        event = self._dice.choice(
            ("acked", "acked", "acked", "resolved", "resolved", "unacked", "escalated", "snoozed",
             "reassigned", "reopened", "ack_confirmed", "looped_in")
        )  # fmt: skip
        more: dict[str, Any] = {}
        if event == "snoozed":
            more["until"] = self._clock.now() + timedelta(minutes=self._dice.randint(5, 30))
        if event in {"reassigned", "looped_in"}:
            more["person"] = self._dice.choice((ANA, BO, CY))
        if event == "resolved":
            more["note"] = self._dice.choice(("", HOSTILE))
        await self._ask(who, OnIncident(number=at.number, event=event, by=who, **more))

    async def _asks_all(self) -> None:
        who = self._dice.choice((ANA, BO))
        await self._ask(who, AckAll(by=who))

    async def _silences(self) -> None:
        until = self._clock.now() + timedelta(minutes=self._dice.randint(5, 25))
        thing = f"job-{self._dice.randint(1, 8)}"
        await self._ask(
            BO, MakeSilence(by=BO, matchers=f"title=~{thing}.*", until=until, why="work")
        )

    async def _overrides(self) -> None:
        now = self._clock.now()
        person = self._dice.choice((ANA, BO, CY))
        act = MakeOverride(
            by=person,
            person=person,
            rotation="data",
            role=self._dice.choice(("primary", "secondary")),
            starts_at=now + timedelta(minutes=self._dice.randint(0, 40)),
            ends_at=now + timedelta(minutes=self._dice.randint(50, 200)),
        )
        await self._ask(person, act)

    async def _roster_changes(self) -> None:
        people = [ANA, BO, CY]
        self._dice.shuffle(people)
        self._world.schedule = _schedule(tuple(people))
        self._world.note("world", f"the roster now says {people}")

    async def _access(self) -> None:
        who = self._dice.choice((ANA, BO, CY))
        grants = self._rows("SELECT id FROM access_grant WHERE open = 1 AND origin = 'asked'")
        chosen = self._dice.random()
        if chosen < 0.6 or not grants:
            act: Act = AskAccess(
                by=who, group="prod", length=timedelta(minutes=self._dice.randint(5, 90)), why="fix"
            )
        elif chosen < 0.9:
            act = GiveBack(by=who, grant=self._dice.choice(grants)["id"])
        else:
            act = RevokeAll(by=DEE)
            who = DEE
        await self._ask(who, act)

    async def _pages_by_hand(self) -> None:
        await self._ask(BO, OpenByHand(by=BO, title=HOSTILE, person=self._dice.choice((ANA, CY))))

    # what fails

    async def _weather(self) -> None:
        self._fate.weather = self._dice.choice(WEATHERS)
        self._deaths_left = _MOST_DEATHS
        said = {
            name: value
            for name in Weather.__slots__
            if (value := getattr(self._fate.weather, name))
        }
        self._world.note("weather", str(said or "fair"))

    async def _killed(self) -> None:
        await self._machine.kill()
        await pause(self._dice.choice((1, 1, 10, 60, 900, 5400)))
        await self._machine.start()

    async def _jumps(self) -> None:
        if not self._may_jump:
            return
        self._heard.jumped = True
        seconds = self._dice.choice((-3, 2, 3, -600, 600, 3600, -3600))
        self._clock.jumped += timedelta(seconds=seconds)
        self._world.note("world", f"the clock jumps by {seconds} s")

    # looking

    def _is_late(self, key: str) -> str:
        """Say that a page begins which an acknowledgement had stopped, "" when it may begin."""
        pages = self._rows(
            "SELECT payload, incident.body FROM job JOIN incident ON incident.id = incident_id"
            f" WHERE kind = 'page' AND key = '{key}'"
        )
        if not pages or json.loads(pages[0]["payload"])["force"] or self._heard.jumped:
            return ""
        at = incident_from_json(pages[0]["body"])
        since = at.acked_at if at.state is State.ACKNOWLEDGED else at.resolved_at
        if at.state is State.TRIGGERED or since is None or self._clock.now() - since < _RACE:
            return ""
        return f"{key} began at {self._clock.now():%H:%M:%S}, #{at.number} was taken at {since:%H:%M:%S}"

    def _rows(self, statement: str) -> list[sqlite3.Row]:
        connection = self._world.disk.look()
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def _incidents(self) -> list[Incident]:
        return [
            incident_from_json(row["body"])
            for row in self._rows("SELECT body FROM incident ORDER BY number")
        ]


def _people() -> People:
    return People(
        Person(key, key.split("@")[0].title(), key, user if key != CY else "", "Europe/Berlin")
        for key, user in USERS.items()
    )


def _book() -> RuleBook:
    group = AccessGroup(
        name="prod",
        follows=(Duty("data", "primary"),),
        may_ask=Whom(people=(ANA, BO, CY)),
        owners=(DEE,),
        owned=True,
        dry_run=False,
    )
    return RuleBook(
        policies={"default": POLICY},
        routes=(Route("default", "default", CHANNEL, "data"),),
        fallback=(DEE,),
        ack_timeout=30 * MINUTE,
        access=AccessRules(groups={"prod": group}),
    )


def _schedule(order: tuple[str, ...]) -> Schedule:
    """Return turns of a day, handed over at half past two in Berlin, which some nights skip."""
    starts = datetime.combine(datetime(2026, 10, 1, tzinfo=UTC).date(), time(2, 30))

    def layer(role: str, people: tuple[str, ...]) -> Layer:
        turns = tuple((who,) for who in people)
        return Layer(role=role, order=turns, unit=Unit.DAY, starts=starts, zone="Europe/Berlin")

    layers = layer("primary", order), layer("secondary", (*order[1:], order[0]))
    return Schedule(plans=(RotationPlan(name="data", zone="Europe/Berlin", layers=layers),))
