"""Who comes on call and could not be woken."""

from datetime import UTC, datetime, timedelta

import pytest

from rules.contacting.method import Method
from rules.rotation import OnCall, Span
from rules.schedule.reachability import reach_sentence, reach_warnings
from rules.schedule.reminders import Notice, NoticeKind, turns
from rules.sentence import plain

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def found(
    *spans: tuple[str, float, float],
    methods: dict[str, tuple[Method, ...]] | None = None,
    trouble: dict[str, str] | None = None,
) -> list[Notice]:
    on_call = OnCall(
        Span(NOW + start * DAY, NOW + end * DAY, "data", "primary", (who,))
        for who, start, end in spans
    )
    by, wrong = methods or {}, trouble or {}
    return list(
        reach_warnings(
            turns(on_call, NOW),
            NOW,
            methods_of=lambda who: by.get(who, ()),
            slack_trouble=lambda who: wrong.get(who, ""),
        )
    )


def test_who_has_a_second_way_is_not_told_of() -> None:
    assert found(("ana", 1, 2), methods={"ana": (Method.EMAIL,)}) == []
    assert found(("ana", 1, 2), methods={"ana": (Method.EMAIL,)}, trouble={"ana": "closed"}) == []


@pytest.mark.parametrize(("start", "told"), [(-1, True), (0.5, True), (6.9, True), (7.1, False)])
def test_it_is_told_in_time_and_of_a_shift_that_goes_on(start: float, told: bool) -> None:
    assert bool(found(("ana", start, start + 2))) is told


def test_a_shift_that_is_over_is_let_be() -> None:
    assert found(("ana", -3, -1)) == []


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        ({}, NoticeKind.ONE_WAY, "can be reached by Slack alone. Add an e-mail, a phone"),
        ({"ana": "closed"}, NoticeKind.UNREACHABLE, "cannot be reached by any method. Add an"),
    ],
)
def test_it_says_what_is_wrong_and_what_to_do(
    trouble: dict[str, str], kind: NoticeKind, words: str
) -> None:
    (notice,) = found(("ana", 1, 2), trouble=trouble)
    assert notice.kind is kind
    told = reach_sentence(notice, NOW).render(plain)
    assert told.startswith("⚠️ ana is primary of data from 2026-11-24 03:00 UTC and ")
    assert words in told
    assert "is primary of data now and" in reach_sentence(notice, NOW + DAY).render(plain)


def test_each_shift_is_told_of_once() -> None:
    keys = {notice.key for notice in found(("ana", 1, 2), ("ana", 4, 5))}
    assert len(keys) == 2
    assert keys == {notice.key for notice in found(("ana", 1, 2), ("ana", 4, 5))}
