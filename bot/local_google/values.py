"""The methods of spreadsheets.values: reading and writing of cells."""

from collections.abc import Iterator, Sequence
from typing import Any

from bot.local_google.a1 import Area, written
from bot.local_google.errors import BreachError, GoogleError
from bot.local_google.marks import rows_marked
from bot.local_google.request import Request
from bot.local_google.spreadsheet import Cell, Json, Spreadsheet, Tab, moment

_FORMATS = {"DATE": "%d/%m/%Y", "DATE_TIME": "%d/%m/%Y %H:%M:%S", "TIME": "%H:%M:%S"}


def get(sheet: Spreadsheet, request: Request) -> Json:
    return _read(sheet, request.path["range"], _rendering(request.query), request)


def batch_get(sheet: Spreadsheet, request: Request) -> Json:
    rendering = _rendering(request.query)
    ranges = [_read(sheet, one, rendering, request) for one in request.all("ranges")]
    return {"spreadsheetId": sheet.id, "valueRanges": ranges}


def batch_get_by_data_filter(sheet: Spreadsheet, request: Request) -> Json:
    found = []
    for one in request.body.get("dataFilters", []):
        for tab, area in areas_of(sheet, one):
            values = _values(tab, area, _rendering(request.body))
            found.append({"valueRange": values, "dataFilters": [one]})
    return {"spreadsheetId": sheet.id, "valueRanges": found}


def update(sheet: Spreadsheet, request: Request) -> Json:
    _require_raw(request.query)
    tab, area = sheet.find(request.path["range"])
    return {"spreadsheetId": sheet.id, **_put(tab, area, request.body)}


def batch_update(sheet: Spreadsheet, request: Request) -> Json:
    _require_raw(request.body)
    found = [(sheet.find(one.get("range", "")), one) for one in request.body.get("data", [])]
    done = [{"spreadsheetId": sheet.id, **_put(tab, area, one)} for (tab, area), one in found]
    return {"spreadsheetId": sheet.id, "responses": done, **_totals(done)}


def batch_update_by_data_filter(sheet: Spreadsheet, request: Request) -> Json:
    _require_raw(request.body)
    done = []
    for one in request.body.get("data", []):
        places = areas_of(sheet, one.get("dataFilter", {}))
        done += [{"dataFilter": one["dataFilter"], **_put(tab, area, one)} for tab, area in places]
    return {"spreadsheetId": sheet.id, "responses": done, **_totals(done)}


def clear(sheet: Spreadsheet, request: Request) -> Json:
    tab, area = sheet.find(request.path["range"])
    for row, column in list(tab.cells):
        if _inside(area, row, column):
            tab.put(row, column, "")
    return {"spreadsheetId": sheet.id, "clearedRange": _name(tab, area)}


def append(sheet: Spreadsheet, request: Request) -> Json:
    """Write below the table that the range is in; OVERWRITE takes the rows that are there."""
    _require_raw(request.query)
    tab, area = sheet.find(request.path["range"])
    top, bottom = _table(tab, area)
    rows = request.body.get("values", [])
    if request.one("insertDataOption") == "INSERT_ROWS" and bottom < tab.used_rows:
        tab.insert_rows(bottom, len(rows))
    target = Area(bottom, area.left, bottom + max(1, len(rows)), tab.column_count)
    tab.row_count = max(tab.row_count, bottom + len(rows))
    answer: Json = {"spreadsheetId": sheet.id}
    if bottom > top:
        widest = max((c for r, c in tab.filled() if top <= r < bottom), default=area.left)
        answer["tableRange"] = _name(tab, Area(top, area.left, bottom, widest + 1))
    answer["updates"] = {"spreadsheetId": sheet.id, **_put(tab, target, request.body)}
    return answer


def areas_of(sheet: Spreadsheet, data_filter: Json) -> list[tuple[Tab, Area]]:
    """Return what a DataFilter means: a range, or the rows that carry metadata."""
    match data_filter:
        case {"a1Range": str(text)}:
            return [sheet.find(text)]
        case {"gridRange": dict(grid)}:
            tab = sheet.tab_by_id(grid.get("sheetId", 0))
            return [(tab, tab.whole(area_of(grid)))]
        case {"developerMetadataLookup": dict(lookup)}:
            found = rows_marked(sheet, lookup)
            return [(tab, tab.whole(Area(row, 0, row + 1))) for tab, row in found]
        case _:
            raise GoogleError(400, "Invalid data filter: no criteria")


def area_of(grid: Json) -> Area:
    """Read a GridRange."""
    return Area(
        grid.get("startRowIndex", 0),
        grid.get("startColumnIndex", 0),
        grid.get("endRowIndex"),
        grid.get("endColumnIndex"),
    )


def shown(cell: Cell, how: str = "FORMATTED_VALUE", dates: str = "SERIAL_NUMBER") -> Any:
    """Return a cell's value as an answer tells it."""
    value, pattern = cell.value, _FORMATS.get(cell.format)
    number = not isinstance(value, str | bool)
    if how != "FORMATTED_VALUE" and not (pattern and dates == "FORMATTED_STRING"):
        return int(value) if number and value == int(value) else value
    if isinstance(value, bool):
        return str(value).upper()
    if pattern and isinstance(value, int | float):
        return moment(value).strftime(pattern)
    return f"{value:g}" if number else value


def _rendering(asked: Any) -> tuple[str, str, bool]:
    def one(name: str, default: str) -> str:
        said = asked.get(name, default)
        return str(said[0] if isinstance(said, list) else said)

    return (
        one("valueRenderOption", "FORMATTED_VALUE"),
        one("dateTimeRenderOption", "SERIAL_NUMBER"),
        one("majorDimension", "ROWS") == "COLUMNS",
    )


def _read(
    sheet: Spreadsheet, text: str, rendering: tuple[str, str, bool], _request: Request
) -> Json:
    tab, area = sheet.find(text)
    return _values(tab, area, rendering)


def _values(tab: Tab, area: Area, rendering: tuple[str, str, bool]) -> Json:
    how, dates, by_columns = rendering
    answer: Json = {
        "range": _name(tab, area),
        "majorDimension": "COLUMNS" if by_columns else "ROWS",
    }
    filled = [(row, column) for row, column in tab.filled() if _inside(area, row, column)]
    lines: list[list[Any]] = []
    for row, column in sorted(filled):
        down, right = row - area.top, column - area.left
        down, right = (right, down) if by_columns else (down, right)
        lines += [[] for _ in range(down + 1 - len(lines))]
        lines[down] += [""] * (right + 1 - len(lines[down]))
        lines[down][right] = shown(tab.cells[row, column], how, dates)
    if lines:
        answer["values"] = lines
    return answer


def _put(tab: Tab, area: Area, body: Json) -> Json:
    rows: Sequence[Sequence[Any]] = body.get("values", [])
    if body.get("majorDimension") == "COLUMNS":
        rows = list(zip(*rows, strict=True))
    widest = max(map(len, rows), default=0)
    room = (area.bottom or 0) - area.top, (area.right or 0) - area.left
    if len(rows) > room[0] or widest > room[1]:
        words = f"Requested writing within range [{_name(tab, area)}], but tried writing to "
        raise GoogleError(400, f"{words}row [{area.top + len(rows)}]")
    for down, line in enumerate(rows):
        for right, value in enumerate(line):
            tab.put(area.top + down, area.left + right, value)
    changed = Area(area.top, area.left, area.top + max(1, len(rows)), area.left + max(1, widest))
    return {
        "updatedRange": _name(tab, changed),
        "updatedRows": len(rows),
        "updatedColumns": widest,
        "updatedCells": sum(map(len, rows)),
    }


def _totals(done: Sequence[Json]) -> Json:
    tabs = {one["updatedRange"].rpartition("!")[0] for one in done}
    return {
        "totalUpdatedRows": sum(one["updatedRows"] for one in done),
        "totalUpdatedColumns": sum(one["updatedColumns"] for one in done),
        "totalUpdatedCells": sum(one["updatedCells"] for one in done),
        "totalUpdatedSheets": len(tabs),
    }


def _table(tab: Tab, area: Area) -> tuple[int, int]:
    """Return the rows of the table in the area: from its first row to the first empty one."""
    rows = sorted({row for row, column in tab.filled() if row >= area.top and column >= area.left})
    if not rows:
        return area.top, area.top
    return rows[0], next(_after(rows))


def _after(rows: Sequence[int]) -> Iterator[int]:
    for at, row in enumerate(rows):
        if at + 1 == len(rows) or rows[at + 1] != row + 1:
            yield row + 1


def _require_raw(asked: Any) -> None:
    said = asked.get("valueInputOption")
    said = said[0] if isinstance(said, list) else said
    if said is None:
        raise GoogleError(400, "'valueInputOption' is required but not specified")
    if said != "RAW":
        raise BreachError(f"the local Google takes valueInputOption RAW only, not {said}")


def _inside(area: Area, row: int, column: int) -> bool:
    return area.top <= row < (area.bottom or 0) and area.left <= column < (area.right or 0)


def _name(tab: Tab, area: Area) -> str:
    return written(tab.title, area, tab.row_count, tab.column_count)
