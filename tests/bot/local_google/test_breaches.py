"""What no Google would understand fails a test, and what goes wrong on a bad day can be ordered."""

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPException
from typing import Any

import httplib2
import pytest
from google.auth.exceptions import RefreshError
from googleapiclient.errors import HttpError

from bot.clock import SystemClock
from bot.local_google.discovery import service
from bot.local_google.errors import BreachError
from bot.local_google.faults import Kind
from bot.local_google.google import LocalGoogle
from bot.local_google.server import NotLoopbackError, serve
from tests.fakes.google import BOT, client, google_in_a_thread

GET = "/v4/spreadsheets/abc/values/Shifts"


@pytest.fixture
def sheets(google: LocalGoogle) -> Iterator[Any]:
    with client(google) as service:
        yield service.spreadsheets()


@pytest.fixture
def google() -> Iterator[LocalGoogle]:
    with google_in_a_thread() as one:
        one.add_spreadsheet("abc", {"Shifts": [["Start", "Who"]]}, shared={BOT: "writer"})
        yield one


def bare(google: LocalGoogle, verb: str, path: str, body: str = "") -> tuple[int, str]:
    """Send what Google's client would refuse to send; return status and the fault noted."""
    token = google.accounts.tokens
    token["t"] = BOT
    headers = {"Authorization": "Bearer t", "Content-Type": "application/json"}
    with closing(httplib2.Http(timeout=5)) as http:
        answer, _ = http.request(f"{google.url}{path}", verb, body, headers)
    noted, google.breaches[:] = list(google.breaches), []
    return int(answer.status), "; ".join(noted)


@pytest.mark.parametrize(
    ("verb", "path", "body", "noted"),
    [
        ("GET", f"{GET}?valueRender=X", "", "unknown parameter valueRender"),
        ("GET", f"{GET}?majorDimension=SIDEWAYS", "", "majorDimension cannot be 'SIDEWAYS'"),
        ("GET", f"{GET}?majorDimension=ROWS&majorDimension=ROWS", "", "comes 2 times"),
        ("GET", "/v4/spreadsheets/abc?includeGridData=yes", "", "of type boolean, not 'yes'"),
        ("GET", "/v4/spreadsheets/abc?fields=sheets(merge)", "", "field selection sheets/merge"),
        ("GET", "/v4/spreadsheets/abc?fields=sheets(merges", "", "field selection"),
        ("POST", GET, "{}", f"{GET} takes GET or PUT, not POST"),
        ("PUT", f"{GET}?valueInputOption=RAW", '{"value": []}', "unknown field body.value"),
        ("PUT", f"{GET}?valueInputOption=RAW", '{"range": 7}', "body.range must be of type"),
        ("PUT", f"{GET}?valueInputOption=RAW", '{"values": 7}', "body.values must be a list"),
        ("PUT", f"{GET}?valueInputOption=RAW", "[", "Invalid JSON"),
        ("PUT", f"{GET}?valueInputOption=USER_ENTERED", '{"values": [["x"]]}', "RAW only"),
        (
            "POST",
            "/v4/spreadsheets/abc:batchUpdate",
            '{"requests": [{"addChart": {}}]}',
            "addChart",
        ),
        ("GET", "/v4/nonsense", "", "no service has GET /v4/nonsense"),
    ],
)
def test_a_breach_is_noted(
    google: LocalGoogle, verb: str, path: str, body: str, noted: str
) -> None:
    status, found = bare(google, verb, path, body)
    assert status >= 400
    assert noted in found


def test_an_answer_that_google_could_not_give_is_a_breach() -> None:
    call = service("sheets", "v4").find("GET", GET)
    assert call is not None
    with pytest.raises(BreachError, match=r"unknown field answer\.valuess"):
        call.check_answer({"valuess": []})


def test_an_account_without_a_key_gets_no_token(google: LocalGoogle, sheets: Any) -> None:
    google.accounts.remove(BOT)
    with pytest.raises(RefreshError, match="invalid_grant"):
        sheets.get(spreadsheetId="abc").execute()


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("too_many_429", 429),
        ("rate_limited_403", 403),
        ("http_500", 500),
        ("http_503", 503),
        ("html", 502),
        ("unauthenticated_401", 401),
    ],
)
def test_a_refusal_is_ordered_once(
    google: LocalGoogle, sheets: Any, kind: Kind, status: int
) -> None:
    method = "sheets.spreadsheets.get"
    google.faults.add(kind, method, after=1, retry_after=3, times=9)
    sheets.get(spreadsheetId="abc").execute()
    with pytest.raises(HttpError) as caught:
        sheets.get(spreadsheetId="abc").execute()
    assert int(caught.value.resp.status) == status
    google.faults.clear()
    sheets.get(spreadsheetId="abc").execute()


@pytest.mark.parametrize("kind", ["drop_before", "drop_after_commit", "truncated"])
def test_a_connection_breaks(google: LocalGoogle, sheets: Any, kind: Kind) -> None:
    sheets.get(spreadsheetId="abc").execute()
    method = "sheets.spreadsheets.values.update"
    google.faults.add(kind, method, times=3)
    request: Any = sheets.values().update(
        spreadsheetId="abc", range="A1", valueInputOption="RAW", body={"values": [["From"]]}
    )
    with pytest.raises((OSError, httplib2.error.HttpLib2Error, HTTPException)):
        request.execute()
    tab = google.sheets["abc"].tab("Shifts")
    assert tab.cells[0, 0].value == ("Start" if kind == "drop_before" else "From")


async def test_it_listens_on_this_machine_only() -> None:
    with pytest.raises(NotLoopbackError):
        await serve(LocalGoogle(SystemClock()), "0.0.0.0")
