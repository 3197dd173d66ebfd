"""Is it muted, now: silences, maintenance windows, and the one that lasts longest."""

from datetime import UTC, datetime, time, timedelta

from rules.hours import Hours
from rules.matching.matcher import Matcher, Operator
from rules.silence import MaintenanceWindow, Silence, mute
from tests.rules.build import BO, DAY, HOUR, NOW

FINANCE = (Matcher("team", Operator.EQUAL, "finance"),)
LABELS = {"team": "finance", "source": "dbt"}
TICK = timedelta(microseconds=1)


def silence(start: datetime = NOW, end: datetime = NOW + HOUR, **more: str) -> Silence:
    return Silence("s1", FINANCE, start, end, more.get("by", BO), more.get("why", "deploy"))


def test_a_silence_holds_from_its_start_until_just_before_its_end() -> None:
    made = silence()
    assert made.mutes_until(LABELS, NOW - TICK) is None
    assert made.mutes_until(LABELS, NOW) == NOW + HOUR
    assert made.mutes_until(LABELS, NOW + HOUR - TICK) == NOW + HOUR
    assert made.mutes_until(LABELS, NOW + HOUR) is None


def test_a_silence_needs_every_matcher() -> None:
    both = (*FINANCE, Matcher("source", Operator.NOT_EQUAL, "dbt"))
    assert Silence("s", both, NOW, NOW + HOUR, BO, "x").mutes_until(LABELS, NOW) is None
    assert silence().mutes_until({"team": "sales"}, NOW) is None


def test_the_mute_that_lasts_longest_counts() -> None:
    long = silence(end=NOW + 3 * HOUR, why="migration")
    window = MaintenanceWindow("upgrade", FINANCE, NOW - HOUR, NOW + 2 * HOUR)
    found = mute([silence(), long], [window], LABELS, NOW)
    assert found is not None
    assert (found.until, found.by, found.why) == (NOW + 3 * HOUR, BO, "migration")


def test_nothing_that_applies_mutes_nothing() -> None:
    assert mute([silence(end=NOW)], [], LABELS, NOW) is None
    assert mute([], [], LABELS, NOW) is None


def test_a_single_window_names_itself() -> None:
    window = MaintenanceWindow("upgrade", FINANCE, NOW, NOW + HOUR)
    found = mute([], [window], LABELS, NOW)
    assert found is not None
    assert (found.until, found.by, found.why) == (NOW + HOUR, "", "maintenance window upgrade")
    assert mute([], [window], LABELS, NOW - TICK) is None
    assert mute([], [window], LABELS, NOW + HOUR) is None


def test_a_recurring_window_across_midnight() -> None:
    nightly = MaintenanceWindow("backup", FINANCE, hours=Hours(time(23), time(1), "Europe/Berlin"))
    late = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
    closes = datetime(2026, 11, 24, tzinfo=UTC)
    assert nightly.mutes_until(LABELS, late) == closes
    assert nightly.mutes_until(LABELS, late + HOUR) == closes
    assert nightly.mutes_until(LABELS, closes) is None


def test_a_recurring_window_stays_within_its_series() -> None:
    hours = Hours(time(0), time(0), "UTC")
    until = NOW + HOUR
    series = MaintenanceWindow("move", FINANCE, NOW, until, hours)
    assert series.mutes_until(LABELS, NOW - TICK) is None
    assert series.mutes_until(LABELS, NOW) == until
    assert series.mutes_until(LABELS, until) is None
    assert series.mutes_until(LABELS, NOW + 2 * DAY) is None
