"""`watchbill local-google`: a sheet and a calendar to try, with a page, for this machine only."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import aiohttp
import pytest
import yaml
from typer.testing import CliRunner

from bot.app.local_google import (
    ACCOUNT,
    SHEET,
    KeyInTheWayError,
    LocalGoogleSetting,
    configuration_for,
    start_local_google,
)
from bot.calendar.budget import Budget
from bot.calendar.google import GoogleCalendarApi, service_account_file
from bot.calendar.reconcile import Reconciler
from bot.cli.main import app
from bot.clock import SystemClock
from bot.config.settings import Config
from bot.local_google.server import NotLoopbackError, RunningGoogle
from bot.roster.google_client import GoogleSheets
from rules.calendar.plan import Wanted

TABS: dict[str, list[list[str | date]]] = {
    "Shifts": [["Week of", "Primary"], [date(2026, 11, 16), "Ana Ruiz"]]
}


@pytest.fixture
def setting(tmp_path: Path) -> LocalGoogleSetting:
    return LocalGoogleSetting(
        tabs=TABS, rotation="data", key=tmp_path / "key.json", host="127.0.0.1", port=0
    )


@pytest.fixture
async def running(setting: LocalGoogleSetting) -> AsyncIterator[RunningGoogle]:
    one = await start_local_google(setting)
    yield one
    await one.close()
    assert one.google.breaches == []


async def test_the_clients_read_and_write_it_as_they_do_with_google(
    running: RunningGoogle, setting: LocalGoogleSetting
) -> None:
    lines = yaml.safe_load(configuration_for(setting, running.url))
    told = Config.model_validate({"slack": {"mode": "local"}, **lines})
    assert told.google is not None
    assert told.calendar.google is not None
    assert told.roster == f"google-sheet:{SHEET}"
    sheets = GoogleSheets(Path(told.google.credentials), api_url=told.google.sheets_url)
    (values,) = await asyncio.to_thread(sheets.values, SHEET, ["Shifts!A1:B2"])
    assert values["values"][1][1] == "Ana Ruiz"
    assert sheets.address == ACCOUNT
    sheets.close()
    spec = told.calendar.google
    api = GoogleCalendarApi(service_account_file(spec.credentials), api_url=spec.api_url)
    wanted = Wanted(
        id="oc0123456789", rotation="data", summary="Ana Ruiz · data", description="",
        start=datetime(2026, 11, 16, 9, tzinfo=UTC), end=datetime(2026, 11, 23, 9, tzinfo=UTC),
    )  # fmt: skip
    clock = SystemClock()
    budget = Budget(spec.calls_per_minute, clock)
    reconciler = Reconciler(api, spec.calendars["data"], "data", clock=clock, budget=budget)
    report = await reconciler.reconcile([wanted])
    api.close()
    assert report.written == 1
    async with aiohttp.ClientSession() as http, http.get(f"{running.url}/sheet/state") as answer:
        state = await answer.json()
    (event,) = state["events"]
    assert event == {
        "start": "Mon 2026-11-16 09:00 UTC",
        "end": "Mon 2026-11-23 09:00 UTC",
        "summary": "Ana Ruiz · data",
    }
    assert state["tabs"] == [
        {"title": "Shifts", "rows": [["Week of", "Primary"], ["2026-11-16", "Ana Ruiz"]]}
    ]


async def test_cells_are_typed_on_the_page_and_strangers_stay_out(running: RunningGoogle) -> None:
    cell = {"tab": "Shifts", "row": 2, "column": 0, "text": "2026-11-23"}
    url = f"{running.url}/sheet/cell"
    async with aiohttp.ClientSession() as http:
        async with http.post(url, json=cell) as answer:
            assert answer.status == 204
        assert running.google.sheets[SHEET].tab("Shifts").cells[2, 0].format == "DATE"
        for wrong in ({}, {**cell, "tab": "No"}, {**cell, "row": -1}, {**cell, "column": 9999}):
            async with http.post(url, json=wrong) as answer:
                assert answer.status == 400
        for header in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            async with http.post(url, json=cell, headers=header) as answer:
                assert answer.status == 403
        for name, kind in (("", "text/html"), ("sheet.js", "text/javascript")):
            async with http.get(f"{running.url}/sheet/{name}") as answer:
                assert (answer.status, answer.content_type) == (200, kind)
        async with http.get(f"{running.url}/sheet/tokens.py") as answer:
            assert answer.status == 404


async def test_a_bot_keeps_its_key_when_it_is_started_again(setting: LocalGoogleSetting) -> None:
    one = await start_local_google(setting)
    port, before = int(one.url.rpartition(":")[2]), setting.key.read_text()
    assert setting.key.stat().st_mode & 0o777 == 0o600
    await one.close()
    again = await start_local_google(replace(setting, port=port))
    sheets = GoogleSheets(setting.key, api_url=f"{again.url}/")
    await asyncio.to_thread(sheets.values, SHEET, ["Shifts!A1:B2"])
    sheets.close()
    await again.close()
    assert setting.key.read_text() == before


@pytest.mark.parametrize("text", ["{}", "not json", '{"project_id": "mine"}'])
async def test_a_key_that_is_not_ours_is_left_alone(setting: LocalGoogleSetting, text: str) -> None:
    setting.key.write_text(text)
    with pytest.raises(KeyInTheWayError, match="--key"):
        await start_local_google(setting)
    assert setting.key.read_text() == text


async def test_it_listens_on_this_machine_only(setting: LocalGoogleSetting) -> None:
    with pytest.raises(NotLoopbackError):
        await start_local_google(replace(setting, host="0.0.0.0"))


def test_the_command_says_what_is_wrong_with_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for address, words in (("8070", "write it like"), ("0.0.0.0:0", "this machine only")):
        said = CliRunner().invoke(app, ["local-google", "--listen", address])
        assert said.exit_code == 1
        assert words in said.output
