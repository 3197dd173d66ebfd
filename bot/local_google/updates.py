"""The methods of spreadsheets: get, create, and the requests of batchUpdate that are played."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.local_google import marks
from bot.local_google.a1 import Area
from bot.local_google.errors import BreachError, GoogleError
from bot.local_google.request import Request
from bot.local_google.spreadsheet import Cell, Json, Spreadsheet, Tab
from bot.local_google.values import area_of, shown


def get(sheet: Spreadsheet, request: Request) -> Json:
    """Return the whole file; cells only with a field mask or `includeGridData`."""
    with_cells = bool(request.one("fields")) or request.one("includeGridData") == "true"
    return told(sheet, with_cells=with_cells)


def told(sheet: Spreadsheet, *, with_cells: bool = False) -> Json:
    answer: Json = {
        "spreadsheetId": sheet.id,
        "properties": {
            "title": sheet.title,
            "locale": sheet.locale,
            "timeZone": sheet.time_zone,
            "autoRecalc": "ON_CHANGE",
        },
        "sheets": [_tab(tab, at, with_cells=with_cells) for at, tab in enumerate(sheet.tabs)],
        "spreadsheetUrl": f"https://docs.google.com/spreadsheets/d/{sheet.id}/edit",
    }
    if sheet.marks:
        answer["developerMetadata"] = [marks.told(None, -1, one) for one in sheet.marks.values()]
    return answer


def batch_update(sheet: Spreadsheet, request: Request) -> Json:
    """Apply every request or, when one is wrong, none: the caller works on a copy."""
    requests = request.body.get("requests", [])
    if not requests:
        raise GoogleError(400, "Must specify at least one request.")
    replies = []
    for at, one in enumerate(requests):
        kinds = list(one)
        if len(kinds) != 1:
            raise GoogleError(400, f"Invalid requests[{at}]: one request at a time")
        play = _PLAYED.get(kinds[0])
        if play is None:
            raise BreachError(f"the local Google does not play {kinds[0]}")
        reply = play(sheet, one[kinds[0]])
        replies.append({kinds[0]: reply} if reply else {})
    return {"spreadsheetId": sheet.id, "replies": replies}


def _add_sheet(sheet: Spreadsheet, body: Json) -> Json:
    wanted = body.get("properties", {})
    tab = sheet.add_tab(wanted.get("title") or f"Sheet{len(sheet.tabs) + 1}",
                        at=wanted.get("index", -1))  # fmt: skip
    _set_properties(tab, wanted)
    return {"properties": _properties(tab, sheet.tabs.index(tab))}


def _delete_sheet(sheet: Spreadsheet, body: Json) -> Json:
    tab = sheet.tab_by_id(body.get("sheetId", 0))
    if len(sheet.tabs) == 1:
        raise GoogleError(400, "You can't remove all the sheets in a document.")
    sheet.tabs.remove(tab)
    return {}


def _update_sheet(sheet: Spreadsheet, body: Json) -> Json:
    wanted = body["properties"]
    _set_properties(sheet.tab_by_id(wanted.get("sheetId", 0)), wanted)
    return {}


def _protect(sheet: Spreadsheet, body: Json) -> Json:
    protected: Json = dict(body["protectedRange"])
    tab = sheet.tab_by_id(protected.get("range", {}).get("sheetId", 0))
    protected.setdefault("protectedRangeId", sheet.new_id() + 500_000)
    tab.protected[protected["protectedRangeId"]] = protected
    return {"protectedRange": protected}


def _unprotect(sheet: Spreadsheet, body: Json) -> Json:
    for tab in sheet.tabs:
        if tab.protected.pop(body.get("protectedRangeId", 0), None):
            return {}
    raise GoogleError(400, "No protected range with that id")


def _validate(sheet: Spreadsheet, body: Json) -> Json:
    for tab, at in _places(sheet, body["range"]):
        old = tab.cells.get(at, Cell(""))
        tab.cells[at] = replace(old, rule=body.get("rule"))
    return {}


def _repeat(sheet: Spreadsheet, body: Json) -> Json:
    """Set the format of numbers; other looks of cells are nobody's business here."""
    kind = body["cell"].get("userEnteredFormat", {}).get("numberFormat", {}).get("type")
    for tab, at in _places(sheet, body["range"]) if kind else ():
        old = tab.cells.get(at, Cell(""))
        tab.cells[at] = replace(old, format=kind)
    return {}


def _append(sheet: Spreadsheet, body: Json) -> Json:
    tab = sheet.tab_by_id(body.get("sheetId", 0))
    if body["dimension"] == "COLUMNS":
        tab.column_count += body["length"]
    else:
        tab.row_count += body["length"]
    return {}


def _insert(sheet: Spreadsheet, body: Json) -> Json:
    tab, start, end = _rows(sheet, body["range"])
    tab.insert_rows(start, end - start)
    return {}


def _delete(sheet: Spreadsheet, body: Json) -> Json:
    tab, start, end = _rows(sheet, body["range"])
    tab.delete_rows(start, end)
    return {}


def _merge(sheet: Spreadsheet, body: Json) -> Json:
    tab = sheet.tab_by_id(body["range"].get("sheetId", 0))
    area = tab.whole(area_of(body["range"]))
    if body.get("mergeType") == "MERGE_COLUMNS":
        for column in range(area.left, area.right or 0):
            tab.merge(Area(area.top, column, area.bottom, column + 1))
    else:
        tab.merge(area)
    return {}


def _unmerge(sheet: Spreadsheet, body: Json) -> Json:
    tab = sheet.tab_by_id(body["range"].get("sheetId", 0))
    tab.unmerge(tab.whole(area_of(body["range"])))
    return {}


_PLAYED: Mapping[str, Callable[[Spreadsheet, Json], Json]] = {
    "addSheet": _add_sheet,
    "deleteSheet": _delete_sheet,
    "updateSheetProperties": _update_sheet,
    "addProtectedRange": _protect,
    "deleteProtectedRange": _unprotect,
    "setDataValidation": _validate,
    "repeatCell": _repeat,
    "appendDimension": _append,
    "insertDimension": _insert,
    "deleteDimension": _delete,
    "mergeCells": _merge,
    "unmergeCells": _unmerge,
    "createDeveloperMetadata": marks.create,
    "deleteDeveloperMetadata": marks.delete,
}


def _set_properties(tab: Tab, wanted: Json) -> None:
    tab.title = wanted.get("title", tab.title)
    tab.hidden = wanted.get("hidden", tab.hidden)
    tab.id = wanted.get("sheetId", tab.id)
    grid = wanted.get("gridProperties", {})
    tab.row_count = grid.get("rowCount", tab.row_count)
    tab.column_count = grid.get("columnCount", tab.column_count)


def _places(sheet: Spreadsheet, grid: Json) -> list[tuple[Tab, tuple[int, int]]]:
    tab = sheet.tab_by_id(grid.get("sheetId", 0))
    area = tab.whole(area_of(grid))
    rows, columns = range(area.top, area.bottom or 0), range(area.left, area.right or 0)
    return [(tab, (row, column)) for row in rows for column in columns]


def _rows(sheet: Spreadsheet, span: Json) -> tuple[Tab, int, int]:
    if span.get("dimension") != "ROWS":
        raise BreachError("the local Google inserts and deletes rows only")
    start, end = span.get("startIndex", 0), span["endIndex"]
    return sheet.tab_by_id(span.get("sheetId", 0)), start, end


def _properties(tab: Tab, at: int) -> Json:
    grid = {"rowCount": tab.row_count, "columnCount": tab.column_count}
    said: Json = {"sheetId": tab.id, "title": tab.title, "index": at, "sheetType": "GRID"}
    return {**said, "gridProperties": grid} | ({"hidden": True} if tab.hidden else {})


def _tab(tab: Tab, at: int, *, with_cells: bool) -> Json:
    told: Json = {"properties": _properties(tab, at)}
    if tab.merges:
        told["merges"] = [_grid(tab, area) for area in tab.merges]
    if tab.protected:
        told["protectedRanges"] = list(tab.protected.values())
    if tab.marks:
        told["developerMetadata"] = [marks.told(tab, *one) for one in tab.marks.values()]
    if with_cells:
        told["data"] = [_data(tab)]
    return told


def _data(tab: Tab) -> Json:
    rows: list[Json] = []
    for (row, column), cell in sorted(tab.cells.items(), key=lambda one: one[0]):
        rows += [{} for _ in range(row + 1 - len(rows))]
        values: list[Json] = rows[row].setdefault("values", [])
        values += [{} for _ in range(column + 1 - len(values))]
        values[column] = _cell(cell)
    hidden = [{"hiddenByUser": True} if row in tab.hidden_rows else {} for row in range(len(rows))]
    return {"rowData": rows, "rowMetadata": hidden} if rows else {}


def _cell(cell: Cell) -> Json:
    said: Json = {}
    if cell.value != "":
        value = {_value_name(cell.value): cell.value}
        said |= {"userEnteredValue": value, "effectiveValue": value}
        said["formattedValue"] = str(shown(cell))
    look: Json = {"numberFormat": {"type": cell.format}} if cell.format else {}
    if cell.struck:
        look["textFormat"] = {"strikethrough": True}
    if look:
        said |= {"effectiveFormat": look, "userEnteredFormat": look}
    if cell.rule:
        said["dataValidation"] = cell.rule
    return said


def _value_name(value: Any) -> str:
    if isinstance(value, bool):
        return "boolValue"
    return "stringValue" if isinstance(value, str) else "numberValue"


def _grid(tab: Tab, area: Area) -> Json:
    return {
        "sheetId": tab.id,
        "startRowIndex": area.top,
        "endRowIndex": area.bottom,
        "startColumnIndex": area.left,
        "endColumnIndex": area.right,
    }
