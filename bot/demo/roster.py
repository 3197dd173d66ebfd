"""The demo's roster, written around any day."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rules.people import Person

DEMO_PEOPLE = (
    Person("ana@example.com", "Ana Ruiz", "ana@example.com"),
    Person("bo@example.com", "Bo Chen", "bo@example.com"),
    Person("cy@example.com", "Cy Haddad", "cy@example.com"),
)
_WEEKS_BEFORE = 4
_WEEKS_AFTER = 16
_A_MONDAY = datetime(2026, 11, 16, tzinfo=UTC).date()


def roster_for(now: datetime, people: Sequence[Person] = DEMO_PEOPLE, *, zone: str = "UTC") -> str:
    """Return a grid of weeks, as CSV, from four weeks before `now` to sixteen after it.

    Whose week it is depends only on the week, so that grids of different days agree. `zone` is
    that of the hand-off; `people` take turns.
    """
    today = now.astimezone(UTC).date()
    this_week = today - timedelta(days=today.weekday())
    first = this_week - timedelta(weeks=_WEEKS_BEFORE)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([f"# zone: {zone}"])
    writer.writerow(["Week of", "Primary", "Secondary"])
    for week in range(_WEEKS_BEFORE + _WEEKS_AFTER):
        monday = first + timedelta(weeks=week)
        turn = (monday - _A_MONDAY).days // 7
        primary, secondary = (people[(turn + n) % len(people)] for n in (0, 1))
        writer.writerow([monday.isoformat(), primary.name, secondary.name])
    return out.getvalue()
