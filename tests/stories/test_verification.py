"""A fix is claimed on Friday and proved by Monday's run, or not; and who hears of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from rules.audit import Fault
from rules.catalogue import LoadType
from rules.cron import Schedule
from rules.expected_runs import ExpectedRuns
from rules.incident import State
from rules.priority import Priority
from rules.run import BACKFILL, RunState
from rules.verification import Proof, Verdict
from tests.stories.conftest import Tell
from tests.stories.fixes import (
    FRIDAY,
    MONDAY,
    MONDAY_RUN,
    SHOP,
    day_of,
    fixed_on_friday,
    labels,
    over,
    posts,
    run,
    task,
    timeline,
    verdict,
    waits,
)
from tests.stories.story import rulebook
from tests.stories.test_auditor import Audited
from tests.stories.test_expected_runs import much_waits


async def test_mondays_success_closes_it(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    incident = await story.incident()
    assert incident.verification
    assert incident.verification.expects
    assert incident.verification.expects.due_at == MONDAY_RUN
    assert incident.verification.expects.proof is Proof.NEXT_RUN
    assert (incident.is_pending, incident.is_closed, incident.closed_at) == (True, False, None)
    assert any(
        "to be proved by the run of shop_daily due" in line for line in await timeline(story)
    )
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await task(story, MONDAY_RUN, well=True)
    incident = await story.incident()
    assert await verdict(story) is Verdict.PASSED
    assert incident.closed_at == incident.verified_at == MONDAY_RUN + timedelta(minutes=10)
    await over(story, MONDAY_RUN)
    await story.after(days=2)
    assert await story.state() is State.RESOLVED


async def test_closed_it_stays_closed_and_the_next_failure_is_another(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await task(story, MONDAY_RUN, well=True)
    await story.after(minutes=30)
    await task(story, story.clock.now(), well=False)
    assert await story.state() is State.RESOLVED
    assert (await story.incident(2)).previous == 1


async def test_mondays_failure_reopens_it_and_pages_mondays_on_call(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    before = (await story.incident()).priority
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    story.pages()
    await task(story, MONDAY_RUN, well=False)
    story.pages("bo")
    incident = await story.incident()
    assert (incident.state, incident.unproved) == (State.TRIGGERED, 1)
    assert incident.priority < before
    assert len(posts(story)) == 1
    await story.after(seconds=1)  # one call a second in the channel: the message itself first
    assert any(said.startswith("The fix by ana did not hold") for said in story.said())
    await over(story, MONDAY_RUN, state=RunState.FAILED)
    assert await story.store.reader.incident_numbered(2) is None
    await story.does("bo", "acked")
    await story.after(hours=1)
    await story.does("bo", "resolved")
    assert await verdict(story) is Verdict.PENDING


async def test_mondays_silence_pages_mondays_on_call(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    await story.until(MONDAY_RUN + timedelta(minutes=15))
    story.pages("bo")
    incident = await story.incident()
    assert (incident.state, incident.unproved) == (State.TRIGGERED, 1)
    assert await story.store.reader.incident_numbered(2) is None
    assert len(posts(story)) == 1


async def test_a_proof_that_waits_to_be_heard_is_not_overdue(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await story.hears(runs=[run(MONDAY_RUN, state=RunState.STARTED, ended_at=None)])
    await much_waits(story)
    proof = run(MONDAY_RUN, assets=("task:shop_daily.load",))
    await story.hears(runs=[proof], settle=False)
    await story.down(hours=5)
    story.pages()
    assert await verdict(story) is Verdict.PASSED


async def test_a_run_that_never_ends_pages_too(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    await story.until(MONDAY_RUN)
    await story.hears(runs=[run(MONDAY_RUN, state=RunState.STARTED, ended_at=None)])
    await story.until(MONDAY_RUN + timedelta(hours=2, minutes=14))
    story.pages()
    await story.until(MONDAY_RUN + timedelta(hours=2, minutes=15))
    story.pages("bo")


async def test_silence_pages_after_a_crash_once(tell: Tell) -> None:
    story = tell(waits(expected=ExpectedRuns()))
    await fixed_on_friday(story)
    await story.until(MONDAY_RUN + timedelta(hours=2))
    await story.down(minutes=30)
    story.pages("bo")
    for _ in range(3):
        await story.down(minutes=1)
    story.pages()


async def test_incremental_without_its_backfill_stays_open(tell: Tell) -> None:
    story = tell(waits(LoadType.INCREMENTAL))
    friday_run = FRIDAY - timedelta(minutes=20)
    await fixed_on_friday(story, **day_of(friday_run))
    expects = (await story.incident()).verification
    assert expects
    assert expects.expects
    assert expects.expects.proof is Proof.BACKFILL
    assert any("does not repair what is loaded: backfill" in said for said in story.said())
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await task(story, MONDAY_RUN, well=True, **day_of(MONDAY_RUN))
    await over(story, MONDAY_RUN, labels=labels(**day_of(MONDAY_RUN)))
    assert await verdict(story) is Verdict.PENDING
    story.pages()
    half = friday_run - timedelta(hours=12)
    for start, end in ((friday_run - timedelta(days=1), half), (half, friday_run)):
        assert await verdict(story) is Verdict.PENDING
        told = {"data_interval_start": start.isoformat(), "data_interval_end": end.isoformat()}
        await story.after(minutes=5)
        began, name = story.clock.now(), f"backfill__{end:%H}"
        of_load = ("task:shop_daily.load",)
        more = {"dag_id": "shop_daily", **told}
        await over(story, began, kind=BACKFILL, run_id=name, labels=more, assets=of_load)
    assert await verdict(story) is Verdict.PASSED


async def test_a_snapshot_asks_for_a_manual_proof(tell: Tell) -> None:
    story = tell(waits(LoadType.SNAPSHOT, expected=ExpectedRuns()))
    await fixed_on_friday(story)
    assert (
        "No run can prove this fix. Say how you know: `/oncall verify 1 <words>`." in story.said()
    )
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await task(story, MONDAY_RUN, well=True)
    assert await verdict(story) is Verdict.PENDING
    await story.after(days=9)
    assert len([one for one in story.said() if "No run can prove" in one]) == 1 + 3
    story.pages()
    await story.does("bo", "verified", note="deleted 12 doubled history rows")
    incident = await story.incident()
    assert incident.is_closed
    assert incident.verification
    assert (incident.verification.ended_by, incident.verification.evidence) == (
        "bo",
        "deleted 12 doubled history rows",
    )


async def test_a_success_that_began_before_the_fix_proves_nothing(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    await story.after(minutes=5)
    await task(story, FRIDAY + timedelta(minutes=5), well=True)
    assert await verdict(story) is Verdict.PENDING
    assert any("began before the fix was claimed" in line for line in await timeline(story))


async def test_a_failure_that_began_before_the_fix_pages_nobody(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    await story.after(minutes=5)
    await task(story, FRIDAY + timedelta(minutes=5), well=False)
    story.pages()
    assert await verdict(story) is Verdict.PENDING


async def test_a_run_that_skipped_the_failed_node_proves_nothing(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await over(story, MONDAY_RUN)
    assert await verdict(story) is Verdict.PENDING
    await over(story, MONDAY_RUN, run_id="other", assets=("task:shop_daily.extract",))
    assert await verdict(story) is Verdict.PENDING
    assert any("left out load" in line for line in await timeline(story))
    await over(story, MONDAY_RUN, run_id="third", assets=("task:shop_daily.load",))
    assert await verdict(story) is Verdict.PASSED


async def test_a_run_that_tells_nothing_of_its_tasks_wakes_nobody_and_asks(tell: Tell) -> None:
    story = tell(waits(expected=ExpectedRuns()))
    await fixed_on_friday(story)
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await over(story, MONDAY_RUN)
    await story.until(MONDAY_RUN + timedelta(hours=6))
    story.pages()
    assert await verdict(story) is Verdict.PENDING
    (asked,) = [t for t in story.said() if "nobody said whether load ran in it" in t]
    assert "/oncall verify 1 <words>" in asked


async def test_a_dbt_run_must_contain_the_model(tell: Tell) -> None:
    story = tell(waits())
    story.clock.set(FRIDAY)
    node = "model.shop.fct_orders"
    more: dict[str, Any] = {"source": "dbt", "labels": {"unique_id": node, "model": "fct_orders"}}
    await story.fires("fct_orders", **more)
    await story.does("ana", "acked")
    await story.does("ana", "resolved")
    dbt: dict[str, Any] = {"source": "dbt", "pipeline": "shop/prod/build", "labels": {}}
    await story.after(minutes=30)
    await over(story, story.clock.now(), assets=("model.shop.users",), **dbt)
    assert await verdict(story) is Verdict.PENDING
    await over(story, story.clock.now(), assets=("model.shop.users", node), **dbt)
    assert await verdict(story) is Verdict.PASSED


async def test_the_source_says_that_it_is_resolved(tell: Tell) -> None:
    story = tell(waits())
    story.clock.set(FRIDAY)
    await task(story, FRIDAY - timedelta(minutes=20), well=False)
    await story.does("ana", "acked")
    await story.after(minutes=10)
    await task(story, FRIDAY + timedelta(minutes=2), well=True)
    incident = await story.incident()
    assert (incident.state, incident.is_closed) == (State.RESOLVED, True)
    assert incident.verified_at == story.clock.now()


async def test_a_click_elsewhere_proves_nothing(tell: Tell) -> None:
    story = tell(waits())
    story.clock.set(FRIDAY)
    for number, source in enumerate(("pager", "cloudwatch"), 1):
        about = {"product": "shop"}
        await story.fires(source, source=source, labels=about)
        await story.recovers(source, source=source, labels=about)
        assert await story.state(number) is State.RESOLVED
        assert await verdict(story, number) is Verdict.PENDING


async def test_a_monitor_proves_it_in_words_that_do_not_say_it_is_down(tell: Tell) -> None:
    story = tell(waits())
    story.clock.set(FRIDAY)
    about = {"source": "monitor", "title": "warehouse-1 does not answer"}
    await story.fires("warehouse", **about)
    await story.recovers("warehouse", **about)
    incident = await story.incident()
    assert incident.is_closed
    assert incident.verification
    assert incident.verification.evidence == "monitor reports it no more"


async def test_pending_across_two_hand_offs(tell: Tell) -> None:
    tuesday = Schedule("0 5 * * tue", "Europe/Berlin")
    story = tell(waits(expected=ExpectedRuns([replace(SHOP, schedule=tuesday)])))
    await fixed_on_friday(story)
    await story.until(MONDAY + timedelta(days=1, hours=4, minutes=10))
    assert await verdict(story) is Verdict.PENDING
    story.pages()
    await task(story, MONDAY_RUN + timedelta(days=1), well=False)
    story.pages("cy")
    assert len(posts(story)) == 1


async def test_the_same_alert_fires_while_it_is_pending(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    await story.after(hours=3)
    await task(story, story.clock.now() - timedelta(minutes=5), well=False)
    story.pages("ana")
    incident = await story.incident()
    assert (incident.state, incident.unproved) == (State.TRIGGERED, 1)
    assert await story.store.reader.incident_numbered(2) is None
    await story.does("ana", "acked")
    await story.does("ana", "resolved")
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await task(story, MONDAY_RUN, well=True)
    assert await verdict(story) is Verdict.PASSED


async def test_waiving_needs_a_reason(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    await story.does("ana", "waived")
    assert story.said()[-1] == "Say why #1 needs no proof: `/oncall waive 1 <why>`."
    await story.does("ana", "waived", note="the DAG is retired")
    assert await verdict(story) is Verdict.WAIVED
    assert (await story.incident()).is_closed
    await story.until(MONDAY_RUN + timedelta(minutes=15))
    story.pages("bo")  # nothing ran, and that is a trouble of its own now
    assert (await story.incident(2)).source == "@expected"


async def test_a_reopened_fix_has_failed(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    await story.does("ana", "reopened", note="the column is gone again")
    await story.after(seconds=5)
    story.pages("ana")
    assert await verdict(story) is Verdict.FAILED


async def test_what_has_no_run_and_no_product_needs_no_proof(tell: Tell) -> None:
    story = tell(rulebook())
    await story.fires()
    await story.does("ana", "resolved")
    assert await verdict(story) is Verdict.NOT_NEEDED
    assert (await story.incident()).is_closed


async def test_a_silent_fix_of_something_minor_pages_nobody(tell: Tell) -> None:
    story = tell(waits(pages=frozenset({Priority.P1})))
    story.clock.set(FRIDAY - timedelta(minutes=25))
    await task(story, FRIDAY - timedelta(minutes=40), well=False)
    story.pages()
    await story.does("ana", "resolved")
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await task(story, MONDAY_RUN, well=False)
    raised: Sequence[str] = ("bo",) if (await story.incident()).priority is Priority.P1 else ()
    story.pages(*raised)


async def test_a_run_is_started_once_it_is_asked_for(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    await story.does("ana", "run_requested")
    await story.does("bo", "run_requested")
    await story.after(seconds=5)
    assert len(story.sent("trigger_run")) == 1
    began = story.clock.now()
    await story.after(minutes=10)
    await task(story, began, well=True)
    assert await verdict(story) is Verdict.PASSED
    await story.does("ana", "run_requested")
    assert story.said()[-1] == "#1 waits for no proof."


async def test_a_proof_whose_timer_is_lost_is_found_and_still_pages(tell: Tell) -> None:
    story = tell(waits(expected=ExpectedRuns()))
    audited = Audited(story)
    await fixed_on_friday(story)
    assert await audited.looks() == []
    await audited.breaks("UPDATE incident SET wake_at = NULL")
    await story.after(minutes=2)
    assert await audited.looks() == [Fault.TIMER_LOST]
    await story.after(minutes=2)
    assert await audited.looks() == []
    await story.until(MONDAY_RUN + timedelta(hours=2, minutes=16))
    story.pages("bo")


async def test_a_proof_that_waits_for_words_is_no_fault(tell: Tell) -> None:
    story = tell(waits(LoadType.SNAPSHOT, expected=ExpectedRuns()))
    audited = Audited(story)
    await fixed_on_friday(story)
    await story.after(days=9)
    assert await audited.looks() == []
    assert await verdict(story) is Verdict.PENDING
