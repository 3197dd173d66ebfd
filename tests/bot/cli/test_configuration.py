"""A command whose configuration cannot be used says each fault, and what to do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "{path}: there is no such file; name yours with -c\n1 fault; correct {path}"),
        ("lissten: x\nrooster: y\nslack: {mode: local}\n", "2 faults; correct {path}"),
    ],
)
def test_a_command_says_every_fault_and_what_to_do(
    tmp_path: Path, text: str | None, said: str
) -> None:
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text)
    done = CliRunner().invoke(app, ["outbox", "dead", "-c", str(path)])
    assert done.exit_code == 1
    assert said.format(path=path) + ", then try again." in done.stderr
