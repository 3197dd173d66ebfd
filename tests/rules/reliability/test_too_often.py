"""When people are told that a promise is broken too often, and in which words."""

from datetime import timedelta
from typing import Any

import pytest

from rules.budget import FewEventRules, Objective
from rules.catalogue import Product, Promises
from rules.category import Category
from rules.reliability.slo import Reliability
from rules.reliability.too_often import too_often
from rules.sentence import plain
from tests.rules.reliability.test_slo import at, found, missed, orders, trouble

RULES = FewEventRules()
AFTER = at("20T08:20")
"""Friday, twenty minutes after the deadline of 09:00 in Amsterdam."""


@pytest.mark.parametrize(
    ("days", "objectives"),
    [
        ((), []),
        ((20,), []),
        ((19, 20), ["fresh"]),
        ((16, 20), ["fresh"]),
        ((3, 20), ["fresh"]),  # a third of the budget is left
        ((9, 10, 20), ["fresh"]),  # nothing is left of three
        ((18, 19), []),  # the newest was kept
    ],
)
def test_it_is_told_at_the_miss_that_is_one_too_many(
    days: tuple[int, ...], objectives: list[str]
) -> None:
    stands = found(*missed(*days), now=AFTER)
    assert [one.objective for one in too_often(stands, RULES, AFTER)] == objectives


def test_it_says_what_was_promised_and_what_to_do() -> None:
    (one,) = too_often(found(*missed(19, 20), now=AFTER), RULES, AFTER)
    assert one.key == "too_often:orders:fresh:2026-11-20"
    assert [line.render(plain) for line in one.sentences] == [
        (
            "📉 Orders breaks its promise too often (delivered in time, 95% of 60 due days): "
            "2 of the last 5 due days were missed."
        ),
        (
            "Agree with its owner what is mended first, or promise less. Day by day: "
            "`/oncall slo orders`."
        ),
    ]


@pytest.mark.parametrize(
    ("later", "is_news"),
    [
        (timedelta(minutes=14), False),  # a run that was in time may be heard of late
        (timedelta(minutes=15), True),
        (timedelta(days=2), True),
    ],
)
def test_it_is_news_once_it_is_sure(later: timedelta, is_news: bool) -> None:
    now = at("20T08:00") + later
    stands = found(*missed(19, 20), now=now)
    assert bool(list(too_often(stands, RULES, now))) is is_news


def test_what_was_missed_last_week_is_no_news() -> None:
    stands = found(*missed(16, 17), product=orders(fresh_objective=Objective(95, 60)), now=AFTER)
    assert not list(too_often(stands, RULES, AFTER)), "kept since"


def test_an_objective_that_nobody_can_reach_is_said_where_it_is_written_and_not_here() -> None:
    product = orders(fresh_objective=Objective(99, 30), quality=None)
    assert not list(too_often(found(*missed(19, 20), product=product, now=AFTER), RULES, AFTER))


def test_the_rulebook_says_what_is_too_often() -> None:
    stands = found(*missed(20), now=AFTER)
    assert not list(too_often(stands, RULES, AFTER))
    assert list(too_often(stands, FewEventRules(misses=1), AFTER))


def test_what_came_from_upstream_is_not_told_by_all_it_hit() -> None:
    above = trouble("20T07:00", "20T12:00", upstream=True)
    assert not list(too_often(found(*missed(19), above, now=AFTER), RULES, AFTER))
    both = found(*missed(19, 20), above, now=AFTER)
    assert list(too_often(both, RULES, AFTER))


AWAY = Promises(availability=99.9)
"""43 min 12 s in 30 days."""


def away(*outages: tuple[str, str], upstream: bool = False, **more: Any) -> Reliability:
    down = [
        trouble(began, ended, category=Category.AVAILABILITY, upstream=upstream)
        for began, ended in outages
    ]
    return found(*down, product=Product(id="orders", name="Orders", promises=AWAY), **more)


@pytest.mark.parametrize(
    ("outages", "is_told"),
    [
        ((), False),
        ((("20T08:18", "20T08:20"),), True),  # 5% within the hour
        ((("20T08:19", "20T08:19:20"),), False),
        ((("20T07:00", "20T07:40"),), True),  # out of the last hour's last minutes: over six hours
        ((("18T06:00", "18T06:30"), ("20T04:00", "20T04:01")), True),  # and over three days
        ((("18T06:00", "18T06:30"),), False),  # long over
    ],
)
def test_downtime_that_goes_too_fast_is_told(
    outages: tuple[tuple[str, str], ...], is_told: bool
) -> None:
    told = list(too_often(away(*outages, now=AFTER), RULES, AFTER))
    assert [one.objective for one in told] == ["available"] * is_told


def test_downtime_is_told_by_the_outage_that_was_too_much() -> None:
    stands = away(("19T23:50", "20T08:00"), now=AFTER)
    (one,) = too_often(stands, RULES, AFTER)
    assert one.key == "too_often:orders:available:2026-11-19"
    assert one.sentences[0].render(plain) == (
        "📉 Orders breaks its promise too often (available, 99.9% of 30 d): more than 5% of the "
        "43 min 12 s that it may be away went within 6 h."
    )


def test_downtime_from_upstream_is_told_where_it_began() -> None:
    assert not list(
        too_often(away(("20T07:00", "20T08:20"), upstream=True, now=AFTER), RULES, AFTER)
    )
