"""However a command ends, it ends in words, never in a traceback."""

import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from typer.testing import CliRunner

from bot.cli.main import app


def test_a_full_disk_is_no_traceback() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bot", "manifest"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        "Nothing more can be written: the disk is full. Make room, then try again.\n"
    )


def ended_by(raised: str) -> tuple[int, str]:
    """Return the status and the words of a command in which this was raised."""
    code = f"""
from bot import __main__ as main

def commands(words):
    raise {raised}

main.commands = commands
main.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr


def test_what_may_not_be_used_is_named_with_what_to_do() -> None:
    denied = "PermissionError(13, 'Permission denied', '/x/watchbill.db')"
    says = "/x/watchbill.db cannot be used: Permission denied."
    assert ended_by(denied) == (1, f"{says} Run this as the bot's user, or as root.\n")


def test_ctrl_c_while_it_loads() -> None:
    assert ended_by("KeyboardInterrupt") == (130, "")


def test_a_local_google_whose_port_is_taken_says_how_to_name_another(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        words = ["local-google", "--listen", at, "--key", str(tmp_path / "key.json")]
        config = ["-c", str(tmp_path / "config.yaml")]
        result = CliRunner().invoke(app, [*words, *config])
    assert result.exit_code == 1
    assert "address already in use" in result.output
    assert "Name another place with --listen or --key." in result.output
