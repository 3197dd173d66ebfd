"""What a person put right about an incident."""

from dataclasses import dataclass
from datetime import datetime

from rules.category import Category
from rules.priority import Impact


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What was wrong, by hand; None is what was left as it was.

    No later alert of the incident changes it back.
    """

    by: str
    at: datetime
    category: Category | None = None
    impact: Impact | None = None
    actionable: bool | None = None
    why: str = ""
