"""Google Calendar: etags, sync tokens, batches, quotas, ids that stay taken."""

import email
import json
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from bot.local_google.discovery import Call, Json, service
from bot.local_google.errors import BreachError

_ID = re.compile(r"[a-v0-9]{5,1024}")
_EVENTS = re.compile(r"/calendar/v3/calendars/([^/]+)/events(?:/([^/]+))?")
_MOST_IN_BATCH = 50
_BOUNDARY = "batch_of_the_local_google"
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
        message = f"{self.reason} (told by the local Google)"
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


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back over the wire."""

    status: int
    content: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class LocalCalendar:
    """Answers as Google does, and counts. `calls` are requests, `writes` single operations.

    `breaches` are requests and answers that do not fit Google's own description.
    """

    def __init__(self) -> None:
        self.calendars: dict[str, Calendar] = {}
        self.page_size = 2500
        self.calls: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self.drop_answers = 0
        self.tombstones_are_bare = True
        self.breaches: list[str] = []
        self.answers_are_checked = True
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

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Reply | None:
        """Answer what came over the wire, None when the connection breaks after the work.

        `headers` are in lower case.
        """
        with self.lock:
            try:
                reply = self._answered(method, target, headers, body)
            except RefusalError as refused:
                extra = {"Retry-After": refused.retry_after} if refused.retry_after else {}
                content = json.dumps(refused.body()).encode()
                reply = Reply(refused.status, content, headers=extra)
            if self.drop_answers and "batch" in target:
                self.drop_answers -= 1
                return None
        return reply

    def _answered(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if target == "/token":
            self.calls["token"] += 1
            self._trip("token")
            token = {"access_token": "at-1", "expires_in": 3600, "token_type": "Bearer"}
            return Reply(200, json.dumps(token).encode())
        if not headers.get("authorization", "").startswith("Bearer "):
            raise RefusalError(401, "authError")
        if target == "/batch/calendar/v3":
            self.calls["batch"] += 1
            self._trip("batch")
            return Reply(200, self._batch(headers, body), f"multipart/mixed; boundary={_BOUNDARY}")
        self.calls["list"] += 1
        status, answer = self.answer(method, target, headers, body)
        return Reply(status, json.dumps(answer).encode() if status != 204 else b"")

    def _batch(self, headers: Mapping[str, str], body: bytes) -> bytes:
        head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + body).get_payload()
        if not isinstance(parts, list):
            raise RefusalError(400, "badRequest")
        part: Any
        if len(parts) > _MOST_IN_BATCH:
            raise RefusalError(400, "batchTooLarge")
        text = ""
        for part in parts:
            key = str(part["Content-ID"]).replace("<", "<response-", 1)
            answer = self._inner(_bytes_of(part))
            text += f"--{_BOUNDARY}\r\nContent-Type: application/http\r\n"
            text += f"Content-ID: {key}\r\n\r\n{answer}\r\n"
        return f"{text}--{_BOUNDARY}--\r\n".encode()

    def _inner(self, request: bytes) -> str:
        line, _, rest = request.partition(b"\n")
        method, target, _ = line.decode().split(" ", 2)
        parsed = email.message_from_bytes(rest)
        headers = {name.lower(): str(value) for name, value in parsed.items()}
        extra = ""
        try:
            status, answer = self.answer(method, target, headers, _bytes_of(parsed))
        except RefusalError as refused:
            status, answer = refused.status, refused.body()
            extra = f"Retry-After: {refused.retry_after}\r\n" if refused.retry_after else ""
        text = json.dumps(answer) if status != 204 else ""
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{extra}"
        return f"{head}Content-Type: application/json\r\n\r\n{text}"

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Json]:
        """Answer one request on events, whether it came alone or in a batch."""
        parts = urlsplit(target)
        asked = parse_qs(parts.query)
        call = self._checked(method, parts.path, asked, body)
        query = {name: values[-1] for name, values in asked.items()}
        status, answer = self._played(method, parts.path, query, headers, body)
        if status != 204:
            self._check_answer(call, answer)
            answer = call.cut(answer, query["fields"]) if "fields" in query else answer
        return status, answer

    def _check_answer(self, call: Call, answer: Json) -> None:
        if not self.answers_are_checked:
            return
        try:
            call.check_answer(answer)
        except BreachError as breach:
            self.breaches.append(str(breach))
            raise RefusalError(500, f"backendError {breach}") from breach

    def _checked(self, method: str, path: str, query: Mapping[str, list[str]], body: bytes) -> Call:
        """Note and refuse what does not fit Google's description of its interface."""
        try:
            call = service("calendar", "v3").find(method, path)
            if call is None:
                raise RefusalError(404, "notFound")
            call.check_request(query, json.loads(body) if body else None)
        except BreachError as breach:
            self.breaches.append(str(breach))
            raise RefusalError(400, f"badRequest {breach}") from breach
        return call

    def _played(
        self, method: str, path: str, query: Json, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Json]:
        found = _EVENTS.fullmatch(path)
        if found is None:
            raise RefusalError(404, "notFound")
        calendar_id = unquote(found[1])
        event_id = unquote(found[2]) if found[2] else ""
        calendar = self.calendars.get(calendar_id)
        if calendar is None or calendar.role == "none":
            raise RefusalError(404, "notFound")
        if method == "GET" and not event_id:
            self._trip("list")
            return 200, self._list(calendar, query)
        if method == "GET" and event_id in calendar.events:
            return 200, _seen(calendar.events[event_id])
        self._trip("write")
        if calendar.role != "writer":
            raise RefusalError(403, "forbidden")
        self.writes[method] += 1
        if method == "POST":
            return 200, _seen(_insert(calendar, json.loads(body)))
        return _change(calendar, method, event_id, headers, body)

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


def _check_body(event: Json) -> None:
    for edge in ("start", "end"):
        if not {"dateTime", "date"} & event.get(edge, {}).keys():
            raise RefusalError(400, "required")
    if event["end"].get("dateTime", "z") < event["start"].get("dateTime", ""):
        raise RefusalError(400, "timeRangeEmpty")


def _change(
    calendar: Calendar, method: str, event_id: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, Json]:
    known = calendar.events.get(event_id)
    if known is None:
        raise RefusalError(404, "notFound")
    if headers.get("if-match", known["etag"]) != known["etag"]:
        raise RefusalError(412, "conditionNotMet")
    if method == "DELETE":
        if known["status"] == "cancelled":
            raise RefusalError(410, "deleted")
        calendar.put({**known, "status": "cancelled"})
        return 204, {}
    event = json.loads(body)
    if method == "PATCH":
        event = {**_seen(known), **event}
    return 200, _seen(_update(calendar, known, event))


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
    told = event.items()
    return {name: value for name, value in told if value is not None and name[0] != "_"}


def _bytes_of(part: Any) -> bytes:
    inner = part.get_payload(decode=True)
    return inner if isinstance(inner, bytes) else b""
