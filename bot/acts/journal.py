"""What people write into the journal, or say need not be written."""

from dataclasses import dataclass
from typing import Literal

from rules.journal.entry import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteJournal:
    """The entry of an incident; `seen_version` is the one that stood in the form, 0 for none.

    `unasked` names what of `told` the form did not ask: it stays as it was.
    """

    by: str
    number: int
    told: Told
    seen_version: int = 0
    unasked: tuple[str, ...] = ()
    kind: Literal["write_journal"] = "write_journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveJournal:
    """No entry is needed."""

    by: str
    number: int
    why: str
    kind: Literal["waive_journal"] = "waive_journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToJournal:
    """A message goes into the journal; `number` is the incident it is about, None for none.

    `author` wrote it, "" when nobody knows; `link` leads to it.
    """

    by: str
    text: str
    number: int | None = None
    author: str = ""
    link: str = ""
    kind: Literal["add_to_journal"] = "add_to_journal"


JournalAct = WriteJournal | WaiveJournal | AddToJournal
