"""A shop whose nightly run breaks on a Friday: its book, its runs, and Ana who repairs it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rules.alert import AlertStatus
from rules.catalogue import Asset, Catalogue, LoadType, Product
from rules.cron import Schedule
from rules.expected_runs import Expectation, ExpectedRuns
from rules.rotation import OnCall, Span
from rules.rulebook import RuleBook
from rules.run import SCHEDULED, Run, RunState
from rules.verification import Verdict
from rules.verifying.settings import VerifyingRules
from tests.stories.story import Story, alert, rulebook

FRIDAY = datetime(2026, 11, 27, 4, 20, tzinfo=UTC)
MONDAY_RUN = datetime(2026, 11, 30, 4, 0, tzinfo=UTC)
"""05:00 in Berlin, in winter."""
MONDAY = MONDAY_RUN.replace(hour=0)
SHOP = Expectation(
    name="shop_daily",
    schedule=Schedule("0 5 * * mon-fri", "Europe/Berlin"),
    source="airflow",
    pipeline="shop_daily",
    labels={"dag_id": "shop_daily"},
)
KINDS = {
    "airflow": "airflow",
    "dbt": "dbt",
    "pager": "pagerduty",
    "cloudwatch": "sns",
    "monitor": "grafana",
}


def shifts() -> OnCall:
    """Ana until Monday, Bo on Monday, Cy from Tuesday; Dee is second all the time."""
    start, end = MONDAY - timedelta(days=30), MONDAY + timedelta(days=30)
    day = timedelta(days=1)
    return OnCall(
        [
            Span(start, MONDAY, "data", "primary", ("ana",)),
            Span(MONDAY, MONDAY + day, "data", "primary", ("bo",)),
            Span(MONDAY + day, end, "data", "primary", ("cy",)),
            Span(start, end, "data", "secondary", ("dee",)),
        ]
    )


def waits(load: LoadType | None = None, **changes: Any) -> RuleBook:
    product = Product(
        id="shop",
        name="Shop",
        load_type=load,
        schedule=SHOP.schedule.cron,
        timezone="Europe/Berlin",
        run_takes=timedelta(hours=2),
    )
    dag = Asset(id="dag:shop_daily", name="shop_daily", kind="dag", product="shop")
    book = rulebook(
        on_call=shifts(),
        catalogue=Catalogue([product], [dag]),
        expected=ExpectedRuns([SHOP]),
        verifying=VerifyingRules(kinds=KINDS),
    )
    return replace(book, **changes)


def day_of(at: datetime) -> dict[str, str]:
    """Return the labels of the interval that the run of `at` loads."""
    return {
        "data_interval_start": (at - timedelta(days=1)).isoformat(),
        "data_interval_end": at.isoformat(),
    }


def run(started_at: datetime, **more: Any) -> Run:
    usual = Run(
        source="airflow",
        pipeline="shop_daily",
        run_id=f"scheduled__{started_at:%Y-%m-%d}",
        state=RunState.SUCCEEDED,
        started_at=started_at,
        ended_at=started_at + timedelta(minutes=30),
        kind=SCHEDULED,
        labels={"dag_id": "shop_daily"},
    )
    return replace(usual, **more)


def labels(run_id: str = "scheduled__2026-11-27", **more: str) -> dict[str, str]:
    return {"dag_id": "shop_daily", "task_id": "load", "run_id": run_id, **more}


async def task(story: Story, began: datetime, *, well: bool, **more: str) -> None:
    """Let Airflow tell how the task went, in a run that began then."""
    now = story.clock.now()
    told = alert(
        "shop_daily/load",
        now,
        labels=labels(f"scheduled__{began:%Y-%m-%d}", **more),
        status=AlertStatus.RESOLVED if well else AlertStatus.FIRING,
        title="shop_daily.load succeeded" if well else "shop_daily.load failed",
    )
    started = run(began, state=RunState.STARTED, ended_at=None)
    await story.hears(told, runs=[started])


async def over(story: Story, began: datetime, **more: Any) -> None:
    await story.hears(runs=[run(began, **more)])


async def fixed_on_friday(story: Story, **more: str) -> None:
    """The task fails, Ana takes it, repairs it and says so, ten minutes later."""
    story.clock.set(FRIDAY - timedelta(minutes=25))
    await story.settle()
    story.clock.set(FRIDAY)
    await task(story, FRIDAY - timedelta(minutes=20), well=False, **more)
    story.pages("ana")
    await story.does("ana", "acked")
    await story.after(minutes=10)
    await story.does("ana", "resolved", note="added the column")
    await story.after(seconds=5)


async def timeline(story: Story, number: int = 1) -> list[str]:
    incident = await story.incident(number)
    told = await story.store.reader.timeline(incident.id, 99)
    return [one.sentence.render(str) for one in told]


async def verdict(story: Story, number: int = 1) -> Verdict | None:
    seen = (await story.incident(number)).verification
    return seen.verdict if seen else None


def posts(story: Story) -> set[str]:
    """Return the incidents that got a message; one, while everything stays in the old thread."""
    return {job.incident_id for job in story.sent("show")}
