"""What the world does to the bot: things break and recover, people click, ask and change the rota."""

import json
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Literal

from bot.acts.access import AskAccess, GiveBack, RevokeAll
from bot.acts.act import AckAll, Act, EndSilence, MakeSilence, OnIncident, OpenByHand
from bot.acts.journal import AddToJournal, WaiveJournal, WriteJournal
from bot.acts.roster import AskCover, EndOverride, MakeOverride, OnCover
from rules.journal.entry import Told
from rules.schedule.held import Slot
from tests.simulation.answers import Answers, Heard
from tests.simulation.machine import Machine
from tests.simulation.orchestrator import Orchestrator
from tests.simulation.team import ANA, BO, CY, DEE, USERS, schedule
from tests.simulation.world import World

HOSTILE = "<!channel> <https://evil.example|bank> <@U0ANA0001> *late* {now} & `x`"
_TRIES = 6
_BABBLE = (b"\xff\xfe{", b"[" * 400, b'{"title": ', b"{}", b"null")
_THINGS = 8
_EVENTS = (
    *("acked", "acked", "acked", "resolved", "resolved", "unacked", "escalated", "snoozed"),
    *("reassigned", "reopened", "ack_confirmed", "looped_in"),
)

Passes = Callable[[float], Awaitable[None]]


class Doings:
    """Chooses with the seed's dice; `passes` lets time go by."""

    def __init__(self, world: World, machines: Sequence[Machine], passes: Passes) -> None:
        self.heard = Heard()
        self._world = world
        self._clock = world.clock
        self._dice = world.fate.dice
        self._machines = machines
        self._passes = passes
        self._keys = 0
        answers = Answers(world, self.heard, lambda: self._machine())  # noqa: PLW0108 - dice
        orchestrator = Orchestrator(world, self.heard.ran, self._is_heard, self._ask, passes)
        self._all: Sequence[tuple[Callable[[], Awaitable[None]], int]] = (
            (self._fires, 10),
            (self._burst, 3),
            (self._recovers, 5),
            (self._clicks, 10),
            (self._asks_all, 2),
            (self._silences, 2),
            (self._overrides, 2),
            (self._roster_changes, 2),
            (self._access, 3),
            (self._pages_by_hand, 1),
            (self._babbles, 1),
            (self._ends_silence, 1),
            (self._ends_override, 1),
            (self._notes, 1),
            (self._covers, 2),
            *(((answers.one, 16), (self._writes, 2)) if world.services else ()),
            *(((orchestrator.some, 60),) if world.has_runs else ()),
        )

    async def one(self) -> None:
        """Do one of the things that happen."""
        acts, weights = zip(*self._all, strict=True)
        (act,) = self._dice.choices(acts, weights)
        await act()

    def _machine(self) -> Machine:
        """Return whom a balancer chooses, which does not know who is well."""
        return self._dice.choice(self._machines)

    # things

    async def _send(self, status: str, thing: str, **more: str) -> None:
        title = f"{thing} {HOSTILE}" if self._dice.random() < 0.2 else f"{thing} failed"
        body = json.dumps({"title": title, "key": thing, "status": status, **more}).encode()
        key = f"delivery-{self._next()}"
        self._world.note("world", f"{thing} {status} ({key})")
        if await self._is_heard(body, key) and status == "firing":
            self.heard.accepted[key] = thing

    async def _is_heard(self, body: bytes, key: str, source: str = "generic") -> bool:
        """Send as senders do, until somebody hears it."""
        for _ in range(_TRIES):
            if await self._machine().asked(lambda bot: bot.posts(body, key, source)):
                return True
            await self._passes(10)
        return False

    async def _babbles(self) -> None:
        """Send what nobody can read; it must show up all the same."""
        key = f"delivery-{self._next()}"
        self._world.note("world", f"babbles ({key})")
        self.heard.babble.add(key)
        if await self._is_heard(self._dice.choice(_BABBLE), key):
            self.heard.babbled.append(key)

    def _next(self) -> int:
        self._keys += 1
        return self._keys

    def _thing(self) -> str:
        return f"job-{self._dice.randint(1, _THINGS)}"

    async def _fires(self) -> None:
        severity = self._dice.choice(("critical", "error", "error", "warning"))
        await self._send("firing", self._thing(), severity=severity)

    async def _burst(self) -> None:
        for _ in range(self._dice.randint(2, 5)):
            await self._fires()

    async def _recovers(self) -> None:
        await self._send("resolved", self._thing())

    # people

    async def _ask(self, who: str, act: Act) -> None:
        key = f"act-{self._next()}"
        self._world.note(who.split("@", maxsplit=1)[0], str(act))
        if await self._machine().asked(lambda bot: bot.asks(act, USERS[who], key)):
            self.heard.acts[f"slack:{key}"] = str(act)

    async def _clicks(self) -> None:
        numbers = [
            row["number"]
            for row in self.rows("SELECT number, state FROM incident ORDER BY number")
            if row["state"] != "resolved" or self._dice.random() < 0.2
        ]
        if not numbers:
            return
        number, who = self._dice.choice(numbers), self._someone()
        event = self._dice.choice(_EVENTS)
        more: dict[str, Any] = {}
        if event == "snoozed":
            more["until"] = self._clock.now() + self._minutes(2, 15)
        if event in {"reassigned", "looped_in"}:
            more["person"] = self._someone()
        if event == "resolved":
            more["note"] = self._dice.choice(("", HOSTILE))
        await self._ask(who, OnIncident(number=number, event=event, by=who, **more))

    async def _asks_all(self) -> None:
        who = self._dice.choice((ANA, BO))
        await self._ask(who, AckAll(by=who))

    async def _silences(self) -> None:
        until = self._clock.now() + self._minutes(2, 12)
        matchers = f"title=~{self._thing()}.*"
        await self._ask(BO, MakeSilence(by=BO, matchers=matchers, until=until, why="work"))

    async def _overrides(self) -> None:
        now = self._clock.now()
        person = self._someone()
        act = MakeOverride(
            by=person,
            person=person,
            rotation="data",
            role=self._dice.choice(("primary", "secondary")),
            starts_at=now + self._minutes(0, 20),
            ends_at=now + self._minutes(21, 90),
        )
        await self._ask(person, act)

    async def _roster_changes(self) -> None:
        order = [ANA, BO, CY]
        self._dice.shuffle(order)
        self._world.schedule = schedule(tuple(order))
        self._world.note("world", f"the roster now says {order}")

    async def _access(self) -> None:
        who = self._someone()
        grants = self.rows("SELECT id FROM access_grant WHERE open = 1 AND origin = 'asked'")
        chosen = self._dice.random()
        if chosen < 0.6 or not grants:
            act: Act = AskAccess(by=who, group="prod", length=self._minutes(5, 40), why="fix")
        elif chosen < 0.9:
            act = GiveBack(by=who, grant=self._dice.choice(grants)["id"])
        else:
            act = RevokeAll(by=DEE)
            who = DEE
        await self._ask(who, act)

    async def _pages_by_hand(self) -> None:
        await self._ask(BO, OpenByHand(by=BO, title=HOSTILE, person=self._dice.choice((ANA, CY))))

    async def _ends_silence(self) -> None:
        if found := self.rows("SELECT id FROM silence ORDER BY id"):
            await self._ask(BO, EndSilence(by=BO, silence_id=self._dice.choice(found)["id"]))

    async def _ends_override(self) -> None:
        if found := self.rows("SELECT id FROM override ORDER BY id"):
            who = self._someone()
            await self._ask(who, EndOverride(by=who, override_id=self._dice.choice(found)["id"]))

    async def _notes(self) -> None:
        who = self._someone()
        numbers = [row["number"] for row in self.rows("SELECT number FROM incident")]
        number = self._dice.choice([None, *sorted(numbers)])
        await self._ask(who, AddToJournal(by=who, text=HOSTILE, number=number))

    async def _writes(self) -> None:
        """Write the journal entry of something that is resolved, or say that none is needed."""
        found = self.rows("SELECT number FROM incident WHERE state = 'resolved' ORDER BY number")
        if not found:
            return
        who, number = self._someone(), self._dice.choice(found)["number"]
        act: Act = WriteJournal(by=who, number=number, told=Told(cause=HOSTILE))
        if self._dice.random() < 0.3:
            act = WaiveJournal(by=who, number=number, why="a test")
        await self._ask(who, act)

    async def _covers(self) -> None:
        """Ask for cover of the next hours, or take what somebody asked for."""
        who = self._someone()
        asked = self.rows("SELECT id FROM cover_request ORDER BY id")
        if asked and self._dice.random() < 0.6:
            its_id = self._dice.choice(asked)["id"]
            what: Literal["accept", "withdraw"] = self._dice.choice(
                ("accept", "accept", "withdraw")
            )
            await self._ask(who, OnCover(by=who, request_id=its_id, what=what))
            return
        now = self._clock.now()
        role = self._dice.choice(("primary", "secondary"))
        starts, ends = now + self._minutes(0, 10), now + self._minutes(20, 120)
        slot = Slot(rotation="data", role=role, starts_at=starts, ends_at=ends)
        await self._ask(who, AskCover(by=who, slot=slot))

    def _someone(self) -> str:
        return self._dice.choice((ANA, BO, CY))

    def _minutes(self, least: int, most: int) -> timedelta:
        return timedelta(minutes=self._dice.randint(least, most))

    def rows(self, statement: str, *values: str) -> list[sqlite3.Row]:
        """Look into the database, past the bot."""
        return self._world.disk.looker.execute(statement, values).fetchall()
