"""What `serve` loads to start: nothing heavy that it does not need at once."""

import subprocess
import sys
from pathlib import Path

import pytest

LATER = (
    *("alembic", "asyncpg", "bot.demo", "bot.workspace.state", "google", "googleapiclient"),
    *("icalendar", "jinja2", "openpyxl", "pygments", "resvg_py", "rich"),
    *("sqlalchemy.dialects.postgresql", "sqlmodel"),
)
"""Needed by some commands, some configurations, or a first start only."""

_NAMES = """
import sys
from bot.__main__ import commands
commands()
import bot.app.serving
print(*sys.modules, sep="\\n")
"""


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
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


@pytest.mark.parametrize("heavy", LATER)
def test_it_is_not_loaded_at_the_start(heavy: str, loaded: frozenset[str]) -> None:
    assert "bot.app.application" in loaded
    assert not {name for name in loaded if name == heavy or name.startswith(f"{heavy}.")}
