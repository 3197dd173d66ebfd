"""Who is asked to write a journal entry, and when they are reminded: gently, and with an end."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PromptState(StrEnum):
    """How asking for an entry stands; only `open` reminds anybody."""

    OPEN = "open"
    WRITTEN = "written"
    WAIVED = "waived"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPrompt:
    """The question for one incident's entry. `key` names this time of asking.

    `by` and `why` tell who said that no entry is needed, and why.
    """

    incident_id: str
    number: int
    person: str
    title: str
    key: str
    asked_at: datetime
    changed_at: datetime
    state: PromptState = PromptState.OPEN
    by: str = ""
    why: str = ""
