"""Commands beside a database that is not there, or has no tables yet, say so in words."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.cli.stored import what_to_do

CONFIG = """
database: {database}
slack: {{mode: local}}
people: [{{name: Ana Ruiz, email: ana@example.com}}]
rotations: {{data-platform: {{}}}}
roster: roster.csv
"""
COMMANDS = {
    "dead": ["outbox", "dead"],
    "retry": ["outbox", "retry", "j1"],
    "replay": ["replay", "d1"],
}


def run(tmp_path: Path, words: list[str], database: str = "sqlite:///bot.db") -> tuple[int, str]:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(database=database))
    (tmp_path / "roster.csv").write_text("Start,Person\n2026-11-16,Ana Ruiz\n")
    result = CliRunner().invoke(app, [*words, "-c", str(config)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_without_a_database_nothing_is_made(tmp_path: Path, words: list[str]) -> None:
    status, said = run(tmp_path, words)
    assert status == 1
    assert "`watchbill serve` makes it" in said
    assert not (tmp_path / "bot.db").exists()


@pytest.mark.parametrize("words", [*COMMANDS.values(), ["who"]], ids=[*COMMANDS, "who"])
def test_a_database_without_tables_is_told_of(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "bot.db").touch()
    status, said = run(tmp_path, words)
    assert status == 1
    assert "`watchbill migrate`" in said


@pytest.mark.parametrize("words", [*COMMANDS.values(), ["who"]], ids=[*COMMANDS, "who"])
def test_a_damaged_database_is_to_be_restored(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "bot.db").write_bytes(b"no database at all" * 99)
    status, said = run(tmp_path, words)
    assert status == 1
    assert "restore the newest whole backup" in said


def test_whose_database_it_is_is_asked_where_it_cannot_be_written() -> None:
    assert "as the bot's user" in what_to_do("attempt to write a readonly database")


def test_a_database_that_cannot_be_reached_is_told_of(tmp_path: Path) -> None:
    status, said = run(tmp_path, ["who"], "postgresql://watchbill@127.0.0.1:1/watchbill")
    assert status == 1
    assert "The database cannot be used" in said


def test_who_needs_no_database(tmp_path: Path) -> None:
    status, said = run(tmp_path, ["who", "--at", "2026-11-17T12:00+00:00"])
    assert status == 0
    assert "Ana Ruiz" in said


def test_who_says_why_and_names_the_cell(tmp_path: Path) -> None:
    at = ["--at", "2026-11-17T12:00+00:00"]
    status, said = run(tmp_path, ["who", "--why", *at])
    assert status == 0
    assert said == "data-platform primary: Ana Ruiz row 2: Ana Ruiz (B2)"
    status, said = run(tmp_path, ["who", "--why", "--json", *at])
    assert json.loads(said)["on_call"][0]["reasons"] == [{"text": "row 2: Ana Ruiz", "where": "B2"}]
    status, said = run(tmp_path, ["who", "--why", "--rotation", "data-platfrom", *at])
    assert status == 1
    assert 'Did you mean "data-platform"?' in said


def test_after_migrate_there_is_nothing_to_retry(tmp_path: Path) -> None:
    assert run(tmp_path, ["migrate"])[0] == 0
    assert run(tmp_path, ["outbox", "dead"]) == (0, "0 given up")
    assert run(tmp_path, ["outbox", "retry", "j1"])[0] == 1
    assert run(tmp_path, ["replay", "d1"]) == (1, "There is no delivery d1.")
