"""A Google Calendar on the loopback: etags, sync tokens, batches, quotas, ids that stay taken."""

import email
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from googleapiclient.discovery_cache import get_static_doc

Json = dict[str, Any]
_ID = re.compile(r"[a-v0-9]{5,1024}")
_EVENTS = re.compile(r"/calendar/v3/calendars/([^/]+)/events(?:/([^/]+))?")
_MOST_IN_BATCH = 50
_DISCOVERY = json.loads(get_static_doc("calendar", "v3") or "{}")
_METHODS = _DISCOVERY["resources"]["events"]["methods"]
_EVENT_FIELDS = frozenset(_DISCOVERY["schemas"]["Event"]["properties"])
_NOT_WITH_TOKEN = frozenset(
    {"iCalUID", "orderBy", "privateExtendedProperty", "q", "timeMin", "timeMax", "updatedMin"}
)


@dataclass
class RefusalError(Exception):
    """An answer that is no success, as Google words it."""

    status: int
    reason: str
    retry_after: str = ""

    def body(self) -> Json:
        message = f"{self.reason} (told by the fake)"
        error = {"domain": "calendar", "reason": self.reason, "message": message}
        return {"error": {"errors": [error], "code": self.status, "message": message}}


@dataclass
class Fault:
    """What goes wrong next: `where` is list, batch, write or token; `times` it does."""

    where: str
    refused: RefusalError
    times: int = 1
    after: int = 0
    """So many of its kind still go well before."""


@dataclass
class Calendar:
    """One calendar; `role` is what the caller may do: writer, reader or none."""

    events: dict[str, Json] = field(default_factory=dict)
    role: str = "writer"
    changes: int = 0
    oldest_token: int = 0

    def live(self) -> list[Json]:
        return [one for one in self.events.values() if one["status"] != "cancelled"]

    def put(self, event: Json) -> Json:
        self.changes += 1
        event["etag"] = f'"{self.changes}"'
        event["_at"] = self.changes
        self.events[event["id"]] = event
        return event


class FakeGoogleCalendar:
    """Answers as Google does, and counts. `calls` are requests, `writes` single operations."""

    def __init__(self) -> None:
        self.calendars: dict[str, Calendar] = {}
        self.page_size = 2500
        self.calls: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self.drop_answers = 0
        self.tombstones_are_bare = True
        self.url = ""
        self.lock = threading.Lock()

    def calendar(self, name: str = "team@group.calendar.google.com") -> Calendar:
        return self.calendars.setdefault(name, Calendar())

    def edit(self, event_id: str, name: str = "team@group.calendar.google.com", **to: Any) -> None:
        """A person edits an event in the browser."""
        calendar = self.calendar(name)
        with self.lock:
            calendar.put({**calendar.events[event_id], **to})

    def remove(self, event_id: str, name: str = "team@group.calendar.google.com") -> None:
        self.edit(event_id, name, status="cancelled")

    def purge(self, event_id: str, name: str = "team@group.calendar.google.com") -> None:
        """Google forgets a deleted event after a while; its id stays taken."""
        self.edit(event_id, name, status="cancelled", _hidden=True)

    def expire_tokens(self) -> None:
        for calendar in self.calendars.values():
            calendar.oldest_token = calendar.changes + 1

    def reset_counts(self) -> None:
        self.calls.clear()
        self.writes.clear()

    @contextmanager
    def serving(self) -> Iterator["FakeGoogleCalendar"]:
        fake = self

        class Handler(_Handler):
            google = fake

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            self.url = f"http://127.0.0.1:{server.server_address[1]}/"
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    # --- answers -------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: Json, body: bytes) -> tuple[int, Json]:
        """Answer one request on events, whether it came alone or in a batch."""
        parts = urlsplit(target)
        found = _EVENTS.fullmatch(parts.path)
        if found is None:
            raise RefusalError(404, "notFound")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        calendar_id = unquote(found[1])
        event_id = unquote(found[2]) if found[2] else ""
        _check_query(method, event_id, query)
        calendar = self.calendars.get(calendar_id)
        if calendar is None or calendar.role == "none":
            raise RefusalError(404, "notFound")
        if method == "GET" and not event_id:
            self._trip("list")
            return 200, self._list(calendar, query)
        self._trip("write")
        if calendar.role != "writer":
            raise RefusalError(403, "forbidden")
        self.writes[method] += 1
        known = calendar.events.get(event_id)
        if method == "POST":
            return 200, _seen(_insert(calendar, json.loads(body)))
        if known is None:
            raise RefusalError(404, "notFound")
        if headers.get("if-match", known["etag"]) != known["etag"]:
            raise RefusalError(412, "conditionNotMet")
        if method == "DELETE":
            if known["status"] == "cancelled":
                raise RefusalError(410, "deleted")
            calendar.put({**known, "status": "cancelled"})
            return 204, {}
        return 200, _seen(_update(calendar, known, json.loads(body)))

    def _list(self, calendar: Calendar, query: Json) -> Json:
        size = min(self.page_size, int(query.get("maxResults", 250)))
        token = query.get("syncToken")
        if token is not None:
            if _NOT_WITH_TOKEN & query.keys() or query.get("showDeleted") == "false":
                raise RefusalError(400, "badRequest")
            if int(token) < calendar.oldest_token:
                raise RefusalError(410, "fullSyncRequired")
        since = int(token or 0)
        start = int(query.get("pageToken", 0))
        deleted = token is not None or query.get("showDeleted") == "true"
        found = [
            one
            for one in sorted(calendar.events.values(), key=lambda one: one["_at"])
            if one["_at"] > since
            and (deleted or one["status"] != "cancelled")
            and not (one.get("_hidden") and token is None)
        ]
        page = [self._listed(one) for one in found[start : start + size]]
        if start + size < len(found):
            return {"items": page, "nextPageToken": str(start + size)}
        return {"items": page, "nextSyncToken": str(calendar.changes)}

    def _listed(self, event: Json) -> Json:
        if event["status"] == "cancelled" and self.tombstones_are_bare:
            return {"id": event["id"], "etag": event["etag"], "status": "cancelled"}
        return _seen(event)

    def _trip(self, where: str) -> None:
        for fault in self.faults:
            if fault.where != where:
                continue
            if fault.after:
                fault.after -= 1
                return
            fault.times -= 1
            if not fault.times:
                self.faults.remove(fault)
            raise fault.refused


def _check_query(method: str, event_id: str, query: Json) -> None:
    names = {"POST": "insert", "PUT": "update", "DELETE": "delete", "PATCH": "patch"}
    name = names.get(method) or ("get" if event_id else "list")
    known = {*_METHODS[name]["parameters"], *_DISCOVERY["parameters"]}
    if unknown := query.keys() - known:
        raise RefusalError(400, f"unknownParameter {sorted(unknown)}")


def _check_body(event: Json) -> None:
    if unknown := event.keys() - _EVENT_FIELDS:
        raise RefusalError(400, f"unknownField {sorted(unknown)}")
    for edge in ("start", "end"):
        if not {"dateTime", "date"} & event.get(edge, {}).keys():
            raise RefusalError(400, "required")
    if event["end"].get("dateTime", "z") < event["start"].get("dateTime", ""):
        raise RefusalError(400, "timeRangeEmpty")


def _insert(calendar: Calendar, event: Json) -> Json:
    _check_body(event)
    if "iCalUID" in event:
        raise RefusalError(400, "invalid")
    if not _ID.fullmatch(event["id"]):
        raise RefusalError(400, "invalid")
    if event["id"] in calendar.events:
        raise RefusalError(409, "duplicate")
    return calendar.put({"status": "confirmed", **event})


def _update(calendar: Calendar, known: Json, event: Json) -> Json:
    """PUT: what is not sent is gone; a deleted event needs its status to come back."""
    _check_body(event)
    return calendar.put({"status": known["status"], **event, "id": known["id"]})


def _seen(event: Json) -> Json:
    return {name: value for name, value in event.items() if not name.startswith("_")}


class _Handler(BaseHTTPRequestHandler):
    google: FakeGoogleCalendar
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def do_PUT(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self._serve(b"")

    def _serve(self, body: bytes) -> None:
        google = self.google
        with google.lock:
            try:
                content, kind = self._answered(body)
                status, extra = 200, {}
            except RefusalError as refused:
                content, kind = json.dumps(refused.body()).encode(), "application/json"
                status = refused.status
                extra = {"Retry-After": refused.retry_after} if refused.retry_after else {}
            if google.drop_answers and "batch" in self.path:
                google.drop_answers -= 1
                self.close_connection = True
                self.connection.close()
                return
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            **extra,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _answered(self, body: bytes) -> tuple[bytes, str]:
        google = self.google
        if self.path == "/token":
            google.calls["token"] += 1
            google._trip("token")
            token = {"access_token": "at-1", "expires_in": 3600, "token_type": "Bearer"}
            return json.dumps(token).encode(), "application/json"
        if not self.headers.get("Authorization", "").startswith("Bearer "):
            raise RefusalError(401, "authError")
        if self.path == "/batch/calendar/v3":
            google.calls["batch"] += 1
            google._trip("batch")
            return self._batch(body)
        google.calls["list"] += 1
        headers = {name.lower(): value for name, value in self.headers.items()}
        _, answer = google.answer(self.command, self.path, headers, body)
        return json.dumps(answer).encode(), "application/json"

    def _batch(self, body: bytes) -> tuple[bytes, str]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + body)
        parts = message.get_payload()
        assert isinstance(parts, list)
        if len(parts) > _MOST_IN_BATCH:
            raise RefusalError(400, "batchTooLarge")
        answers = []
        for part in parts:
            assert isinstance(part, email.message.Message)
            content_id = part["Content-ID"].replace("<", "<response-", 1)
            inner = part.get_payload(decode=True)
            assert isinstance(inner, bytes)
            answers.append((content_id, self._inner(inner)))
        boundary = "batch_of_the_fake"
        lines = [
            f"--{boundary}\r\nContent-Type: application/http\r\nContent-ID: {key}\r\n\r\n{answer}\r\n"
            for key, answer in answers
        ]
        text = "".join(lines) + f"--{boundary}--\r\n"
        return text.encode(), f"multipart/mixed; boundary={boundary}"

    def _inner(self, request: bytes) -> str:
        line, _, rest = request.partition(b"\n")
        method, target, _ = line.decode().split(" ", 2)
        parsed = email.message_from_bytes(rest)
        headers = {name.lower(): value for name, value in parsed.items()}
        body = parsed.get_payload(decode=True)
        assert isinstance(body, bytes)
        extra = ""
        try:
            status, answer = self.google.answer(method, target, headers, body)
        except RefusalError as refused:
            status, answer = refused.status, refused.body()
            extra = f"Retry-After: {refused.retry_after}\r\n" if refused.retry_after else ""
        text = json.dumps(answer) if status != 204 else ""
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{extra}"
        return f"{head}Content-Type: application/json\r\n\r\n{text}"

    def log_message(self, *args: object) -> None:
        """Say nothing: tests have their own words."""
