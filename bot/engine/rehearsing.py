"""The canary on its way through the engine: decided like any alert, kept like none."""

from collections.abc import Sequence

from bot.engine.work import Work
from bot.ports.jobs import JobPriority, NewJob
from rules.alert import Alert
from rules.decide import decide
from rules.events import AlertReceived
from rules.grouping import open_incident

CANARY = "canary"
"""The source, the kind of job, and the lane of what only shows that the way is free."""


def rehearse(work: Work, alerts: Sequence[Alert]) -> None:
    """Decide each alert by the rules in force, and let it go out to Slack.

    No incident is stored and no number given out, so it pages nobody and no statistic knows it.
    """
    for alert in alerts:
        made = open_incident(alert, work.book, incident_id=alert.dedup_key, number=0, now=work.now)
        decide(made, AlertReceived(alert), work.book, work.now)
        job = NewJob(
            key=canary_key(alert.dedup_key),
            kind=CANARY,
            lane=CANARY,
            priority=JobPriority.PAGE,
            due_at=work.now,
        )
        work.tx.enqueue(job)


def canary_key(dedup_key: str) -> str:
    """Return the key of the job by which a canary flies to Slack."""
    return f"{CANARY}:{dedup_key}"
