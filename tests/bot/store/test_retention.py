"""What is forgotten of an incident once it is over, and what stays for ever, on both databases."""

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text

from bot.ports.inbox import NewDelivery
from bot.ports.store import TimelineEntry
from bot.store.bulk import _postgresql
from bot.store.opening import OpenedStore
from bot.store.retention import _AT_ONCE, _ENDED, _look
from rules.access.grant import GrantState
from rules.access.ledger import Entry, Happening
from rules.incident import State
from rules.journal.prompt import JournalPrompt, PromptState
from rules.runbooks.gaps import GapKind, RunbookGap
from rules.runbooks.runbook import StepOutcome, Tick
from rules.sentence import say
from rules.tasks.task import TaskState
from rules.verification import Verdict, Verification
from tests.bot.store.samples import HOUR, alert, incident
from tests.bot.store.test_access import grant
from tests.bot.store.test_journal import entry
from tests.bot.store.test_runbooks import run, use
from tests.bot.store.test_tasks import task
from tests.fakes.clock import FakeClock

YEAR = timedelta(days=366)
AFTER = frozenset({"actions", "tasks", "prompts", "gaps", "ticks", "runbooks", "grants"})


def prompt(clock: FakeClock, number: int, state: PromptState) -> JournalPrompt:
    return JournalPrompt(
        incident_id=f"incident-{number:06}", number=number, person="ana", title="x",
        key=f"k{number}", asked_at=clock.now(), changed_at=clock.now(), state=state,
    )  # fmt: skip


async def aftermath(opened: OpenedStore, clock: FakeClock, *, over: bool) -> None:
    """Keep everything that an incident leaves behind; `over` tells whether it is closed."""
    now = clock.now()
    pending = Verification(verdict=Verdict.PENDING, claimed_at=now)
    resolved = incident(1, now).resolve("ana", now)
    made = resolved.but(closed_at=now) if over else resolved.but(verification=pending)
    ended = TaskState.DONE if over else TaskState.OPEN
    async with opened.store.begin() as tx:
        tx.save(made)
        tx.runbooks.attach(replace(use(clock), chosen_at=now, incident_id=made.id))
        tx.runbooks.tick(made.id, Tick(0, StepOutcome.WORKED, "ana", now))
        tx.runbooks.ask(replace(run(clock), incident_id=made.id))
        tx.tasks.plan(
            [task(clock, incident_id=made.id, state=ended, ended_at=now if over else None)]
        )
        state = PromptState.WRITTEN if over else PromptState.OPEN
        tx.journal.save_prompt(prompt(clock, 1, state))
        tx.journal.save_entry(entry(1, clock))
        tx.runbooks.open_gap(
            RunbookGap(key="g", kind=GapKind.OLD, subject="s", owner="o", number=1, opened_at=now)
        )
        if over:
            tx.runbooks.close_gap("g", now)
        standing = GrantState.ENDED if over else GrantState.ACTIVE
        tx.access.save(grant(state=standing, requested_at=now), None)
        tx.access.note(
            Entry(at=now, what=Happening.GRANT_SEEN, group="prod", person="ana", grant="g1", by="bo")
        )  # fmt: skip


async def test_what_an_incident_left_goes_when_it_is_over(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await aftermath(opened_store, clock, over=True)
    gone = await opened_store.prune(clock.now())
    assert {name for name in AFTER if gone[name]} == set()
    gone = await opened_store.prune(clock.now() + HOUR)
    assert {name for name in AFTER if gone[name]} == {"actions", "tasks", "prompts", "gaps"}
    assert await opened_store.runbooks.last_uses() != {}
    gone = await opened_store.prune(clock.now() + HOUR + YEAR)
    assert {name for name in AFTER if gone[name]} == {"ticks", "runbooks", "grants"}
    assert await opened_store.runbooks.last_uses() == {}


async def test_alerts_go_with_what_is_over_and_stay_with_what_is_not(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    async with opened_store.store.begin() as tx:
        for number in (1, 2, 3):
            made = incident(number, now)
            over = made.resolve("ana", now).but(closed_at=now)
            tx.save([made, over, over][number - 1])
            tx.record_alert(made.id, alert("x", now), now)
        tx.record_alert("incident-000003", alert("later", now), now + 2 * HOUR)
    assert (await opened_store.prune(now))["alerts"] == 0
    assert (await opened_store.prune(now + HOUR))["alerts"] == 2
    left = await opened_store.reader.recent_alert_labels(now, 9)
    assert sorted(one["dedup_key"] for one in left) == ["later", "x"]


async def test_a_delivery_that_could_only_be_shown_as_unreadable_goes_like_any_other(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    accepted = await opened_store.inbox.accept(NewDelivery(source="a", key="1", body=b"x"))
    async with opened_store.store.begin() as tx:
        tx.finish_delivery(accepted.id, error="ValueError while it was read")
    assert (await opened_store.prune(clock.now()))["deliveries"] == 0
    assert (await opened_store.prune(clock.now() + HOUR))["deliveries"] == 1
    assert await opened_store.reader.delivery(accepted.id) is None


async def test_others_have_their_turn_between_small_batches(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now, turns = clock.now(), 0
    line = TimelineEntry(at=now, what="opened", sentence=say("x"))
    async with opened_store.store.begin() as tx:
        tx.save(incident(1, now).resolve("ana", now))
        for _ in range(600):
            tx.add_timeline("incident-000001", line)

    async def reopen() -> None:
        """Change what the rest was to go by, as a person may at any time."""
        nonlocal turns
        turns += 1
        async with opened_store.store.begin() as tx:
            await tx.load_incidents(["incident-000001"])
            tx.save(tx.incident("incident-000001").but(state=State.TRIGGERED, resolved_at=None))

    gone = await opened_store.prune(now + HOUR, reopen)
    assert gone["timeline"] == _AT_ONCE, "what is open again keeps the rest of its story"
    assert turns >= 3
    assert len(await opened_store.reader.timeline("incident-000001", 999)) == 600 - _AT_ONCE


async def test_what_is_still_to_be_done_or_proved_stays(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await aftermath(opened_store, clock, over=False)
    gone = await opened_store.prune(clock.now() + HOUR + YEAR)
    assert {name for name in AFTER if gone[name]} == set()


async def test_journal_and_ledger_and_incidents_stay_for_ever(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await aftermath(opened_store, clock, over=True)
    await opened_store.prune(clock.now() + 50 * YEAR)
    assert await opened_store.journal.entry_of(1) == entry(1, clock)
    assert await opened_store.reader.incident_numbered(1) is not None
    (line,) = await opened_store.access.ledger(clock.now() - HOUR, clock.now() + HOUR)
    assert line.grant == "g1"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("name", list(_ENDED))
async def test_no_look_holds_one_table_against_every_row_of_another(
    name: str, opened_store: OpenedStore, clock: FakeClock
) -> None:
    look = _look(name).params(before=clock.now()).compile(dialect=_postgresql())
    values = [look.params[name] for name in look.positiontup or ()]
    async with opened_store.database.bare() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, asyncpg.Connection)
        plan = await driver.fetch(f"EXPLAIN {look}", *values)
    assert "SubPlan" not in str(plan)


async def test_a_message_is_found_by_its_place_without_reading_all(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async with opened_store.store.begin() as tx:
        tx.save(incident(1, clock.now()))
    assert await opened_store.journal.incident_at("C1", "1.5") is None
    async with opened_store.database.read() as connection:
        if connection.dialect.name == "sqlite":
            plan = "EXPLAIN QUERY PLAN SELECT 1 FROM message WHERE channel = 'C1' AND ts = '1.5'"
            rows = (await connection.execute(text(plan))).all()
            assert "ix_message_place" in str(rows[0])
