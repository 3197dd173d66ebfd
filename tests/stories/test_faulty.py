"""One incident that cannot be decided holds up no other, and burns no processor."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Never, cast

from sqlalchemy import text

from bot.acts.act import MakeSilence
from bot.acts.roster import EndOverride
from bot.engine.engine import BREATH, Engine
from bot.engine.pace import MOST
from bot.ports.inbox import NotStoredError
from bot.ports.store import Reader, Store, Transaction
from bot.store.opening import OpenedStore
from bot.store.transaction import SqlTransaction
from rules.hours import Hours
from rules.incident import State
from rules.rulebook import StormRule
from rules.runbooks.choosing import Runbooks, Subject
from tests.stories.conftest import Tell
from tests.stories.fixes import MONDAY_RUN, fixed_on_friday, waits
from tests.stories.story import MONDAY_03, PRIMARY, SECONDARY, alert, page, policy, rulebook

NOWHERE = Hours(time(9), time(17), "No/Such_Zone")


async def test_a_wake_up_that_cannot_be_decided_waits_and_the_others_go_on(tell: Tell) -> None:
    story = tell(rulebook(steps=policy(page(PRIMARY), page(SECONDARY, only_during=NOWHERE))))
    await story.fires("broken")
    story.rules.the_book = rulebook()
    await story.fires("sound")
    await story.after(seconds=2)
    story.pages("ana", "ana")
    story.clock.advance(minutes=5)
    assert await story.engine.wake_due() == 2
    assert await story.engine.wake_due() == 0, "the broken one is left alone for a while"
    assert await story.engine.next_look() > story.clock.now(), "nothing asks to look at once"
    await story.outbox.run_due()
    story.pages("bo")
    assert story.counted.pages.count("wake_failed") == 1
    story.clock.advance(minutes=2)
    await story.engine.wake_due()
    assert story.counted.pages.count("wake_failed") == 2, "it is tried again"
    await story.does("ana", "resolved")
    assert await story.state() is State.RESOLVED
    assert await story.engine.next_look() <= story.clock.now() + timedelta(seconds=1)


async def test_many_that_cannot_be_decided_stand_in_nobodys_way(tell: Tell) -> None:
    broken = policy(page(PRIMARY), page(SECONDARY, only_during=NOWHERE))
    story = tell(rulebook(steps=broken, storm=StormRule(incidents=MOST)))
    await story.hears(*[alert(f"t{n}", story.clock.now()) for n in range(MOST)])
    story.clock.advance(seconds=1)
    story.rules.the_book = rulebook(storm=StormRule(incidents=MOST + 1))
    await story.fires("sound")
    story.clock.advance(minutes=5)
    await story.engine.run_due()
    assert len(story.engine.faulty) == MOST
    await story.engine.run_due()
    assert "bo" in (await story.incident(MOST + 1)).paged


async def test_what_cannot_be_stored_is_found_among_the_wake_ups(tell: Tell) -> None:
    story = tell()
    await story.hears(*[alert(f"t{n}", story.clock.now()) for n in range(9)])
    await story.after(seconds=1)
    poison = await story.incident(4)

    def refuses(tx: SqlTransaction) -> None:
        if poison.id in tx._incidents._saved:
            raise OverflowError("Python int too large to convert")

    story.engine = Engine(
        replace(story.engine._parts, store=cast("Store", Checked(story.store.store, refuses)))
    )
    story.clock.advance(minutes=5)
    for _ in range(20):
        await story.engine.run_due()
    assert story.engine.faulty == (poison.id,)
    paged = {n for n in range(1, 10) if "bo" in (await story.incident(n)).paged}
    assert paged == set(range(1, 10)) - {4}


@dataclass
class Checked:
    """A store that looks at each transaction before it ends."""

    store: Store
    look: Callable[[SqlTransaction], None]

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self.store.begin() as tx:
            yield tx
            self.look(cast("SqlTransaction", tx))


async def test_a_roster_that_cannot_be_resolved_does_not_end_the_engine(tell: Tell) -> None:
    story = tell()
    await story.fires()
    await story.after(seconds=2)
    story.pages("ana")
    resolve, looks = story.rules.on_call, list[datetime]()

    def fails(_changes: object, now: datetime) -> Never:
        looks.append(now)
        raise KeyError("swap")

    story.rules.on_call = fails  # type: ignore[assignment, method-assign]
    story.clock.advance(minutes=5)
    async with asyncio.TaskGroup() as group:
        group.create_task(story.engine.run())
        while len(looks) < 3:
            await asyncio.sleep(0.001)  # noqa: TID251 - the engine's turn
            story.clock.advance(seconds=1)
        story.rules.on_call = resolve  # type: ignore[method-assign]
        story.clock.advance(minutes=1)
        while "bo" not in (await story.incident()).paged:
            await asyncio.sleep(0.001)  # noqa: TID251
            story.clock.advance(seconds=1)
        story.engine.stop()


async def test_what_the_database_never_takes_holds_up_nobody(tell: Tell) -> None:
    """PostgreSQL has no text with a NUL; SQLite has."""
    story = tell()
    await story.fires()
    await story.asks(EndOverride(override_id="a\0b", by="eve"))
    await story.does("ana", "acked")
    assert await story.state() is State.ACKNOWLEDGED
    for _ in range(3):
        story.clock.advance(seconds=3)
        await story.settle()
    assert len(story.said()) == 2, "both are answered"


async def test_who_asked_for_what_failed_is_told(tell: Tell) -> None:
    story = tell()
    await story.fires()

    def fails(_changes: object, now: datetime) -> Never:
        raise KeyError("swap")

    story.rules.on_call = fails  # type: ignore[assignment, method-assign]
    await story.does("ana", "acked")
    for _ in range(3):
        story.clock.advance(seconds=3)
        await story.engine.run_due()
    await story.outbox.run_due()
    (said,) = story.said()
    assert said.startswith("⚠️ I failed to do that, and nothing has changed. Try again.")
    assert await story.state() is State.TRIGGERED


@dataclass
class BrokenRunbooks:
    """Runbooks of which none can be chosen for what comes from `source`, or from anywhere."""

    source: str = ""

    def __len__(self) -> int:
        return 1

    def of(self, subject: Subject) -> None:
        if not self.source or self.source in subject.source:
            raise ValueError(subject.name)


async def test_a_flood_with_one_alert_that_cannot_be_decided_is_narrowed_down(tell: Tell) -> None:
    """Although each batch of the flood takes others along, however small it has become."""
    story = tell()
    story.rules.the_book = replace(rulebook(), runbooks=cast("Runbooks", BrokenRunbooks("flood")))
    for number in range(120):
        source = "flood" if number == 0 else "crowd" if number < 60 else f"s{number}"
        one = alert(f"orders{number}", story.clock.now(), source=source)
        await story.hears(one, settle=False)
    for _ in range(25):
        await story.engine.take_deliveries()
    assert await story.store.reader.open_count() > 60


async def test_a_wake_up_that_fails_half_way_has_done_nothing(tell: Tell) -> None:
    """Or the incident would count as paged, and its page would never have been ordered."""
    story = tell()
    until = MONDAY_03 + timedelta(hours=2)
    await story.asks(MakeSilence(by="ana", matchers="source=airflow", until=until, why="deploy"))
    await story.fires(labels={"runbook": "backfill"})
    sound = story.rules.the_book
    story.rules.the_book = replace(sound, runbooks=cast("Runbooks", BrokenRunbooks()))
    story.clock.advance(hours=2)
    await story.engine.wake_due()
    assert story.counted.pages == ["wake_failed"]
    assert not (await story.incident()).paged
    story.rules.the_book = sound
    story.clock.advance(minutes=2)
    await story.engine.wake_due()
    await story.outbox.run_due()
    story.pages("ana")


async def test_a_run_that_cannot_be_judged_holds_up_no_alert_and_is_heard_of(tell: Tell) -> None:
    story = tell(waits())
    faults: list[int] = []
    story.engine._parts = replace(story.engine._parts, on_fault=lambda: faults.append(1))
    await fixed_on_friday(story)
    assert faults == []
    sound = story.rules.the_book
    story.rules.the_book = replace(sound, runbooks=cast("Runbooks", BrokenRunbooks()))
    story.clock.set(MONDAY_RUN + timedelta(minutes=15))
    await story.engine.run_due()
    assert await story.state() is State.RESOLVED
    assert faults == [1], "who waits for a run would wait for ever, and nobody would know"
    assert await story.engine.next_look() > story.clock.now(), "nothing asks to look at once"
    story.rules.the_book = sound
    await story.hears(alert("other", story.clock.now()), settle=False)
    await story.engine.run_due()
    await story.outbox.run_due()
    story.pages("bo")
    story.clock.advance(minutes=2)
    await story.engine.run_due()
    await story.outbox.run_due()
    story.pages("bo")
    assert await story.state() is State.TRIGGERED


class Unreachable:
    """A reader whose database is away."""

    async def next_wake(self) -> datetime | None:
        raise NotStoredError("connection refused")


async def test_a_database_that_is_away_is_waited_for(tell: Tell) -> None:
    story = tell()
    reader = cast("Reader", Unreachable())
    engine = Engine(replace(story.engine._parts, reader=reader))
    assert await engine.next_look() > story.clock.now()


async def test_a_step_that_another_replica_is_at_is_looked_at_soon_and_not_at_once(
    tell: Tell,
) -> None:
    """Its lock lasts ten seconds where it has frozen: so long nobody must go round and round."""
    story = tell()
    await story.fires()
    story.clock.advance(minutes=5)
    now = story.clock.now()
    assert now < await story.engine.next_look() <= now + BREATH


class Mad:
    """A reader that fails as nothing should."""

    async def deliveries_wait(self, now: datetime) -> bool:
        return True

    async def next_wake(self) -> Never:
        raise TypeError("unhashable")


async def test_a_fault_of_its_own_does_not_end_the_engine_and_the_watchdog_hears_of_it(
    tell: Tell,
) -> None:
    story = tell()
    await story.hears(alert("sound", story.clock.now()), settle=False)
    clock = OneWait(story.clock.now())
    faults: list[int] = []
    parts = replace(
        story.engine._parts,
        reader=cast("Reader", Mad()),
        clock=clock,
        on_fault=lambda: faults.append(1),
    )
    engine = Engine(parts)
    clock.engine.append(engine)
    await engine.run()
    assert clock.waits == [parts.poll]
    assert engine.looked_at is None
    assert faults == [1, 1], "neither time nor runs can be looked at"
    assert await story.store.reader.open_count() == 1


class FullDisk:
    """A store that can be read, and not written."""

    def begin(self) -> Never:
        raise NotStoredError("database or disk is full")


@dataclass
class OneWait:
    """A clock by which the first to wait stops the engine."""

    at: datetime
    engine: list[Engine] = field(default_factory=list)
    waits: list[timedelta] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    async def sleep_until(self, when: datetime) -> None:
        raise AssertionError(when)

    async def wait(self, event: asyncio.Event, until: datetime) -> None:
        self.waits.append(until - self.at)
        self.engine[0].stop()


async def test_a_full_disk_is_waited_for_although_a_step_is_due(tell: Tell) -> None:
    story = tell()
    await story.fires("a")
    story.clock.advance(minutes=5)
    clock = OneWait(story.clock.now())
    parts = replace(story.engine._parts, store=cast("Store", FullDisk()), clock=clock)
    clock.engine.append(Engine(parts))
    await clock.engine[0].run()
    assert clock.waits == [parts.poll]


async def test_an_incident_that_cannot_be_read_holds_up_no_timer(
    opened_store: OpenedStore, tell: Tell
) -> None:
    story = tell()
    await story.fires("broken")
    await story.fires("sound")
    await story.after(seconds=2)
    story.pages("ana", "ana")
    async with opened_store.database.write() as connection:
        await connection.execute(text("UPDATE incident SET body = '{}' WHERE number = 1"))
    await story.after(minutes=5)
    story.pages("bo")
    assert await story.engine.wake_due() == 0, "it is put off, not tried again and again"
    next_wake = await story.store.reader.next_wake()
    assert next_wake is not None
    assert next_wake > story.clock.now()
