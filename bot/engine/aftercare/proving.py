"""Runs as evidence: brings each one that is over to the incidents whose fix it may prove."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.engine.work import Work
from rules.alert import Alert, AlertStatus
from rules.events import RunObserved
from rules.run import Run
from rules.verifying.about import expectation_key, told_by


async def prove(work: Work, runs: Sequence[Run]) -> None:
    """Let runs that are over prove or disprove the fixes that wait for them."""
    pending = await work.tx.pending_proofs() if runs else {}
    if not pending:
        return
    met = [(run, _met(run, work, pending)) for run in runs]
    await work.tx.load_incidents(sorted({one for _, ids in met for one in ids}))
    for run, ids in met:
        for one in ids:
            work.apply(work.tx.incident(one), RunObserved(run))


async def awaiting(work: Work, alerts: Sequence[Alert]) -> Mapping[str, str]:
    """Return the incident that waits for an expected run, by the key of the alert that misses it."""
    missed = {
        expectation_key(alert.labels["expected_run"]): alert.dedup_key
        for alert in alerts
        if alert.status is AlertStatus.FIRING and "expected_run" in alert.labels
    }
    pending = await work.tx.pending_proofs() if missed else {}
    found = {
        missed[key]: incident for incident, keys in pending.items() for key in keys & missed.keys()
    }
    await work.tx.load_incidents(sorted(found.values()))
    return found


def began(runs: Sequence[Run]) -> datetime | None:
    """Return when the one run that a delivery tells of began, None where it tells of others."""
    return runs[0].started_at if len(runs) == 1 else None


def _met(run: Run, work: Work, pending: Mapping[str, frozenset[str]]) -> list[str]:
    book = work.book
    told = told_by(run, book.catalogue, book.expected, book.priority_rules.impact.trials)
    return [incident for incident, keys in pending.items() if keys & told]
