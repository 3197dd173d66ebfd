"""`watchbill calendar`: what it draws, writes and prints, and what it says when it cannot."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest
from rich.console import Console
from typer.testing import CliRunner

from bot.cli.calendar_picture import preview_json, preview_picture
from bot.cli.main import app
from bot.clock import SystemClock
from rules.people import People, Person
from rules.rotation import OnCall, Span
from tests.bot.app.test_calendars import TEAM, service_account_key
from tests.fakes.google_calendar import FakeGoogleCalendar, Fault, RefusalError

CONFIG = """
database: sqlite:///bot.db
slack: {mode: local}
people:
  - {name: Ana Ruiz, email: ana@example.com}
  - {name: Bo Chen, email: bo@example.com}
rotations: {data: {}}
roster: roster.csv
"""
SECRET = "calendar: {secret: s3cret-of-the-team}\n"
MON = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configure(SECRET)
        day = SystemClock().now().date()
        rows = [
            f"{day + timedelta(weeks=n)},{('Ana Ruiz', 'Bo Chen')[n % 2]}" for n in range(-2, 40)
        ]
        (folder / "roster.csv").write_text("\n".join(["Start,Primary", *rows, ""]))

    def configure(self, more: str) -> None:
        (self.folder / "config.yaml").write_text(CONFIG + more)

    def run(self, *words: str, status: int = 0) -> str:
        result = CliRunner().invoke(
            app, ["calendar", *words, "-c", str(self.folder / "config.yaml")]
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        assert result.exit_code == status, result.output
        return result.output

    def migrate(self) -> None:
        config = str(self.folder / "config.yaml")
        assert CliRunner().invoke(app, ["migrate", "-c", config]).exit_code == 0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def drawn(on_call: OnCall, days: int = 7) -> str:
    people = People([Person("ana", "Ana Ruiz"), Person("bo", "Bo Chen")])
    console = Console(width=80, force_terminal=True, color_system="standard")
    with console.capture() as captured:
        console.print(preview_picture(on_call, "data", people, MON, days, "Europe/Berlin"))
    return captured.get()


def test_the_picture_names_who_has_each_day_and_gaps_in_red() -> None:
    noon = timedelta(hours=11)
    spans = [
        Span(MON - DAY, MON + noon, "data", "primary", ("ana",)),
        Span(MON + noon, MON + 3 * DAY, "data", "primary", ("bo",)),
        Span(MON + 4 * DAY, MON + 9 * DAY, "data", "primary", ("ana", "bo")),
    ]
    text = drawn(OnCall(spans))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert all(len(line) <= 80 for line in plain.splitlines())
    week = next(line for line in plain.splitlines() if line.startswith("23 Nov"))
    assert week.split() == [
        "23",
        "Nov",
        "primary",
        "Ana/Bo",
        "Bo",
        "Bo",
        "Bo/nob",
        "nob/Ana",
        "Ana+Bo",
        "Ana+Bo",
    ]
    assert "\x1b[1;37;41mnob" in text
    assert "Nobody is primary from Thu 2026-11-26 01:00 to Fri 2026-11-27 01:00." in plain
    assert "\x1b[31mNobody" in text


def test_the_picture_of_a_whole_plan_says_that_there_are_no_gaps() -> None:
    plain = re.sub(
        r"\x1b\[[0-9;]*m",
        "",
        drawn(OnCall([Span(MON - DAY, MON + 30 * DAY, "data", "primary", ("a",))])),
    )
    assert "No gaps." in plain
    assert "nobody" not in plain


def test_the_preview_as_json_holds_spans_and_gaps() -> None:
    on_call = OnCall([Span(MON, MON + DAY, "data", "primary", ("ana",))])
    found = preview_json(on_call, ["data"], MON, MON + 2 * DAY)
    assert found["spans"][0]["people"] == ["ana"]
    assert found["gaps"][0]["start"] == (MON + DAY).isoformat()


def test_preview_draws_the_roster(bench: Bench) -> None:
    assert "No gaps." in bench.run("preview")
    assert json.loads(bench.run("preview", "--json", "--days", "3"))["gaps"] == []
    assert 'no rotation "dta"' in bench.run("preview", "--rotation", "dta", status=1)


def test_export_writes_what_the_feed_tells(bench: Bench) -> None:
    for more, count in (((), 2), (("--rotation", "data"), 2), (("--person", "Ana"), 1)):
        bench.run("export", "-o", str(bench.folder / "x.ics"), *more)
        calendar = icalendar.Calendar.from_ical((bench.folder / "x.ics").read_bytes())
        assert len({str(e["summary"]) for e in calendar.walk("VEVENT")}) == count
    assert "cannot be written" in bench.run("export", "-o", "/nowhere/x.ics", status=1)
    assert "nobody is called" in bench.run("export", "-o", "x.ics", "--person", "Zoe", status=1)


def test_links_are_printed_and_revoked(bench: Bench) -> None:
    before = json.loads(bench.run("links", "--json"))["links"]
    assert list(before) == ["all", "data", "ana@example.com", "bo@example.com"]
    assert "makes it" in bench.run("links", "--revoke", "data", status=1)
    bench.migrate()
    new = json.loads(bench.run("links", "--revoke", "Ana", "--json"))["links"]["Ana"]
    after = json.loads(bench.run("links", "--json"))["links"]
    assert {name for name in after if after[name] != before[name]} == {"ana@example.com"}
    assert after["ana@example.com"] == new
    assert "ends within seconds" in bench.run("links", "--revoke", "all")
    assert "nobody is called" in bench.run("links", "--revoke", "zoe", status=1)
    bench.configure("")
    assert "calendar.secret" in bench.run("links", status=1)


def test_sync_writes_google_and_status_tells(bench: Bench) -> None:
    assert "calendar.google" in bench.run("sync", status=1)
    assert "calendar.google" in bench.run("status", status=1)
    google = FakeGoogleCalendar()
    google.calendar(TEAM)
    with google.serving():
        (bench.folder / "key.json").write_text(service_account_key(google.url))
        shared = f"{{data: {TEAM}, other: {TEAM}}}"
        bench.configure(
            "calendar: {google: {credentials: key.json,"
            f' api_url: "{google.url}", calendars: {shared}}}}}\n'
        )
        said = bench.run("sync", "--rotation", "data")
        assert re.search(r"data: \d+ events; \d+ insert \(2 calls\)", said), said
        assert google.calls["token"] == 1
        assert "nothing to write (1 calls)" in bench.run("sync", "--rotation", "data")
        assert "no such rotation" in bench.run("sync", status=1)
        assert "No calendar is shared" in bench.run("sync", "--rotation", "dtaa", status=1)
        google.faults.append(Fault("list", RefusalError(503, "backendError")))
        assert "Google answers 503" in bench.run("sync", "--rotation", "data", status=1)
        assert "not written yet" in bench.run("status", status=1)
