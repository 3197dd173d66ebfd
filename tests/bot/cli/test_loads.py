"""`watchbill roster load` and `watchbill roster changes`."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from typer.testing import CliRunner

from bot.cli.main import app
from bot.ports.changes import RosterChange
from bot.store.opening import open_store
from rules.schedule.held import Slot
from rules.schedule.roster import Override, OverrideKind
from tests.fakes.clock import FakeClock

CONFIG = """
database: sqlite:///load.db
slack: {mode: local}
roster: roster.csv
rotations: {data: {zone: UTC}}
people:
  - {name: Ana Ruiz, email: ana@example.com}
  - {name: Bo Chen, email: bo@example.com}
"""
FIRST = datetime(2026, 9, 28, 9, tzinfo=UTC)
ANA, BO = "ana@example.com", "bo@example.com"
PNG = b"\x89PNG"


def folder(tmp_path: Path, *people: str) -> str:
    weeks = [f"{FIRST + timedelta(weeks=n):%Y-%m-%d},{who}" for n, who in enumerate(people)]
    (tmp_path / "roster.csv").write_text("\n".join(["Week of,Primary", *weeks]) + "\n")
    (tmp_path / "config.yaml").write_text(CONFIG)
    return str(tmp_path / "config.yaml")


def said(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["roster", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout


def period() -> tuple[str, ...]:
    return ("--from", FIRST.isoformat(), "--to", (FIRST + timedelta(weeks=4)).isoformat())


def change() -> RosterChange:
    slot = Slot(rotation="data", role="primary", starts_at=FIRST + timedelta(weeks=1),
                ends_at=FIRST + timedelta(weeks=2))  # fmt: skip
    return RosterChange(id="1", at=FIRST, by=BO, origin="slack", what="override", subject="o",
                        slot=slot, before=ANA, after=BO)  # fmt: skip


async def store(tmp_path: Path) -> None:
    opened = await open_store(f"sqlite:///{tmp_path / 'load.db'}", FakeClock())
    made = change()
    async with opened.store.begin() as tx:
        tx.roster.save_override(
            Override(id="o", rotation="data", role="primary", person=BO, by=BO,
                     starts_at=made.slot.starts_at, ends_at=made.slot.ends_at, created_at=FIRST,
                     kind=OverrideKind.REPLACE, instead_of=ANA)
        )  # fmt: skip
        tx.roster.note_change(made)
    await opened.close()


def test_the_load_is_told_drawn_and_printed(tmp_path: Path) -> None:
    config = folder(tmp_path, *["Ana Ruiz"] * 3, "Bo Chen")
    text = said("load", "-c", config, *period())
    assert "Ana Ruiz" in text
    assert "Evenness" in text
    png = tmp_path / "load.png"
    document = json.loads(said("load", "-c", config, *period(), "--png", str(png), "--json"))
    assert png.read_bytes().startswith(PNG)
    hours = {p["person"]: sum(p["hours"].values()) for p in document["people"]}
    assert hours == {ANA: 504.0, BO: 168.0}
    assert document["proposal"]["moves"] == []


def test_what_is_forgotten_is_said_to_be_missing(tmp_path: Path) -> None:
    config = folder(tmp_path, "Ana Ruiz")
    long_ago = ("--from", "2001-01-01T00:00:00Z", "--to", "2001-02-01T00:00:00Z")
    told = CliRunner().invoke(app, ["roster", "load", "-c", config, *long_ago])
    assert "Pages are kept for 90 d (`retention`): those before that" in told.stderr
    assert CliRunner().invoke(app, ["roster", "load", "-c", config]).stderr == ""


def test_what_was_changed_in_slack_counts_and_is_listed(tmp_path: Path) -> None:
    config = folder(tmp_path, *["Ana Ruiz"] * 3, "Bo Chen")
    asyncio.run(store(tmp_path))
    document = json.loads(said("load", "-c", config, *period(), "--json"))
    hours = {p["person"]: sum(p["hours"].values()) for p in document["people"]}
    assert hours == {ANA: 336.0, BO: 336.0}
    listed = said("changes", "-c", config, "--from", (FIRST - timedelta(days=1)).isoformat())
    assert f"{BO}: override, data primary" in listed
    assert f"{ANA} -> {BO}" in listed
    (one,) = json.loads(said("changes", "-c", config, "--from", FIRST.isoformat(), "--json"))
    assert (one["by"], one["before"], one["after"]) == (BO, ANA, BO)


def test_what_cannot_be_told_says_why(tmp_path: Path) -> None:
    config = folder(tmp_path, "Ana Ruiz")
    wrong = CliRunner().invoke(
        app, ["roster", "load", "-c", config, "--from", "2026-11-02", "--to", "2026-11-01"]
    )
    assert wrong.exit_code == 1
    assert "--to must come after --from" in wrong.output
    unknown = CliRunner().invoke(app, ["roster", "load", "-c", config, "--rotation", "dta"])
    assert unknown.exit_code == 1
    assert 'Did you mean "data"' in unknown.output
    assert "Nobody has changed" in said("changes", "-c", config)
