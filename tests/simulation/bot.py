"""One process of the bot: its real parts, wired as the application wires them, and its death."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import structlog

from bot.access.keeping import Keeper, KeeperParts
from bot.access.sync import Place, Sync, SyncParts
from bot.acts.act import SLACK, Act, ActPayload, AnswerTo, act_to_json
from bot.engine.auditing import Auditor, AuditorParts
from bot.engine.engine import Engine, EngineParts
from bot.outbox import Outbox, OutboxSettings
from bot.ports.access import ACCESS_SYNC
from bot.ports.delivering import RetryLaterError
from bot.ports.inbox import ConflictError, Delivery, NewDelivery, NotStoredError, Parsed
from bot.slack.api import SlackApi
from bot.slack.delivery import deliverers
from bot.slack.desk import Desk
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.recall import Recall
from bot.sources.kind import Source
from bot.sources.registry import read
from bot.sources.unreadable import unreadable
from rules.people import People
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.schedule.resolution import on_call
from rules.schedule.roster import Change, Schedule
from tests.fakes.groups import MemoryGroups
from tests.simulation.chance import Diary, Died, Fate, forget_ids
from tests.simulation.slack import SimulatedClient, SimulatedSlack
from tests.simulation.storage import Disk
from tests.simulation.time import VirtualClock, pause

LEASE = timedelta(seconds=6)
POLL = timedelta(seconds=60)
AUDITS = timedelta(minutes=3)
LOOKS = timedelta(seconds=60)
SOURCE = Source(name="generic", kind="generic")
_BACK, _AHEAD = timedelta(days=2), timedelta(days=3)
CHANNEL = "data-alerts"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the bot is made of; a planted fault puts another in place of one."""

    engine: type[Engine] = Engine
    outbox: type[Outbox] = Outbox
    api: type[SlackApi] = SlackApi
    places: type[Places] = Places
    keeper: type[Keeper] = Keeper
    sync: type[Sync] = Sync
    audits: bool = True
    opened: Callable[[Any], None] = lambda _store: None
    """Changes the opened store."""


@dataclass(slots=True)
class World:
    """What outlives the bot's process: time, luck, the disk, Slack, the groups and the roster."""

    fate: Fate
    clock: VirtualClock
    disk: Disk
    slack: SimulatedSlack
    groups: MemoryGroups
    people: People
    book: RuleBook
    schedule: Schedule
    diary: Diary = field(default_factory=Diary)
    parts: Parts = field(default_factory=Parts)

    def note(self, who: str, what: str) -> None:
        self.diary.note(self.clock.now(), who, what)


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


class Bot:
    """One life of the process, from its start to its death or its end."""

    def __init__(self, world: World, generation: int) -> None:
        self._world = world
        self._clock = world.clock
        parts, clock = world.parts, world.clock
        forget_ids()
        self.store = world.disk.open(clock, LEASE)
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
        ids = count(1)
        self.engine = parts.engine(
            EngineParts(
                store=self.store.store,
                reader=self.store.reader,
                clock=clock,
                rules=self.rules,
                read=_read,
                unreadable=unreadable,
                observer=Uncounted(),
                new_id=lambda: f"{generation:08x}{next(ids):024x}",
                poll=POLL,
            )
        )
        self.keeper = parts.keeper(
            KeeperParts(
                book=self.rules.book,
                store=self.store.store,
                reads=self.store.access,
                reader=self.store.reader,
                clock=clock,
                new_id=lambda: f"g{generation}x{next(ids)}",
                roster_read_at=clock.now,
                kick=lambda: self.outbox.kick(),  # noqa: PLW0108 - it is built below
            )
        )
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

    def _outbox(self, parts: Parts) -> Outbox:
        world = self._world
        places = {name: Place(world.groups, name) for name in world.book.access.groups}
        sync = parts.sync(
            SyncParts(
                places=places, book=self.rules.book, store=self.store.store, clock=self._clock
            )
        )
        return parts.outbox(
            queue=self.store.queue,
            store=self.store.store,
            deliverers={**deliverers(self.desk), ACCESS_SYNC: sync},
            clock=self._clock,
            on_finished=self.engine.job_finished,
            settings=OutboxSettings(random=world.fate.dice.random, poll=POLL),
        )

    async def run(self) -> None:
        """Live until cancelled or dead; raises whatever ended it."""
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

    async def posts(self, body: bytes, key: str) -> bool:
        """Take a request as the web side does; tell whether 202 went out."""
        return await self._accept(NewDelivery(source=SOURCE.name, key=key, body=body))

    async def asks(self, act: Act, user: str, key: str) -> bool:
        """Take a click as the Slack side does; tell whether Slack was told that it is stored."""
        payload = ActPayload(act=act, answer_to=AnswerTo(user=user))
        body = act_to_json(payload)
        return await self._accept(NewDelivery(source=SLACK, key=f"slack:{key}", body=body))

    async def _accept(self, delivery: NewDelivery) -> bool:
        try:
            await self.store.inbox.accept(delivery)
        except NotStoredError:
            return False
        self.engine.kick()
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
                self._world.note("bot", f"database failed: {error}")


class Machine:
    """Starts the bot, and starts it again after each death."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._task: asyncio.Task[None] | None = None
        self.bot: Bot | None = None
        self.deaths = 0
        self._starts = count(1)

    @property
    def is_up(self) -> bool:
        return self.bot is not None and not self._world.fate.dead

    async def start(self) -> None:
        self._world.fate.dead = False
        self.bot = Bot(self._world, next(self._starts))
        self._task = asyncio.ensure_future(self.bot.run())  # noqa: TID251 - a process of its own
        self._world.note("bot", "starts")

    async def look(self) -> bool:
        """Tell whether it lives; raises what it died of when that was no simulated death."""
        if self._task is None:
            return False
        if self._task.done() and not self._world.fate.dead:
            error = self._task.exception()
            if error is None or not only_simulated(error):
                raise RuntimeError("the bot ended by itself") from error
        return not self._world.fate.dead and not self._task.done()

    async def rests(self, seconds: float) -> None:
        """Return after a while, or as soon as the process has ended."""
        if self._task is None:
            await pause(seconds)
        else:
            await asyncio.wait({self._task}, timeout=seconds)

    async def guarded(self, request: Coroutine[Any, Any, bool]) -> bool:
        """Make a request of the bot; one that it dies of is answered by nobody."""
        try:
            return await request
        except Died:
            return False

    async def kill(self) -> None:
        """End the process where it is, and give back what the operating system would."""
        self._world.fate.dead = True
        if self._task is not None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:  # in any order: a dead process runs into walls only
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            self.deaths += 1
            self._world.note("bot", "is dead")
        self._task, self.bot = None, None
        await self._world.disk.end_process()


def only_simulated(error: BaseException) -> bool:
    """Tell whether an error is nothing but simulated deaths."""
    if isinstance(error, BaseExceptionGroup):
        return all(only_simulated(one) for one in error.exceptions)
    return isinstance(error, Died | asyncio.CancelledError | NotStoredError)


class FailingGroups(MemoryGroups):
    """A place for groups that fails with the weather."""

    fate: Fate

    def trouble(self, call: str) -> None:
        self.fate.may_die()
        if self.fate.strikes("groups_fail"):
            raise RetryLaterError(f"{call} answers 500")


def _read(delivery: Delivery) -> Parsed:
    return read(SOURCE, delivery, raw_link=lambda _id: "")


def silence_logs() -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False
    )
