"""Who is asleep stays asleep until the last moment that still keeps the promise."""

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.hours import DAYS, Hours
from rules.priority import Priority
from rules.sentence import plain
from rules.sla import Effort
from rules.weighing.holding import DEFAULT_HOLDS, Hold, Holding, hold, page_at
from tests.rules.build import HOUR, MINUTE

P1, P2, P3, P4, P5 = Priority
HOLDING = Holding(working_hours=Hours(time(9), time(18), "Europe/Amsterdam", DAYS[:5]))
EFFORT = Effort(respond=10 * MINUTE, fix=30 * MINUTE, run=55 * MINUTE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


DEADLINE = at("2026-11-20T08:00")
NIGHT = at("2026-11-20T00:30")
EVENING = at("2026-11-20T19:00")
NOON = at("2026-11-20T11:00")
MONDAY = at("2026-11-23T08:00")


@pytest.mark.parametrize(
    ("priority", "now", "deadline", "when"),
    [
        (P1, NIGHT, DEADLINE, NIGHT),
        (P1, NIGHT, None, NIGHT),
        (P2, NIGHT, DEADLINE, at("2026-11-20T05:55")),  # the worked example
        (P2, at("2026-11-20T05:54"), DEADLINE, at("2026-11-20T05:55")),
        (P2, at("2026-11-20T05:55"), DEADLINE, at("2026-11-20T05:55")),
        (P2, at("2026-11-20T06:30"), DEADLINE, at("2026-11-20T06:30")),  # already late
        (P2, NIGHT, at("2026-11-20T16:00"), DEADLINE),  # office opens before it presses
        (P2, NIGHT, None, DEADLINE),
        (P2, NOON, at("2026-11-23T08:00"), NOON),
        (P2, EVENING, at("2026-11-22T08:00"), at("2026-11-22T05:55")),  # a Sunday
        (P2, EVENING, None, MONDAY),
        (P3, NIGHT, DEADLINE, DEADLINE),
        (P3, EVENING, DEADLINE, MONDAY),
        (P3, NOON, None, NOON),
        (P4, NOON, DEADLINE, None),
        (P5, NOON, None, None),
    ],
)
def test_when_a_page_leaves(
    priority: Priority, now: datetime, deadline: datetime | None, when: datetime | None
) -> None:
    assert page_at(priority, now, HOLDING, deadline=deadline, effort=EFFORT) == when


@pytest.mark.parametrize(
    ("priority", "now", "deadline", "said"),
    [
        (P1, NIGHT, DEADLINE, "P1 pages at any hour."),
        (P2, NIGHT, DEADLINE, (
         "Held until 2026-11-20 05:55 UTC, the last moment that leaves room before the deadline, "
         "2026-11-20 08:00 UTC.")),
        (P2, at("2026-11-20T06:00"), DEADLINE,
         "Paged at once: waiting would risk the deadline, 2026-11-20 08:00 UTC."),
        (P2, NOON, DEADLINE, "Paged at once: these are working hours in Europe/Amsterdam."),
        (P3, NIGHT, DEADLINE, "Held until working hours in Europe/Amsterdam, 2026-11-20 08:00 UTC."),
        (P4, NIGHT, DEADLINE, "P4 pages nobody."),
    ],
)  # fmt: skip
def test_the_reason_is_said(
    priority: Priority, now: datetime, deadline: datetime, said: str
) -> None:
    _, reason = hold(priority, now, HOLDING, deadline=deadline, effort=EFFORT)
    assert reason.sentence.render(plain) == said
    assert reason.rule == f"holding.{priority}"


def test_what_waits_for_what_is_data() -> None:
    strict = Holding(holds={P3: Hold.NOW, P2: Hold.NEVER}, working_hours=HOLDING.working_hours)
    assert page_at(P3, NIGHT, strict, deadline=None, effort=EFFORT) == NIGHT
    assert page_at(P2, NIGHT, strict, deadline=None, effort=EFFORT) is None
    assert page_at(P1, NIGHT, strict, deadline=None, effort=EFFORT) == NIGHT
    roomy = Holding(working_hours=HOLDING.working_hours, margin=HOUR)
    assert page_at(P2, NIGHT, roomy, deadline=DEADLINE, effort=EFFORT) == at("2026-11-20T05:25")


@given(
    now=st.integers(0, 14 * 1440).map(lambda m: NIGHT + m * MINUTE),
    ahead=st.none() | st.integers(-1440, 5 * 1440),
    priority=st.sampled_from(Priority),
)
def test_a_page_is_never_early_and_never_later_than_a_less_urgent_one(
    now: datetime, ahead: int | None, priority: Priority
) -> None:
    deadline = None if ahead is None else now + ahead * MINUTE
    when = [page_at(p, now, HOLDING, deadline=deadline, effort=EFFORT) for p in Priority]
    pages = [w for w in when if w is not None]
    assert len(pages) == sum(kind is not Hold.NEVER for kind in DEFAULT_HOLDS.values())
    assert pages == sorted(pages)
    assert pages[0] == now
    own = page_at(priority, now, HOLDING, deadline=deadline, effort=EFFORT)
    if own is not None:  # who is woken at that time is not put off again
        assert page_at(priority, own, HOLDING, deadline=deadline, effort=EFFORT) == own
