"""The jobs that ask for journal entries, and how each is written into the outbox."""

from datetime import datetime

from bot.ports.jobs import JobPriority, NewJob
from rules.journal.prompt import JournalPrompt, Next

JOURNAL_ASK = "journal_ask"
JOURNAL_REMIND = "journal_remind"
JOURNAL_SHOWN = "journal_shown"
ASKING = (JOURNAL_ASK, JOURNAL_REMIND)
"""What ends when an incident is opened again."""


def ask_job(
    incident_id: str, channel: str, person: str, key: str, due: datetime, *, proved: bool = False
) -> NewJob:
    """Ask in the incident's thread; `key` names this time of asking.

    With `proved` it was asked already: only what became known goes into the entry.
    """
    return NewJob(
        key=key,
        kind=JOURNAL_ASK,
        lane=f"slack:{channel}",
        priority=JobPriority.NOTE,
        due_at=due,
        payload={"person": person, "proved": proved},
        incident_id=incident_id,
    )


def remind_job(prompt: JournalPrompt, sent: int, then: Next) -> NewJob:
    """Remind for the `sent`-th time, or end asking, when that is due."""
    return NewJob(
        key=f"{prompt.key}:{sent}",
        kind=JOURNAL_REMIND,
        lane=f"dm:{prompt.person}",
        priority=JobPriority.NOTE,
        due_at=then.at,
        payload={"person": prompt.person, "prompt": prompt.key, "sent": sent, "ends": then.ends},
        incident_id=prompt.incident_id,
    )


def shown_job(incident_id: str, channel: str, now: datetime) -> NewJob:
    """Make the messages that asked show how it stands now."""
    return NewJob(
        key=f"journal_shown:{incident_id}",
        kind=JOURNAL_SHOWN,
        lane=f"slack:{channel}",
        priority=JobPriority.PERSON,
        due_at=now,
        incident_id=incident_id,
        renew=True,
    )
