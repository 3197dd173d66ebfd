"""The Status tab of a Google sheet: made and protected here, and written whole each time."""

from collections.abc import Sequence

from bot.roster.book import is_status
from bot.roster.google_cells import Json
from bot.roster.google_faults import SheetFaultError
from bot.roster.google_rows import WritableSheets, as_writer

TITLE = "Status"
MOST_LINES = 60
_COLUMNS = "ABCD"
_OURS = ("watchbill", "what")
"""What the first cell begins with in a tab of ours, and in that of the template."""


class StatusTab:
    """One sheet's tab. Blocks, and may raise SheetFaultError."""

    def __init__(self, sheet_id: str, sheets: WritableSheets) -> None:
        self._id = sheet_id
        self._sheets = sheets

    def write(self, lines: Sequence[Sequence[str]]) -> None:
        """Make the tab say these lines of up to four cells, and nothing else."""
        try:
            self._write(lines)
        except SheetFaultError as fault:
            raise as_writer(fault, self._sheets.address) from fault

    def _write(self, lines: Sequence[Sequence[str]]) -> None:
        title, rows, width = self._found() or self._added()
        quoted = title.replace("'", "''")
        if len(lines) > rows:
            more = f"and {len(lines) - rows + 1} more lines"
            told = [more, "`watchbill who` and `watchbill roster check` tell all of it"]
            lines = [*lines[: rows - 1], told]
        padded = [[*line, *[""] * width][:width] for line in lines]
        padded += [[""] * width] * (rows - len(padded))
        data = {
            "range": f"'{quoted}'!A1:{_COLUMNS[width - 1]}{rows}",
            "majorDimension": "ROWS",
            "values": padded,
        }
        body = {"valueInputOption": "RAW", "data": [data]}
        self._sheets.ask(
            lambda service: (
                service.spreadsheets().values().batchUpdate(spreadsheetId=self._id, body=body)
            )
        )

    def _found(self) -> tuple[str, int, int] | None:
        """Return the tab's title, and the rows and columns that there is room for.

        None when there is none; somebody else's is left alone.
        """
        for sheet in self._sheets.outline(self._id).get("sheets", ()):
            properties: Json = sheet.get("properties", {})
            title, grid = str(properties.get("title", "")), properties.get("gridProperties", {})
            if not is_status(title):
                continue
            quoted = title.replace("'", "''")
            (found,) = self._sheets.values(self._id, [f"'{quoted}'!A1:A1"])
            first = str(next(iter((found.get("values") or [[""]])[0]), ""))
            if first and not first.casefold().startswith(_OURS):
                words = f"the tab {title} is somebody else's and is not written to. Rename it."
                raise SheetFaultError(words)
            rows = min(MOST_LINES, int(grid.get("rowCount", MOST_LINES)))
            return title, rows, min(len(_COLUMNS), int(grid.get("columnCount", len(_COLUMNS))))
        return None

    def _added(self) -> tuple[str, int, int]:
        grid = {"rowCount": MOST_LINES, "columnCount": len(_COLUMNS)}
        properties = {"title": TITLE, "gridProperties": grid}
        answer = self._batch({"addSheet": {"properties": properties}})
        tab = answer["replies"][0]["addSheet"]["properties"]["sheetId"]
        protected: Json = {
            "range": {"sheetId": tab},
            "description": "Watchbill writes here, and nobody else.",
        }
        if self._sheets.address:
            protected["editors"] = {"users": [self._sheets.address]}
        self._batch({"addProtectedRange": {"protectedRange": protected}})
        return TITLE, MOST_LINES, len(_COLUMNS)

    def _batch(self, request: Json) -> Json:
        body = {"requests": [request]}
        return self._sheets.ask(
            lambda service: service.spreadsheets().batchUpdate(spreadsheetId=self._id, body=body)
        )
