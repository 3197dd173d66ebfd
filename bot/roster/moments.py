"""From and until of an override, an absence or a layer: dates include their day, times do not."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.roster.cells import CellError, check_formula
from bot.roster.columns import Row
from bot.roster.dates import DateError, SlashOrder, Written, read_date, read_time_only
from bot.roster.table import Cell
from rules.hours import to_instant

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Clocks:
    """By which clocks a tab is read: a region's zone, and the order of 03/04/2026."""

    zone: str
    slashes: SlashOrder = SlashOrder.UNKNOWN


def read_day(cell: Cell, slashes: SlashOrder) -> Written:
    """Read a cell that must hold a date. Raises CellError."""
    check_formula(cell)
    if cell.merged:
        text = f"a date merged over {cell.merged}. Unmerge it and write a date in each row."
        raise CellError(cell, text)
    if not cell.text:
        raise CellError(cell, 'no date. Write one like "2026-11-16" or "2026-11-16 09:00".')
    try:
        return read_date(cell.text, slashes)
    except DateError as error:
        raise CellError(cell, str(error), error.code) from None


def starts_at(cell: Cell, clocks: Clocks, at: time = time(0)) -> datetime:
    """Return the instant; a date without a time begins `at`. Raises CellError."""
    written = _begun(cell, clocks)
    return written.instant or to_instant(written.day, written.at or at, clocks.zone)


def local_start(cell: Cell, clocks: Clocks, at: time = time(0)) -> datetime:
    """Return the same as the zone's clocks show it, without a zone. Raises CellError."""
    written = _begun(cell, clocks)
    if written.instant is not None:
        return written.instant.astimezone(ZoneInfo(clocks.zone)).replace(tzinfo=None)
    return datetime.combine(written.day, written.at or at)


def _begun(cell: Cell, clocks: Clocks) -> Written:
    written = read_day(cell, clocks.slashes)
    if written.next_day:
        raise CellError(cell, '"24:00" is only an end. Write "00:00" of the next day.')
    return written


def ends_at(cell: Cell, clocks: Clocks, at: time = time(0)) -> datetime:
    """Return the instant; a date without a time includes its day, until `at` of the next."""
    written = read_day(cell, clocks.slashes)
    if written.instant is not None:
        return written.instant
    if written.at is None:
        last = written.day + timedelta(days=6 if written.is_week else 0)
        return to_instant(last + _A_DAY, at, clocks.zone)
    return to_instant(
        written.day + (_A_DAY if written.next_day else timedelta(0)), written.at, clocks.zone
    )


def stretch(
    row: Row, names: tuple[str, str], clocks: Clocks, at: time = time(0)
) -> tuple[datetime, datetime]:
    """Return a row's [start, end); an end that is only a time is of the start's day or the next.

    Raises CellError.
    """
    first, last = row.cell(names[0]), row.cell(names[1])
    start = starts_at(first, clocks, at)
    end = _time_only_end(first, last, clocks, at) or ends_at(last, clocks, at)
    if end <= start:
        raise CellError(
            last,
            f"the end ({last.text}) is not after the start in {first.place} ({first.text}). "
            "Correct one of them.",
            "E04",
        )
    return start, end


def _time_only_end(first: Cell, last: Cell, clocks: Clocks, at: time) -> datetime | None:
    only = read_time_only(last.text)
    if only is None:
        return None
    begun = local_start(first, clocks, at)
    until, next_day = only
    later = next_day or until <= begun.time()
    return to_instant(begun.date() + (_A_DAY if later else timedelta(0)), until, clocks.zone)
