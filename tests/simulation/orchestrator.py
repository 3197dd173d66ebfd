"""What pipelines do in a life, what their orchestrator tells of it, and people who end what broke."""

import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.acts.act import OnIncident
from rules.expected_runs import Expectation
from tests.simulation.pipelines import AIRFLOW, DAGS, STOCK, Ran, dag_of
from tests.simulation.team import ANA, BO, CY
from tests.simulation.world import World

IsHeard = Callable[[bytes, str, str], Awaitable[bool]]
Ask = Callable[[str, OnIncident], Awaitable[None]]
Passes = Callable[[float], Awaitable[None]]
_MOMENT = 4.0
_SPOOL = 0.2
"""So many events are told later, or never; as many are told again."""


class Orchestrator:
    """Begins runs, ends them, and tells of each in time, late, twice or out of order."""

    def __init__(
        self, world: World, ran: list[Ran], is_heard: IsHeard, ask: Ask, passes: Passes
    ) -> None:
        self._world = world
        self._ran = ran
        self._passes = passes
        self._is_heard = is_heard
        self._ask = ask
        self._dice = world.fate.dice
        self._spool: list[tuple[Ran, str, bytes, str]] = []
        self._names = 0

    async def some(self) -> None:
        """Do some of the things that can happen, a moment after each other."""
        for _ in range(self._dice.randint(1, 5)):
            await self._one()
            await self._passes(self._dice.expovariate(1 / _MOMENT))

    async def _one(self) -> None:
        running = [one for one in self._ran if one.over is None]
        acts: list[tuple[Callable[[], Awaitable[None]], int]] = [(self._begins, 4)]
        if running:
            acts.append((lambda: self._ends(self._dice.choice(running)), 6))
        if self._spool:
            acts.append((self._tells_late, 2))
        if broken := self._rows("state != 'resolved' AND source IN ('airflow', '@expected')"):
            acts.append((lambda: self._is_fixed(self._dice.choice(broken)), 5))
        if claimed := self._rows("verification = 'pending'"):
            acts.append((lambda: self._is_known(self._dice.choice(claimed)), 1))
        (act,) = self._dice.choices(*zip(*acts, strict=True))
        await act()

    @property
    def _now(self) -> datetime:
        """Return the time by a clock of its own, which never jumps."""
        return self._world.clock.now() - self._world.clock.jumped

    def _name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}-{self._names}"

    # runs

    async def _begins(self) -> None:
        dag = self._dice.choice(self._due() or DAGS)
        nominal = self._due_time(dag) if self._dice.random() < 0.7 else None
        ran = Ran(dag, self._name("run"), self._now, nominal)
        self._ran.append(ran)
        self._world.note("airflow", f"{ran.run_id} of {dag} begins, due {nominal}")
        await self._tells(ran, "dag_run_started")

    async def _ends(self, ran: Ran) -> None:
        ran.over, ran.well = self._now, self._dice.random() < 0.5
        how = "succeeded" if ran.well else "failed"
        self._world.note("airflow", f"{ran.run_id} of {ran.dag} {how}")
        if ran.dag == STOCK and self._dice.random() < 0.5:
            await self._tells(ran, f"task_{how}")
        await self._tells(ran, f"dag_run_{how}")

    def _due(self) -> list[str]:
        """Return the pipelines that should have begun by now and have not."""
        found = []
        for one in self._world.book.expected:
            due = one.schedule.due_until(self._now)
            if due is not None and due >= self._world.clock.start and not self._serves(one, due):
                found.append(dag_of(one))
        return found

    def _serves(self, one: Expectation, due: datetime) -> bool:
        return any(
            ran.dag == dag_of(one) and one.occasion_of(ran.moment) == due for ran in self._ran
        )

    def _due_time(self, dag: str) -> datetime | None:
        for one in self._world.book.expected:
            if dag_of(one) == dag:
                due = one.schedule.due_until(self._now)
                return due if due is not None and due >= self._world.clock.start else None
        return None

    # telling

    async def _tells(self, ran: Ran, event: str) -> None:
        told = ran, event, ran.body(event, self._now), self._name("told")
        chosen = self._dice.random()
        if chosen < 2 * _SPOOL:
            self._spool.append(told)
        if chosen >= _SPOOL:
            await self._sends(*told)

    async def _tells_late(self) -> None:
        ran, event, body, key = self._spool.pop(self._dice.randrange(len(self._spool)))
        if self._dice.random() < 0.5:
            key = self._name("told")  # whoever lost its memory gives it another
        await self._sends(ran, event, body, key)

    async def _sends(self, ran: Ran, event: str, body: bytes, key: str) -> None:
        self._world.note("airflow", f"tells {event} of {ran.run_id} ({key})")
        ran.sent.setdefault(event, self._now)
        if await self._is_heard(body, key, AIRFLOW.name):
            ran.heard.setdefault(event, self._now)
            ran.keys.append(key)

    # people

    async def _is_fixed(self, row: sqlite3.Row) -> None:
        who = self._someone()
        await self._ask(
            who, OnIncident(number=row["number"], event="resolved", by=who, note="fixed")
        )

    async def _is_known(self, row: sqlite3.Row) -> None:
        """Let somebody say how they know, that no proof is needed, or that it is not fixed."""
        who, event = (
            self._someone(),
            self._dice.choice(("waived", "waived", "verified", "reopened")),
        )
        await self._ask(who, OnIncident(number=row["number"], event=event, by=who, note="I looked"))

    def _someone(self) -> str:
        return self._dice.choice((ANA, BO, CY))

    def _rows(self, where: str) -> list[sqlite3.Row]:
        found = f"SELECT number FROM incident WHERE {where} ORDER BY number"
        return self._world.disk.looker.execute(found).fetchall()
