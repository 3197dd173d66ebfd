"""Which of the runs that are told of prove a fix: begun when, ended how, and of which interval."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.alert import AlertStatus
from rules.catalogue import Asset, Catalogue, LoadType
from rules.cron import Schedule
from rules.expected_runs import Expectation, ExpectedRuns
from rules.incident import State
from rules.run import BACKFILL, RunState
from rules.verification import Verdict
from rules.verifying.settings import VerifyingRules
from tests.stories.conftest import Tell
from tests.stories.fixes import (
    FRIDAY,
    MONDAY_RUN,
    SHOP,
    day_of,
    fixed_on_friday,
    over,
    run,
    task,
    timeline,
    verdict,
    waits,
)
from tests.stories.story import alert


async def test_a_run_whose_end_is_told_alone_began_when_it_was_told_to(tell: Tell) -> None:
    story = tell(waits(verifying=VerifyingRules(kinds={"lineage": "openlineage"})))
    story.clock.set(FRIDAY)
    about = {"source": "lineage", "labels": {"job": "orders", "job_namespace": "shop"}}
    of_job: dict[str, Any] = {**about, "pipeline": "shop/orders", "kind": ""}
    await story.fires("orders", **about)
    await story.does("ana", "acked")
    await story.after(minutes=9)
    began = run(story.clock.now(), run_id="a", state=RunState.STARTED, ended_at=None)
    await story.hears(runs=[replace(began, **of_job)])
    await story.after(minutes=1)
    await story.does("ana", "resolved")
    await story.after(minutes=10)
    for run_id, proved in (("a", Verdict.PENDING), ("b", Verdict.PASSED)):
        now = story.clock.now()
        well = alert("orders", now, status=AlertStatus.RESOLVED, **about)
        over = replace(run(now), run_id=run_id, started_at=None, ended_at=now)
        await story.hears(well, runs=[replace(over, **of_job)])
        assert await verdict(story) is proved


@pytest.mark.parametrize("part", [{}, {"task_id": "load"}])
async def test_another_pipeline_of_the_product_is_no_proof_and_no_excuse(
    tell: Tell, part: dict[str, str]
) -> None:
    book = waits()
    dags = ("shop_daily", "shop_hourly")
    assets = [Asset(id=f"dag:{dag}", name=dag, kind="dag", product="shop") for dag in dags]
    clock = Expectation(name="shop", schedule=SHOP.schedule, product="shop")
    catalogue = Catalogue(book.catalogue.products, assets)
    story = tell(replace(book, catalogue=catalogue, expected=ExpectedRuns([clock])))
    story.clock.set(FRIDAY)
    await story.fires("shop_daily", labels={"dag_id": "shop_daily", **part})
    story.pages("ana")
    await story.does("ana", "acked")
    await story.does("ana", "resolved")
    assert await verdict(story) is Verdict.PENDING
    for began in (FRIDAY + timedelta(hours=1), MONDAY_RUN + timedelta(minutes=1)):
        await story.until(began + timedelta(minutes=5))
        hourly = {"pipeline": "shop_hourly", "labels": {"dag_id": "shop_hourly"}}
        await over(story, began, run_id=f"{began:%d}", **hourly)
        assert await verdict(story) is Verdict.PENDING
    await story.until(MONDAY_RUN + timedelta(hours=2, minutes=15))
    story.pages("bo")
    assert await verdict(story) is Verdict.FAILED


async def test_a_cancelled_run_neither_proves_nor_disproves(tell: Tell) -> None:
    story = tell(waits())
    story.clock.set(FRIDAY)
    about = {"source": "pager", "labels": {"dag_id": "shop_daily"}}
    await story.fires("orders", **about)
    await story.does("ana", "acked")
    await story.does("ana", "resolved")
    story.pages("ana")
    await story.after(minutes=10)
    await over(story, story.clock.now(), run_id="a", state=RunState.CANCELLED)
    assert await verdict(story) is Verdict.PENDING
    story.pages()
    await over(story, story.clock.now(), run_id="b")
    assert await verdict(story) is Verdict.PASSED


@pytest.mark.parametrize("interval", [timedelta(0), timedelta(days=1)])
async def test_every_run_that_failed_must_be_loaded_again_and_no_other(
    tell: Tell, interval: timedelta
) -> None:
    """Airflow 3 names a scheduled run by an instant, so that its parts never touch."""

    def loads(at: datetime) -> dict[str, str]:
        start, end = (at - interval).isoformat(), at.isoformat()
        return {"data_interval_start": start, "data_interval_end": end}

    story = tell(waits(LoadType.INCREMENTAL))
    nights = [FRIDAY - timedelta(minutes=20) - timedelta(days=days) for days in (4, 2, 0)]
    for night in nights:
        story.clock.set(night + timedelta(minutes=20))
        await task(story, night, well=False, **loads(night))
    await story.does("ana", "acked")
    await story.does("ana", "resolved")
    for night in nights:
        assert await verdict(story) is Verdict.PENDING
        await story.after(minutes=5)
        await over(
            story,
            story.clock.now(),
            kind=BACKFILL,
            run_id=f"backfill__{night:%d}",
            labels={"dag_id": "shop_daily", **loads(night)},
            assets=("task:shop_daily.load",),
        )
    assert await verdict(story) is Verdict.PASSED


async def test_no_fix_is_disproved_by_a_run_that_another_schedule_does_not_have(
    tell: Tell,
) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    weekly = replace(SHOP, schedule=Schedule("0 5 * * wed", "Europe/Berlin"))
    story.rules.the_book = waits(expected=ExpectedRuns([weekly]))
    wednesday = MONDAY_RUN + timedelta(days=2)
    await story.until(wednesday - timedelta(minutes=1))
    story.pages()
    assert await verdict(story) is Verdict.PENDING
    expects = (await story.incident()).verification
    assert expects
    assert expects.expects
    assert expects.expects.due_at == wednesday
    assert any("The schedule was changed" in line for line in await timeline(story))
    await story.until(wednesday + timedelta(minutes=15))
    story.pages("cy")


async def test_people_are_asked_once_nobody_expects_the_run_any_more(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    story.rules.the_book = waits(catalogue=Catalogue(), expected=ExpectedRuns())
    await story.until(MONDAY_RUN + timedelta(days=4))
    story.pages()
    assert await verdict(story) is Verdict.PENDING
    seen = (await story.incident()).verification
    assert seen
    assert seen.asked == 3


async def test_what_the_catalogue_has_not_told_yet_is_not_gone(tell: Tell) -> None:
    story = tell(waits())
    await fixed_on_friday(story)
    unread = ExpectedRuns(complete=False)
    story.rules.the_book = waits(catalogue=Catalogue(), expected=unread)
    await story.until(MONDAY_RUN + timedelta(hours=2, minutes=15))
    story.pages("bo")
    assert await verdict(story) is Verdict.FAILED


async def test_last_weeks_run_that_is_cleared_does_not_end_todays_failure(tell: Tell) -> None:
    story = tell(waits())
    story.clock.set(FRIDAY)
    began = FRIDAY - timedelta(minutes=20)
    await task(story, began, well=False, **day_of(began))
    story.pages("ana")
    await story.after(minutes=2)
    cleared = {**day_of(began - timedelta(days=7)), "cleared": "true"}
    await task(story, story.clock.now(), well=True, **cleared)
    assert await story.state() is State.TRIGGERED
    assert "shop_daily.load succeeded, of an earlier interval" in await timeline(story)
    await story.after(minutes=10)
    story.pages("dee")
    await story.does("dee", "acked")
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await task(story, MONDAY_RUN, well=True, **day_of(MONDAY_RUN))
    assert await story.state() is State.RESOLVED
    assert await verdict(story) is Verdict.PASSED


async def test_last_weeks_run_proves_no_fix_of_todays(tell: Tell) -> None:
    story = tell(waits())
    began = FRIDAY - timedelta(minutes=20)
    await fixed_on_friday(story, **day_of(began))
    cleared = {**day_of(began - timedelta(days=7)), "cleared": "true"}
    await task(story, story.clock.now(), well=True, **cleared)
    assert await verdict(story) is Verdict.PENDING
    await story.until(MONDAY_RUN + timedelta(minutes=10))
    await task(story, MONDAY_RUN, well=True, **day_of(MONDAY_RUN))
    assert await verdict(story) is Verdict.PASSED
