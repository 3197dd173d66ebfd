"""What is learnt of past repairs and runs, and what is said of it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.category import Category
from rules.sentence import plain
from rules.sla import Effort
from rules.weighing.history import (
    REPAIR,
    RUN,
    History,
    LearningRules,
    Learnt,
    Repair,
    expected_effort,
    learn,
    learnt,
    percentile,
)
from tests.rules.build import DAY, HOUR, MINUTE, NOW

RULES = LearningRules()
USUAL = Effort(10 * MINUTE, 30 * MINUTE, 0 * MINUTE)
_spans = st.integers(0, 5_000).map(lambda n: n * timedelta(seconds=7))
_lists = st.lists(_spans, min_size=1, max_size=40)


def minutes(*given: float) -> list[timedelta]:
    return [n * MINUTE for n in given]


def repair(
    paged: float = 0, acked: float = 5, resolved: float = 25, rotation: str = "data"
) -> Repair:
    return Repair(
        rotation=rotation,
        category=Category.FRESHNESS,
        paged_at=NOW + paged * MINUTE,
        acked_at=NOW + acked * MINUTE,
        resolved_at=NOW + resolved * MINUTE,
    )


@pytest.mark.parametrize(
    ("given", "percent", "found"),
    [
        (minutes(7), 75, 7),
        (minutes(1, 2, 3, 4, 5), 75, 4),
        (minutes(5, 3, 1, 4, 2), 75, 4),
        (minutes(0, 10), 75, 7.5),
        (minutes(*range(1, 12)), 90, 10),
        (minutes(4, 4, 4, 4), 90, 4),
    ],
)
def test_percentiles(given: Sequence[timedelta], percent: int, found: float) -> None:
    assert percentile(given, percent) == found * MINUTE


@given(_lists, st.integers(0, 100))
def test_a_percentile_lies_among_what_was_seen(spans: list[timedelta], percent: int) -> None:
    found = percentile(spans, percent)
    assert min(spans) <= found <= max(spans)
    assert found == percentile(list(reversed(spans)), percent)
    assert sum(one <= found for one in spans) >= len(spans) * percent // 100


@given(_lists, st.integers(0, 39), _spans)
def test_a_longer_repair_never_shortens_what_is_expected(
    spans: list[timedelta], which: int, more: timedelta
) -> None:
    at = which % len(spans)
    longer = [*spans[:at], spans[at] + more, *spans[at + 1 :]]
    assert percentile(longer, REPAIR) >= percentile(spans, REPAIR)


@given(st.lists(_spans, max_size=40), st.integers(1, 20))
def test_nothing_is_learnt_from_too_few(spans: list[timedelta], at_least: int) -> None:
    rules = LearningRules(at_least=at_least)
    found = learnt(spans, RUN, rules)
    assert (found is None) == (len(spans) < at_least)
    if found is not None:
        assert found.of == len(spans)
        assert found.takes <= rules.at_most
        assert found.takes % MINUTE == timedelta(0)


def test_one_that_never_ended_does_not_count_for_days() -> None:
    spans = minutes(20, 20, 20, 20) + [9 * DAY] * 4
    assert learnt(spans, REPAIR, RULES) == Learnt(RULES.at_most, REPAIR, 8)
    assert learnt([*minutes(*[20] * 9), 9 * DAY], REPAIR, RULES) == Learnt(20 * MINUTE, REPAIR, 10)


def test_clocks_that_disagree_are_left_out() -> None:
    assert learnt([*minutes(*[20] * 7), -MINUTE], REPAIR, RULES) is None


def test_seconds_are_rounded_up_to_a_minute() -> None:
    found = learnt([timedelta(seconds=61)] * 8, REPAIR, RULES)
    assert found is not None
    assert found.takes == 2 * MINUTE


def test_each_part_learns_from_its_own() -> None:
    repairs = [repair(acked=5 + n, resolved=30 + 2 * n) for n in range(8)]
    repairs += [repair(rotation="web", acked=90, resolved=95) for _ in range(3)]
    found = learn(repairs, {"orders": minutes(*range(46, 56))}, RULES)
    assert found.respond == {"data": Learnt(11 * MINUTE, REPAIR, 8)}
    assert found.fix == {Category.FRESHNESS: Learnt(30 * MINUTE, REPAIR, 11)}
    assert found.run == {"orders": Learnt(55 * MINUTE, RUN, 10)}


def test_what_nobody_was_paged_for_teaches_no_response() -> None:
    unpaged = Repair(
        rotation="data", category=None, acked_at=NOW, resolved_at=NOW + HOUR, paged_at=None
    )
    assert learn([unpaged] * 20, {}, RULES) == History()


def told(history: History, **more: timedelta | None) -> tuple[Effort, str]:
    effort, why = expected_effort(
        history, USUAL, rotation="data", category=Category.FRESHNESS, product="orders", **more
    )
    return effort, why.sentence.render(plain)


def test_without_a_past_the_rulebook_counts() -> None:
    assert told(History()) == (USUAL, "A repair takes 40 min: 10 min to respond, 30 min to fix.")


def test_the_reason_tells_what_is_learnt_and_from_how_many() -> None:
    history = History(
        fix={Category.FRESHNESS: Learnt(30 * MINUTE, 75, 14)},
        run={"orders": Learnt(55 * MINUTE, 90, 20)},
    )
    effort, words = told(history)
    assert effort == Effort(10 * MINUTE, 30 * MINUTE, 55 * MINUTE)
    assert words == (
        "A repair takes 1 h 35 min: 10 min to respond, 30 min to fix (p75 of 14), "
        "55 min to run (p90 of 20)."
    )


def test_what_a_product_says_of_its_runs_counts_until_they_are_known() -> None:
    assert told(History(), run_takes=55 * MINUTE)[0].run == 55 * MINUTE
    known = History(run={"orders": Learnt(20 * MINUTE, 90, 8)})
    assert told(known, run_takes=55 * MINUTE)[0].run == 20 * MINUTE


def test_no_effort_at_all_is_said() -> None:
    nothing = Effort(*minutes(0, 0, 0))
    _, why = expected_effort(History(), nothing, rotation="", category=None)
    assert why.sentence.render(plain) == "A repair is taken to need no time."
