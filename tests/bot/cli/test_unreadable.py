"""What this user may not read is said in words, with what to do; it is never a traceback."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest

from bot.catalogue.reading import read_catalogue
from bot.cli.stored import exists
from bot.config.file import load
from bot.runbooks.reading import read_runbooks
from bot.store.errors import StoreUnfitError
from bot.store.locking import lock

NOBODY = 65_534
T = TypeVar("T")


def as_nobody(do: Callable[[], T]) -> T:
    """Root reads everything, so be somebody else for a moment, in which nothing is imported."""
    with suppress(Exception):
        do()  # imports what it needs, codecs too
    me = os.geteuid()
    if me == 0:
        os.seteuid(NOBODY)
    try:
        return do()
    finally:
        os.seteuid(me)


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that nobody may look into, in one that everybody may."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        place = folder / "closed"
        (place / "inside").mkdir(parents=True)
        (folder / "config.yaml").write_text(
            "slack: {mode: local}\nrulebook: [closed]\ndatabase: sqlite:///closed/inside/x.db\n"
        )
        place.chmod(0)
        yield place
        place.chmod(0o755)


def test_a_folder_of_rulebooks(closed: Path) -> None:
    loaded = as_nobody(lambda: load(closed.parent / "config.yaml", {}))
    (fault,) = loaded.faults
    assert fault.line == 2
    assert fault.message == '"closed" cannot be read: Permission denied'


def test_a_folder_of_catalogues_and_what_lies_in_one(closed: Path) -> None:
    read = as_nobody(lambda: read_catalogue([closed, closed / "inside.yaml"]))
    assert [fault.file for fault in read.faults] == [str(closed), str(closed / "inside.yaml")]
    assert {fault.message for fault in read.faults} == {"cannot be read: Permission denied"}


def test_a_folder_of_runbooks_and_what_lies_in_one(closed: Path) -> None:
    read = as_nobody(lambda: read_runbooks([str(closed.parent), str(closed / "inside")]))
    assert [fault.file for fault in read.faults] == [str(closed), str(closed / "inside")]
    assert {fault.message for fault in read.faults} == {"cannot be read: Permission denied"}


def test_a_database_that_may_not_be_seen_is_not_taken_for_none(closed: Path) -> None:
    assert as_nobody(lambda: exists(f"sqlite:///{closed}/inside/x.db"))
    with pytest.raises(StoreUnfitError, match="cannot be looked at"):
        as_nobody(lambda: lock(closed / "inside" / "folder" / "x.db").close())
