"""Runs a declared command: no shell, a bare environment, a time-out, and little of its output."""

import asyncio
import os
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

LONGEST_OUTPUT = 8_000
"""Bytes that are kept, the last ones."""
_SAFE = re.compile(r"[A-Za-z0-9_.:@/+=,~-]{1,200}")
_CUT_WORD = re.compile(rb"\S*\s+")
_HOLE = re.compile(r"\{([^{}]*)\}")


class UnsafeValueError(ValueError):
    """A value from outside that no command is given; the text is for the person who clicked."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How it ended: `status` None when it was stopped, for it took too long."""

    status: int | None
    output: str


def filled(command: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """Put values into the arguments; raises UnsafeValueError for one that could mean more.

    Values come from alerts. A value is never an option or a path upwards, and holds no signs
    that a program could take for anything but a name.
    """

    def value(hit: re.Match[str]) -> str:
        given = values.get(hit[1], "")
        if not given:
            raise UnsafeValueError(f"this incident has no {hit[1]}")
        if not _SAFE.fullmatch(given) or given.startswith("-") or ".." in given:
            raise UnsafeValueError(f"its {hit[1]} has signs that are not passed to a command")
        return given

    return [_HOLE.sub(value, argument) for argument in command]


async def run_command(command: Sequence[str], env: Mapping[str, str], most: timedelta) -> Ran:
    """Run a program to its end, or stop it and all it started.

    Raises OSError when it cannot be started. It is stopped as well when the caller is cancelled.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(env),
        start_new_session=True,
    )
    kept = bytearray()
    try:
        async with asyncio.timeout(most.total_seconds()):
            await _read(process, kept)
            status: int | None = await process.wait()
    except TimeoutError:
        status = None
    finally:
        _kill(process)
    await process.wait()
    return Ran(status, _whole_words(bytes(kept)).decode("utf-8", "replace"))


async def _read(process: asyncio.subprocess.Process, kept: bytearray) -> None:
    """Read all that it says, and keep the end: that is where errors stand."""
    assert process.stdout is not None
    while chunk := await process.stdout.read(65_536):
        kept += chunk
        del kept[:-LONGEST_OUTPUT]


def _whole_words(kept: bytes) -> bytes:
    """Drop the word that was cut in two: half of a secret would not be known for one."""
    if len(kept) < LONGEST_OUTPUT:
        return kept
    cut = _CUT_WORD.match(kept)
    return kept[cut.end() :] if cut else kept


def _kill(process: asyncio.subprocess.Process) -> None:
    """End the program with whatever it left running."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
