"""Dates that a spreadsheet took for others: it was told 07/12, and its locale read that as July.

Where days come first and the spreadsheet expects months, it keeps 30/11/2026 as text and makes
12 July of 07/12/2026, in one column and without a word.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import accumulate, pairwise

from bot.roster.dates import DateError, SlashOrder, read_date, slash_order
from bot.roster.table import Cell

_MONTHS = range(1, 13)
_PROVEN = {SlashOrder.DAY_FIRST, SlashOrder.MONTH_FIRST}


def swapped(cells: Iterable[Cell], order: SlashOrder, since: date) -> Mapping[Cell, date]:
    """Return the cells of a column that are out of order, with the day that would be in order.

    Only dates beside texts with slashes are suspected, and only where those are in order. What is
    before `since` either way is nobody's business any more.
    """
    column = [cell for cell in cells if cell.text]
    if slash_order(cell.text for cell in column) not in _PROVEN:
        return {}
    dates = [(cell, day) for cell in column if (day := _day(cell, order)) is not None]
    certain = [day if "/" in cell.text else None for cell, day in dates]
    above = list(accumulate([None, *certain], _latest))
    below = list(accumulate([None, *reversed(certain)], _latest))[::-1]
    in_order = [day for day in certain if day is not None]
    if any(later < earlier for earlier, later in pairwise(in_order)):
        return {}
    found: dict[Cell, date] = {}
    for at, (cell, day) in enumerate(dates):
        other = None if certain[at] else _other(day, above[at], below[at + 1])
        if other is not None and max(day, other) >= since:
            found[cell] = other
    return found


def _day(cell: Cell, order: SlashOrder) -> date | None:
    try:
        return read_date(cell.text, order).day
    except DateError:
        return None


def _latest(before: date | None, now: date | None) -> date | None:
    return before if now is None else now


def _other(day: date, above: date | None, below: date | None) -> date | None:
    """Return the day with its month for its day, if that and not this is between its neighbours."""
    if day.day not in _MONTHS or day.day == day.month:
        return None
    first, last = above or date.min, below or date.max
    other = day.replace(month=day.day, day=day.month)
    return other if first <= other <= last and not first <= day <= last else None
