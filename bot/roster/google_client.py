"""Google Sheets over the network: one request at a time, each with a time-out and a clear end."""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

import httplib2
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.oauth2 import service_account
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import Error, HttpError

from bot.google.described import described
from bot.google.once import OnceHttp
from bot.roster.google_cells import Json
from bot.roster.google_faults import SheetFaultError, fault_of, grant_fault, later

GOOGLE = "https://sheets.googleapis.com/"
SCOPE = "https://www.googleapis.com/auth/spreadsheets"
TIMEOUT = 10.0
_LARGEST_KEY = 100_000
_OUTLINE = (
    "properties(title,locale,timeZone),"
    "sheets(properties(sheetId,title,hidden,sheetType,gridProperties(rowCount,columnCount)),merges)"
)
_LOOKS = (
    "sheets(properties(sheetId),data(rowMetadata(hiddenByUser,hiddenByFilter),"
    "rowData(values(effectiveFormat(numberFormat(type),textFormat(strikethrough))))))"
)


class GoogleSheets:
    """The Sheets of Google, as a service account. For several threads, one call at a time."""

    def __init__(
        self, credentials: Path, *, api_url: str = GOOGLE, timeout: float = TIMEOUT
    ) -> None:
        self.address = ""
        self._credentials = credentials
        self._api_url = api_url
        self._timeout = timeout
        # httplib2 is not for several threads at once
        self._lock = threading.Lock()
        self._service: Any = None
        # what goes wrong is told once, in our words
        logging.getLogger("googleapiclient.http").setLevel(logging.ERROR)

    def outline(self, sheet: str) -> Json:
        return self.ask(lambda s: s.spreadsheets().get(spreadsheetId=sheet, fields=_OUTLINE))

    def looks(self, sheet: str) -> Json:
        return self.ask(lambda s: s.spreadsheets().get(spreadsheetId=sheet, fields=_LOOKS))

    def values(self, sheet: str, ranges: Sequence[str]) -> Sequence[Json]:
        answer = self.ask(
            lambda service: (
                service.spreadsheets()
                .values()
                .batchGet(
                    spreadsheetId=sheet,
                    ranges=list(ranges),
                    valueRenderOption="UNFORMATTED_VALUE",
                    dateTimeRenderOption="SERIAL_NUMBER",
                )
            )
        )
        found: list[Json] = answer.get("valueRanges") or []
        if len(found) != len(ranges) or not all("range" in one for one in found):
            raise later("Google's answer was cut short.")
        return found

    def ask(self, request: Callable[[Any], Any]) -> Json:
        """Make one request of the client's and return its answer. Raises SheetFaultError.

        It is never repeated here: a write whose answer was lost may have been done.
        """
        try:
            with self._lock:
                answer = request(self._built()).execute()
        except HttpError as error:
            after = error.resp.get("retry-after")
            status = int(error.resp.status)
            raise fault_of(status, error.content, after, self.address) from error
        except RefreshError as error:
            if error.retryable:
                raise later("Google gives no access token now.") from error
            raise grant_fault(str(error)) from error
        except (GoogleAuthError, httplib2.error.HttpLib2Error, HTTPException, OSError) as error:
            raise later(f"Google cannot be reached ({_named(error)}).") from error
        except (Error, ValueError) as error:
            raise later(f"Google's answer cannot be read ({_named(error)}).") from error
        if not isinstance(answer, dict):
            raise later("Google's answer was empty.")
        return answer

    def close(self) -> None:
        with self._lock:
            if self._service is not None:
                self._service.close()
                self._service = None

    def _built(self) -> Any:
        """Build the client from the discovery document it carries: no request leaves for it."""
        if self._service is None:
            credentials = self._signed_in()
            authorized = AuthorizedHttp(credentials, http=OnceHttp(self._timeout))
            document = described("sheets", "v4", self._api_url)
            self._service = build_from_document(document, http=authorized)
        return self._service

    def _signed_in(self) -> service_account.Credentials:
        info = read_key(self._credentials)
        self.address = str(info.get("client_email", ""))
        try:
            made: service_account.Credentials = (
                service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                    info, scopes=[SCOPE]
                )
            )
        except (ValueError, KeyError, TypeError, GoogleAuthError):
            words = f"google.credentials: the private key in {self._credentials} is broken."
            raise SheetFaultError(f"{words} Download a new one.") from None
        return made


def read_key(path: Path) -> Json:
    """Return a service account's key. Raises SheetFaultError, which says what the file is."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_KEY)
    except FileNotFoundError:
        raise SheetFaultError(f"google.credentials: there is no file {path}.") from None
    except OSError as error:
        words = f"google.credentials: {path} cannot be read: {error.strerror}."
        raise SheetFaultError(words) from None
    try:
        info = json.loads(text)
    except ValueError:
        info = None
    if not isinstance(info, dict):
        words = f"google.credentials: {path} is not JSON. Download the key as JSON."
        raise SheetFaultError(words)
    if info.get("type") == "service_account":
        return info
    kind = "an OAuth client" if {"installed", "web"} & info.keys() else "something else"
    words = f"google.credentials: {path} is the key of {kind}, not of a service account."
    raise SheetFaultError(f"{words} Make one under IAM, Service accounts, Keys.")


def _named(error: Exception) -> str:
    return "time-out" if isinstance(error, TimeoutError) else type(error).__name__
