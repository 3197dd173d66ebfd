"""One reader of outside input as the fuzzers see it: bytes in, and only what it promises out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS = 4.0
"""Of the processor's time for one input: far more than any needs, far less than a hang."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`run` returns for any bytes at all; whatever it raises is a fault.

    `seeds` are samples that the reader understands, or nearly does.
    """

    name: str
    run: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    seconds: float = SECONDS

    def attack(self, data: bytes) -> None:
        """Run it on hostile bytes; raises AssertionError when it takes too long."""
        began = time.process_time()
        self.run(data)
        spent = time.process_time() - began
        assert spent < self.seconds, f"{self.name}: {spent:.1f} s for {len(data):,} bytes"


def text_in(data: bytes) -> str:
    """Return bytes as text that may hold anything a text can, lone surrogates too."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


@cache
def _kept() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="watchbill-fuzz-")


def folder() -> Path:
    """Return a folder of this process, for readers that want a file."""
    return Path(_kept().name)


def file_of(name: str, data: bytes) -> Path:
    path = folder() / name
    path.write_bytes(data)
    return path


def files(root: Path, pattern: str) -> tuple[bytes, ...]:
    found = tuple(path.read_bytes() for path in sorted(root.glob(pattern)))
    assert found, f"{root}/{pattern} is nowhere"
    return found


def short(error: Exception, most: int) -> None:
    """Check that an error is short enough to be shown to somebody."""
    assert len(str(error)) < most, f"{type(error).__name__} of {len(str(error))} characters"
