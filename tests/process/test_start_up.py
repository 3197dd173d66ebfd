"""What `serve` loads to start: nothing heavy that it does not need at once."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import main, serve_alone

LATER = (
    *("aiosmtplib", "alembic", "asyncpg", "bot.access.backends.registry", "bot.cli.access"),
    *("bot.cli.main", "bot.demo", "bot.workspace.state", "google", "googleapiclient"),
    *("icalendar", "jinja2", "openpyxl", "pygments", "resvg_py", "rich"),
    "sqlalchemy.dialects.postgresql",
)
"""Needed by some commands, some configurations, or a first start only."""

_WITHIN = tuple(f"{name}." for name in LATER)
_NAMES = """
import sys
from bot.__main__ import commands
commands(["serve"])
import bot.app.serving
print(*sys.modules, sep="\\n")
"""


def _loaded() -> frozenset[str]:
    """Return the modules that are there once `serve` has all it needs."""
    run = subprocess.run(
        [sys.executable, "-c", _NAMES],
        cwd=Path(__file__).parents[2],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return frozenset(run.stdout.split())


def test_nothing_heavy_is_loaded_at_the_start() -> None:
    loaded = _loaded()
    assert "bot.app.application" in loaded
    assert [name for name in sorted(loaded) if f"{name}.".startswith(_WITHIN)] == []


@pytest.mark.parametrize("arguments", [["serve", "--help"], ["serve", "--nonsense"]])
def test_by_itself_it_speaks_as_among_the_other_commands(arguments: list[str]) -> None:
    told = [
        (answer.exit_code, answer.output)
        for app in (serve_alone.app, main.app)
        for answer in [CliRunner().invoke(app, arguments, prog_name="watchbill")]
    ]
    assert told[0] == told[1]
    assert "watchbill serve" in told[0][1]
