"""A promise to readers, and an urgency that grows as the clock runs."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from rules.catalogue import Asset, Catalogue, Product, Promises
from rules.cron import Schedule
from rules.expected_runs import Expectation, ExpectedRuns
from rules.incident import State
from rules.lineage import Lineage
from rules.priority import Impact, Priority, Urgency
from rules.rulebook import RuleBook
from rules.sla import Effort, FreshBy
from rules.weighing.priority_rules import DEFAULT_PRIORITY_RULES
from tests.stories.conftest import Tell
from tests.stories.story import Story, alert, rulebook

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
NINE_IN_AMSTERDAM = MONDAY.replace(hour=8)
LABELS = {"product": "orders", "model": "fct_orders"}
EFFORT = Effort(timedelta(minutes=10), timedelta(minutes=30), timedelta(minutes=55))


def promised(tier: int) -> RuleBook:
    promises = Promises(fresh_by=FreshBy(time(9), "Europe/Amsterdam"))
    orders = Product(
        id="orders", name="Orders", tier=tier, owner="finance@example.com", promises=promises
    )
    assets = [
        Asset(id="model.shop.fct_orders", name="fct_orders", kind="model", product="orders"),
        Asset(id="exposure.shop.board", name="board report", kind="exposure", maturity="low"),
    ]
    catalogue = Catalogue([orders], assets)
    lineage = Lineage(catalogue, {"model.shop.fct_orders": ["exposure.shop.board"]})
    return rulebook(
        catalogue=catalogue,
        lineage=lineage,
        priority_rules=_with_effort(),
    )


def _with_effort() -> object:
    return replace(DEFAULT_PRIORITY_RULES, effort=EFFORT)


async def fails(story: Story, at: datetime) -> None:
    story.clock.set(at)
    await story.hears(alert("fct_orders", at, labels=LABELS, source="dbt"))


async def urgency(story: Story) -> Urgency:
    stakes = (await story.incident()).stakes
    assert stakes is not None
    return stakes.urgency


async def test_the_worked_example_to_the_minute(tell: Tell) -> None:
    story = tell(promised(tier=2))
    await fails(story, MONDAY.replace(hour=5, minute=21))
    stakes = (await story.incident()).stakes
    assert stakes is not None
    assert (stakes.impact, stakes.deadline) == (Impact.SIGNIFICANT, NINE_IN_AMSTERDAM)
    assert (stakes.owner, stakes.path) == ("finance@example.com", ("fct_orders", "board report"))
    for hour, minute, before, after in (
        (5, 25, Urgency.MEDIUM, Urgency.HIGH),
        (6, 25, Urgency.HIGH, Urgency.CRITICAL),
    ):
        crossing = MONDAY.replace(hour=hour, minute=minute)
        await story.until(crossing - timedelta(seconds=1))
        assert await urgency(story) is before
        await story.until(crossing)
        assert await urgency(story) is after
    assert (await story.incident()).priority is Priority.P1


async def test_at_night_the_page_waits_until_the_last_responsible_moment(tell: Tell) -> None:
    story = tell(promised(tier=2))
    await fails(story, MONDAY.replace(hour=0, minute=30))
    last_moment = MONDAY.replace(hour=5, minute=55)
    await story.until(MONDAY.replace(hour=5, minute=30))
    held = await story.incident()
    assert (held.priority, held.held_until) == (Priority.P2, last_moment)
    await story.until(last_moment - timedelta(seconds=1))
    story.pages()
    await story.until(last_moment)
    story.pages("ana")
    await story.after(minutes=5)
    story.pages("bo")


async def test_what_is_repaired_before_that_wakes_nobody(tell: Tell) -> None:
    story = tell(promised(tier=2))
    await fails(story, MONDAY.replace(hour=0, minute=30))
    await story.until(MONDAY.replace(hour=4))
    await story.recovers("fct_orders", labels=LABELS, source="dbt")
    await story.until(MONDAY.replace(hour=12))
    story.pages()
    assert await story.state() is State.RESOLVED


async def test_a_product_of_the_first_tier_pages_at_once_when_it_gets_late(tell: Tell) -> None:
    story = tell(promised(tier=1))
    await fails(story, MONDAY.replace(hour=5, minute=21))
    story.pages()
    await story.until(MONDAY.replace(hour=5, minute=24, second=59))
    story.pages()
    await story.until(MONDAY.replace(hour=5, minute=25))
    story.pages("ana")


async def test_an_ack_while_it_waits_stays(tell: Tell) -> None:
    story = tell(promised(tier=1))
    await fails(story, MONDAY.replace(hour=5, minute=21))
    await story.does("cy", "acked")
    await story.until(MONDAY.replace(hour=7))
    story.pages()
    assert await urgency(story) is Urgency.CRITICAL
    assert await story.state() is State.ACKNOWLEDGED


RUN = {"dag_id": "orders", "run_type": "scheduled"}


@pytest.mark.parametrize(
    ("labels", "happened", "missed"),
    [
        ({}, "07:58", True),
        ({}, "08:01", False),
        (RUN | {"run_after": "2026-11-23T05:00:00+00:00"}, "08:01", True),
        (RUN | {"data_interval_end": "2026-11-23T05:00:00+00:00"}, "08:01", True),
        (RUN | {"run_after": "2026-11-23T08:00:00+00:00"}, "08:01", False),
        (RUN | {"run_after": "2026-11-23T05:00:00+00:00", "cleared": "true"}, "08:01", False),
        (RUN | {"run_after": "2026-11-23T05:00:00+00:00", "run_type": "manual"}, "08:01", False),
        (RUN | {"run_after": "2026-10-23T05:00:00+00:00"}, "08:01", False),
        (RUN | {"run_after": "soon"}, "08:01", False),
    ],
)
async def test_a_deadline_that_is_missed_already_is_what_is_at_stake(
    tell: Tell, labels: dict[str, str], happened: str, missed: bool
) -> None:
    story = tell(promised(tier=1))
    now = NINE_IN_AMSTERDAM + timedelta(minutes=3)
    story.clock.set(now)
    at = datetime.fromisoformat(f"2026-11-23T{happened}+00:00")
    told = alert("fct_orders", now, labels=LABELS | labels, source="dbt", occurred_at=at)
    await story.hears(told)
    stakes = (await story.incident()).stakes
    assert stakes is not None
    days = timedelta(days=0 if missed else 1)
    assert stakes.deadline == NINE_IN_AMSTERDAM + days
    assert stakes.urgency is (Urgency.CRITICAL if missed else Urgency.LOW)


async def test_a_run_that_is_told_missing_after_its_deadline_misses_it(tell: Tell) -> None:
    due_at = NINE_IN_AMSTERDAM - timedelta(minutes=30)
    late = Expectation(
        name="orders",
        schedule=Schedule("30 8 * * *", "Europe/Amsterdam"),
        grace=timedelta(minutes=45),
        product="orders",
        labels={"product": "orders"},
    )
    story = tell(replace(promised(tier=1), expected=ExpectedRuns([late])))
    story.clock.set(due_at - timedelta(hours=1))
    await story.settle()
    await story.until(due_at + late.grace)
    stakes = (await story.incident()).stakes
    assert stakes is not None
    assert (stakes.deadline, stakes.urgency) == (NINE_IN_AMSTERDAM, Urgency.CRITICAL)
    assert stakes.readers == ("board report",), "it hurts whoever reads what the run builds"
    story.pages("ana")


@pytest.mark.parametrize("labels", [{}, {"product": "unknown"}])
async def test_what_the_catalogue_does_not_know_goes_by_severity(
    tell: Tell, labels: dict[str, str]
) -> None:
    story = tell(promised(tier=1))
    await story.fires(labels=labels)
    story.pages("ana")
    assert (await story.incident()).stakes is None
