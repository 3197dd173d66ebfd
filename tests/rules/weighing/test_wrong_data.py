"""Wrong data: urgent while its readers are there, and before they come back."""

from datetime import UTC, datetime, time

import pytest

from rules.hours import DAYS, Hours
from rules.priority import Urgency
from rules.sentence import plain
from rules.sla import Effort, UrgencyThresholds
from rules.weighing.wrong_data import exposure
from tests.rules.build import MINUTE

OFFICE = Hours(time(9), time(18), "Europe/Amsterdam", DAYS[:5])
EFFORT = Effort(10 * MINUTE, 30 * MINUTE)
LIMITS = UrgencyThresholds()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "level", "changes_at", "said"),
    [
        ("2026-11-20T10:00", Urgency.CRITICAL, "2026-11-20T17:00",
         "Critical: the data is wrong, and its readers are there until 2026-11-20 17:00 UTC."),
        ("2026-11-20T17:00", Urgency.LOW, "2026-11-23T03:20",
         ("Low: the data is wrong; its readers come back at 2026-11-23 08:00 UTC, which leaves "
         "2 d 14 h to spare, as a repair takes 40 min.")),
        ("2026-11-23T03:20", Urgency.MEDIUM, "2026-11-23T06:20", "Medium: "),
        ("2026-11-23T06:20", Urgency.HIGH, "2026-11-23T07:20", "High: "),
        ("2026-11-23T07:30", Urgency.CRITICAL, "2026-11-23T17:00",
         ("Critical: the data is wrong; its readers come back at 2026-11-23 08:00 UTC, and a "
         "repair takes 40 min.")),
    ],
)  # fmt: skip
def test_a_week_of_wrong_data(now: str, level: Urgency, changes_at: str, said: str) -> None:
    found = exposure(OFFICE, at(now), EFFORT, LIMITS)
    assert (found.urgency, found.changes_at) == (level, at(changes_at))
    assert found.why.sentence.render(plain).startswith(said)


def test_the_deadline_is_now_while_readers_are_there() -> None:
    now = at("2026-11-20T10:00")
    assert exposure(OFFICE, now, EFFORT, LIMITS).deadline == now
    night = at("2026-11-20T20:00")
    assert exposure(OFFICE, night, EFFORT, LIMITS).deadline == at("2026-11-23T08:00")


def test_readers_at_any_hour_make_it_urgent_for_good() -> None:
    always = Hours(time(0), time(0), "UTC")
    found = exposure(always, at("2026-11-20T10:00"), EFFORT, LIMITS)
    assert (found.urgency, found.changes_at) == (Urgency.CRITICAL, None)
