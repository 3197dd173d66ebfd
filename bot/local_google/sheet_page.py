"""A page in the browser that shows a local sheet and calendar, and lets people edit cells."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Any

from aiohttp import web

from bot.local_google.calendar import LocalCalendar
from bot.local_google.google import LocalGoogle
from bot.local_google.spreadsheet import Cell, Tab, Written, moment

_TYPES = {"sheet.html": "text/html", "sheet.css": "text/css", "sheet.js": "text/javascript"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOST_ROWS, _MOST_COLUMNS, _MOST_EVENTS, _LONGEST = 2000, 50, 200, 5000


@dataclass(frozen=True, slots=True)
class Office:
    """One sheet and one calendar, as people look at them."""

    google: LocalGoogle
    sheet: str
    calendar: LocalCalendar
    team: str

    def state(self) -> dict[str, Any]:
        with self.calendar.lock:
            events = sorted(
                (one["start"]["dateTime"], one["end"]["dateTime"], str(one["summary"]))
                for one in self.calendar.calendar(self.team).live()
            )
        return {
            "tabs": [
                {"title": tab.title, "rows": _rows(tab)}
                for tab in self.google.sheets[self.sheet].tabs
            ],
            "events": [
                {"start": _short(start), "end": _short(end), "summary": summary}
                for start, end, summary in events[:_MOST_EVENTS]
            ],
        }

    def write(self, said: object) -> None:
        """Write one cell as a person types it. Raises ValueError."""
        match said:
            case {"tab": str(title), "row": int(row), "column": int(column), "text": str(text)}:
                pass
            case _:
                raise ValueError("Send tab, row, column and text.")
        sheet = self.google.sheets[self.sheet]
        if not (0 <= row < _MOST_ROWS and 0 <= column < _MOST_COLUMNS and len(text) <= _LONGEST):
            raise ValueError(f"At most {_MOST_ROWS} rows and {_MOST_COLUMNS} columns.")
        if title not in {tab.title for tab in sheet.tabs}:
            raise ValueError(f"There is no tab {title}.")
        sheet.write(title, row, column, [[_typed(text)]])
        sheet.touched(self.google.clock.now())


def sheet_page(office: Office, middlewares: Iterable[Any]) -> web.Application:
    """Return the application that the local Google mounts; `middlewares` keep strangers out."""

    async def file(request: web.Request) -> web.Response:
        name = request.match_info.get("name") or "sheet.html"
        if name not in _TYPES:
            raise web.HTTPNotFound
        text = (files("bot.local_google") / "page" / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=_TYPES[name])

    async def state(_request: web.Request) -> web.Response:
        return web.json_response(office.state())

    async def cell(request: web.Request) -> web.Response:
        try:
            office.write(json.loads(await request.text()))
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return web.Response(status=204)

    app = web.Application(middlewares=tuple(middlewares), client_max_size=100_000)
    app.router.add_get("/", file)
    app.router.add_get("/state", state)
    app.router.add_post("/cell", cell)
    app.router.add_get("/{name}", file)
    return app


def _rows(tab: Tab) -> list[list[str]]:
    found: dict[int, dict[int, str]] = {}
    for row, column in tab.filled():
        found.setdefault(row, {})[column] = _text(tab.cells[row, column])
    return [
        [found[row].get(column, "") for column in range(max(found[row]) + 1)]
        if row in found
        else []
        for row in range(tab.used_rows)
    ]


def _text(cell: Cell) -> str:
    if isinstance(cell.value, float) and cell.format == "DATE":
        return f"{moment(cell.value):%Y-%m-%d}"
    if isinstance(cell.value, float) and cell.format == "DATE_TIME":
        return f"{moment(cell.value):%Y-%m-%d %H:%M}"
    return str(cell.value)


def _typed(text: str) -> Written:
    """Read a date as Google does; everything else stays what was typed."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else text
    except ValueError:
        return text


def _short(instant: str) -> str:
    return f"{datetime.fromisoformat(instant):%a %Y-%m-%d %H:%M} UTC"
