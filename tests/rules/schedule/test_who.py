import json
from datetime import UTC, datetime, timedelta

import pytest

from rules.rotation import OnCall, Span
from rules.schedule.who import (
    NotInRosterError,
    find_rotation,
    next_turns,
    shifts_of,
    take_until,
    turns_text,
    who,
    who_json,
    who_text,
)
from tests.bot.roster.sheets import PEOPLE

T0 = datetime(2026, 11, 16, 9, tzinfo=UTC)
ANA, BO, CY = (f"{name}@example.com" for name in ("ana", "bo", "cy"))


def day(number: float) -> datetime:
    return T0 + timedelta(days=number)


def span(start: float, end: float, *people: str, role: str = "primary", row: int = 2) -> Span:
    return Span(day(start), day(end), "data", role, people, f"row {row}")


ON_CALL = OnCall(
    [
        span(0, 7, ANA),
        span(7, 14, BO, row=3),
        span(14, 21, BO, row=4),
        span(22, 29, CY, ANA, row=5),
        span(0, 7, BO, role="secondary"),
    ]
)


def test_who_says_until_when_and_who_is_next() -> None:
    primary, secondary = who(ON_CALL, PEOPLE, day(1))
    assert [person.name for person in primary.people] == ["Ana Ruiz"]
    assert (primary.until, primary.source) == (day(7), "row 2")
    assert primary.next is not None
    assert (primary.next.start, primary.next.end) == (day(7), day(21))
    assert (secondary.role, secondary.until, secondary.next) == ("secondary", day(7), None)


def test_two_rows_of_one_person_are_one_stretch() -> None:
    (primary, _) = who(ON_CALL, PEOPLE, day(15), rotation="DATA")
    assert (primary.until, primary.source) == (day(21), "row 4")
    assert primary.next is not None
    assert primary.next.start == day(22)


def test_a_gap_between_two_turns_of_one_person_ends_the_first() -> None:
    (primary,) = who(OnCall([span(0, 7, ANA), span(8, 9, ANA)]), PEOPLE, day(1))
    assert (primary.until, primary.next) == (day(7), None)


def test_in_a_gap_nobody_is_until_somebody_follows() -> None:
    (primary, secondary) = who(ON_CALL, PEOPLE, day(21))
    assert (primary.people, primary.until) == ((), day(22))
    assert (secondary.people, secondary.until) == ((), None)


def test_the_answer_as_text_is_in_local_time() -> None:
    zones = {"data": "Europe/Berlin"}
    assert who_text(who(ON_CALL, PEOPLE, day(1)), zones) == (
        "data primary: Ana Ruiz until Mon 2026-11-23 10:00 CET (row 2), then Bo Chen\n"
        "data secondary: Bo Chen until Mon 2026-11-23 10:00 CET (row 2)"
    )
    assert who_text(who(ON_CALL, PEOPLE, day(20)), {}).splitlines()[0] == (
        "data primary: Bo Chen until Mon 2026-12-07 09:00 UTC (row 4), "
        "then Cy Haddad and Ana Ruiz from Tue 2026-12-08 09:00 UTC"
    )
    assert who_text(who(ON_CALL, PEOPLE, day(40)), {}).startswith("data primary: nobody\n")
    assert who_text([], {}) == "The roster is empty."


def test_the_answer_as_json() -> None:
    document = json.loads(json.dumps(who_json(who(ON_CALL, PEOPLE, day(1)))))
    assert document[0]["people"] == [{"key": ANA, "name": "Ana Ruiz", "email": ANA, "slack": "U1"}]
    assert document[0]["until"] == "2026-11-23T09:00:00+00:00"
    assert document[0]["next"]["from"] == "2026-11-23T09:00:00+00:00"
    assert document[1]["next"] is None


def test_next_turns_come_in_order_and_no_more_than_asked() -> None:
    turns = next_turns(ON_CALL, PEOPLE, day(1), count=2)
    assert [(turn.start, len(turn.people)) for turn in turns] == [(day(7), 1), (day(22), 2)]
    assert turns_text(turns[:1], {}) == (
        "data primary: Bo Chen from Mon 2026-11-23 09:00 UTC to Mon 2026-12-07 09:00 UTC (14 d)"
    )
    assert len(next_turns(ON_CALL, PEOPLE, day(-1), count=1)) == 2
    assert turns_text(next_turns(ON_CALL, PEOPLE, day(30)), {}) == "Nobody is next."


def test_my_shifts_are_those_that_are_not_over() -> None:
    mine = list(shifts_of(ON_CALL, PEOPLE, ANA, day(6)))
    assert [turn.start for turn in mine] == [day(0), day(22)]


def test_a_take_over_lasts_to_the_end_of_the_present_span_or_as_long_as_asked() -> None:
    assert take_until(ON_CALL, "data", "primary", day(8)) == day(14)
    assert take_until(ON_CALL, "data", "primary", day(21.5)) == day(22)
    assert take_until(ON_CALL, "data", "primary", day(8), timedelta(hours=2)) == day(8) + timedelta(
        hours=2
    )
    with pytest.raises(NotInRosterError, match="say how long"):
        take_until(ON_CALL, "data", "primary", day(29))


def test_rotations_are_found_by_name_or_because_there_is_one() -> None:
    assert find_rotation(ON_CALL, "") == "data"
    assert find_rotation(ON_CALL, "Data") == "data"
    with pytest.raises(NotInRosterError, match=r'No rotation is called "web"\. There are data\.'):
        who(ON_CALL, PEOPLE, T0, rotation="web")
    with pytest.raises(NotInRosterError, match="The roster is empty"):
        find_rotation(OnCall(), "")
    two = OnCall([span(0, 1, ANA), Span(day(0), day(1), "web", "primary", (BO,))])
    with pytest.raises(NotInRosterError, match="Say which rotation: data, web"):
        find_rotation(two, "")
