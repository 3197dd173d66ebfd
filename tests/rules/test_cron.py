"""Due times across clock changes, against a second opinion that walks the minutes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whenever import PlainDateTime

from rules.cron import Schedule, checked_cron

BERLIN, LORD_HOWE = "Europe/Berlin", "Australia/Lord_Howe"
SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)


def local(schedule: Schedule, after: datetime, count: int) -> list[str]:
    found = []
    for _ in range(count):
        due = schedule.due_after(after)
        assert due is not None
        found.append(f"{due:%d %H:%M}Z")
        after = due
    return found


@pytest.mark.parametrize(
    ("cron", "after", "dues"),
    [
        ("0 5 * * *", SPRING, ["29 03:00Z", "30 03:00Z"]),
        ("30 2 * * *", SPRING, ["29 01:00Z", "30 00:30Z"]),  # skipped: the first instant after
        ("0,30 2,3 * * *", SPRING, ["29 01:00Z", "29 01:30Z", "30 00:00Z"]),  # and only once
        ("0 5 * * *", AUTUMN, ["25 04:00Z", "26 04:00Z"]),
        ("30 2 * * *", AUTUMN, ["25 00:30Z", "26 01:30Z"]),  # twice: the first time
        ("0 * * * *", AUTUMN.replace(hour=23), ["25 00:00Z", "25 02:00Z", "25 03:00Z"]),
    ],
)
def test_clock_changes_in_berlin(cron: str, after: datetime, dues: list[str]) -> None:
    assert local(Schedule(cron, BERLIN), after, len(dues)) == dues


@pytest.mark.parametrize(
    ("cron", "zone", "after", "latest"),
    [
        ("30 2 * * *", BERLIN, SPRING, "29 01:30Z"),  # due at 01:00Z; an hour on it is 03:30
        ("0,40 2 * * *", BERLIN, SPRING, "29 01:40Z"),
        ("*/20 * * * *", BERLIN, SPRING.replace(day=29, hour=0, minute=40), "29 01:00Z"),
        ("30 * * * *", BERLIN, SPRING.replace(day=29, hour=0, minute=30), "29 01:30Z"),
        ("7,47 * * * *", BERLIN, SPRING.replace(day=29, hour=0, minute=40), "29 00:47Z"),
        ("7,47 * * * *", BERLIN, SPRING.replace(day=29, hour=1), "29 01:07Z"),
        ("0 3 * * *", BERLIN, SPRING, "29 01:00Z"),  # no time that is skipped
        ("0 5 * * *", BERLIN, SPRING, "29 03:00Z"),
        ("30 2 * * *", BERLIN, AUTUMN, "25 01:30Z"),  # due at 00:30Z and again
        ("*/20 * * * *", BERLIN, AUTUMN.replace(day=25, hour=0), "25 00:20Z"),  # another is due
        ("0 5 * * *", BERLIN, AUTUMN, "25 04:00Z"),
        ("0 1 * * *", "America/New_York", AUTUMN.replace(day=31), "01 06:00Z"),
        ("45 1 * * *", LORD_HOWE, datetime(2026, 4, 4, 1, tzinfo=UTC), "04 15:15Z"),
        ("0 5 * * *", "UTC", SPRING, "29 05:00Z"),
    ],
)
def test_until_when_schedulers_may_take_it_for_due(
    cron: str, zone: str, after: datetime, latest: str
) -> None:
    schedule = Schedule(cron, zone)
    due = schedule.due_after(after)
    assert due is not None
    assert f"{schedule.latest_of(due):%d %H:%M}Z" == latest


def test_holidays_are_days_of_the_zone() -> None:
    schedule = Schedule("0 5 * * *", "Pacific/Auckland", frozenset({date(2026, 12, 25)}))
    christmas_eve = datetime(2026, 12, 23, 18, tzinfo=UTC)  # the 24th, 7:00, over there
    assert schedule.due_after(christmas_eve) == datetime(2026, 12, 25, 16, tzinfo=UTC)
    assert schedule.due_until(datetime(2026, 12, 25, 15, tzinfo=UTC)) == datetime(
        2026, 12, 23, 16, tzinfo=UTC
    )


def test_a_closed_season_is_passed_over_by_what_comes_every_minute() -> None:
    days = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(200))
    schedule = Schedule("* * * * *", BERLIN, days)
    opens = datetime(2026, 7, 19, 22, tzinfo=UTC)
    assert schedule.due_after(SPRING) == opens
    assert schedule.due_until(opens - timedelta(seconds=1)) == datetime(
        2025, 12, 31, 22, 59, tzinfo=UTC
    )


def test_a_calendar_of_nothing_but_holidays_never_comes() -> None:
    days = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(366 * 300))
    assert Schedule("0 5 * * *", "UTC", days).due_after(SPRING) is None


@pytest.mark.parametrize("cron", ["0 6 * * mon-fri", "*/15 * * * *", "0 0 L * *", "0 9 1 1 *"])
def test_five_fields_are_taken(cron: str) -> None:
    assert checked_cron(f"  {cron.replace(' ', '   ')} ") == cron


@pytest.mark.parametrize(
    "cron", ["", "0 6 * *", "* * * * * *", "61 * * * *", "0 0 30 2 *", "@daily", "0 6 * * mox"]
)
def test_anything_else_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match=r"is not a cron expression|never comes"):
        checked_cron(cron)


MINUTES = st.sampled_from(["0", "30", "15,45", "*/20", "59", "*"])
HOURS = st.sampled_from(["0", "1", "2", "3", "1-3", "*/2", "*", "23"])
DAYS = st.sampled_from(["*", "mon-fri", "sun", "sat"])
PLACES = st.sampled_from(
    [
        (BERLIN, SPRING),
        (BERLIN, AUTUMN),
        (LORD_HOWE, datetime(2026, 4, 4, 3, tzinfo=UTC)),  # half an hour
        (LORD_HOWE, datetime(2026, 10, 3, 3, tzinfo=UTC)),
        ("America/St_Johns", datetime(2026, 3, 7, 12, tzinfo=UTC)),
        ("America/Santiago", datetime(2026, 9, 5, 12, tzinfo=UTC)),  # at midnight
        ("Africa/Casablanca", datetime(2026, 2, 14, 12, tzinfo=UTC)),
        ("UTC", SPRING),
    ]
)


def values(field: str, last: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, end = span.partition("-")
        low, high = (0, last) if first == "*" else (int(first), int(end or first))
        found.update(range(low, high + 1, int(step or 1)))
    return found


WEEK = {"*": range(7), "mon-fri": range(5), "sun": (6,), "sat": (5,)}


def by_walking(
    cron: str, zone: str, start: datetime, end: datetime, off: frozenset[date] = frozenset()
) -> Iterator[datetime]:
    """Yield due times by trying every local minute, with another library's zone rules."""
    minute, hour, _, _, days = cron.split(" ")
    minutes, hours = values(minute, 59), values(hour, 23)
    at = (start - timedelta(days=2)).replace(tzinfo=None)
    seen = set()
    while at < (end + timedelta(days=2)).replace(tzinfo=None):
        is_on = at.weekday() in WEEK[days] and at.date() not in off
        if at.minute in minutes and at.hour in hours and is_on:
            seen.add(first_instant(at, zone))
        at += timedelta(minutes=1)
    yield from sorted(one for one in seen if start <= one < end)


def first_instant(at: datetime, zone: str) -> datetime:
    plain = PlainDateTime(at)
    there = plain.assume_tz(zone, disambiguation="earlier")
    instant, offset = there.to_instant(), there.offset
    if there.to_plain() != plain:  # skipped: walk on until the clocks have changed
        while instant.to_tz(zone).offset == offset:
            instant = instant.add(minutes=1)
    return instant.to_stdlib()


@given(MINUTES, HOURS, DAYS, PLACES)
def test_a_second_opinion_finds_the_same(
    minute: str, hour: str, days: str, place: tuple[str, datetime]
) -> None:
    zone, start = place
    cron, end = f"{minute} {hour} * * {days}", start + timedelta(days=2)
    schedule = Schedule(cron, zone)
    dues = list(schedule.due_between(start, end))
    assert dues == list(by_walking(cron, zone, start, end))


@given(MINUTES, HOURS, DAYS, PLACES, st.sets(st.integers(-1, 4), max_size=3))
def test_holidays_take_their_days_out_and_no_others(
    minute: str, hour: str, days: str, place: tuple[str, datetime], holidays: set[int]
) -> None:
    zone, start = place
    cron, end = f"{minute} {hour} * * {days}", start + timedelta(days=4)
    off = frozenset(start.date() + timedelta(days=n) for n in holidays)
    all_of_them = list(by_walking(cron, zone, start, end, off))
    schedule = Schedule(cron, zone, off)
    assert list(schedule.due_between(start, end)) == all_of_them
    if all_of_them:
        assert schedule.due_until(end - timedelta(seconds=1)) == all_of_them[-1]


@given(MINUTES, HOURS, DAYS, PLACES, st.integers(0, 2 * 86_400))
def test_forward_and_backward_agree(
    minute: str, hour: str, days: str, place: tuple[str, datetime], seconds: int
) -> None:
    zone, start = place
    schedule = Schedule(f"{minute} {hour} * * {days}", zone)
    now = start + timedelta(seconds=seconds)
    after = schedule.due_after(now)
    assert after is not None
    assert after > now
    assert schedule.due_until(after) == after
    until = schedule.due_until(now)
    assert until is not None
    assert until <= now
    assert schedule.due_after(until) == after
