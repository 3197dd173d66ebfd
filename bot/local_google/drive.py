"""Drive's files.get: when a file changed, told minutes late as the real one does."""

from datetime import datetime, timedelta
from typing import Any

from bot.local_google.spreadsheet import Spreadsheet

LAG = timedelta(minutes=3)
"""Edits of a spreadsheet reach Drive together, about so much later."""

_DEFAULT_FIELDS = ("kind", "id", "name", "mimeType")


def get(sheet: Spreadsheet, now: datetime, *, all_fields: bool) -> dict[str, Any]:
    """Return the file; only four fields unless a field mask asks for more."""
    known = [change for change in sheet.changes if change[0] <= now - LAG] or sheet.changes[:1]
    at, version = known[-1] if known else (now, 1)
    file = {
        "kind": "drive#file",
        "id": sheet.id,
        "name": sheet.title,
        "mimeType": "application/vnd.google-apps.spreadsheet",
        "version": str(version),
        "modifiedTime": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
        "webViewLink": f"https://docs.google.com/spreadsheets/d/{sheet.id}/edit",
    }
    return file if all_fields else {name: file[name] for name in _DEFAULT_FIELDS}
