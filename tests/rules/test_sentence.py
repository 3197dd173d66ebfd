"""Sentences: outside parts stay apart from the words until they are shown."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.sentence import Who, counted, duration_text, plain, say


def test_values_are_filled_in_and_shown_plainly() -> None:
    said = say(
        "{who} snoozed #{number} until {until}, for {span}: {why}",
        who=Who("ana@example.com"),
        number=7,
        until=datetime(2026, 11, 23, 9, 5, tzinfo=UTC),
        span=timedelta(hours=2),
        why="deploy",
    )
    assert said.render(plain) == (
        "ana@example.com snoozed #7 until 2026-11-23 09:05 UTC, for 2 h: deploy"
    )


@given(st.text())
def test_a_value_from_outside_stays_a_value(text: str) -> None:
    assert say("<{why}>", why=text).render(plain) == f"<{text}>"


@pytest.mark.parametrize("text", ["{who}", "{0.__class__}", "{", "%s", "<!channel>"])
def test_braces_in_a_value_fill_in_nothing(text: str) -> None:
    assert say("{why} {who}", why=text, who="x").render(plain) == f"{text} x"


def test_the_reader_decides_how_a_value_is_shown() -> None:
    said = say("{who} & {n}", who=Who("ana"), n=3)
    assert said.render(lambda value: f"<{value}>") == "<Who(key='ana')> & <3>"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (0.4, "0 s"),
        (45, "45 s"),
        (60, "1 min"),
        (3_599, "59 min 59 s"),
        (4_320, "1 h 12 min"),
        (86_400, "1 d"),
        (90_061, "1 d 1 h"),
        (86_460, "1 d 1 min"),
    ],
)
def test_a_duration_is_shown_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text


def test_one_of_a_thing_is_not_called_several() -> None:
    assert [counted(n, "alert") for n in (0, 1, 1_200)] == ["0 alerts", "1 alert", "1,200 alerts"]
    assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]


def test_a_time_is_shown_in_utc() -> None:
    when = datetime(2026, 11, 23, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    assert plain(when) == "2026-11-23 09:00 UTC"
