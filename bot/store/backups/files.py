"""A file that has its name only once it is whole and on the disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield where to write; it becomes `target` when the block ends well, else it is removed.

    Nobody but us may read it: it holds what people wrote into incidents.
    """
    partial = Path(f"{target}.partial")
    partial.unlink(missing_ok=True)
    try:
        partial.touch(mode=0o600)
        yield partial
        sync(partial)
        partial.rename(target)
        sync(target.absolute().parent)
    finally:
        partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Return when a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
