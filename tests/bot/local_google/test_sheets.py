"""Google's own client against the local Sheets: values, appends, marks, what is refused."""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from bot.local_google import drive
from bot.local_google.google import LocalGoogle
from bot.local_google.spreadsheet import Written
from tests.fakes.google import BOT, client, google_in_a_thread

ROWS: list[list[Written]] = [
    ["Week of", "Primary", "Secondary"],
    [date(2026, 11, 16), "Ana Ruiz"],
    [datetime(2026, 11, 23, 9, 30), "Bo", "Cy"],  # noqa: DTZ001 - local, as in a sheet
    [],
    [True, 1.5, 7],
]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalGoogle]:
    with google_in_a_thread() as google:
        yield google


@pytest.fixture
def google(server: LocalGoogle) -> Iterator[LocalGoogle]:
    server.sheets.clear()
    server.calls.clear()
    server._reads.clear()
    server.add_spreadsheet("abc", {"Shifts": ROWS, "My tab": [["x"]]}, shared={BOT: "writer"})
    yield server
    server.faults.clear()


@pytest.fixture
def sheets(google: LocalGoogle) -> Iterator[Any]:
    with client(google) as service:
        yield service.spreadsheets()


def read(sheets: Any, text: str, **how: str) -> Any:
    return sheets.values().get(spreadsheetId="abc", range=text, **how).execute()


def status_of(request: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as caught:
        request.execute()
    return int(caught.value.resp.status), str(caught.value.reason)


def test_values_are_ragged_and_dates_are_serial_numbers(sheets: Any) -> None:
    got = read(
        sheets,
        "Shifts",
        valueRenderOption="UNFORMATTED_VALUE",
        dateTimeRenderOption="SERIAL_NUMBER",
    )
    assert got["range"] == "Shifts!A1:Z1000"
    assert got["values"] == [
        ["Week of", "Primary", "Secondary"],
        [46342, "Ana Ruiz"],
        [46349.395833333336, "Bo", "Cy"],
        [],
        [True, 1.5, 7],
    ]


def test_formatted_values_are_text(sheets: Any) -> None:
    got = read(sheets, "Shifts!A2:C5")
    assert got["values"][0] == ["16/11/2026", "Ana Ruiz"]
    assert got["values"][3] == ["TRUE", "1.5", "7"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("'My tab'", [["x"]]),
        ("Shifts!B2:B3", [["Ana Ruiz"], ["Bo"]]),
        ("Shifts!B3", [["Bo"]]),
        ("Shifts!C:C", [["Secondary"], [], ["Cy"], [], [7]]),
        ("Shifts!5:5", [["TRUE", "1.5", "7"]]),
        ("A1", [["Week of"]]),
        ("shifts!B2", [["Ana Ruiz"]]),
    ],
)
def test_ranges_are_read(sheets: Any, text: str, values: object) -> None:
    how = "FORMATTED_VALUE" if "5:5" in text else "UNFORMATTED_VALUE"
    assert read(sheets, text, valueRenderOption=how)["values"] == values


def test_an_empty_range_has_no_values(sheets: Any) -> None:
    assert "values" not in read(sheets, "Shifts!F1:G9")


def test_a_batch_reads_several_tabs_in_one_call(google: LocalGoogle, sheets: Any) -> None:
    ranges = ["'Shifts'", "'My tab'"]
    got = sheets.values().batchGet(spreadsheetId="abc", ranges=ranges).execute()
    assert [one["range"] for one in got["valueRanges"]] == ["Shifts!A1:Z1000", "'My tab'!A1:Z1000"]
    assert google.calls == ["sheets.spreadsheets.values.batchGet"]


def test_the_layout_has_merges_formats_and_zone(google: LocalGoogle, sheets: Any) -> None:
    merged = {"startRowIndex": 1, "endRowIndex": 3, "startColumnIndex": 1, "endColumnIndex": 2}
    merge = {"mergeCells": {"range": {"sheetId": 0, **merged}, "mergeType": "MERGE_ALL"}}
    sheets.batchUpdate(spreadsheetId="abc", body={"requests": [merge]}).execute()
    fields = (
        "properties(locale,timeZone),sheets(properties(title),merges,"
        "data/rowData/values/effectiveFormat/numberFormat/type)"
    )
    got = sheets.get(spreadsheetId="abc", fields=fields).execute()
    assert got["properties"] == {"locale": "en_GB", "timeZone": "Europe/Berlin"}
    first = got["sheets"][0]
    assert first["merges"] == [{"sheetId": 0, **merged}]
    kinds = [row.get("values", [{}]) for row in first["data"][0]["rowData"]]
    assert kinds[1][0] == {"effectiveFormat": {"numberFormat": {"type": "DATE"}}}
    assert kinds[2][0] == {"effectiveFormat": {"numberFormat": {"type": "DATE_TIME"}}}
    assert read(sheets, "Shifts!B2:B3")["values"] == [["Ana Ruiz"]]


def append(sheets: Any, rows: list[list[object]], how: str = "INSERT_ROWS") -> Any:
    return (
        sheets.values()
        .append(
            spreadsheetId="abc",
            range="Shifts!A1:C1",
            valueInputOption="RAW",
            insertDataOption=how,
            body={"values": rows},
        )
        .execute()
    )


def test_appending_inserts_rows_below_the_table(sheets: Any) -> None:
    got = append(sheets, [["=HYPERLINK()", "Dee"]])
    assert got["tableRange"] == "Shifts!A1:C3"
    assert got["updates"]["updatedRange"] == "Shifts!A4:B4"
    values = read(sheets, "Shifts")["values"]
    assert values[3] == ["=HYPERLINK()", "Dee"]
    assert values[5][2] == "7"


def test_overwriting_takes_the_rows_that_are_there(sheets: Any) -> None:
    append(sheets, [["a"], ["b"]], "OVERWRITE")
    values = read(sheets, "Shifts")["values"]
    assert values[3:] == [["a"], ["b", "1.5", "7"]]


def test_a_mark_stays_with_its_row(sheets: Any) -> None:
    where = {"sheetId": 0, "dimension": "ROWS", "startIndex": 2, "endIndex": 3}
    mark = {
        "metadataKey": "override",
        "metadataValue": "ov-12",
        "visibility": "DOCUMENT",
        "location": {"dimensionRange": where},
    }
    requests: list[Any] = [
        {"createDeveloperMetadata": {"developerMetadata": mark}},
        {"insertDimension": {"range": {**where, "startIndex": 0, "endIndex": 2}}},
        {"deleteDimension": {"range": {**where, "startIndex": 0, "endIndex": 1}}},
    ]
    sheets.batchUpdate(spreadsheetId="abc", body={"requests": requests}).execute()
    lookup = {"developerMetadataLookup": {"metadataKey": "override", "metadataValue": "ov-12"}}
    body = {
        "valueInputOption": "RAW",
        "data": [{"dataFilter": lookup, "majorDimension": "ROWS", "values": [[None, "Dee"]]}],
    }
    done = sheets.values().batchUpdateByDataFilter(spreadsheetId="abc", body=body).execute()
    assert done["responses"][0]["updatedRange"] == "Shifts!A4:B4"
    assert read(sheets, "Shifts!B4:C4")["values"] == [["Dee", "Cy"]]
    found = (
        sheets.developerMetadata()
        .search(spreadsheetId="abc", body={"dataFilters": [lookup]})
        .execute()
    )
    assert len(found["matchedDeveloperMetadata"]) == 1
    drop = [{"deleteDeveloperMetadata": {"dataFilter": lookup}}]
    sheets.batchUpdate(spreadsheetId="abc", body={"requests": drop}).execute()
    assert (
        sheets.developerMetadata()
        .search(spreadsheetId="abc", body={"dataFilters": [lookup]})
        .execute()
        == {}
    )


def test_tabs_protection_and_drop_downs(google: LocalGoogle, sheets: Any) -> None:
    rule = {"condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": "Ana"}]}}
    cells = {"sheetId": 9, "startRowIndex": 1, "endRowIndex": 3, "endColumnIndex": 1}
    requests = [
        {"addSheet": {"properties": {"title": "Status", "sheetId": 9}}},
        {"addProtectedRange": {"protectedRange": {"range": {"sheetId": 9}, "warningOnly": True}}},
        {"setDataValidation": {"range": cells, "rule": rule}},
    ]
    got = sheets.batchUpdate(spreadsheetId="abc", body={"requests": requests}).execute()
    assert got["replies"][0]["addSheet"]["properties"]["title"] == "Status"
    tab = google.sheets["abc"].tab("Status")
    assert len(tab.protected) == 1
    assert tab.cells[2, 0].rule == rule
    again = [{"addSheet": {"properties": {"title": "New"}}}, requests[0]]
    request = sheets.batchUpdate(spreadsheetId="abc", body={"requests": again})
    assert status_of(request)[0] == 400
    assert [one.title for one in google.sheets["abc"].tabs] == ["Shifts", "My tab", "Status"]


def test_clear_and_update(sheets: Any) -> None:
    sheets.values().clear(spreadsheetId="abc", range="Shifts!A4:Z9", body={}).execute()
    body = {"values": [["Dee", ""]]}
    sheets.values().update(
        spreadsheetId="abc", range="Shifts!B3", valueInputOption="RAW", body={"values": [["Dee"]]}
    ).execute()
    assert read(sheets, "Shifts!B2:C9")["values"] == [["Ana Ruiz"], ["Dee", "Cy"]]
    request = sheets.values().update(
        spreadsheetId="abc", range="Shifts!B3", valueInputOption="RAW", body=body
    )
    assert status_of(request)[0] == 400


def test_who_may_not_and_what_is_not_there(google: LocalGoogle, sheets: Any) -> None:
    assert status_of(sheets.values().get(spreadsheetId="abc", range="Gone")) == (
        400,
        "Unable to parse range: Gone",
    )
    assert status_of(sheets.get(spreadsheetId="other"))[0] == 404
    google.sheets["abc"].shared[BOT] = "reader"
    request = sheets.values().update(
        spreadsheetId="abc", range="A1", valueInputOption="RAW", body={"values": [["x"]]}
    )
    assert status_of(request) == (403, "The caller does not have permission")
    google.sheets["abc"].shared.clear()
    assert status_of(sheets.get(spreadsheetId="abc"))[0] == 403


def test_sixty_reads_a_minute(sheets: Any) -> None:
    for _ in range(60):
        read(sheets, "Shifts!A1")
    assert status_of(sheets.values().get(spreadsheetId="abc", range="Shifts"))[0] == 429


def test_drive_tells_of_a_change_minutes_later(google: LocalGoogle) -> None:
    with client(google, "drive", "v3") as service:
        files = service.files()
        before = files.get(fileId="abc", fields="version,modifiedTime").execute()
        google.type_in("abc", "Shifts!B2", [["Bo"]])
        assert files.get(fileId="abc", fields="version,modifiedTime").execute() == before
        assert files.get(fileId="abc").execute().keys() == {"kind", "id", "name", "mimeType"}
        google.sheets["abc"].changes[-1] = (google.clock.now() - drive.LAG, 7)
        assert files.get(fileId="abc", fields="version").execute() == {"version": "7"}


def test_a_time_of_day_is_a_part_of_a_day(google: LocalGoogle, sheets: Any) -> None:
    google.type_in("abc", "Shifts!D1", [[time(18)]])
    got = read(sheets, "Shifts!D1", valueRenderOption="UNFORMATTED_VALUE")
    assert got["values"] == [[0.75]]
