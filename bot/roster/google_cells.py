"""What Google answers about a spreadsheet, to tabs of cells as every reader gives them."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from bot.roster.dates import SlashOrder
from bot.roster.google_faults import later
from bot.roster.table import Cell, Problem, Severity, Table, TableError, column_letters
from bot.roster.workbook import Workbook
from rules.plain_line import seen

Json = dict[str, Any]
MOST_TABS = 50
MOST_ROWS = 20_000
MOST_COLUMNS = 200
_MISSHAPEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading an answer raises that is not what Google promises: a proxy's, or half of one."""

_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a cell's time is local, of the reader's zone
_MOST_NAMED = 5
_LOADING = "Loading..."
_DAYS = range(-100_000, 1_000_000)
_MONTH_FIRST = frozenset({"en", "en_US", "en_PH", "fil", "fil_PH", "es_PR", "es_PA"})
_YEAR_FIRST = frozenset({"en_CA", "fr_CA"})
_YEAR_FIRST_LANGUAGES = frozenset({"eu", "hu", "ja", "ko", "lt", "mn", "sv", "zh"})


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab as the outline tells of it; `merges` are ranges counted from 0, half-open."""

    id: int
    title: str
    hidden: bool
    rows: int
    columns: int
    merges: tuple[tuple[int, int, int, int], ...]

    @property
    def range(self) -> str:
        """What to read: all of it, as far as a roster may go, under a name that cannot mislead."""
        last = (
            f"{column_letters(min(self.columns, MOST_COLUMNS + 1))}{min(self.rows, MOST_ROWS + 1)}"
        )
        title = self.title.replace("'", "''")
        return f"'{title}'!A1:{last}"


def tabs_of(outline: Json) -> tuple[Tab, ...]:
    """Return the tabs that have cells, in their order. Raises TableError or SheetFaultError."""
    try:
        found = tuple(
            _tab(sheet)
            for sheet in outline["sheets"]
            if sheet["properties"].get("sheetType", "GRID") == "GRID"
        )
    except _MISSHAPEN:
        raise later("Google's answer was cut short.") from None
    if not found:
        raise TableError("the spreadsheet has no tab with cells.")
    if len(found) > MOST_TABS:
        words = f"the spreadsheet has {len(found)} tabs; at most {MOST_TABS} are read."
        raise TableError(words)
    return found


def without_tabs(answer: Json, titled: Callable[[str], bool]) -> Json:
    """Return an outline without the tabs that have such a title."""
    sheets = answer.get("sheets")
    if not isinstance(sheets, list):
        return answer
    try:
        kept = [s for s in sheets if not titled(str(s.get("properties", {}).get("title", "")))]
    except _MISSHAPEN:
        return answer  # `tabs_of` says what is wrong with it
    return {**answer, "sheets": kept}


def slashes_of(locale: str) -> SlashOrder:
    """Return what people of a locale, like en_US, mean first in 03/04/2026."""
    language = locale.partition("_")[0]
    if not locale or locale in _YEAR_FIRST or language in _YEAR_FIRST_LANGUAGES:
        return SlashOrder.UNKNOWN
    return SlashOrder.MONTH_FIRST if locale in _MONTH_FIRST else SlashOrder.DAY_FIRST


def workbook(
    outline: Json, tabs: Sequence[Tab], values: Sequence[Json], looks: Json, sheet_id: str
) -> Workbook:
    """Put a spreadsheet together. Raises TableError when it is too large, or SheetFaultError."""
    try:
        return _workbook(outline, tabs, values, looks, sheet_id)
    except TableError:
        raise
    except _MISSHAPEN:
        raise later("Google's answer was cut short.") from None


def _workbook(
    outline: Json, tabs: Sequence[Tab], values: Sequence[Json], looks: Json, sheet_id: str
) -> Workbook:
    properties: Json = outline.get("properties", {})
    by_id = {one["properties"]["sheetId"]: one for one in looks.get("sheets", ())}
    looks = {**looks, "sheets": [by_id.get(tab.id, {}) for tab in tabs]}
    made: dict[str, Table] = {}
    for tab, read in zip(tabs, values, strict=True):
        made[tab.title] = _table(tab, read.get("values") or [], _Looks.of(by_id.get(tab.id, {})))
    link = f"https://docs.google.com/spreadsheets/d/{sheet_id}/edit#gid="
    return Workbook(
        made,
        fingerprint(outline, values, looks),
        slashes=slashes_of(str(properties.get("locale", ""))),
        zone=str(properties.get("timeZone", "")),
        links={tab.title: f"{link}{tab.id}" for tab in tabs},
    )


def fingerprint(*parts: object) -> str:
    """Return a hash that is equal when what was read is."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class _Looks:
    """Kinds of numbers and struck cells by row and column, hidden rows; all counted from 1."""

    kinds: Mapping[tuple[int, int], str]
    struck: frozenset[tuple[int, int]]
    hidden: frozenset[int]

    @classmethod
    def of(cls, sheet: Json) -> "_Looks":
        kinds: dict[tuple[int, int], str] = {}
        struck: set[tuple[int, int]] = set()
        data: Json = next(iter(sheet.get("data") or ()), {})
        for row, line in enumerate(data.get("rowData") or (), 1):
            for column, cell in enumerate(line.get("values") or (), 1):
                how = cell.get("effectiveFormat") or {}
                if kind := (how.get("numberFormat") or {}).get("type"):
                    kinds[row, column] = str(kind)
                if (how.get("textFormat") or {}).get("strikethrough"):
                    struck.add((row, column))
        hidden = frozenset(
            row
            for row, said in enumerate(data.get("rowMetadata") or (), 1)
            if said.get("hiddenByUser") or said.get("hiddenByFilter")
        )
        return cls(kinds, frozenset(struck), hidden)


def _tab(sheet: Json) -> Tab:
    properties: Json = sheet["properties"]
    grid: Json = properties.get("gridProperties", {})
    merges = tuple(
        (
            one.get("startRowIndex", 0),
            one.get("startColumnIndex", 0),
            one.get("endRowIndex", 0),
            one.get("endColumnIndex", 0),
        )
        for one in sheet.get("merges") or ()
    )
    return Tab(
        id=int(properties.get("sheetId", 0)),
        title=str(properties["title"]),
        hidden=bool(properties.get("hidden")),
        rows=int(grid.get("rowCount", 1)),
        columns=int(grid.get("columnCount", 1)),
        merges=merges,
    )


def _table(tab: Tab, values: Sequence[Sequence[Any]], looks: _Looks) -> Table:
    if len(values) > MOST_ROWS or max(map(len, values), default=0) > MOST_COLUMNS:
        words = f"the tab {tab.title} has more than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns."
        raise TableError(f"{words} Remove old rows.")
    texts = {
        (row, column): text
        for row, line in enumerate(values, 1)
        for column, value in enumerate(line, 1)
        if (text := _text(value, looks.kinds.get((row, column), "")))
    }
    if loading := next((at for at, text in texts.items() if text == _LOADING), None):
        place = Cell(*loading, text="", tab=tab.title).address
        raise later(f"{place} is still being calculated.")
    merged: dict[tuple[int, int], str] = {}
    for at, first, where in _merged(tab, len(values)):
        if first in texts:
            texts[at], merged[at] = texts[first], where
    rows = _rows(tab.title, texts, merged)
    return Table(rows, remarks=tuple(_remarks(tab, texts, looks)))


def _merged(tab: Tab, used: int) -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
    """Yield each cell inside a merge, but its first, with the first one and the merge's range."""
    for top, left, bottom, right in tab.merges:
        where = f"{column_letters(left + 1)}{top + 1}:{column_letters(right)}{bottom}"
        for row in range(top + 1, min(bottom, used) + 1):
            for column in range(left + 1, min(right, MOST_COLUMNS) + 1):
                if (row, column) != (top + 1, left + 1):
                    yield (row, column), (top + 1, left + 1), where


def _rows(
    title: str, texts: Mapping[tuple[int, int], str], merged: Mapping[tuple[int, int], str]
) -> tuple[tuple[Cell, ...], ...]:
    lengths: dict[int, int] = {}
    for row, column in texts:
        lengths[row] = max(column, lengths.get(row, 0))
    return tuple(
        tuple(
            Cell(row, column, texts.get((row, column), ""), title, merged.get((row, column), ""))
            for column in range(1, lengths.get(row, 0) + 1)
        )
        for row in range(1, max(lengths, default=0) + 1)
    )


def _text(value: Any, kind: str) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return _number(value, kind)
        case None:
            return ""
        case _:
            return seen(str(value))


def _number(value: float, kind: str) -> str:
    if kind in {"DATE", "DATE_TIME", "TIME"} and int(value) in _DAYS:
        moment = _EPOCH + timedelta(seconds=round(value * 86_400))
        clock = moment.time().isoformat("minutes" if not moment.second else "seconds")
        if kind == "TIME" and 0 <= value <= 1:
            return "24:00" if value == 1 else clock
        midnight = moment.time() == time(0)
        date_only = midnight and kind == "DATE"
        return moment.date().isoformat() if date_only else f"{moment.date()} {clock}"
    return str(int(value)) if value == int(value) else repr(value)


def _remarks(tab: Tab, texts: Mapping[tuple[int, int], str], looks: _Looks) -> Iterator[Problem]:
    if tab.hidden:
        yield Problem(tab.title, "the tab is hidden, and is read all the same.", Severity.INFO)
    if hidden := sorted({row for row, _ in texts} & looks.hidden):
        rows = _few([f"row {row}" for row in hidden])
        yield Problem(tab.title, f"hidden and counted all the same: {rows}.", Severity.INFO)
    if struck := sorted(looks.struck & texts.keys()):
        cells = _few([f"{column_letters(column)}{row}" for row, column in struck])
        yield Problem(tab.title, f"struck out and counted all the same: {cells}.", Severity.INFO)


def _few(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
