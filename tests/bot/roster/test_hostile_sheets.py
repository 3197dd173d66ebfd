from contextlib import suppress
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bot.roster.csv_table import read_csv
from bot.roster.dates import DateError, read_date
from bot.roster.parse import parse
from bot.roster.settings import RosterSettings
from bot.roster.table import TableError
from rules.rotation import OnCall
from rules.schedule.resolution import resolve_shifts
from rules.spoken_time import UnclearTimeError, read_moment
from tests.bot.roster.sheets import NOW, PEOPLE

CELLS = st.one_of(
    st.sampled_from(
        ["Start", "End", "Who", "Week of", "Primary", "Role", "Rotation", "2026-11-23", "24:00",
         "2026-W48", "03/04/2026", "9999-12-31 24:00+14:00", "0001-01-01", "0001-01-01 00:00", "9999-12-31 24:00", "9999-12-31 23:00", "2099-12-31", "bo", "-",
         "ana ruiz / bo", "#REF!", "# zone: UTC", "2026-11-23T09:00-23:59", "18:00", "31 feb 2026"]
    ),
    st.text(max_size=12),
)  # fmt: skip
TABLES = st.lists(st.lists(CELLS, max_size=5), max_size=8)


@given(TABLES, st.sampled_from([",", ";", "\t"]))
@examples(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_the_cells_hold_is_rows_or_problems(
    table: list[list[str]], delimiter: str
) -> None:
    text = "\n".join(delimiter.join(row) for row in [["Start", "End", "Who"], *table])
    try:
        cells = read_csv(text.encode("utf-8", "replace"))
    except TableError:
        return
    parsed = parse(cells, PEOPLE, RosterSettings(), NOW)
    assert all(row.start < row.end for row in parsed.rows)
    assert all("\n" not in str(problem) for problem in parsed.problems)
    assert parsed.rows or parsed.problems
    assert OnCall(resolve_shifts(parsed.rows)).rotations == tuple(
        sorted({row.rotation for row in parsed.rows if row.people})
    )


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_they_are_a_table_or_a_reason(data: bytes) -> None:
    with suppress(TableError):
        table = read_csv(data)
        assert all(cell.row >= 1 and cell.column >= 1 for row in table.rows for cell in row)


@given(st.one_of(st.text(max_size=30), CELLS))
def test_whatever_is_typed_is_a_time_or_a_reason(text: str) -> None:
    for zone in ("UTC", "Australia/Lord_Howe"):
        with suppress(UnclearTimeError):
            assert read_moment(text, NOW, zone).at.tzinfo is UTC
    with suppress(DateError):
        assert read_date(text).day.year >= 2000


def test_a_large_roster_is_read_and_resolved_in_good_time() -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    weeks = [(start + timedelta(weeks=n)).date().isoformat() for n in range(60)]
    rows = [f"team-{r},{week},bo,cy,ana ruiz" for r in range(20) for week in weeks]
    sheet = "\n".join(["Rotation,Week of,Primary,Secondary,Shadow", *rows])
    parsed = parse(read_csv(sheet.encode()), PEOPLE, RosterSettings(), NOW)
    assert parsed.problems == ()
    assert len(resolve_shifts(parsed.rows)) == 20 * 60 * 3
