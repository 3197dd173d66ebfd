"""A run that was to start and did not: one page, to the minute, and an end when it runs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import rules
from bot.engine.pace import MOST
from rules.alert import AlertStatus
from rules.catalogue import Asset, Catalogue, Product
from rules.category import Category
from rules.cron import Schedule
from rules.documents.overruling_parts import not_actionable_rules
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.strict_yaml import read
from rules.expected_runs import EXPECTED, Expectation, ExpectedRuns, Outcome
from rules.incident import State
from rules.matching.matcher import matchers_of
from rules.rotation import OnCall, Span
from rules.rulebook import RuleBook
from rules.run import BACKFILL, SCHEDULED, Run, RunState
from rules.silence import MaintenanceWindow
from tests.rules.weighing.category_tables import SHIPPED
from tests.stories.airflow import airflow_tells
from tests.stories.conftest import Tell
from tests.stories.story import Story, alert, rulebook

SHOP = Expectation(
    name="shop_daily",
    schedule=Schedule("0 5 * * *", "Europe/Berlin", frozenset({date(2026, 12, 25)})),
    source="airflow",
    pipeline="shop_daily",
    labels={"dag_id": "shop_daily"},
)
ALL_YEAR = OnCall(
    Span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), "data", role, (who,))
    for role, who in (("primary", "ana"), ("secondary", "bo"))
)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
FIVE = MONDAY.replace(hour=4)  # in Berlin, in winter


def waits_for(*expectations: Expectation, **changes: Any) -> RuleBook:
    expected = ExpectedRuns(expectations or (SHOP,))
    return replace(rulebook(expected=expected, on_call=ALL_YEAR), **changes)


def run(started_at: datetime, **more: object) -> Run:
    usual = Run(
        source="airflow",
        pipeline="shop_daily",
        run_id=f"scheduled__{started_at.isoformat()}",
        state=RunState.STARTED,
        started_at=started_at,
        kind=SCHEDULED,
        labels={"dag_id": "shop_daily"},
    )
    return replace(usual, **more)  # type: ignore[arg-type]


async def starts(story: Story, **more: object) -> None:
    await story.hears(runs=[run(story.clock.now(), **more)])


async def occasions(story: Story, name: str = "shop_daily") -> list[tuple[str, str]]:
    found = await story.store.reader.occasions(name, MONDAY - timedelta(days=300))
    return [(f"{one.due_at:%m-%d %H:%M}", one.outcome.value) for one in found]


@pytest.mark.parametrize("at_once", [False, True])
async def test_the_end_of_a_run_that_began_before_serves_nothing_later(
    tell: Tell, at_once: bool
) -> None:
    hourly = replace(SHOP, schedule=Schedule("0 * * * *"), source="lineage")
    story = tell(waits_for(hourly))
    story.clock.set(FIVE - timedelta(minutes=30))
    await story.settle()
    await story.until(FIVE)
    began = run(FIVE, source="lineage", kind="")
    await story.hears(runs=[began])
    await story.until(FIVE + timedelta(hours=1, minutes=10))
    now = story.clock.now()
    over = replace(began, state=RunState.FAILED, started_at=None, ended_at=now)
    await story.hears(runs=[began, over] if at_once else [over])
    await story.until(FIVE + timedelta(hours=1, minutes=15))
    story.pages("ana")
    assert (await story.incident()).title == "shop_daily was due at 05:00 and has not started"


async def much_waits(story: Story) -> None:
    """Let more come than is decided at a time."""
    well = {"source": "airflow", "status": AlertStatus.RESOLVED}
    for n in range(MOST + 1):
        await story.hears(alert(f"thing-{n}", story.clock.now(), **well), settle=False)


async def begin(story: Story, at: datetime) -> None:
    story.clock.set(at)
    await story.settle()


async def test_what_never_starts_pages_once_at_deadline_plus_grace(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    deadline = FIVE + timedelta(minutes=15)
    await story.until(deadline - timedelta(seconds=1))
    story.pages()
    await story.until(deadline)
    story.pages("ana")
    incident = await story.incident()
    assert incident.title == "shop_daily was due at 05:00 and has not started"
    assert (incident.source, incident.labels["dag_id"]) == (EXPECTED, "shop_daily")
    await story.does("ana", "acked")
    await story.after(hours=20)
    story.pages()
    assert await occasions(story) == [("11-23 04:00", "missed")]


async def test_what_has_started_is_not_missed_because_much_waits_to_be_heard(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    await story.until(FIVE)
    await much_waits(story)
    await story.hears(runs=[run(FIVE)], settle=False)
    await story.down(minutes=20)
    assert await occasions(story) == [("11-23 04:00", "started")]
    story.pages()


@pytest.mark.parametrize(
    ("before", "deadline"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 3, 15, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 4, 15, tzinfo=UTC)),
    ],
)
async def test_to_the_minute_across_the_clock_changes(
    tell: Tell, before: datetime, deadline: datetime
) -> None:
    story = tell(waits_for())
    await begin(story, before)
    await story.until(deadline - timedelta(seconds=1))
    story.pages()
    await story.until(deadline)
    story.pages("ana")
    await starts(story)
    assert (await story.store.reader.open_count()) == 0


@pytest.mark.parametrize(
    ("before", "runs_at", "late_at"),
    [
        ("2026-03-28T12:00", "2026-03-29T01:30", "2026-03-29T01:45"),
        ("2026-03-28T12:00", "2026-03-29T01:00", "2026-03-29T01:45"),
        ("2026-10-24T12:00", "2026-10-25T01:30", "2026-10-25T01:45"),
        ("2026-10-24T12:00", "2026-10-25T00:30", "2026-10-25T01:45"),
    ],
)
@pytest.mark.parametrize("it_runs", [True, False])
async def test_nobody_is_woken_because_schedulers_differ_where_clocks_change(
    tell: Tell, before: str, runs_at: str, late_at: str, it_runs: bool
) -> None:
    """At 02:30 in Berlin: skipped in March, and there twice in October."""
    at, late = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (runs_at, late_at))
    story = tell(waits_for(replace(SHOP, schedule=Schedule("30 2 * * *", "Europe/Berlin"))))
    await begin(story, datetime.fromisoformat(before).replace(tzinfo=UTC))
    await story.until(at)
    if it_runs:
        await starts(story, nominal_at=at)
    await story.until(late - timedelta(seconds=1))
    story.pages()
    await story.until(late)
    story.pages(*([] if it_runs else ["ana"]))


async def test_on_a_holiday_nothing_is_due(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, datetime(2026, 12, 24, 12, tzinfo=UTC))
    await story.until(datetime(2026, 12, 26, 4, 14, 59, tzinfo=UTC))
    story.pages()
    await story.until(datetime(2026, 12, 26, 4, 15, tzinfo=UTC))
    story.pages("ana")


async def test_a_run_in_time_is_all_that_is_asked(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    for day in range(5):
        await story.until(FIVE + timedelta(days=day, minutes=-1 if day % 2 else 14))
        await starts(story, nominal_at=FIVE + timedelta(days=day))
    await story.until(FIVE + timedelta(days=4, hours=12))
    story.pages()
    assert [outcome for _, outcome in await occasions(story)] == ["started"] * 5


async def test_a_late_start_ends_it(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    await story.until(FIVE + timedelta(minutes=16))
    story.pages("ana")
    await story.does("ana", "acked")
    await story.until(FIVE + timedelta(minutes=47))
    await starts(story)
    assert await story.state() is State.RESOLVED
    timeline = await story.store.reader.timeline((await story.incident()).id, 50)
    titles = [entry.sentence.values.get("title") for entry in timeline]
    assert "shop_daily started 47 min late" in titles
    await story.hears(
        runs=[run(FIVE + timedelta(minutes=47), state=RunState.SUCCEEDED,
                  ended_at=FIVE + timedelta(minutes=60))]
    )  # fmt: skip
    (occasion,) = await story.store.reader.occasions("shop_daily", MONDAY)
    assert occasion.outcome is Outcome.SUCCEEDED
    assert occasion.seen_at == FIVE + timedelta(minutes=47)


async def test_a_failed_run_has_started(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    await story.until(FIVE)
    await starts(story, state=RunState.FAILED)
    await story.after(hours=20)
    story.pages()
    assert await occasions(story) == [("11-23 04:00", "failed")]


async def test_a_crash_neither_loses_nor_repeats_it(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    await story.until(FIVE + timedelta(minutes=14))
    await story.down(minutes=1)
    story.pages("ana")
    await story.does("ana", "acked")
    for _ in range(3):
        await story.down(minutes=10)
    story.pages()
    assert len(await story.store.reader.incidents(states=list(State), limit=9)) == 1


async def test_down_for_days_it_tells_of_the_last_miss_alone(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    await story.down(days=3, hours=12)
    story.pages("ana")
    incident = await story.incident()
    assert incident.title == (
        "shop_daily was due at 05:00 and has not started; 4 occasions in a row were missed"
    )
    assert len(await story.store.reader.incidents(states=list(State), limit=9)) == 1
    assert [outcome for _, outcome in await occasions(story)] == ["missed"] * 4


async def test_a_second_miss_joins_the_first(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    await story.until(FIVE)
    await story.until(FIVE + timedelta(minutes=15))
    await story.does("ana", "acked")
    story.pages("ana")
    await story.until(FIVE + timedelta(days=1, minutes=20))
    story.pages()
    assert (await story.incident()).alert_count == 1
    await starts(story)
    assert await story.state() is State.RESOLVED


async def test_another_schedule_raises_nothing_that_was_not_asked(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    hourly = replace(SHOP, schedule=Schedule("0 * * * *", "Europe/Berlin"))
    story.clock.set(MONDAY.replace(hour=10, minute=30))
    story.rules.the_book = waits_for(hourly)
    story.restart()
    await story.until(MONDAY.replace(hour=11, minute=14))
    story.pages()
    await story.until(MONDAY.replace(hour=11, minute=15))
    story.pages("ana")
    story.rules.the_book = waits_for(replace(SHOP, name="another"))
    await story.settle()
    assert await story.state() is State.RESOLVED


async def test_until_the_catalogue_is_read_nothing_is_judged_nor_forgotten(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    known = story.rules.the_book
    story.rules.the_book = replace(known, expected=ExpectedRuns(complete=False))
    await story.down(hours=5)
    story.pages()
    story.rules.the_book = known
    await story.settle()
    story.pages("ana")


async def test_maintenance_mutes_it_as_any_alert(tell: Tell) -> None:
    window = MaintenanceWindow(
        "move", matchers_of(("dag_id=shop_daily",)), MONDAY, MONDAY + timedelta(days=1)
    )
    story = tell(waits_for(windows=(window,)))
    await begin(story, MONDAY)
    await story.until(MONDAY.replace(hour=12))
    story.pages()
    assert (await story.incident()).muted is not None


async def test_a_product_is_served_by_any_run_about_it(tell: Tell) -> None:
    orders = Product(id="orders", name="Orders")
    assets = [
        Asset(id="model.shop.fct", name="fct", kind="model", product="orders"),
        Asset(id="dag:load", name="load", kind="dag", product="orders"),
    ]
    expected = Expectation(
        name="orders", schedule=SHOP.schedule, product="orders", labels={"product": "orders"}
    )
    story = tell(waits_for(expected, catalogue=Catalogue([orders], assets)))
    await begin(story, MONDAY)
    await story.until(FIVE)
    await starts(story, source="dbt", pipeline="shop/prod/build", assets=("model.shop.fct",))
    await story.until(FIVE + timedelta(days=1))
    await starts(story, pipeline="load", labels={"dag_id": "load"})
    await story.until(FIVE + timedelta(days=2))
    await starts(story, pipeline="other", labels={"dag_id": "other"})
    story.pages()
    await story.until(FIVE + timedelta(days=2, minutes=15))
    story.pages("ana")
    assert [o for _, o in await occasions(story, "orders")] == ["started", "started", "missed"]


async def test_a_backfill_serves_no_occasion(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    await story.until(FIVE)
    await story.hears(runs=backfill(30))
    await story.until(FIVE + timedelta(minutes=14))
    story.pages()
    await story.until(FIVE + timedelta(minutes=15))
    story.pages("ana")


async def test_a_cleared_run_of_last_week_serves_not_today(tell: Tell) -> None:
    story = tell(waits_for())
    await begin(story, MONDAY)
    await story.until(FIVE)
    await starts(story, nominal_at=FIVE - timedelta(days=7), attempt=2, run_id="old")
    await story.until(FIVE + timedelta(minutes=15))
    story.pages("ana")


def backfill(days: int) -> Sequence[Run]:
    return [
        run(
            FIVE + timedelta(minutes=day),
            run_id=f"backfill__{day}",
            kind=BACKFILL,
            state=RunState.FAILED,
        )
        for day in range(days)
    ]


async def test_two_replicas_raise_it_once(tell: Tell) -> None:
    story, other = tell(waits_for()), tell(waits_for())
    await begin(story, MONDAY)
    story.clock.set(FIVE + timedelta(minutes=15))
    for each in (story, other, story, other):
        await each.engine.run_due()
    await story.settle()
    story.pages("ana")
    assert len(await story.store.reader.incidents(states=list(State), limit=9)) == 1


async def test_it_is_a_matter_of_freshness(tell: Tell) -> None:
    story = tell(waits_for(categories=SHIPPED))
    await begin(story, MONDAY)
    await story.until(FIVE + timedelta(minutes=15))
    assert (await story.incident()).category is Category.FRESHNESS


# what a person started by hand


def shipped() -> RuleBook:
    pack = (Path(rules.__file__).parent / "packs" / "default.yaml").read_text()
    spec, faults = read(pack, RulebookSpec, "default.yaml")
    assert spec is not None
    assert not faults
    return waits_for(not_actionable=not_actionable_rules([spec]))


async def tells(story: Story, event: str, run_id: str, *, task: str = "", **run: Any) -> None:
    """Let Airflow tell an event of a run of shop_daily, through the real parser."""
    now = story.clock.now()
    document: dict[str, object] = {
        "event": event,
        "dag": {"dag_id": "shop_daily"},
        "dag_run": {"run_id": run_id, "start_date": now.isoformat(), **run},
        "task": {"task_id": task} if task else None,
    }
    await airflow_tells(story, document)


async def test_thirty_days_of_backfill_page_nobody_and_are_one_incident(tell: Tell) -> None:
    story = tell(shipped())
    await begin(story, MONDAY.replace(hour=5))
    for day in range(30):
        run_id, of_backfill = f"backfill__{day}", {"run_type": "backfill"}
        failed = day % 3 == 0
        event = "failed" if failed else "succeeded"
        await tells(story, f"task_{event}", run_id, task="load", **of_backfill)
        await tells(story, f"dag_run_{event}", run_id, **of_backfill)
        await story.after(minutes=2)
    story.pages()
    (incident,) = await story.store.reader.incidents(states=list(State), limit=99)
    assert (incident.state, incident.firing_count) == (State.TRIGGERED, 20)
    for day in range(0, 30, 3):  # cleared, and now well
        more: dict[str, Any] = {"run_type": "backfill", "clear_number": 1}
        await tells(story, "task_succeeded", f"backfill__{day}", task="load", **more)
        await tells(story, "dag_run_succeeded", f"backfill__{day}", **more)
    assert await story.state() is State.RESOLVED
    story.pages()


async def test_todays_failure_pages_in_the_middle_of_a_backfill(tell: Tell) -> None:
    story = tell(shipped())
    await begin(story, MONDAY.replace(hour=5))
    await tells(story, "task_failed", "backfill__1", task="load", run_type="backfill")
    story.pages()
    await tells(story, "task_failed", "scheduled__today", task="load", run_type="scheduled")
    story.pages("ana")


async def test_cleared_runs_page_nobody_and_hide_no_new_failure(tell: Tell) -> None:
    story = tell(shipped())
    await begin(story, MONDAY.replace(hour=5))
    old: dict[str, Any] = {"run_type": "scheduled", "clear_number": 1}
    for attempt in range(3):
        await tells(story, "task_failed", f"scheduled__old_{attempt}", task="load", **old)
        await tells(story, "dag_run_failed", f"scheduled__old_{attempt}", **old)
    story.pages()
    assert await story.state() is State.TRIGGERED
    await tells(story, "task_failed", "scheduled__today", task="load", run_type="scheduled")
    story.pages("ana")


async def test_retries_of_a_task_page_nobody(tell: Tell) -> None:
    story = tell(shipped())
    await begin(story, MONDAY.replace(hour=5))
    for _ in range(3):
        await tells(story, "task_retry", "scheduled__today", task="load", run_type="scheduled")
    story.pages()


async def test_a_rulebook_may_have_backfills_page(tell: Tell) -> None:
    story = tell(replace(shipped(), not_actionable=not_actionable_rules([])))
    await begin(story, MONDAY.replace(hour=5))
    await tells(story, "task_failed", "backfill__1", task="load", run_type="backfill")
    story.pages("ana")
