"""What the local Google knows and does: files, accounts, quotas, and one call after another."""

import copy
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.local_google import drive, marks, updates, values
from bot.local_google.discovery import Call, Json, service
from bot.local_google.errors import BreachError, GoogleError, forbidden, not_found
from bot.local_google.faults import Faults
from bot.local_google.request import Request
from bot.local_google.spreadsheet import Spreadsheet, Written
from bot.local_google.tokens import Accounts

READS_PER_MINUTE = 60
_MINUTE = timedelta(minutes=1)
_Play = Callable[[Spreadsheet, Request], Json]
_READS: Mapping[str, _Play] = {
    "sheets.spreadsheets.get": updates.get,
    "sheets.spreadsheets.values.get": values.get,
    "sheets.spreadsheets.values.batchGet": values.batch_get,
    "sheets.spreadsheets.values.batchGetByDataFilter": values.batch_get_by_data_filter,
    "sheets.spreadsheets.developerMetadata.search": marks.search,
}
_WRITES: Mapping[str, _Play] = {
    "sheets.spreadsheets.batchUpdate": updates.batch_update,
    "sheets.spreadsheets.values.update": values.update,
    "sheets.spreadsheets.values.append": values.append,
    "sheets.spreadsheets.values.clear": values.clear,
    "sheets.spreadsheets.values.batchUpdate": values.batch_update,
    "sheets.spreadsheets.values.batchUpdateByDataFilter": values.batch_update_by_data_filter,
}


@dataclass(slots=True)
class LocalGoogle:
    """All of it in memory. `breaches` are calls that no Google would have understood.

    `calls` are the ids of all calls that came, oldest first.
    """

    clock: Clock
    sheets: dict[str, Spreadsheet] = field(default_factory=dict)
    accounts: Accounts = field(default_factory=Accounts)
    faults: Faults = field(default_factory=Faults)
    breaches: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    url: str = ""
    _reads: dict[str, deque[datetime]] = field(default_factory=dict)

    def add_spreadsheet(
        self,
        sheet_id: str,
        tabs: Mapping[str, Sequence[Sequence[Written]]],
        *,
        shared: Mapping[str, str] | None = None,
        locale: str = "en_GB",
        time_zone: str = "Europe/Berlin",
    ) -> Spreadsheet:
        """Make a file with these tabs; `shared` is address to "reader" or "writer"."""
        sheet = Spreadsheet(sheet_id, locale=locale, time_zone=time_zone)
        sheet.shared = dict(shared or {})
        for title, rows in tabs.items():
            sheet.add_tab(title, rows)
        sheet.touched(self.clock.now())
        self.sheets[sheet_id] = sheet
        return sheet

    def type_in(self, sheet_id: str, cell: str, rows: Sequence[Sequence[Written]]) -> None:
        """Write cells as a person does in the browser, from `cell`, like "Shifts!B3"."""
        sheet = self.sheets[sheet_id]
        tab, area = sheet.find(cell)
        sheet.write(tab.title, area.top, area.left, rows)
        sheet.touched(self.clock.now())

    def account(self, email: str = "bot@local.iam.gserviceaccount.com") -> dict[str, str]:
        """Return a new key of a service account; see `tokens.key_text`."""
        return self.accounts.add(email, f"{self.url}/token")

    def find(self, verb: str, path: str) -> Call:
        """Return the call at an address. Raises GoogleError when no service has it."""
        for name, version in (("sheets", "v4"), ("drive", "v3")):
            if call := service(name, version).find(verb, path):
                return call
        raise BreachError(f"no service has {verb} {path}", 404)

    def answer(
        self, call: Call, caller: str, query: Mapping[str, Sequence[str]], body: Json | None
    ) -> Json:
        """Play one call. Raises GoogleError; what breaks the description is also noted."""
        call.check_request(query, body)
        fields_asked = next(iter(query.get("fields", ())), "")
        if fields_asked:
            call.mask(fields_asked)
        now = self.clock.now()
        request = Request(caller=caller, path=call.path, query=query, body=body or {}, now=now)
        answer = self._play(call.id, request)
        call.check_answer(answer)
        return call.cut(answer, fields_asked) if fields_asked else answer

    def _play(self, method: str, request: Request) -> Json:
        if method == "sheets.spreadsheets.create":
            return self._create(request)
        if method == "drive.files.get":
            sheet = self._permitted(request, "fileId", "reader")
            return drive.get(sheet, request.now, all_fields=bool(request.one("fields")))
        if method in _READS:
            self._count_read(request)
            sheet = self._permitted(request, "spreadsheetId", "reader")
            return _READS[method](sheet, request)
        if method in _WRITES:
            sheet = self._permitted(request, "spreadsheetId", "writer")
            return self._write(sheet, _WRITES[method], request)
        raise BreachError(f"the local Google does not play {method}")

    def _create(self, request: Request) -> Json:
        properties = request.body.get("properties", {})
        sheet = Spreadsheet(f"created-{len(self.sheets) + 1}", title=properties.get("title", ""))
        sheet.shared = {request.caller: "writer"}
        for tab in request.body.get("sheets", [{}]):
            sheet.add_tab(tab.get("properties", {}).get("title", f"Sheet{len(sheet.tabs) + 1}"))
        sheet.touched(request.now)
        self.sheets[sheet.id] = sheet
        return updates.told(sheet)

    def _permitted(self, request: Request, name: str, least: str) -> Spreadsheet:
        sheet = self.sheets.get(request.path[name])
        if sheet is None:
            raise not_found()
        role = sheet.shared.get(request.caller)
        if role is None or (least == "writer" and role != "writer"):
            raise forbidden()
        return sheet

    def _count_read(self, request: Request) -> None:
        reads = self._reads.setdefault(request.caller, deque())
        while reads and reads[0] <= request.now - _MINUTE:
            reads.popleft()
        if len(reads) >= READS_PER_MINUTE:
            words = "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per"
            raise GoogleError(429, f"{words} minute per user'", reason="rateLimitExceeded")
        reads.append(request.now)

    def _write(self, sheet: Spreadsheet, play: _Play, request: Request) -> Json:
        before = copy.deepcopy(sheet)
        try:
            answer = play(sheet, request)
        except (GoogleError, KeyError) as error:
            for one in fields(sheet):
                setattr(sheet, one.name, getattr(before, one.name))
            if isinstance(error, KeyError):
                raise GoogleError(400, f"Invalid request: {error} is missing") from None
            raise
        sheet.touched(request.now)
        return answer
