"""How failures of a job are borne, by how urgent it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.ports.jobs import Job, JobPriority


@dataclass(frozen=True, slots=True)
class Patience:
    """How failures are borne: given up once both `give_up_after` and `attempts` are reached."""

    give_up_after: timedelta
    longest_wait: timedelta
    first_wait: timedelta = timedelta(seconds=1)
    attempts: int = 5

    def wait(self, attempts: int, fraction: float) -> timedelta:
        """Return the wait after so many attempts: doubled each time, then `fraction` of it."""
        doubled = self.first_wait * (1 << min(max(attempts, 1) - 1, 20))
        return min(doubled, self.longest_wait) * fraction


PAGE_PATIENCE = Patience(timedelta(hours=24), timedelta(minutes=1))
SHOW_PATIENCE = Patience(timedelta(hours=24), timedelta(minutes=5))
NOTE_PATIENCE = Patience(timedelta(hours=2), timedelta(minutes=5))
"""An answer or a note of hours ago helps nobody."""


def patience_with(job: Job) -> Patience:
    """Return how long it is worth trying, by how urgent a job is."""
    match job.priority:
        case JobPriority.PAGE:
            return PAGE_PATIENCE
        case JobPriority.PERSON | JobPriority.MACHINE:
            return SHOW_PATIENCE
        case JobPriority.ANSWER | JobPriority.NOTE | JobPriority.PICTURE:
            return NOTE_PATIENCE


_AT_ONCE = timedelta(seconds=1)
_AT_LAST = timedelta(minutes=1)


def by_another(job: Job, now: datetime) -> timedelta:
    """Return after what another process may try it: at once at first, for it may be in order there."""
    return min(max((now - job.due_at) / 4, _AT_ONCE), _AT_LAST)
