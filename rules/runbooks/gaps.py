"""Which runbooks are missing or stale, whose they are to mend, and when that person is reminded."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.catalogue import Catalogue
from rules.hours import Hours
from rules.runbooks.choosing import Runbooks, Subject, links_of, subject_facts, subject_from
from rules.runbooks.runbook import Guide, Runbook, StepOutcome
from rules.schedule.reminders import quiet_until
from rules.sentence import Sentence, say

REVIEW_AFTER = timedelta(days=90)
NUDGE_EVERY = timedelta(days=7)
FIRST_NUDGE = timedelta(hours=12)
"""Whoever is in the middle of the incident is not asked to write at the same time."""
MOST_NUDGES = 4
_ZONES_APART = timedelta(days=1)
"""A reviewer's day may be the one before ours, or the one after."""


class GapKind(StrEnum):
    MISSING = "missing"
    OLD = "old"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookGap:
    """`subject` is a runbook's id, or what has none; `number` the incident that showed it, or 0.

    `facts` tells what a runbook must match to close a gap of kind `missing`.
    """

    key: str
    kind: GapKind
    subject: str
    owner: str = ""
    number: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    opened_at: datetime
    closed_at: datetime | None = None
    nudges: int = 0
    nudged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LastUse:
    """How a runbook did the last time its steps were tried; `reviewed_on` is what it said then."""

    runbook: str
    number: int
    at: datetime
    failed: bool
    reviewed_on: date | None = None


def failed(guide: Guide) -> bool:
    """Tell whether the steps failed: one did not help, and none worked."""
    outcomes = {tick.outcome for tick in guide.ticks}
    return StepOutcome.DID_NOT_HELP in outcomes and StepOutcome.WORKED not in outcomes


def missing_gap(subject: Subject, number: int, now: datetime) -> RunbookGap | None:
    """Return the gap of what has no runbook; None for what has no name to file one under."""
    if not subject.name:
        return None
    return RunbookGap(
        key=f"{GapKind.MISSING}:{subject.name}",
        kind=GapKind.MISSING,
        subject=subject.name,
        owner=subject.owner,
        number=number,
        facts=subject_facts(subject),
        opened_at=now,
    )


def stale_gaps(
    runbooks: Iterable[Runbook],
    last: Mapping[str, LastUse],
    now: datetime,
    review_after: timedelta = REVIEW_AFTER,
) -> Iterator[RunbookGap]:
    """Yield a gap for each runbook whose last use failed or whose review is too long ago.

    A review after the failure means that somebody has looked: on a later day, or on the same one
    if the runbook named another when it was used.
    """
    for one in runbooks:
        use = last.get(one.id)
        if use and use.failed and not _is_mended(one, use):
            yield _stale(GapKind.FAILED, one, now, use.number)
        elif is_old(one, now.date(), review_after):
            yield _stale(GapKind.OLD, one, now)


def _is_mended(one: Runbook, use: LastUse) -> bool:
    reviewed, failed_on = one.reviewed_on, use.at.date()
    if reviewed is None or reviewed > failed_on:
        return reviewed is not None
    is_new = use.reviewed_on is not None and reviewed > use.reviewed_on
    return is_new and reviewed >= failed_on - _ZONES_APART


def is_old(runbook: Runbook, today: date, review_after: timedelta = REVIEW_AFTER) -> bool:
    """Tell whether nobody has reviewed it for so long; what is yet to come is no review."""
    reviewed = runbook.reviewed_on
    return reviewed is None or today - reviewed > review_after or reviewed - today > _ZONES_APART


def still_missing(gap: RunbookGap, runbooks: Runbooks, catalogue: Catalogue) -> bool:
    """Tell whether no runbook would match what the gap is about, and the catalogue names none."""
    subject = subject_from(gap.facts)
    return runbooks.of(replace(subject, links=links_of(subject, catalogue))) is None


def nudge_at(gap: RunbookGap, quiet: Hours | None) -> datetime | None:
    """Return when the owner is next reminded, None when never again.

    Once a week at most, so often in all, and never in their quiet hours.
    """
    if gap.closed_at is not None or not gap.owner or gap.nudges >= MOST_NUDGES:
        return None
    due = gap.nudged_at + NUDGE_EVERY if gap.nudged_at else gap.opened_at + FIRST_NUDGE
    return (quiet and quiet_until(quiet, due)) or due


def nudges_due(
    gaps: Sequence[RunbookGap], now: datetime, quiet: Callable[[str], Hours | None]
) -> list[RunbookGap]:
    """Return the gaps whose owner is to be reminded now."""
    found = []
    for gap in gaps:
        hours = quiet(gap.owner)
        at = nudge_at(gap, hours)
        if at is not None and at <= now and (hours is None or quiet_until(hours, now) is None):
            found.append(gap)
    return found


def gap_sentence(gap: RunbookGap) -> Sentence:
    """Say what is wrong and what to do about it."""
    match gap.kind:
        case GapKind.MISSING:
            after = " (#{number} had none)" if gap.number else ""
            return say("{subject} has no runbook" + after + ". Write one, even of three lines.",
                       subject=gap.subject, number=gap.number)  # fmt: skip
        case GapKind.FAILED:
            return say(
                "The steps of runbook {subject} did not help on #{number}. Put down what did.",
                subject=gap.subject, number=gap.number,
            )  # fmt: skip
        case GapKind.OLD:
            return say(
                "Nobody has reviewed runbook {subject} for too long. Read it, mend it, and set "
                "`reviewed_on`.",
                subject=gap.subject,
            )  # fmt: skip


def _stale(kind: GapKind, one: Runbook, now: datetime, number: int = 0) -> RunbookGap:
    return RunbookGap(
        key=f"{kind}:{one.id}",
        kind=kind,
        subject=one.id,
        owner=one.owner,
        number=number,
        opened_at=now,
    )
