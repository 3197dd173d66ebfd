"""How long an incident took, by five measures that never mix: each is one span of instants."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.incident import Incident, State

_NOTHING = timedelta(0)
OLDEST_ONSET = timedelta(days=31)
"""A source that says it broke longer before we heard of it has a wrong clock, and is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The instants of an incident, all aware; None is what has not happened, or nobody knows.

    `detected_at` is when the first alert or report came in. `acked_at` is when a person first
    took it. `quiet_at` is since when nothing of it fires. `claimed_at` is when somebody, or the
    source, last said that it is fixed. `proved_at` is the end of the run or check that proved it,
    and `healthy_at` is from when it was over: the proof, or the claim where none is asked for.
    """

    detected_at: datetime
    occurred_at: datetime | None = None
    acked_at: datetime | None = None
    quiet_at: datetime | None = None
    claimed_at: datetime | None = None
    proved_at: datetime | None = None
    healthy_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The five durations; None is what cannot be told, and is never zero in disguise.

    - TTD, time to detect: from when it broke, as the first alert tells it, to its first alert
      here. Zero when the source's clock is ahead of ours; unknown beyond OLDEST_ONSET.
    - TTA, time to acknowledge: from detection until a person first took or resolved it. It is
      the raw time: a page that was held back on purpose counts.
    - TTM, time to mitigate: from detection until the harm ended, which is since when nothing of
      it fired, or the claim of a fix where that came first.
    - TTR, time to repair: from detection until healthy, which is the end of the run or check
      that proved the fix and not the click. Where a proof failed, the clock never stopped.
    - TTV, time to verify: from the last claim of a fix to its proof, the part of TTR that is
      waiting for a run. None where no proof was asked for.

    Instants are compared as instants: no wall clock, no zone and no weekend is in it, and a span
    is half-open, `[start, end)`, so that spans which touch do not overlap.
    """

    ttd: timedelta | None = None
    tta: timedelta | None = None
    ttm: timedelta | None = None
    ttr: timedelta | None = None
    ttv: timedelta | None = None


def measured(course: Course) -> Measures:
    """Measure a course; what ends before it begins is not told."""
    start = course.detected_at
    return Measures(
        ttd=_onset(course.occurred_at, start),
        tta=_span(start, course.acked_at),
        ttm=_span(start, _earlier(course.quiet_at, course.claimed_at)),
        ttr=_span(start, course.healthy_at),
        ttv=_span(course.claimed_at, course.proved_at),
    )


def course_of(incident: Incident) -> Course:
    """Read the course off an incident as it is now."""
    over = incident.resolved_at if incident.state is State.RESOLVED else None
    return Course(
        detected_at=incident.opened_at,
        occurred_at=incident.occurred_at,
        acked_at=incident.first_acked_at or (over if incident.resolved_by else None),
        quiet_at=_quiet_at(incident),
        claimed_at=over,
        proved_at=incident.verified_at if over else None,
        healthy_at=None if incident.is_pending else incident.verified_at or over if over else None,
    )


def breached(deadline: datetime | None, healthy_at: datetime | None, now: datetime) -> bool | None:
    """Tell whether the promise at stake was missed: healthy after its deadline, or not yet by then.

    Healthy at the deadline keeps the promise. None where nothing was promised.
    """
    return None if deadline is None else deadline < (healthy_at or now)


def _quiet_at(incident: Incident) -> datetime | None:
    """Return since when none of its alerts fires, of those it remembers.

    Quiet is no evidence once a proof has failed: only the next claim counts then.
    """
    if incident.firing_count or not incident.alerts or incident.unproved:
        return None
    return max(shown.last_at for shown in incident.alerts)


def _onset(occurred_at: datetime | None, detected_at: datetime) -> timedelta | None:
    if occurred_at is None or detected_at - occurred_at > OLDEST_ONSET:
        return None
    return max(detected_at - occurred_at, _NOTHING)


def _span(start: datetime | None, end: datetime | None) -> timedelta | None:
    if start is None or end is None or end < start:
        return None
    return end - start


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)
