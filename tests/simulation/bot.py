"""One life of the bot: its real parts, wired as the application wires them."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.access.keeping import KeeperParts
from bot.access.sync import Place, SyncParts
from bot.acts.act import SLACK, Act, ActPayload, AnswerTo, act_to_json
from bot.engine.auditing import Auditor, AuditorParts
from bot.engine.parts import EngineParts
from bot.outbox import Outbox, OutboxSettings
from bot.ports.access import ACCESS_SYNC
from bot.ports.delivering import Deliverer
from bot.ports.inbox import Accepted, ConflictError, Delivery, NewDelivery, NotStoredError, Parsed
from bot.slack.delivery import deliverers
from bot.slack.desk import Desk
from bot.slack.people import Directory
from bot.slack.recall import Recall
from bot.sources.kind import Source
from bot.sources.registry import read
from bot.sources.unreadable import unreadable
from bot.store.ids import new_id
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.schedule.resolution import on_call
from rules.schedule.roster import Change, Schedule
from tests.simulation.chance import forget_ids
from tests.simulation.contact import ContactSide
from tests.simulation.pipelines import AIRFLOW
from tests.simulation.process import Process
from tests.simulation.slack import SimulatedClient
from tests.simulation.team import CHANNEL
from tests.simulation.time import pause
from tests.simulation.world import Parts, World

LEASE = timedelta(seconds=6)
LEASE_ALONE = timedelta(seconds=30)
_UNASKED = OutboxSettings().lease - OutboxSettings().margin
"""So long after a claim a request still begins without asking whether the lease holds."""
POLL = timedelta(seconds=50)
POLL_ALONE = timedelta(seconds=300)
"""Nobody else works on its database: it knows of all that it will have to do."""
AUDITS = timedelta(minutes=4)
LOOKS = timedelta(seconds=100)
SOURCE = Source(name="generic", kind="generic")
_SOURCES = {one.name: one for one in (SOURCE, AIRFLOW)}
_BACK, _AHEAD = timedelta(days=2), timedelta(days=3)


class RosterInForce:
    """The one answer to who is on call, from the roster as it is and what people changed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._shown = OnCall()
        self._known: tuple[object, OnCall] = (None, OnCall())

    def book(self) -> RuleBook:
        return replace(self._world.book, on_call=self._shown)

    def shown(self) -> OnCall:
        return self._shown

    def schedule(self, changes: Sequence[Change]) -> Schedule:
        return self._world.schedule.with_changes(changes)

    def on_call(self, changes: Sequence[Change], now: datetime) -> OnCall:
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        asked = (tuple(changes), day, self._world.schedule)
        if asked != self._known[0]:
            schedule = self.schedule(changes)
            self._known = asked, on_call(schedule, day - _BACK, day + _AHEAD, whole=True)
        return self._known[1]

    async def refresh(self, reader: Any) -> None:
        now = self._world.clock.now()
        self._shown = self.on_call(await reader.changes(now - timedelta(days=1)), now)


class Uncounted:
    def alert(self, source: str, status: str) -> None: ...

    def opened(self, count: int) -> None: ...

    def page(self, outcome: str, seconds: float | None) -> None: ...


class EngineFault(BaseException):
    """A fault of ours that the engine would outlive: here it ends the bot, so that it is seen."""


def _end() -> None:
    raise EngineFault(repr(sys.exception()))


class Bot:
    """One life of a process, from its start to its death or its end."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process
        self._clock = world.clock
        parts, clock = world.parts, world.clock
        forget_ids()
        alone = world.replicas == 1
        self._lease, self._poll = (LEASE_ALONE, POLL_ALONE) if alone else (LEASE, POLL)
        self.store = world.disk.open(process, clock, self._lease)
        parts.opened(self.store)
        self.rules = RosterInForce(world)
        api = parts.api(SimulatedClient(world.slack))  # type: ignore[arg-type]
        self.desk = Desk(
            api=api,
            places=parts.places(api),
            directory=Directory(api, lambda: world.people, clock),
            reader=self.store.reader,
            clock=clock,
            on_call=self.rules.shown,
            schedule=self.rules.schedule,
            rulebook=self.rules.book,
            workspace_url=lambda: "https://acme.slack.com/",
            lessons=self.store.lessons,
            runbooks=self.store.runbooks,
            tasks=self.store.tasks,
            recall=Recall(self.store.journal, self.rules.book),
            followers=self.store.followers,
            access=self.store.access,
        )
        self.engine = parts.engine(
            EngineParts(
                store=self.store.store,
                reader=self.store.reader,
                clock=clock,
                rules=self.rules,
                read=_read,
                unreadable=unreadable,
                observer=Uncounted(),
                new_id=lambda: new_id(clock.now()),
                on_fault=_end,
                poll=self._poll,
            )
        )
        self.keeper = parts.keeper(
            KeeperParts(
                book=self.rules.book,
                store=self.store.store,
                reads=self.store.access,
                reader=self.store.reader,
                clock=clock,
                new_id=lambda: new_id(clock.now()),
                roster_read_at=clock.now,
                kick=lambda: self.outbox.kick(),  # noqa: PLW0108 - it is built below
            )
        )
        self.contact = self._contact()
        self.outbox = self._outbox(parts)
        self.engine.on_work = self.outbox.kick
        self.auditor = Auditor(
            AuditorParts(
                store=self.store.store,
                reads=self.store.audits,
                clock=clock,
                engine=self.engine,
                book=self.rules.book,
                channel=CHANNEL,
                observe=lambda fault: world.note("auditor", str(fault)),
                forget=self.store.queue.forget,
            )
        )

        parts.built(self)

    def _contact(self) -> ContactSide | None:
        services = self._world.services
        return ContactSide(self, services, self._world.people, self._clock) if services else None

    def _outbox(self, parts: Parts) -> Outbox:
        world = self._world
        places = {name: Place(world.groups, name) for name in world.book.access.groups}
        sync = parts.sync(
            SyncParts(
                places=places, book=self.rules.book, store=self.store.store, clock=self._clock
            )
        )
        carriers: Mapping[str, Deliverer] = {**deliverers(self.desk), ACCESS_SYNC: sync}
        return parts.outbox(
            queue=self.store.queue,
            store=self.store.store,
            deliverers=self.contact.watched(carriers) if self.contact else carriers,
            clock=self._clock,
            on_finished=self.engine.job_finished,
            settings=OutboxSettings(
                random=world.fate.dice.random,
                poll=self._poll,
                lease=self._lease,
                margin=self._lease - _UNASKED,
            ),
        )

    async def run(self) -> None:
        """Live until cancelled or dead; raises whatever ended it."""
        if self._world.replicas == 1:  # as the application does with a database of its own
            await self.store.queue.release_all(self._clock.now())
        await self._refresh()
        async with asyncio.TaskGroup() as group:
            works: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = {
                "engine": self.engine.run,
                "outbox": self.outbox.run,
                "refresh": lambda: self._every(LOOKS, self._refresh),
                "access": lambda: self._every(LOOKS, self._keep),
                "auditor": lambda: self._every(AUDITS, self._audit),
            }
            for name, work in works.items():
                group.create_task(work(), name=name)

    async def posts(self, body: bytes, key: str, source: str = SOURCE.name) -> bool:
        """Take a request as the web side does; tell whether 202 went out."""
        return await self._accept(NewDelivery(source=source, key=key, body=body))

    async def asks(self, act: Act, user: str, key: str) -> bool:
        """Take a click as the Slack side does; tell whether Slack was told that it is stored."""
        payload = ActPayload(act=act, answer_to=AnswerTo(user=user))
        body = act_to_json(payload)
        return await self._accept(NewDelivery(source=SLACK, key=f"slack:{key}", body=body))

    async def accept(self, delivery: NewDelivery) -> Accepted:
        """Be the inbox of whoever answers by another way."""
        accepted = await self.store.inbox.accept(delivery)
        self.engine.kick()
        return accepted

    async def _accept(self, delivery: NewDelivery) -> bool:
        try:
            await self.accept(delivery)
        except NotStoredError:
            return False
        return True

    async def _refresh(self) -> None:
        await self.rules.refresh(self.store.reader)

    async def _keep(self) -> None:
        await self.keeper.tick()

    async def _audit(self) -> None:
        if self._world.parts.audits:
            await self.auditor.run_due()

    async def _every(self, wait: timedelta, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await pause(wait.total_seconds())
            try:
                await work()
            except (NotStoredError, ConflictError) as error:
                self._world.note(self._process.name, f"database failed: {error}")


def _read(delivery: Delivery) -> Parsed:
    return read(_SOURCES[delivery.source], delivery, raw_link=lambda _id: "")


def silence_logs() -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False
    )
