"""What earlier repairs took decides when the next one must begin."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from bot.app.learning import learn_from
from rules.alert import AlertStatus, Severity
from rules.budget import Objective
from rules.catalogue import Asset, Catalogue, Product, Promises
from rules.claims import AssetPattern
from rules.expected_runs import Occasion, Outcome
from rules.hours import DAYS, Hours
from rules.incident import Incident, Stakes
from rules.lineage import Lineage
from rules.priority import Priority, Urgency
from rules.reliability.slo import DayOutcome
from rules.rulebook import RuleBook
from rules.run import BACKFILL, Run, RunState
from rules.sentence import plain
from rules.sla import FreshBy
from rules.weighing.history import Learnt
from tests.stories.conftest import Tell
from tests.stories.story import Story, alert, rulebook

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LISTENED = {"dag_id": "shop_daily"}
"""What Airflow's listener tells, which knows no product."""
LABELS = {"product": "orders", "model": "fct_orders"}


def watched(**more: Any) -> RuleBook:
    promises = Promises(fresh_by=FreshBy(time(9), "Europe/Amsterdam"))
    orders = Product(id="orders", name="Orders", tier=2, promises=promises, **more)
    model = Asset(id="model.shop.fct_orders", name="fct_orders", kind="model", product="orders")
    catalogue = Catalogue([orders], [model])
    return rulebook(catalogue=catalogue, lineage=Lineage(catalogue, {}))


async def repair(story: Story, number: int, *, respond: float, fix: float) -> None:
    """Let one break an hour before the deadline, be taken, and be repaired."""
    story.clock.set(MONDAY.replace(hour=7) + number * timedelta(days=1))
    await story.hears(alert("fct_orders", story.clock.now(), labels=LABELS, source="dbt"))
    await story.after(minutes=respond)
    await story.does("ana", "acked", number)
    await story.after(minutes=fix)
    await story.recovers("fct_orders", labels=LABELS, source="dbt")


async def stakes_of(incident: Incident) -> Stakes:
    assert incident.stakes is not None
    return incident.stakes


async def learnt(story: Story, book: RuleBook) -> None:
    known = await learn_from(story.store.past, book, story.clock.now())
    story.rules.the_book = rulebook(
        catalogue=book.catalogue, lineage=book.lineage, history=known.history
    )


async def reasons(story: Story, number: int) -> list[str]:
    lines = await story.store.reader.timeline((await story.incident(number)).id, 50)
    return [line.sentence.render(plain) for line in lines]


async def test_the_ninth_incident_uses_what_eight_repairs_took(tell: Tell) -> None:
    book = watched(run_takes=55 * MINUTE)
    story = tell(book)
    for number in range(1, 9):
        await repair(story, number, respond=3 + number, fix=20)
        await learnt(story, book)
        incident = await story.incident(number)
        usual = await stakes_of(incident)
        assert (usual.respond, usual.fix, usual.run) == (10 * MINUTE, 30 * MINUTE, 55 * MINUTE)
    await repair(story, 9, respond=1, fix=1)
    ninth = await stakes_of(await story.incident(9))
    # of 4, 5, ... 11 minutes until the ack three quarters were below 9.25
    assert (ninth.respond, ninth.fix, ninth.run) == (10 * MINUTE, 20 * MINUTE, 55 * MINUTE)
    expected = (
        "A repair takes 1 h 25 min: 10 min to respond (p75 of 8), 20 min to fix (p75 of 8), "
        "55 min to run."
    )
    assert expected in await reasons(story, 9)
    assert "A repair takes 1 h 35 min: 10 min to respond, 30 min to fix, 55 min to run." in (
        await reasons(story, 8)
    )


async def test_what_is_learnt_later_leaves_an_open_incident_alone(tell: Tell) -> None:
    book = watched()
    story = tell(book)
    for number in range(1, 9):
        await repair(story, number, respond=2, fix=200)
    story.clock.set(MONDAY + timedelta(days=10, hours=3))
    await story.fires("fct_orders", labels=LABELS, source="dbt")
    before = (await stakes_of(await story.incident(9))).fix
    await learnt(story, book)
    await story.until(MONDAY + timedelta(days=10, hours=7))
    assert (await stakes_of(await story.incident(9))).fix == before == 30 * MINUTE


def wrong(now: datetime) -> Any:
    return alert(
        "unique_orders", now, labels=LABELS | {"category": "duplicates"}, source="dbt",
        title="unique_fct_orders_order_id failed",
    )  # fmt: skip


async def test_wrong_data_is_urgent_while_its_readers_are_there(tell: Tell) -> None:
    office = Hours(time(9), time(18), "Europe/Amsterdam", DAYS[:5])
    story = tell(watched(consumer_hours=office))
    story.clock.set(MONDAY.replace(hour=15))
    await story.hears(wrong(story.clock.now()))
    stakes = await stakes_of(await story.incident())
    assert (stakes.urgency, stakes.deadline) == (Urgency.CRITICAL, MONDAY.replace(hour=15))
    assert "its readers are there until 2026-11-23 17:00 UTC" in stakes.urgency_why
    priority = (await story.incident()).priority
    story.pages("ana")
    await story.does("ana", "acked")
    await story.until(MONDAY.replace(hour=17))
    evening = await story.incident()
    stakes = await stakes_of(evening)
    back = MONDAY.replace(hour=8) + timedelta(days=1)
    assert (stakes.urgency, stakes.deadline) == (Urgency.LOW, back)
    assert evening.priority == priority
    assert any("never falls by itself" in line for line in await reasons(story, 1))
    await story.until(back - 40 * MINUTE)
    assert (await stakes_of(await story.incident())).urgency is Urgency.CRITICAL


async def test_wrong_data_of_the_night_pages_before_its_readers_come(tell: Tell) -> None:
    office = Hours(time(9), time(18), "Europe/Amsterdam", DAYS[:5])
    story = tell(watched(consumer_hours=office))
    story.clock.set(MONDAY.replace(hour=1))
    await story.hears(wrong(story.clock.now()))
    high = MONDAY.replace(hour=6, minute=20)
    await story.until(high - timedelta(seconds=1))
    story.pages()
    await story.until(high)
    story.pages("ana")
    assert (await story.incident()).priority is Priority.P1


async def test_without_readers_hours_the_promise_counts(tell: Tell) -> None:
    story = tell(watched())
    story.clock.set(MONDAY.replace(hour=1))
    await story.hears(wrong(story.clock.now()))
    stakes = await stakes_of(await story.incident())
    assert stakes.consumers is None
    assert stakes.deadline == MONDAY.replace(hour=8)
    assert stakes.urgency is Urgency.LOW


# --- runs and objectives -------------------------------------------------------------------


def run(day: int, took: float, **more: Any) -> Run:
    began = MONDAY.replace(hour=4) + day * timedelta(days=1)
    usual = Run(
        source="airflow",
        pipeline="shop_daily",
        run_id=f"scheduled__{day}",
        state=RunState.SUCCEEDED,
        started_at=began,
        ended_at=began + took * MINUTE,
        labels={"dag_id": "shop_daily"},
    )
    return replace(usual, **more)


async def test_run_times_are_a_products_though_only_some_runs_say_so(tell: Tell) -> None:
    book = watched(run_takes=5 * MINUTE)
    story = tell(book)
    story.clock.set(MONDAY + timedelta(days=12))
    told = {"dag_id": "shop_daily", "product": "orders"}
    await story.hears(
        runs=[run(day, took=40, labels=told if day < 3 else LISTENED) for day in range(10)]
    )
    known = await learn_from(story.store.past, book, story.clock.now())
    assert known.history.run == {"orders": Learnt(40 * MINUTE, 90, 10)}


async def test_run_times_come_from_the_runs_that_were_seen(tell: Tell) -> None:
    book = watched(run_takes=5 * MINUTE, assets=(AssetPattern("dag", "shop_*"),))
    story = tell(book)
    story.clock.set(MONDAY + timedelta(days=12))
    await story.hears(runs=[run(day, took=40 + day) for day in range(10)])
    await story.hears(
        runs=[
            run(1, took=600, run_id="backfill__1", kind=BACKFILL),
            run(2, took=600, run_id="failed__1", state=RunState.FAILED),
            run(2, took=300, pipeline="shop_once", labels={"dag_id": "shop_once"}),
            run(2, took=600, labels={"dag_id": "shop_daily", "instance": "staging"}, run_id="try"),
            run(
                3, took=1, run_id="other", pipeline="shop_hourly", labels={"dag_id": "shop_hourly"}
            ),
        ]
    )
    known = await learn_from(story.store.past, book, story.clock.now())
    # of 40, 41, ... 49 minutes, p90 is 48.1
    assert known.history.run == {"orders": Learnt(49 * MINUTE, 90, 10)}


def promised(book: RuleBook) -> RuleBook:
    """Promise of each product that 95% of 60 due days are in time."""
    products = [
        replace(one, promises=replace(one.promises, fresh_by=FreshBy(time(9), "Europe/Amsterdam"),
                                      fresh_objective=Objective(95, 60)))
        for one in book.catalogue.products
    ]  # fmt: skip
    catalogue = Catalogue(products, book.catalogue.assets)
    return replace(
        book, catalogue=catalogue, lineage=Lineage(catalogue, {RAW: [FCT], FCT: [SALES]})
    )


RAW, FCT, SALES = "model.shop.raw", "model.shop.fct_orders", "model.shop.sales"


def two_products() -> RuleBook:
    names = {RAW: "orders", FCT: "orders", SALES: "sales"}
    assets = [Asset(id=one, name=one, kind="model", product=of) for one, of in names.items()]
    catalogue = Catalogue(
        [Product(id=one, name=one, tier=2) for one in ("orders", "sales")], assets
    )
    return promised(rulebook(catalogue=catalogue))


async def test_a_day_missed_upstream_counts_for_both_and_is_told_apart(tell: Tell) -> None:
    book = two_products()
    story = tell(book)
    story.clock.set(MONDAY.replace(hour=12) - timedelta(days=20))
    await story.fires("something else")
    story.clock.set(MONDAY.replace(hour=6))
    for asset in (RAW, SALES):
        about = alert(asset, story.clock.now(), labels={"unique_id": asset}, source="dbt")
        await story.hears(about)
    assert (await story.incident(2)).consequences == 1
    await story.until(MONDAY.replace(hour=9))
    known = (await learn_from(story.store.past, book, story.clock.now())).reliability
    orders, sales = known["orders"].fresh, known["sales"].fresh
    assert orders is not None
    assert sales is not None
    assert (orders.record.misses, orders.upstream_misses) == (1, 0)
    assert (sales.record.misses, sales.upstream_misses) == (1, 1)
    assert sales.days[-1].incidents == (2,)
    assert len(orders.record.counted) == 20
    ended = {"status": AlertStatus.RESOLVED, "severity": Severity.INFO, "source": "dbt"}
    await story.after(hours=1)
    for asset in (RAW, SALES):
        await story.hears(alert(asset, story.clock.now(), labels={"unique_id": asset}, **ended))
    later = (await learn_from(story.store.past, book, story.clock.now())).reliability
    assert [later[one].fresh for one in ("orders", "sales")] == [orders, sales], "it was so"


async def test_a_run_that_was_due_and_failed_misses_the_day(tell: Tell) -> None:
    book = two_products()
    story = tell(book)
    story.clock.set(MONDAY.replace(hour=12) - timedelta(days=5))
    await story.fires("something else")
    story.clock.set(MONDAY.replace(hour=12))
    due = MONDAY.replace(hour=5)
    async with story.store.store.begin() as transaction:
        for days, outcome in ((0, Outcome.FAILED), (1, Outcome.SUCCEEDED), (2, Outcome.MISSED)):
            at = due - days * timedelta(days=1)
            one = Occasion(
                name="orders", due_at=at, outcome=outcome, product="orders",
                run_id=f"r{days}", seen_at=at,
            )  # fmt: skip
            transaction.record_occasion(one)
    known = (await learn_from(story.store.past, book, story.clock.now())).reliability["orders"]
    assert known.fresh is not None
    missed = [one.day.day for one in known.fresh.days if one.outcome is DayOutcome.MISSED]
    assert missed == [21, 23]
