"""Hand-offs: who hands over to whom, who is asked before, and how late is too late."""

from dataclasses import replace
from datetime import time

from rules.hours import Hours
from rules.rotation import OnCall, Span
from rules.schedule.handoff import (
    Handoff,
    RoleChange,
    handoff_at,
    handoffs,
    handoffs_due,
    questions_due,
)
from rules.schedule.reminders import Notice
from tests.rules.build import ANA, BO, CY, DAY, HOUR, MINUTE, NOW


def span(role: str, start: int, end: int, *people: str, rotation: str = "data") -> Span:
    return Span(NOW + start * HOUR, NOW + end * HOUR, rotation, role, people)


ON_CALL = OnCall(
    [
        span("primary", -24, 6, ANA),
        span("primary", 6, 30, BO),
        span("secondary", -24, 3, BO),
        span("secondary", 3, 6, BO),
        span("secondary", 6, 30, CY),
        span("primary", -24, 4, CY, rotation="ml"),
        span("primary", 8, 12, CY, rotation="ml"),
    ]
)


def quiet_at_night(_person: str) -> Hours | None:
    return Hours(time(22), time(8), "Europe/Berlin")


def never_quiet(_person: str) -> Hours | None:
    return None


def test_a_hand_off_tells_every_role_that_changes() -> None:
    at = NOW + 6 * HOUR
    found = handoff_at(ON_CALL, "data", at)
    assert found == Handoff(
        "data",
        at,
        (RoleChange("primary", (ANA,), (BO,)), RoleChange("secondary", (BO,), (CY,))),
    )
    assert found.outgoing == (ANA, BO)
    assert found.incoming == (BO, CY)


def test_only_changes_of_people_to_somebody_are_hand_offs() -> None:
    found = handoffs(ON_CALL, NOW, NOW + 12 * HOUR)
    assert [(one.rotation, (one.at - NOW) // HOUR) for one in found] == [("data", 6), ("ml", 8)]


def test_a_hand_off_is_due_at_its_instant_and_until_an_hour_later() -> None:
    at = NOW + 6 * HOUR
    assert handoffs_due(ON_CALL, [], at - MINUTE) == ()
    (notice,) = handoffs_due(ON_CALL, [], at)
    assert handoffs_due(ON_CALL, [notice], at) == ()
    assert handoffs_due(ON_CALL, [], at + 59 * MINUTE) == (notice,)
    assert handoffs_due(ON_CALL, [], at + HOUR) == ()


def test_a_take_over_now_is_a_hand_off_now() -> None:
    taken = OnCall([span("primary", -24, 0, ANA), span("primary", 0, 6, CY)])
    (notice,) = handoffs_due(taken, [], NOW)
    assert handoff_at(taken, notice.rotation, notice.start).incoming == (CY,)  # type: ignore[union-attr]


def test_who_goes_is_asked_half_an_hour_before_once() -> None:
    at = NOW + 6 * HOUR
    told: list[Notice] = []
    early = questions_due(ON_CALL, told, at - HOUR, quiet=never_quiet)
    assert (early.notices, early.again) == ((), at - 30 * MINUTE)
    asked = questions_due(ON_CALL, told, at - 30 * MINUTE, quiet=never_quiet).notices
    assert [notice.person for notice in asked] == [ANA, BO]
    told += [replace(one, told_at=NOW) for one in asked]
    assert questions_due(ON_CALL, told, at - 10 * MINUTE, quiet=never_quiet).notices == ()
    assert questions_due(ON_CALL, [], at, quiet=never_quiet).notices == ()


def test_nobody_is_asked_at_night() -> None:
    night = OnCall([span("primary", -24, 0, ANA), span("primary", 0, 6, CY)])
    assert questions_due(night, [], NOW - 20 * MINUTE, quiet=quiet_at_night).notices == ()


def test_a_year_is_looked_through_quickly_enough_to_do_it_twice_a_minute() -> None:
    days = OnCall(
        Span(NOW + n * DAY, NOW + (n + 1) * DAY, f"r{r}", "primary", ((ANA, BO, CY)[n % 3],))
        for r in range(20)
        for n in range(-40, 400)
    )
    assert len(handoffs(days, NOW, NOW + HOUR)) == 0
    assert len(handoffs(days, NOW - HOUR, NOW)) == 20
