"""The whole bot on a Google sheet: read at start, when announced, and never worse than before."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app as commands
from bot.clock import SystemClock
from bot.local_google.google import LocalGoogle
from bot.local_google.spreadsheet import Written
from bot.web.authentication import sign
from tests.bot.app.conftest import CONFIG, WEDNESDAY, Running, started
from tests.fakes.google import BOT, google_in_a_thread, key_file, running_google

SECRET = "secret-of-the-roster"
POLL = "10m"


def rows(*people: str, now: datetime = WEDNESDAY) -> list[list[Written]]:
    monday = now.date() - timedelta(days=now.weekday() + 7)
    made: list[list[Written]] = [["Week of", "Primary", "Secondary"]]
    return made + [
        [monday + timedelta(weeks=n), person, "Cy Haddad"] for n, person in enumerate(people * 3)
    ]


async def until(there: Callable[[], bool], seconds: float = 10) -> bool:
    clock = SystemClock()
    end = clock.now() + timedelta(seconds=seconds)
    while not there() and clock.now() < end:
        await clock.sleep_until(clock.now() + timedelta(seconds=0.05))
    return there()


@dataclass
class OnASheet:
    bot: Running
    google: LocalGoogle

    async def announce(self, secret: str = SECRET) -> int:
        at = int(self.bot.app.setting.clock.now().timestamp() * 1000)
        body = json.dumps({"id": "abc", "at": at, "kind": "EDIT"})
        headers = {"X-Watchbill-Signature": sign(secret, body.encode())}
        url = f"{self.bot.app.url}/hooks/roster"
        async with self.bot.http.post(url, data=body, headers=headers) as answer:
            return answer.status

    async def ready(self) -> tuple[int, dict[str, str]]:
        async with self.bot.http.get(f"{self.bot.app.url}/readyz") as answer:
            body = await answer.json()
            return answer.status, {**body["checks"], "age": body["details"]["roster"]}

    async def until_primary(self, person: str, seconds: float = 10) -> None:
        def there() -> bool:
            now = self.bot.app.setting.clock.now()
            return self.bot.app.rules.shown().at("data", "primary", now) == (person,)

        assert await until(there, seconds), self.bot.app.rules.shown().all_spans()[:3]


@pytest.fixture
async def sheet(database_url: str, tmp_path: Path) -> AsyncIterator[OnASheet]:
    async with running_google() as google:
        google.add_spreadsheet("abc", {"Shifts": rows("Ana Ruiz")}, shared={BOT: "reader"})
        async with on_sheet(google, database_url, tmp_path) as bot:
            yield OnASheet(bot, google)


def more(google: LocalGoogle, folder: Path) -> str:
    url, key = google.url, key_file(google, folder)
    return (
        f"google: {{credentials: {key}, sheets_url: '{url}/'}}\n"
        f"roster_secret: {SECRET}\nroster_poll: {POLL}\n"
    )


def on_sheet(
    google: LocalGoogle, database_url: str, folder: Path
) -> AbstractAsyncContextManager[Running]:
    said = more(google, folder)
    return started(database_url, folder, speed=1.0, more=said, roster="google-sheet:abc")


async def test_an_announced_edit_is_in_force_within_seconds(sheet: OnASheet) -> None:
    await sheet.until_primary("ana@example.com")
    sheet.google.type_in("abc", "Shifts!A1", rows("Bo Chen"))
    assert await sheet.announce() == 202
    await sheet.until_primary("bo@example.com")
    status, said = await sheet.ready()
    assert (status, said["roster"]) == (200, "ok")
    assert said["age"].startswith("version ")
    assert ", read " in said["age"]


async def test_who_may_not_announce(sheet: OnASheet) -> None:
    assert await sheet.announce("another") == 401


async def test_a_sheet_that_is_not_shared_any_more_leaves_everybody_on_call(
    sheet: OnASheet,
) -> None:
    sheet.google.sheets["abc"].shared.clear()
    sheet.google.type_in("abc", "Shifts!A1", rows("Bo Chen"))
    assert await sheet.announce() == 202

    async def told() -> str:
        return (await sheet.ready())[1]["age"]

    roster = sheet.bot.app.roster
    assert roster is not None
    assert await until(lambda: bool(getattr(roster.source, "trouble", "")))
    await sheet.until_primary("ana@example.com")
    said = await told()
    assert f"Share it with {BOT} (Viewer is enough)." in said
    assert (await sheet.ready())[0] == 200


async def test_a_half_edited_sheet_leaves_the_last_good_version(sheet: OnASheet) -> None:
    sheet.google.type_in("abc", "Shifts!A1", [["", "", ""]])
    assert await sheet.announce() == 202

    def refused() -> bool:
        roster = sheet.bot.app.roster
        return roster is not None and bool(roster.loaded.refused)

    assert await until(refused)
    await sheet.until_primary("ana@example.com")
    status, said = await sheet.ready()
    assert (status, said["roster"]) == (503, "refused: data; run watchbill roster check")


def checked(folder: Path, google: LocalGoogle, roster: str = "google-sheet:abc") -> tuple[int, str]:
    path = folder / "config.yaml"
    text = CONFIG.format(database="sqlite:///w.db", port=8080, roster=roster)
    path.write_text(text + more(google, folder))
    done = CliRunner().invoke(commands, ["roster", "check", "-c", str(path)])
    return done.exit_code, done.output


def test_roster_check_reads_a_sheet_and_names_its_cells(tmp_path: Path) -> None:
    shifts = rows("Ana Ruiz", now=SystemClock().now())  # the command reads the true clock
    with google_in_a_thread() as google:
        sheet = google.add_spreadsheet("abc", {"Shifts": shifts}, shared={BOT: "reader"})
        assert checked(tmp_path, google)[0] == 0
        google.type_in("abc", "Shifts!B3", [["Zed Q"]])
        status, said = checked(tmp_path, google)
        assert status == 1
        assert "google-sheet:abc: Shifts!B3: nobody" in said
        sheet.shared.clear()
        status, said = checked(tmp_path, google)
        assert status == 1
        assert f"Share it with {BOT} (Viewer is enough)." in said
        status, said = checked(tmp_path, google, "google-sheet:other")
        assert "there is no such sheet" in said
        google.faults.add("service_disabled_403", "sheets.spreadsheets.get", times=9)
        status, said = checked(tmp_path, google)
        assert "Enable it: https://console" in said
        assert len(said.splitlines()) == 2


async def test_a_bot_that_starts_without_google_has_its_last_good_roster(
    database_url: str, tmp_path: Path
) -> None:
    async with running_google() as google:
        google.add_spreadsheet("abc", {"Shifts": rows("Ana Ruiz")}, shared={BOT: "reader"})
        async with on_sheet(google, database_url, tmp_path) as bot:
            await OnASheet(bot, google).until_primary("ana@example.com")
        google.faults.add("http_503", "sheets.spreadsheets.get", times=99)
        async with on_sheet(google, database_url, tmp_path) as bot:
            again = OnASheet(bot, google)
            await again.until_primary("ana@example.com")
            status, said = await again.ready()
            assert status == 503
            assert "the sheet cannot be read: Google answers 503" in said["roster"]
            google.faults.clear()
            google.type_in("abc", "Shifts!A1", rows("Bo Chen"))
            await again.until_primary("bo@example.com", seconds=15)
            assert (await again.ready())[0] == 200
