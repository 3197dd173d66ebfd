from datetime import UTC, datetime, time, timedelta

import pytest

from rules.spoken_time import (
    Moment,
    UnclearTimeError,
    local_note,
    read_clock,
    read_duration,
    read_moment,
    take_moment,
)

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"
NOW = datetime(2026, 11, 18, 10, 7, 33, tzinfo=UTC)  # a Wednesday, 11:07:33 in Berlin


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("now", "2026-11-18T10:07:33Z"),
        ("2h", "2026-11-18T12:07:33Z"),
        ("in 1h30m", "2026-11-18T11:37:33Z"),
        ("for 3 days", "2026-11-21T10:07:33Z"),
        ("18:00", "2026-11-18T17:00:00Z"),
        ("until 09:00", "2026-11-19T08:00:00Z"),
        ("11:07", "2026-11-19T10:07:00Z"),
        ("9am", "2026-11-19T08:00:00Z"),
        ("24:00", "2026-11-18T23:00:00Z"),
        ("fri 18:00", "2026-11-20T17:00:00Z"),
        ("Friday at 6pm", "2026-11-20T17:00:00Z"),
        ("wed 12:00", "2026-11-18T11:00:00Z"),
        ("wed 09:00", "2026-11-25T08:00:00Z"),
        ("mon 24:00", "2026-11-23T23:00:00Z"),
        ("today 18:00", "2026-11-18T17:00:00Z"),
        ("Tomorrow 9am", "2026-11-19T08:00:00Z"),
        ("2026-11-23 09:00", "2026-11-23T08:00:00Z"),
        ("2026-11-23T09:00", "2026-11-23T08:00:00Z"),
        ("2026-11-23T09:00Z", "2026-11-23T09:00:00Z"),
        ("2026-11-23 09:00 +05:30", "2026-11-23T03:30:00Z"),
        ("2020-01-01 00:00", "2019-12-31T23:00:00Z"),
    ],
)
def test_what_people_type_becomes_an_instant(text: str, instant: str) -> None:
    assert read_moment(text, NOW, BERLIN) == Moment(utc(instant))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The time is missing."),
        ("0001-01-01 00:00", "0001-01-01 is too far away. Correct the year."),
        ("soonish", '"soonish" is not a time. Write "18:00"'),
        ("9", '"9" can be a time or a duration: write "9:00" or "2h".'),
        ("25:00", '"25:00" is not a time.'),
        ("13pm", '"13pm" is not a time.'),
        ("tomorrow", '"tomorrow" needs a time: write "tomorrow 09:00".'),
        ("fri", '"fri" needs a time: write "fri 09:00".'),
        ("today 09:00", '"today 09:00" is over.'),
        ("2026-11-23", '"2026-11-23" needs a time: write "2026-11-23 09:00".'),
        ("2026-02-30 09:00", "2026-02-30 is not in the calendar."),
        ("03/04/2026 09:00", '"03/04/2026 09:00" is not a time.'),
        ("0h", '"0h" must be more than nothing'),
        ("9999999h", "is not a time"),
        ("999999w" * 400, "at most a year"),
        ("800d", "at most a year"),
        ("2h tomorrow", "is not a time"),
    ],
)
def test_what_is_no_time_or_two_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(UnclearTimeError) as refused:
        read_moment(text, NOW, BERLIN)
    assert words in str(refused.value)


def test_a_time_that_clocks_skip_is_read_after_the_gap_and_told() -> None:
    moment = read_moment("2027-03-14 02:30", NOW, NEW_YORK)
    assert moment.at == utc("2027-03-14T07:30Z")
    assert moment.note == (
        "2027-03-14 02:30 does not exist in America/New_York: clocks jump over it. Read as 03:30."
    )


def test_a_time_that_happens_twice_is_the_first_and_told() -> None:
    moment = read_moment("2026-11-01 01:30", NOW, NEW_YORK)
    assert moment.at == utc("2026-11-01T05:30Z")
    assert moment.note == (
        "2026-11-01 01:30 happens twice in America/New_York. "
        "Read as the first one (EDT, 05:30 UTC)."
    )


def test_half_an_hour_of_clock_change_is_told_too() -> None:
    assert read_moment("2026-10-04 02:15", NOW, LORD_HOWE).at == utc("2026-10-03T15:45Z")
    assert "Read as 02:45" in local_note(utc("2026-10-04T00:00Z").date(), time(2, 15), LORD_HOWE)
    assert "twice" in local_note(utc("2027-04-04T00:00Z").date(), time(1, 45), LORD_HOWE)
    assert local_note(utc("2027-04-04T00:00Z").date(), time(12), LORD_HOWE) == ""


def test_a_bare_time_tells_of_the_clock_change_in_the_night_ahead() -> None:
    evening = utc("2027-03-13T23:00Z")
    assert "does not exist" in read_moment("02:30", evening, NEW_YORK).note


def test_hours_are_elapsed_time_across_a_clock_change() -> None:
    before = utc("2026-10-24T23:30Z")
    assert read_moment("3h", before, BERLIN).at == before + timedelta(hours=3)


@pytest.mark.parametrize(
    ("words", "instant", "left"),
    [
        (["fri", "18:00", "mon", "09:00", "data"], "2026-11-20T17:00Z", ["mon", "09:00", "data"]),
        (["from", "18:00", "to", "20:00"], "2026-11-18T17:00Z", ["to", "20:00"]),
        (["2", "hours", "data"], "2026-11-18T12:07:33Z", ["data"]),
        (["2026-11-23", "09:00", "+01:00"], "2026-11-23T08:00Z", []),
    ],
)
def test_a_moment_is_taken_from_the_front_of_a_command(
    words: list[str], instant: str, left: list[str]
) -> None:
    assert take_moment(words, NOW, BERLIN) == (Moment(utc(instant)), left)


@pytest.mark.parametrize(
    ("start", "end", "instant"),
    [
        ("tomorrow 9am", "tomorrow 5pm", "2026-11-19T16:00Z"),
        ("today 15:00", "today 18:00", "2026-11-18T17:00Z"),
        ("today 15:00", "tomorrow 9am", "2026-11-19T08:00Z"),
        ("fri 9am", "fri 5pm", "2026-11-20T16:00Z"),
        ("fri 9am", "2h", "2026-11-20T10:00Z"),
        ("tomorrow 22:00", "06:00", "2026-11-20T05:00Z"),
        ("fri 9am", "tomorrow 5pm", "2026-11-19T16:00Z"),
    ],
)
def test_the_end_of_a_stretch_means_the_tomorrow_of_who_wrote_it(
    start: str, end: str, instant: str
) -> None:
    begins = read_moment(start, NOW, BERLIN).at
    assert read_moment(end, begins, BERLIN, said_at=NOW).at == utc(instant)
    assert take_moment(end.split(), begins, BERLIN, said_at=NOW)[0].at == utc(instant)


def test_a_command_without_a_time_says_so() -> None:
    with pytest.raises(UnclearTimeError, match="is missing"):
        take_moment(["to"], NOW, BERLIN)
    with pytest.raises(UnclearTimeError, match="warehouse"):
        take_moment(["warehouse", "please"], NOW, BERLIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9", (time(9), 0)),
        ("09.30", (time(9, 30), 0)),
        ("9h30", (time(9, 30), 0)),
        ("9 Uhr", (time(9), 0)),
        ("12am", (time(0), 0)),
        ("12 pm", (time(12), 0)),
        ("24:00", (time(0), 1)),
        ("23:59:59", (time(23, 59, 59), 0)),
    ],
)
def test_times_of_day(text: str, expected: tuple[time, int]) -> None:
    assert read_clock(text) == expected


@pytest.mark.parametrize("text", ["24:01", "9:60", "0am", "nine", "", "-1:00", "9:0"])
def test_what_is_no_time_of_day(text: str) -> None:
    with pytest.raises(UnclearTimeError):
        read_clock(text)


def test_durations() -> None:
    assert read_duration("1d 12h") == timedelta(days=1, hours=12)
    assert read_duration("1.5 hours") == timedelta(minutes=90)
    assert read_duration("90 MIN") == timedelta(minutes=90)
