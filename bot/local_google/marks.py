"""Developer metadata: marks that stay with a row when others come and go."""

from bot.local_google.errors import BreachError, GoogleError
from bot.local_google.request import Request
from bot.local_google.spreadsheet import Json, Spreadsheet, Tab


def create(sheet: Spreadsheet, body: Json) -> Json:
    """Add a mark; its id is given or made."""
    given: Json = dict(body["developerMetadata"])
    if not given.get("metadataKey") or "visibility" not in given:
        raise GoogleError(400, "Invalid developerMetadata: key and visibility are required")
    given.setdefault("metadataId", sheet.new_id() + 1_000_000)
    if any(mark["metadataId"] == given["metadataId"] for _, _, mark in _all(sheet)):
        raise GoogleError(400, "Invalid developerMetadata: the id is taken")
    where: Json = given.pop("location", {})
    match where:
        case {"dimensionRange": {"dimension": "ROWS"}}:
            rows: Json = where["dimensionRange"]
            tab, row = sheet.tab_by_id(rows.get("sheetId", 0)), int(rows.get("startIndex", 0))
            if rows.get("endIndex") != row + 1:
                raise GoogleError(400, "Invalid location: one row or column at a time")
            tab.marks[given["metadataId"]] = (row, given)
        case {"sheetId": int(tab_id)}:
            tab = sheet.tab_by_id(tab_id)
            tab.marks[given["metadataId"]] = (-1, given)
        case {"spreadsheet": True}:
            sheet.marks[given["metadataId"]] = given
            return {"developerMetadata": told(None, -1, given)}
        case _:
            raise BreachError(f"the local Google does not know the location {where}")
    return {"developerMetadata": told(tab, tab.marks[given["metadataId"]][0], given)}


def delete(sheet: Spreadsheet, body: Json) -> Json:
    lookup = body["dataFilter"].get("developerMetadataLookup", {})
    found = [(tab, row, mark) for tab, row, mark in _all(sheet) if _fits(lookup, tab, row, mark)]
    for tab, _, mark in found:
        (sheet.marks if tab is None else tab.marks).pop(mark["metadataId"])
    return {"deletedDeveloperMetadata": [told(*one) for one in found]}


def search(sheet: Spreadsheet, request: Request) -> Json:
    matched = []
    for one in request.body.get("dataFilters", []):
        lookup = one.get("developerMetadataLookup", {})
        matched += [
            {"developerMetadata": told(tab, row, mark), "dataFilters": [one]}
            for tab, row, mark in _all(sheet)
            if _fits(lookup, tab, row, mark)
        ]
    return {"matchedDeveloperMetadata": matched} if matched else {}


def rows_marked(sheet: Spreadsheet, lookup: Json) -> list[tuple[Tab, int]]:
    """Return the rows that a lookup finds."""
    return [
        (tab, row)
        for tab, row, mark in _all(sheet)
        if tab is not None and row >= 0 and _fits(lookup, tab, row, mark)
    ]


def told(tab: Tab | None, row: int, mark: Json) -> Json:
    """Return the mark as an answer tells it, with where it is now."""
    if tab is None:
        return {**mark, "location": {"locationType": "SPREADSHEET", "spreadsheet": True}}
    if row < 0:
        return {**mark, "location": {"locationType": "SHEET", "sheetId": tab.id}}
    rows = {"sheetId": tab.id, "dimension": "ROWS", "startIndex": row, "endIndex": row + 1}
    return {**mark, "location": {"locationType": "ROW", "dimensionRange": rows}}


def _all(sheet: Spreadsheet) -> list[tuple[Tab | None, int, Json]]:
    of_rows = [(tab, *mark) for tab in sheet.tabs for mark in tab.marks.values()]
    return [*((None, -1, mark) for mark in sheet.marks.values()), *of_rows]


def _fits(lookup: Json, tab: Tab | None, row: int, mark: Json) -> bool:
    kind = told(tab, row, mark)["location"]["locationType"]
    same = all(
        lookup.get(name) in {None, mark.get(name)}
        for name in ("metadataId", "metadataKey", "metadataValue", "visibility")
    )
    return same and lookup.get("locationType") in {None, kind}
