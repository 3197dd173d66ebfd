"""Due days against their objectives: kept, missed, excused; late apart from wrong."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.alert import Severity
from rules.budget import Objective
from rules.catalogue import Asset, Catalogue, LoadType, Product, Promises
from rules.category import WRONG, Category
from rules.claims import AssetPattern
from rules.cron import Schedule
from rules.expected_runs import Expectation, ExpectedRuns, Occasion, Outcome
from rules.hours import DAYS, Hours
from rules.matching.matcher import matchers_of
from rules.reliability.slo import (
    DayOutcome,
    Reliability,
    Tally,
    has_objective,
    look_back,
    reliability,
)
from rules.reliability.slo_words import at_stake, reliability_words, tally_words
from rules.reliability.troubles import (
    DueRun,
    PastAlert,
    PastIncident,
    Trouble,
    due_runs,
    troubles_of,
)
from rules.run import Run, RunState
from rules.sentence import plain
from rules.silence import MaintenanceWindow
from rules.sla import FreshBy
from tests.rules.build import DAY, HOUR, MINUTE

NINE = FreshBy(time(9), "Europe/Amsterdam", DAYS[:5], frozenset({date(2026, 11, 18)}))
OFFICE = Hours(time(9), time(18), "Europe/Amsterdam", DAYS[:5])
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
KEPT, MISSED, EXCUSED, PENDING = DayOutcome


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=UTC)


NOW = at("23T06:00")
"""A Monday, two hours before the deadline."""


def orders(**more: Any) -> Product:
    usual: dict[str, Any] = {
        "fresh_by": NINE,
        "fresh_objective": Objective(95, 60),
        "quality": Objective(99, 100),
    }
    hours = more.pop("consumer_hours", None)
    return Product(
        id="orders", name="Orders", promises=Promises(**(usual | more)), consumer_hours=hours
    )


def trouble(
    began: str,
    ended: str = "",
    category: Category = Category.PIPELINE_FAILURE,
    **more: Any,
) -> Trouble:
    return Trouble(
        product="orders",
        number=more.pop("number", 7),
        category=category,
        began_at=at(began),
        ended_at=at(ended) if ended else None,
        **more,
    )


def found(
    *troubles: Trouble,
    product: Product | None = None,
    now: datetime = NOW,
    since: datetime = LONG_AGO,
    **more: Any,
) -> Reliability:
    runs: Sequence[DueRun] = more.pop("runs", ())
    return reliability(product or orders(), troubles, runs, since=since, now=now, **more)


def fresh(*troubles: Trouble, **more: Any) -> Tally:
    tally = found(*troubles, **more).fresh
    assert tally is not None
    return tally


def quality(*troubles: Trouble, **more: Any) -> Tally:
    tally = found(*troubles, **more).quality
    assert tally is not None
    return tally


def not_kept(tally: Tally) -> dict[int, DayOutcome]:
    return {one.day.day: one.outcome for one in tally.days if one.outcome is not KEPT}


def test_a_window_of_due_days_ends_today_and_leaves_free_days_out() -> None:
    tally = fresh()
    assert len(tally.record.counted) == 60
    assert tally.record.misses == 0
    assert tally.pending is not None
    assert (tally.pending.day, tally.pending.deadline) == (date(2026, 11, 23), at("23T08:00"))
    days = {one.day for one in tally.days}
    assert date(2026, 11, 18) not in days, "a holiday"
    assert date(2026, 11, 21) not in days, "a Saturday"


@pytest.mark.parametrize(
    ("began", "ended", "missed"),
    [
        ("20T07:00", "20T07:59", False),
        ("20T07:00", "20T08:00", False),
        ("20T07:00", "20T08:01", True),
        ("20T08:00", "20T09:00", True),
        ("20T08:01", "20T09:00", False),
        ("20T07:00", "", True),
    ],
)
def test_what_was_open_at_the_deadline_missed_it(began: str, ended: str, missed: bool) -> None:
    tally = fresh(trouble(began, ended))
    assert not_kept(tally).get(20) == (MISSED if missed else None)
    assert tally.record.misses == missed


def test_the_deadline_is_that_of_the_zone_on_each_day() -> None:
    summer = datetime(2026, 10, 23, 7, 30, tzinfo=UTC)  # half past nine in Amsterdam
    late = Trouble(
        product="orders", number=1, category=None, began_at=summer - HOUR, ended_at=summer
    )
    assert fresh(late).record.misses == 1


def test_today_is_missed_once_its_deadline_has_passed() -> None:
    open_now = trouble("23T05:00")
    assert not_kept(fresh(open_now)) == {23: PENDING}
    after = fresh(open_now, now=at("23T08:30"))
    assert not_kept(after) == {23: MISSED}
    assert after.pending is None
    assert after.days[-1].incidents == (7,)


def test_only_what_was_watched_counts() -> None:
    tally = fresh(since=at("19T12:00"))
    assert [one.day.day for one in tally.days] == [20, 23]
    assert len(tally.record.counted) == 1


@pytest.mark.parametrize("category", [Category.ACCESS, Category.ADHOC_REQUEST, *sorted(WRONG)])
def test_what_is_not_lateness_misses_no_delivery(category: Category) -> None:
    assert fresh(trouble("20T07:00", "20T12:00", category)).record.misses == 0


def test_wrong_data_counts_by_itself() -> None:
    wrong = trouble("20T07:00", "20T12:00", Category.DUPLICATES)
    late = trouble("19T07:00", "19T12:00")
    assert not_kept(quality(wrong, late)) == {20: MISSED, 23: PENDING}
    assert not_kept(fresh(wrong, late)) == {19: MISSED, 23: PENDING}


def test_wrong_data_repaired_before_the_deadline_was_never_read() -> None:
    assert not_kept(quality(trouble("20T05:00", "20T07:30", Category.FORMAT))) == {23: PENDING}
    evening = trouble("20T20:00", "21T03:00", Category.FORMAT)
    assert not_kept(quality(evening)) == {20: MISSED, 23: PENDING}
    seen_by_nobody = quality(evening, product=orders(consumer_hours=OFFICE))
    assert not_kept(seen_by_nobody) == {23: PENDING}


def test_announced_maintenance_is_no_due_day() -> None:
    window = MaintenanceWindow(
        "move", matchers_of(["team=finance"]), at("20T06:00"), at("20T10:00")
    )
    ours = trouble("20T07:00", "20T12:00", labels={"team": "finance"})
    other = trouble("20T07:00", "20T12:00", labels={"team": "web"})
    assert not_kept(fresh(ours, windows=[window])) == {20: EXCUSED, 23: PENDING}
    assert not_kept(fresh(ours, other, windows=[window])) == {20: MISSED, 23: PENDING}
    whole = MaintenanceWindow(
        "all", matchers_of(["product=orders"]), at("20T06:00"), at("20T10:00")
    )
    tally = fresh(windows=[whole])
    assert not_kept(tally) == {20: EXCUSED, 23: PENDING}
    assert len(tally.record.counted) == 60, "another day is looked at instead"


def test_a_late_upstream_counts_and_is_told_apart() -> None:
    tally = fresh(trouble("20T07:00", "20T12:00", upstream=True), trouble("19T07:00", "19T12:00"))
    assert (tally.record.misses, tally.ours.misses, tally.upstream_misses) == (2, 1, 1)
    both = fresh(
        trouble("20T07:00", "20T12:00", upstream=True),
        trouble("20T07:00", "20T12:00", number=8),
    )
    assert both.upstream_misses == 0
    assert both.days[-2].incidents == (7, 8)


def test_a_due_run_not_seen_good_by_the_deadline_is_a_miss() -> None:
    due = at("20T05:00")
    for good_at, missed in ((None, 1), (at("20T08:01"), 1), (at("20T08:00"), 0)):
        assert fresh(runs=[DueRun("orders", due, good_at)]).record.misses == missed
    after = DueRun("orders", at("20T09:00"), None)
    assert fresh(runs=[after]).record.misses == 0, "due after Friday's deadline, on no later day"


def every(minutes: int, *bad: str, takes: timedelta = 4 * MINUTE) -> list[DueRun]:
    """Return the runs due from the deadline of the 19th to that of the 20th; `bad` never ended well."""
    count = 24 * 60 // minutes
    dues = [at("20T08:00") - n * minutes * MINUTE for n in range(count)]
    never = {at(one) for one in bad}
    return [DueRun("orders", due, None if due in never else due + takes, "o") for due in dues]


@pytest.mark.parametrize(
    ("runs", "load_type", "misses"),
    [
        (every(60), None, 0),  # the one due at the deadline itself cannot be over
        (every(15, takes=9 * MINUTE), None, 0),
        (every(60, "20T03:00"), None, 0),  # the next one loaded it again
        (every(60, "20T03:00"), LoadType.FULL, 0),
        (every(60, "20T03:00"), LoadType.INCREMENTAL, 1),
        (every(60), LoadType.INCREMENTAL, 0),
        (every(60, "20T07:00", "20T08:00"), None, 1),
        (every(12 * 60, "19T20:00"), None, 1),
        (every(12 * 60), None, 0),
        ([DueRun("orders", at("19T20:00"), at("19T21:00"), "o"),
          DueRun("orders", at("20T05:00"), None, "o")], None, 1),
        ([DueRun("orders", at("20T04:00"), None, "load"),
          DueRun("orders", at("20T05:00"), at("20T06:00"), "model")], None, 1),
        ([DueRun("orders", at("20T07:55"), None, "o")], None, 1),
    ],
)  # fmt: skip
def test_of_many_runs_a_day_only_what_readers_lack_at_the_deadline_counts(
    runs: list[DueRun], load_type: LoadType | None, misses: int
) -> None:
    product = replace(orders(), load_type=load_type)
    assert fresh(product=product, runs=runs).record.misses == misses


@pytest.mark.parametrize(
    ("run_due", "promised", "changes_on", "missed"),
    [
        ("2026-03-28T07:30", time(9), date(2026, 3, 29), [28]),
        ("2026-10-24T06:30", time(8), date(2026, 10, 25), [25]),
    ],
)
def test_a_missed_run_counts_once_where_a_day_has_23_or_25_hours(
    run_due: str, promised: time, changes_on: date, missed: list[int]
) -> None:
    product = orders(fresh_by=FreshBy(promised, "Europe/Amsterdam"))
    due = datetime.fromisoformat(run_due).replace(tzinfo=UTC)
    now = datetime.combine(changes_on, time(20), UTC)
    tally = fresh(product=product, runs=[DueRun("orders", due, None)], now=now)
    assert list(not_kept(tally)) == missed


def test_runs_are_good_when_they_ended_well() -> None:
    due = at("20T05:00")

    def seen(outcome: Outcome, *runs: Run) -> datetime | None:
        one = Occasion(
            name="o", due_at=due, outcome=outcome, product="orders", seen_at=due, run_id="r1"
        )
        return next(due_runs([one], runs, Catalogue(), ExpectedRuns())).good_at

    ended = Run(
        source="a", pipeline="p", run_id="r1", state=RunState.SUCCEEDED, ended_at=due + HOUR
    )
    assert seen(Outcome.SUCCEEDED, ended) == due + HOUR
    assert seen(Outcome.SUCCEEDED) == due
    assert seen(Outcome.FAILED, ended) is None
    assert seen(Outcome.MISSED) is None


def test_runs_of_other_pipelines_that_have_the_same_name_are_not_its_own() -> None:
    due = at("20T05:00")
    expected = ExpectedRuns(
        [
            Expectation(name="o", schedule=Schedule("0 5 * * *"), source="a", pipeline="orders"),
            Expectation(name="own_clock", schedule=Schedule("0 5 * * *"), product="sales"),
        ]
    )
    catalogue = Catalogue(
        [Product(id="sales", name="Sales", assets=(AssetPattern("dag", "sales"),))], []
    )
    named = "scheduled__2026-11-20T05:00:00+00:00"
    runs = [
        Run(
            source="a",
            pipeline=dag,
            run_id=named,
            state=RunState.SUCCEEDED,
            ended_at=due + hours * HOUR,
            labels={"dag_id": dag},
        )
        for dag, hours in (("early", 1), ("orders", 2), ("sales", 3), ("late", 9))
    ]
    occasions = [
        Occasion(name=name, due_at=due, outcome=Outcome.SUCCEEDED, seen_at=due, run_id=named)
        for name in ("o", "own_clock", "unknown")
    ]
    told = [one.good_at for one in due_runs(occasions, runs, catalogue, expected)]
    assert told == [due + 2 * HOUR, due + 3 * HOUR, due]


def past(**more: Any) -> PastIncident:
    usual: dict[str, Any] = {
        "number": 7,
        "source": "dbt",
        "dedup_key": "k",
        "title": "t",
        "severity": Severity.ERROR,
        "category": Category.FRESHNESS,
        "labels": {},
        "product": "orders",
        "asset": "model.x",
        "opened_at": at("20T07:00"),
    }
    return PastIncident(**(usual | more))


def test_an_incident_troubles_its_product_and_those_it_hits() -> None:
    catalogue = Catalogue([], [Asset(id="source.raw", name="raw", kind="source")])
    hit = PastAlert("sales", Severity.ERROR, at("20T07:30"))
    mild = PastAlert("web", Severity.WARNING, at("20T07:30"))
    own, other = troubles_of(past(alerts=(hit, mild)), catalogue)
    assert (own.product, own.upstream, own.began_at) == ("orders", False, at("20T07:00"))
    assert (other.product, other.upstream, other.began_at) == ("sales", True, at("20T07:30"))
    (source,) = troubles_of(past(asset="source.raw"), catalogue)
    assert source.upstream, "a broken source is not ours"
    assert list(troubles_of(past(product=""), catalogue)) == []
    assert own.labels["category"] == "freshness"


def test_a_warning_breaks_no_promise_until_it_is_an_error() -> None:
    warns = past(severity=Severity.WARNING)
    assert list(troubles_of(warns, Catalogue())) == []
    worse = PastAlert("orders", Severity.ERROR, at("20T07:30"))
    (own,) = troubles_of(past(severity=Severity.WARNING, alerts=(worse,)), Catalogue())
    assert (own.product, own.upstream, own.began_at) == ("orders", False, at("20T07:30"))


def test_who_was_hit_is_well_when_its_own_alerts_are_over() -> None:
    over = PastAlert("sales", Severity.ERROR, at("20T06:00"), at("20T07:30"))
    again = PastAlert("sales", Severity.ERROR, at("20T09:00"))
    was = past(resolved_at=at("20T12:00"), alerts=(over, again))
    _, *hit = troubles_of(was, Catalogue())
    assert [(one.product, one.began_at, one.ended_at) for one in hit] == [
        ("sales", at("20T06:00"), at("20T07:30")),
        ("sales", at("20T09:00"), at("20T12:00")),
    ]
    assert not any(one.open_at(at("20T08:00")) for one in hit)


def test_what_nobody_need_act_on_breaks_no_promise() -> None:
    hit = PastAlert("sales", Severity.ERROR, at("20T07:30"))
    assert list(troubles_of(past(actionable=False, alerts=(hit,)), Catalogue())) == []


def test_availability_is_a_budget_of_time() -> None:
    product = Product(id="orders", name="Orders", promises=Promises(availability=99.9))
    down = trouble("20T07:00", "20T07:37", Category.AVAILABILITY)
    budget = found(down, trouble("19T07:00"), product=product).available
    assert budget is not None
    assert budget.bad == 37 * MINUTE
    assert budget.left == timedelta(minutes=6.2)


@pytest.mark.parametrize(
    ("began", "ended", "minutes"),
    [
        ("20T06:10", "20T06:50", 0),
        ("20T06:10", "20T12:00", 120),
        ("20T05:30", "20T12:00", 150),
        ("20T05:30", "20T06:10", 30),
        ("20T22:50", "20T23:50", 30),
        ("19T22:50", "20T23:50", 25 * 60 - 2 * 30 - 4 * 60),
    ],
)
def test_only_what_lies_outside_announced_maintenance_was_down(
    began: str, ended: str, minutes: int
) -> None:
    product = Product(id="orders", name="Orders", promises=Promises(availability=99.9))
    named = matchers_of(["team=finance"])
    windows = [
        MaintenanceWindow("move", named, at("20T06:00"), at("20T09:00")),
        MaintenanceWindow("rest", named, at("20T08:00"), at("20T10:00")),
        MaintenanceWindow("nightly", named, hours=Hours(time(23), time(23, 30), "UTC")),
        MaintenanceWindow("others", matchers_of(["team=web"])),
    ]
    down = trouble(began, ended, Category.AVAILABILITY, labels={"team": "finance"})
    budget = found(down, product=product, windows=windows).available
    assert budget
    assert budget.bad == minutes * MINUTE


def test_products_without_objectives_have_nothing_to_reckon() -> None:
    assert not has_objective(Product(id="a", name="A", promises=Promises(fresh_by=NINE)))
    assert has_objective(orders())
    assert look_back(orders()) > 60 * 7 / 5 * DAY
    nothing = found(product=Product(id="a", name="A"))
    assert (nothing.fresh, nothing.quality, nothing.available) == (None, None, None)
    assert nothing.worst_left == 1


_moments = st.integers(0, 24 * 80).map(lambda n: at("23T06:00") - n * HOUR)


@given(st.lists(st.tuples(_moments, st.integers(1, 60)), max_size=12))
def test_more_trouble_never_means_fewer_misses(spans: list[tuple[datetime, int]]) -> None:
    troubles = [
        Trouble(
            product="orders", number=n, category=None, began_at=began, ended_at=began + hours * HOUR
        )
        for n, (began, hours) in enumerate(spans)
    ]
    misses = [fresh(*troubles[:n]).record.misses for n in range(len(troubles) + 1)]
    assert misses == sorted(misses)
    whole = fresh(*troubles)
    assert len(whole.record.counted) == 60
    assert sum(d.outcome is MISSED for d in whole.days) == whole.record.misses


# --- in words ------------------------------------------------------------------------------


def words(one: Reliability) -> list[str]:
    return [sentence.render(plain) for sentence in reliability_words(one)]


def missed(*days: int, category: Category = Category.PIPELINE_FAILURE) -> list[Trouble]:
    return [trouble(f"{day:02}T07:00", f"{day:02}T12:00", category) for day in days]


def test_two_of_three_in_words() -> None:
    product = orders(quality=None)
    assert words(found(*missed(19, 20), product=product)) == [
        "Delivered in time: 96.67% of 60 due days; promised 95% over 60.",
        "2 of 3 allowed misses used (67% of the budget), 1 left.",
        "The last 5 due days used the budget 8 times faster than allowed.",
    ]


def test_upstream_and_broken_in_words() -> None:
    one = trouble("20T07:00", "20T12:00", upstream=True)
    lines = words(found(one, *missed(9, 10, 11), product=orders(quality=None)))
    assert lines[1] == "4 misses where 3 are allowed: the objective is broken."
    assert lines[-1] == "1 of 4 misses came from upstream; without them it is 95%."


def test_an_unreachable_objective_says_so_instead_of_a_budget() -> None:
    product = orders(fresh_objective=Objective(99, 30), quality=None)
    assert words(found(product=product)) == [
        "Delivered in time: 100% of 30 due days; promised 99% over 30.",
        (
            "This objective cannot be reached with one delivery a day: 99% over 30 due days allows "
            "0.3 misses; promise 95% or count over 100 days."
        ),
    ]


def test_nothing_watched_and_availability_in_words() -> None:
    tally = fresh(since=NOW)
    assert next(tally_words("Right data", tally)).render(plain) == (
        "Right data: no due day has been watched yet."
    )
    product = Product(id="orders", name="Orders", promises=Promises(availability=99.9))
    down = trouble("20T07:00", "20T07:37", Category.AVAILABILITY)
    assert words(found(down, product=product)) == [
        (
            "Available: 99.914% over 30 d; promised 99.9%. 37 min of 43 min 12 s allowed downtime "
            "used (86%), 6 min 12 s left."
        )
    ]
    longer = trouble("20T07:00", "20T09:00", Category.AVAILABILITY)
    assert words(found(longer, product=product))[0].endswith("(278%), the objective is broken.")


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((), None),
        ((20,), None),
        ((19, 20), "2 of 3 allowed misses used in 60 due days; missing today leaves 0"),
        ((17, 19, 20), ("3 of 3 allowed misses used in 60 due days; missing today breaks the "
         "objective")),
        ((16, 17, 19, 20), "4 misses in 60 due days, 3 allowed: broken"),
    ],
)  # fmt: skip
def test_the_line_of_an_incident(days: tuple[int, ...], said: str | None) -> None:
    sentence = at_stake(found(*missed(*days)), NOW, wrong=False)
    assert (sentence.render(plain) if sentence else None) == said


def test_the_line_leaves_today_out_once_it_is_decided() -> None:
    now = at("23T09:00")
    sentence = at_stake(found(*missed(19, 20), trouble("23T07:00"), now=now), now, wrong=False)
    assert sentence is not None
    assert sentence.render(plain) == "3 of 3 allowed misses used in 60 due days"


def test_wrong_data_has_the_line_of_its_own_objective() -> None:
    stands = found(*missed(20, category=Category.FORMAT))
    assert at_stake(stands, NOW, wrong=False) is None
    wrong = at_stake(stands, NOW, wrong=True)
    assert wrong is not None
    assert wrong.render(plain).startswith("1 of 1 allowed misses used in 100 due days")
