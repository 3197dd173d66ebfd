"""`watchbill backup` and `watchbill restore`, as they are typed."""

import shutil
from pathlib import Path

import pytest

from tests.bot.cli.test_stored import run
from tests.process.postgresql import PROGRAMS


@pytest.fixture
def database(tmp_path: Path, sqlite_template: Path) -> Path:
    shutil.copy(sqlite_template, tmp_path / "bot.db")
    return tmp_path / "bot.db"


def test_a_backup_is_made_and_put_in_its_place(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(PROGRAMS))
    file = str(tmp_path / "backup")
    status, said = run(tmp_path, ["backup", file], database_url)
    assert status == 0, said
    assert "MB with 0 incidents, 0 of them open." in said
    status, said = run(tmp_path, ["restore", file, "--replace"], database_url)
    assert status == 0, said
    assert "Restored: 0 incidents" in said
    assert "backup.md" in said
    status, said = run(tmp_path, ["outbox", "dead"], database_url)
    assert (status, said) == (0, "0 given up")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["backup", "bot.db"], "is there already; name another file"),
        (["backup", "no/where.db"], "Make the folder"),
        (["restore", "roster.csv"], "is no backup"),
        (["restore", "absent.db"], "cannot be read: No such file"),
    ],
)
def test_a_refusal_says_what_to_do(
    tmp_path: Path, database: Path, words: list[str], says: str
) -> None:
    status, said = run(tmp_path, [words[0], str(tmp_path / words[1])])
    assert status == 1
    assert says in said
