"""When a spreadsheet is read, and what happens when it cannot be."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from bot.local_google.faults import Kind
from bot.local_google.google import LocalGoogle
from bot.local_google.spreadsheet import Written
from bot.local_google.tokens import key_text
from bot.roster.google_client import GoogleSheets
from bot.roster.google_faults import later
from bot.roster.google_sheet import GoogleSheet
from bot.roster.table import TableError
from tests.fakes.clock import FakeClock
from tests.fakes.google import BOT, google_in_a_thread, key_file

VALUES = "sheets.spreadsheets.values.batchGet"
OUTLINE = "sheets.spreadsheets.get"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalGoogle]:
    with google_in_a_thread() as google:
        yield google


@pytest.fixture
def google(server: LocalGoogle) -> Iterator[LocalGoogle]:
    server._reads.clear()
    server.calls.clear()
    rows: list[list[Written]] = [["Week of", "Primary"], [date(2026, 11, 16), "Ana"]]
    server.add_spreadsheet("abc", {"Shifts": rows, "People": [["Name"]]}, shared={BOT: "reader"})
    yield server
    server.faults.clear()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sheets(google: LocalGoogle, tmp_path: Path) -> Iterator[GoogleSheets]:
    key = key_file(google, tmp_path)
    one = GoogleSheets(key, api_url=f"{google.url}/", timeout=1)
    yield one
    one.close()


@pytest.fixture
def sheet(sheets: GoogleSheets, clock: FakeClock) -> GoogleSheet:
    return GoogleSheet("abc", sheets, clock, jitter=lambda: 1.0)


def person(sheet: GoogleSheet) -> str:
    return sheet.read().tabs["Shifts"].rows[1][1].text


def calls(google: LocalGoogle) -> list[str]:
    made, google.calls[:] = [call.rpartition(".")[2] for call in google.calls], []
    return made


def test_nothing_changed_costs_one_call_every_ten_seconds(
    google: LocalGoogle, sheet: GoogleSheet, clock: FakeClock
) -> None:
    version = sheet.look()
    assert calls(google) == ["get", "batchGet", "get"]
    assert sheet.read().version == version
    for _ in range(9):
        clock.advance(seconds=1)
        assert sheet.look() == version
    assert calls(google) == []
    clock.advance(seconds=1)
    assert sheet.look() == version
    assert calls(google) == ["batchGet"]


def test_a_clock_that_is_set_back_stops_no_reading(
    google: LocalGoogle, sheet: GoogleSheet, clock: FakeClock
) -> None:
    sheet.look()
    google.type_in("abc", "Shifts!B2", [["Bo"]])
    clock.advance(hours=-1)
    sheet.look()
    assert person(sheet) == "Bo"
    calls(google)
    clock.advance(seconds=9)
    sheet.look()
    assert calls(google) == [], "and it is looked at as often as before"


def test_a_change_is_seen_and_its_merges_are_read_then(
    google: LocalGoogle, sheet: GoogleSheet, clock: FakeClock
) -> None:
    before = sheet.look()
    google.type_in("abc", "Shifts!B2", [["Bo"]])
    clock.advance(seconds=10)
    calls(google)
    assert sheet.look() != before
    assert calls(google) == ["batchGet", "get"]
    assert person(sheet) == "Bo"


def test_a_merge_alone_is_seen_within_a_minute(
    google: LocalGoogle, sheet: GoogleSheet, clock: FakeClock
) -> None:
    before = sheet.look()
    tab = google.sheets["abc"].tab("Shifts")
    tab.merge(tab.whole(None))
    tab.put(1, 1, "Ana")
    for _ in range(6):
        clock.advance(seconds=10)
        sheet.look()
    assert sheet.look() != before


def test_an_announcement_is_read_once_the_editing_pauses(
    google: LocalGoogle, sheet: GoogleSheet, clock: FakeClock
) -> None:
    sheet.look()
    google.type_in("abc", "Shifts!B2", [["Bo"]])
    calls(google)
    sheet.announced()
    clock.advance(seconds=1.5)
    sheet.announced()
    clock.advance(seconds=1.5)
    sheet.look()
    assert calls(google) == []
    clock.advance(seconds=0.5)
    sheet.look()
    assert person(sheet) == "Bo"
    assert calls(google) == ["get", "batchGet", "get"]
    clock.advance(seconds=5)
    sheet.look()
    assert calls(google) == []


def test_who_types_without_a_pause_is_read_after_ten_seconds(
    google: LocalGoogle, sheets: GoogleSheets, clock: FakeClock
) -> None:
    sheet = GoogleSheet("abc", sheets, clock, every=timedelta(minutes=5))
    sheet.look()
    calls(google)
    for second in range(11):
        sheet.announced()
        assert sheet.look()
        assert bool(calls(google)) == (second == 10)
        clock.advance(seconds=1)


def test_a_renamed_tab_is_found_again(
    google: LocalGoogle, sheet: GoogleSheet, clock: FakeClock
) -> None:
    sheet.look()
    google.sheets["abc"].tab("Shifts").title = "Rota"
    clock.advance(seconds=10)
    sheet.look()
    assert list(sheet.read().tabs) == ["Rota", "People"]
    assert sheet.standing() == "read 0 s ago"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("too_many_429", "Google answers 429 rateLimitExceeded."),
        ("rate_limited_403", "Google answers 403 rateLimitExceeded."),
        ("http_503", "Google answers 503 backendError."),
        ("html", "Google answers 502."),
        ("drop_before", "Google cannot be reached"),
        ("drop_after_commit", "Google cannot be reached"),
        ("truncated", "Google cannot be reached (IncompleteRead)."),
        ("timeout_after_commit", "Google cannot be reached (time-out)."),
    ],
)
def test_a_read_that_fails_replaces_nothing_and_is_tried_again(
    google: LocalGoogle, sheet: GoogleSheet, clock: FakeClock, kind: Kind, words: str
) -> None:
    version = sheet.look()
    google.type_in("abc", "Shifts!B2", [["Bo"]])
    google.faults.add(kind, VALUES, times=2)
    clock.advance(seconds=10)
    assert sheet.look() == version
    assert sheet.standing().startswith(f"read 10 s ago; since then: {words}")
    assert person(sheet) == "Ana"
    assert sheet.fault() == ""
    google.faults.clear()
    clock.advance(seconds=1.9)
    assert sheet.look() == version
    clock.advance(seconds=0.1)
    assert sheet.look() != version
    assert (person(sheet), sheet.standing()) == ("Bo", "read 0 s ago")


def test_a_trouble_is_told_once_and_so_is_its_end(
    google: LocalGoogle, sheets: GoogleSheets, clock: FakeClock
) -> None:
    told: list[str] = []
    sheet = GoogleSheet("abc", sheets, clock, tell=told.append)
    google.faults.add("http_500", OUTLINE, times=3)
    for _ in range(30):
        sheet.look()
        clock.advance(seconds=1)
    assert told == ["Google answers 500 backendError.", ""]


def test_waits_grow_and_what_google_says_is_kept_to(
    google: LocalGoogle, sheet: GoogleSheet, clock: FakeClock
) -> None:
    sheet.look()
    google.faults.add("http_500", VALUES, times=99)
    clock.advance(seconds=10)
    start, tried = clock.now(), []
    for _ in range(200):
        calls(google)
        sheet.look()
        tried += [(clock.now() - start).seconds] if len(google.calls) else []
        clock.advance(seconds=1)
    assert tried == [0, 2, 6, 14, 30, 62, 122, 182]
    google.faults.clear()
    google.faults.add("too_many_429", VALUES, retry_after=200)
    clock.advance(seconds=60)
    sheet.look()
    calls(google)
    clock.advance(seconds=199)
    sheet.look()
    assert calls(google) == []
    clock.advance(seconds=1)
    sheet.look()
    assert calls(google) != []


def test_an_announcement_during_a_failure_is_not_lost(
    google: LocalGoogle, sheet: GoogleSheet, clock: FakeClock
) -> None:
    sheet.look()
    google.faults.add("http_500", OUTLINE)
    sheet.announced()
    clock.advance(seconds=2)
    sheet.look()
    clock.advance(seconds=2)
    calls(google)
    sheet.look()
    assert calls(google) == ["get", "batchGet", "get"]


def test_it_keeps_within_the_quota(
    google: LocalGoogle, sheets: GoogleSheets, clock: FakeClock
) -> None:
    sheet = GoogleSheet("abc", sheets, clock, every=timedelta(seconds=1), jitter=lambda: 1.0)
    for second in range(120):
        google.type_in("abc", "Shifts!B2", [[f"Ana {second}"]])
        sheet.look()
        if second == 59:
            assert len(calls(google)) <= 50
        clock.advance(seconds=1)
    assert "too often" not in sheet.standing() or len(calls(google)) <= 50


def test_a_sheet_unread_for_ten_minutes_is_a_fault(
    google: LocalGoogle, sheet: GoogleSheet, clock: FakeClock
) -> None:
    sheet.look()
    google.sheets["abc"].shared.clear()
    clock.advance(minutes=11)
    sheet.look()
    assert sheet.fault() == (
        "the sheet cannot be read: read 11 min ago; since then: the service account may not read"
        f" the sheet. Share it with {BOT} (Viewer is enough)."
    )
    google.sheets["abc"].shared[BOT] = "reader"
    clock.advance(minutes=1)
    sheet.look()
    assert sheet.fault() == ""


def test_a_read_that_does_not_end_is_a_fault(
    sheet: GoogleSheet, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def hangs(*_asked: object) -> NoReturn:
        for _ in range(2):
            clock.advance(minutes=6)
            said.append(sheet.fault())
        raise later("it was cut off")

    sheet.look()
    monkeypatch.setattr(sheet.sheets, "values", hangs)
    clock.advance(minutes=1)
    sheet.look()
    stuck = "the sheet cannot be read: a read has lasted 12 min. Restart the bot."
    assert said == ["", stuck]
    assert "it was cut off" in sheet.fault()


def test_a_sheet_never_read_says_why(google: LocalGoogle, sheets: GoogleSheets) -> None:
    sheet = GoogleSheet("nowhere", sheets, FakeClock())
    with pytest.raises(TableError, match=f"there is no such sheet.*share it with {BOT}"):
        sheet.read()
    assert "there is no such sheet" in sheet.fault()


def fails(sheets: GoogleSheets) -> str:
    try:
        with pytest.raises(TableError) as caught:
            GoogleSheet("abc", sheets, FakeClock()).read()
    finally:
        sheets.close()
    return str(caught.value)


def test_the_api_that_is_off_is_named_with_its_switch(
    google: LocalGoogle, sheets: GoogleSheets
) -> None:
    google.faults.add("service_disabled_403", OUTLINE)
    assert "Enable it: https://console.developers.google.com/apis/api/sheets" in fails(sheets)


def test_a_deleted_key_is_named(google: LocalGoogle, sheets: GoogleSheets) -> None:
    google.accounts.remove(BOT)
    assert "its key was deleted or is broken. Make a new key" in fails(sheets)


def test_google_gives_no_token_for_a_while(google: LocalGoogle, sheets: GoogleSheets) -> None:
    google.faults.add("http_503", "token", times=9)
    assert fails(sheets) == "Google gives no access token now."


def test_nobody_listens(google: LocalGoogle, tmp_path: Path) -> None:
    key = key_file(google, tmp_path)
    assert "cannot be reached" in fails(GoogleSheets(key, api_url="http://127.0.0.1:9/"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON. Download the key as JSON."),
        ("[]", "is not JSON"),
        ('{"installed": {}}', "is the key of an OAuth client, not of a service account."),
        ('{"type": "authorized_user"}', "is the key of something else"),
        ('{"type": "service_account"}', "is broken. Download a new one."),
    ],
)
def test_a_file_that_is_no_key_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(text)
    assert words in fails(GoogleSheets(path))


def test_a_key_that_is_not_there_or_cut_is_named(google: LocalGoogle, tmp_path: Path) -> None:
    assert "there is no file" in fails(GoogleSheets(tmp_path / "no.json"))
    assert "cannot be read" in fails(GoogleSheets(tmp_path))
    key = json.loads(key_text(google.account(BOT)))
    key["private_key"] = key["private_key"][:200]
    path = tmp_path / "cut.json"
    path.write_text(json.dumps(key))
    assert "the private key in" in fails(GoogleSheets(path))
