"""Rows of overrides in a Google sheet: appended once, and found again wherever they went."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from bot.roster.book import TABS
from bot.roster.google_cells import Json, Tab, tabs_of
from bot.roster.google_faults import SheetFaultError, later
from bot.roster.header import HeaderError, normalise
from bot.roster.overrides_place import HEADER, Place, header_name, place_of
from bot.roster.row_orders import Put, RowOrder
from bot.roster.table import Table, TableError, column_letters

TITLE = "Overrides"
MARK = "watchbill-override"
"""The key of the mark that stays with a row when others are inserted, deleted or sorted."""
_LOOKS = 3
"""For the tab, for its heading, and for what stands in it."""


class WritableSheets(Protocol):
    """What GoogleSheets offers. Every method blocks, and may raise SheetFaultError."""

    address: str
    """The service account's own."""

    def outline(self, sheet: str) -> Json: ...
    def values(self, sheet: str, ranges: Sequence[str]) -> Sequence[Json]: ...
    def ask(self, request: Callable[[Any], Any]) -> Json: ...


class GoogleRows:
    """The RowWriter of one spreadsheet. A row is written by its mark, never by its number."""

    def __init__(self, sheet_id: str, sheets: WritableSheets) -> None:
        self._id = sheet_id
        self._sheets = sheets

    def put(self, order: RowOrder) -> Put:
        try:
            return self._put(order)
        except SheetFaultError as fault:
            raise as_writer(fault, self._sheets.address) from fault

    def _put(self, order: RowOrder) -> Put:
        tab, place = self._found()
        row = place.rows.get(order.id)
        if row is not None:
            if order.changed:
                self._change(tab, place, row, order)
            return Put.WRITTEN
        if order.seen:
            return Put.MISSING
        self._append(tab, self._widened(tab, place, order.whole), order)
        tab, place = self._found()
        if order.id not in place.rows:
            raise later("the row that was written is not to be found yet.")
        self._mark(tab, place.rows[order.id], order.id)
        return Put.WRITTEN

    def _found(self) -> tuple[Tab, Place]:
        """Return the tab and its rows; what is missing of both is made."""
        for _ in range(_LOOKS):
            if found := self._look():
                return found
        raise later("the tab Overrides was added, and is not to be found yet.")

    def _look(self) -> tuple[Tab, Place] | None:
        """Look once; None when the tab or its heading had to be made."""
        try:
            tabs = tabs_of(self._sheets.outline(self._id))
        except TableError as error:
            raise SheetFaultError(str(error)) from None
        tab = next((one for one in tabs if normalise(one.title) in TABS["overrides"]), None)
        if tab is None:
            self._add_tab()
            return None
        (found,) = self._sheets.values(self._id, [tab.range])
        lines = [[str(value) for value in line] for line in found.get("values") or []]
        try:
            place = place_of(Table.of(lines, tab=tab.title))
        except HeaderError as error:
            raise SheetFaultError(f"{error} Overrides are written once it is repaired.") from None
        if place is None:
            self._write_cells([(tab, 1, 1, list(HEADER))])
            return None
        return tab, place

    def _add_tab(self) -> None:
        try:
            self._batch([{"addSheet": {"properties": {"title": TITLE}}}])
        except SheetFaultError as fault:
            if "already exists" not in str(fault):  # another replica was faster
                raise

    def _widened(self, tab: Tab, place: Place, cells: Mapping[str, str]) -> Place:
        """Add the columns that are needed at the right end of the header."""
        missing = place.missing(cells)
        if not missing:
            return place
        names = [header_name(meaning) for meaning in missing]
        self._write_cells([(tab, place.header_row, place.width + 1, names)])
        return place.with_columns(missing)

    def _append(self, tab: Tab, place: Place, order: RowOrder) -> None:
        left = min(place.columns.values())
        line = _line(place, order.whole, left)
        at = f"{_quoted(tab)}!{column_letters(left)}{place.header_row}"
        self._ask(
            lambda values: values.append(
                spreadsheetId=self._id,
                range=at,
                valueInputOption="RAW",
                insertDataOption="INSERT_ROWS",
                body={"majorDimension": "ROWS", "values": [[text or "" for text in line]]},
            )
        )

    def _change(self, tab: Tab, place: Place, row: int, order: RowOrder) -> None:
        place = self._widened(tab, place, order.changed)
        if not self._is_marked(place, order.id):
            self._mark(tab, row, order.id)
            if not self._is_marked(place, order.id):
                raise later("the sheet's rows moved while one was written.")
        line = _line(place, order.changed, 1)
        body = {
            "valueInputOption": "RAW",
            "data": [{"dataFilter": _lookup(order.id), "majorDimension": "ROWS", "values": [line]}],
        }
        self._ask(lambda values: values.batchUpdateByDataFilter(spreadsheetId=self._id, body=body))

    def _is_marked(self, place: Place, its_id: str) -> bool:
        """Whether the mark is on exactly the row with this id."""
        body = {"dataFilters": [_lookup(its_id)], "majorDimension": "ROWS"}
        answer = self._ask(
            lambda values: values.batchGetByDataFilter(spreadsheetId=self._id, body=body)
        )
        found = [one.get("valueRange", {}).get("values") for one in answer.get("valueRanges") or ()]
        at = place.columns["id"] - 1
        return len(found) == 1 and bool(found[0]) and found[0][0][at : at + 1] == [its_id]

    def _mark(self, tab: Tab, row: int, its_id: str) -> None:
        rows = {"sheetId": tab.id, "dimension": "ROWS", "startIndex": row - 1, "endIndex": row}
        mark = {
            "metadataKey": MARK,
            "metadataValue": its_id,
            "visibility": "DOCUMENT",
            "location": {"dimensionRange": rows},
        }
        self._batch(
            [
                {"deleteDeveloperMetadata": {"dataFilter": _lookup(its_id)}},
                {"createDeveloperMetadata": {"developerMetadata": mark}},
            ]
        )

    def _write_cells(self, ranges: Sequence[tuple[Tab, int, int, Sequence[str]]]) -> None:
        for tab, _, column, texts in ranges:
            if (missing := column + len(texts) - 1 - tab.columns) > 0:
                wider = {"sheetId": tab.id, "dimension": "COLUMNS", "length": missing}
                self._batch([{"appendDimension": wider}])
        data = [
            {
                "range": f"{_quoted(tab)}!{column_letters(column)}{row}:"
                f"{column_letters(column + len(texts) - 1)}{row}",
                "majorDimension": "ROWS",
                "values": [list(texts)],
            }
            for tab, row, column, texts in ranges
        ]
        body = {"valueInputOption": "RAW", "data": data}
        self._ask(lambda values: values.batchUpdate(spreadsheetId=self._id, body=body))

    def _batch(self, requests: Sequence[Json]) -> Json:
        body = {"requests": list(requests)}
        return self._sheets.ask(
            lambda service: service.spreadsheets().batchUpdate(spreadsheetId=self._id, body=body)
        )

    def _ask(self, request: Any) -> Json:
        return self._sheets.ask(lambda service: request(service.spreadsheets().values()))


def as_writer(fault: SheetFaultError, address: str) -> SheetFaultError:
    """Return a fault in the words of one who wanted to write."""
    if not fault.denied:
        return fault
    words = "the service account may not write to the sheet. Share it with"
    return SheetFaultError(f"{words} {address} as Editor.")


def _line(place: Place, cells: Mapping[str, str], left: int) -> list[str | None]:
    """Return a row's cells from a column on; None leaves what stands there."""
    line: list[str | None] = [None] * (max(place.columns.values()) - left + 1)
    for name, text in cells.items():
        if name in place.columns:
            line[place.columns[name] - left] = text
    return line


def _lookup(its_id: str) -> Json:
    found = {"metadataKey": MARK, "metadataValue": its_id, "locationType": "ROW"}
    return {"developerMetadataLookup": found}


def _quoted(tab: Tab) -> str:
    return "'" + tab.title.replace("'", "''") + "'"
