"""`watchbill journal`: found again, and exported."""

import asyncio
import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.clock import SystemClock
from bot.store.opening import open_store
from rules.journal.entry import Facts, JournalEntry, Told
from tests.bot.cli.test_learned import CONFIG

AT = datetime(2026, 11, 23, 5, 25, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "roster.csv").write_text("date,data-platform\n2026-11-23,Ana Ruiz\n")
    asyncio.run(_fill(tmp_path))
    return tmp_path


async def _fill(folder: Path) -> None:
    store = await open_store(f"sqlite:///{folder / 'bot.db'}", SystemClock())
    async with store.store.begin() as tx:
        for number, fix in ((1, "Full refresh"), (2, "=HYPERLINK(1)")):
            tx.journal.save_entry(
                JournalEntry(id=f"e{number}", number=number, at=AT, changed_at=AT,
                             changed_by="ana@example.com", by="ana@example.com",
                             told=Told(fix=fix), facts=Facts(title="orders late"))
            )  # fmt: skip
    await store.close()


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["journal", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_search_prints_what_was_done(place: Path) -> None:
    assert "#1  2026-11-23  orders late" in run("search", "refresh")
    found = json.loads(run("search", "orders", "--json"))
    assert [(one["incident"], one["written_by"]) for one in found] == [
        ("2", "Ana Ruiz"),
        ("1", "Ana Ruiz"),
    ]
    assert place.is_dir()


def test_export_writes_a_file_for_each_entry(place: Path) -> None:
    run("export", "--markdown", "out")
    assert sorted(p.name for p in (place / "out/2026").iterdir()) == [
        "2026-11-23-0001.md",
        "2026-11-23-0002.md",
    ]
    assert "Full refresh" in (place / "out/2026/2026-11-23-0001.md").read_text()


def test_export_writes_a_table_without_formulas(place: Path) -> None:
    run("export", "--csv", "out.csv")
    with (place / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["fix"] for row in rows] == ["Full refresh", "'=HYPERLINK(1)"]


def test_export_says_what_it_needs(place: Path) -> None:
    result = CliRunner().invoke(app, ["journal", "export"])
    assert result.exit_code == 1
    missing = CliRunner().invoke(app, ["journal", "export", "--csv", str(place / "no/x.csv")])
    assert missing.exit_code == 1
