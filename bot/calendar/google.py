"""Google Calendar over the network: lists what changed and writes in batches, from one thread."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http.client import HTTPException
from typing import Any, Protocol, TypeVar

import httplib2
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.oauth2 import service_account
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import Error, HttpError

from bot.calendar.google_events import EVENT_FIELDS, LIST_FIELDS, Json, body_of, ours_of
from bot.calendar.google_faults import (
    SHARE,
    LaterError,
    Outcome,
    RefusedError,
    TokenExpiredError,
    fault_of,
    outcome_of,
    reason_of,
    wait_of,
)
from bot.google.described import described
from bot.google.once import OnceHttp
from rules.calendar.plan import Act, Operation

GOOGLE = "https://www.googleapis.com/"
SCOPE = "https://www.googleapis.com/auth/calendar.events"
BATCH = 50
"""Google takes no more in one request."""

_TIMEOUT = 15.0
_PAGE = 2500
_MOST_PAGES = 40
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Listing:
    """What changed since a token, or all that there is; `calls` is what it cost."""

    items: tuple[Json, ...]
    token: str
    whole: bool
    calls: int


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one write; `item` is the event as it now stands."""

    operation: Operation
    outcome: Outcome
    item: Json | None = None
    why: str = ""
    after: timedelta | None = None


class CalendarApi(Protocol):
    """Raises LaterError or RefusedError; both leave the calendar as it is or may be asked again."""

    async def changes(self, calendar: str, token: str) -> Listing: ...
    async def write(
        self, calendar: str, operations: Sequence[Operation], before: Mapping[str, Json]
    ) -> list[Written]: ...


class GoogleCalendarApi:
    """The CalendarApi of Google. `credentials` is called once, in the thread."""

    def __init__(
        self,
        credentials: Callable[[], Credentials],
        *,
        api_url: str = GOOGLE,
        timeout: float = _TIMEOUT,
    ) -> None:
        self._credentials = credentials
        self._api_url = api_url
        self._timeout = timeout
        # httplib2 is not for several threads, so there is one
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="google-calendar")
        self._service: Any = None

    async def changes(self, calendar: str, token: str) -> Listing:
        return await self._in_thread(lambda: self._changes(calendar, token))

    async def write(
        self, calendar: str, operations: Sequence[Operation], before: Mapping[str, Json]
    ) -> list[Written]:
        return await self._in_thread(lambda: self._write(calendar, operations, before))

    def close(self) -> None:
        """Take no more calls; one that is under way ends with its time-out."""
        self._thread.submit(self._hang_up)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _hang_up(self) -> None:
        if self._service is not None:
            self._service.close()

    def _changes(self, calendar: str, token: str) -> Listing:
        try:
            return self._list(calendar, token)
        except TokenExpiredError:
            again = self._list(calendar, "")
            return Listing(again.items, again.token, again.whole, again.calls + 1)

    def _list(self, calendar: str, token: str) -> Listing:
        """List page by page; with deleted events, so that their ids are known to be taken."""
        found: list[Json] = []
        asked: Json = {"maxResults": _PAGE, "showDeleted": True, "fields": LIST_FIELDS}
        asked |= {"syncToken": token} if token else {}
        for calls in range(1, _MOST_PAGES + 1):
            answer = self._ask(partial(_listing, calendar=calendar, asked=asked), calendar)
            found += [kept for item in answer.get("items") or () if (kept := ours_of(item))]
            if not answer.get("nextPageToken"):
                next_token = str(answer.get("nextSyncToken") or "")
                return Listing(tuple(found), next_token, not token, calls)
            asked["pageToken"] = answer["nextPageToken"]
        words = f"The calendar {calendar} holds too many events; give the rotation one of its own."
        raise RefusedError(words)

    def _write(
        self, calendar: str, operations: Sequence[Operation], before: Mapping[str, Json]
    ) -> list[Written]:
        by_key = {str(at): operation for at, operation in enumerate(operations)}
        done: dict[str, Written] = {}

        def heard(key: str, answer: Any, error: Exception | None) -> None:
            done[key] = _written(by_key[key], answer, error)

        def batch(service: Any) -> Any:
            requests = service.new_batch_http_request(callback=heard)
            for key, one in by_key.items():
                requests.add(_request(service.events(), calendar, one, before), request_id=key)
            return requests

        self._ask(batch, calendar)
        lost = Outcome.LATER
        return [done.get(key) or Written(one, lost, why="no answer") for key, one in by_key.items()]

    def _ask(self, request: Callable[[Any], Any], calendar: str) -> Any:
        """Carry out a request or a batch. Raises LaterError, RefusedError, TokenExpiredError."""
        try:
            return request(self._built()).execute()
        except HttpError as error:
            reason, message = reason_of(error.content)
            after = error.resp.get("retry-after")
            status = int(error.resp.status)
            raise fault_of(status, reason, message, after, calendar) from error
        except GoogleAuthError as error:
            if getattr(error, "retryable", False):
                raise LaterError("Google gives no access token now") from error
            words = "Google gives the service account no access token; is its key still in force?"
            raise RefusedError(words) from error
        except (httplib2.error.HttpLib2Error, HTTPException, OSError, Error, ValueError) as error:
            raise LaterError(f"Google cannot be reached ({type(error).__name__})") from error

    def _built(self) -> Any:
        """Build the client from the discovery document it carries: no request leaves for it."""
        if self._service is None:
            authorized = AuthorizedHttp(self._credentials(), http=OnceHttp(self._timeout))
            document = described("calendar", "v3", self._api_url)
            self._service = build_from_document(document, http=authorized)
        return self._service


def service_account_file(path: str) -> Callable[[], Credentials]:
    """Return how to read a service account's key. Raises RefusedError when it is called."""

    def read() -> Credentials:
        try:
            found: Credentials = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
                path, scopes=[SCOPE]
            )
        except OSError as error:
            words = f"calendar.google.credentials: {path} cannot be read: {error.strerror}."
            raise RefusedError(words) from error
        except (ValueError, KeyError, GoogleAuthError) as error:
            words = f"calendar.google.credentials: {path} is no key of a service account."
            raise RefusedError(words) from error
        return found

    return read


def _listing(service: Any, *, calendar: str, asked: Json) -> Any:
    return service.events().list(calendarId=calendar, **asked)


def _request(events: Any, calendar: str, operation: Operation, before: Mapping[str, Json]) -> Any:
    how: dict[str, Any] = {"calendarId": calendar, "sendUpdates": "none"}
    if operation.wanted is None:
        request = events.delete(eventId=operation.id, **how)
    else:
        body = body_of(operation.wanted, before.get(operation.id))
        how["fields"] = EVENT_FIELDS
        if operation.act is Act.INSERT:
            return events.insert(body=body, **how)
        request = events.update(eventId=operation.id, body=body, **how)
    if operation.etag:
        request.headers["If-Match"] = operation.etag
    return request


def _written(operation: Operation, answer: Any, error: Exception | None) -> Written:
    if error is None:
        gone = {"id": operation.id, "status": "cancelled"}
        item = gone if operation.wanted is None else ours_of(answer)
        return Written(operation, Outcome.DONE, item)
    if not isinstance(error, HttpError):
        return Written(operation, Outcome.LATER, why=type(error).__name__)
    status, (reason, message) = int(error.resp.status), reason_of(error.content)
    if operation.act is Act.DELETE and status in {404, 410}:
        return Written(operation, Outcome.DONE, {"id": operation.id, "status": "cancelled"})
    outcome = outcome_of(status, reason)
    denied = status == 403 and outcome is Outcome.REFUSED
    why = SHARE if denied else f"{status} {reason} {message}".strip()
    return Written(operation, outcome, None, why, wait_of(error.resp.get("retry-after")))
