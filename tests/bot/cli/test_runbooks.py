"""`watchbill runbooks`: what there is, what is wrong with it, and what is wanting."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.clock import SystemClock
from bot.store.opening import open_store
from rules.runbooks.gaps import GapKind, RunbookGap
from tests.bot.app.aftercare.test_watch import PLAIN
from tests.bot.cli.test_learned import CONFIG

AT = datetime(2026, 11, 23, 5, 25, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG + "runbooks: {folders: [books]}\n")
    (tmp_path / "roster.csv").write_text("date,data-platform\n2026-11-23,Ana Ruiz\n")
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "late.md").write_text(PLAIN)
    return tmp_path


def run(*words: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["runbooks", *words])
    assert result.exit_code == status, result.output
    return result.output


def test_they_are_listed_with_what_they_are_for(place: Path) -> None:
    (row,) = json.loads(run("list", "--json"))["runbooks"]
    assert (row["id"], row["title"], row["steps"]) == ("late", "Orders is late", 1)
    assert row["matches"] == {"source": ["generic"]}
    assert "late  Orders is late  (cy@example.com, reviewed on 2026-11-20)" in run("list")


def test_a_fault_has_its_place_and_fails(place: Path) -> None:
    assert "1 runbooks, 0 faults" in run("check")
    (place / "books" / "bad.md").write_text("---\nowner: [\n---\n# Bad\n")
    (fault,) = json.loads(run("check", "--json", status=1))["faults"]
    assert fault["file"].endswith("bad.md")


def test_gaps_are_told_with_their_owner(place: Path) -> None:
    asyncio.run(_missing(place))
    gaps = json.loads(run("gaps", "--json"))["gaps"]
    assert ("missing", "returns", "cy@example.com") in [
        (one["kind"], one["subject"], one["owner"]) for one in gaps
    ]
    assert "Owner: cy@example.com." in run("gaps")


def test_a_gap_that_a_link_of_the_catalogue_has_closed_is_none(place: Path) -> None:
    asyncio.run(_missing(place))
    (place / "catalogue.yaml").write_text(
        "products: [{id: returns, name: Returns, runbook: 'https://wiki.example/returns'}]\n"
    )
    with (place / "config.yaml").open("a") as file:
        file.write("catalogue: [catalogue.yaml]\n")
    gaps = json.loads(run("gaps", "--json"))["gaps"]
    assert "missing" not in [one["kind"] for one in gaps]


async def _missing(folder: Path) -> None:
    store = await open_store(f"sqlite:///{folder / 'bot.db'}", SystemClock())
    gap = RunbookGap(key="missing:returns", kind=GapKind.MISSING, subject="returns",
                     owner="cy@example.com", number=3, opened_at=AT,
                     facts={"product": ["returns"]})  # fmt: skip
    async with store.store.begin() as tx:
        tx.runbooks.open_gap(gap)
    await store.close()


def test_without_a_folder_it_says_what_to_do(place: Path) -> None:
    (place / "config.yaml").write_text(CONFIG)
    assert "runbooks.folders" in run("list", status=1)
