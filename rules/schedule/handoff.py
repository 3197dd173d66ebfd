"""When people hand over to others, who is asked for a note before, and what is told at the time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.rotation import OnCall
from rules.schedule.coverage import within
from rules.schedule.reminders import Notice, NoticeKind, Plan, QuietHours, quiet_until

ASK_BEFORE = timedelta(minutes=30)
LATEST = timedelta(hours=1)
"""A hand-off that was missed for longer is not told any more."""
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class RoleChange:
    role: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Handoff:
    """Who has a rotation's roles until `at`, and who from then on; only roles that change."""

    rotation: str
    at: datetime
    changes: tuple[RoleChange, ...]

    @property
    def outgoing(self) -> tuple[str, ...]:
        """Return who gives a role away."""
        left = (p for change in self.changes for p in change.before if p not in change.after)
        return tuple(dict.fromkeys(left))

    @property
    def incoming(self) -> tuple[str, ...]:
        """Return who gets a role."""
        came = (p for change in self.changes for p in change.after if p not in change.before)
        return tuple(dict.fromkeys(came))

    @property
    def key(self) -> str:
        return f"handoff:{self.rotation}:{self.at.isoformat()}"


def handoffs(on_call: OnCall, after: datetime, until: datetime) -> list[Handoff]:
    """Return the hand-offs in (after, until] to somebody, in order of time."""
    found = []
    for rotation in on_call.rotations:
        boundaries = {
            at
            for role in on_call.roles(rotation)
            for span in within(on_call, rotation, role, after, until + _TICK)
            for at in (span.start, span.end)
            if after < at <= until
        }
        found += [one for at in boundaries if (one := handoff_at(on_call, rotation, at))]
    return sorted(found, key=lambda handoff: (handoff.at, handoff.rotation))


def handoff_at(on_call: OnCall, rotation: str, at: datetime) -> Handoff | None:
    """Return what changes hands at an instant, None when nobody comes on call then."""
    changes = []
    for role in on_call.roles(rotation):
        before, after = (on_call.at(rotation, role, when) for when in (at - _TICK, at))
        if set(before) != set(after):
            changes.append(RoleChange(role, before, after))
    made = Handoff(rotation, at, tuple(changes))
    return made if made.incoming else None


def handoffs_due(on_call: OnCall, told: Iterable[Notice], now: datetime) -> tuple[Notice, ...]:
    """Return the hand-offs of the last hour that were not told yet."""
    keys = {notice.key for notice in told}
    return tuple(
        Notice(
            key=one.key,
            kind=NoticeKind.HANDOFF,
            start=one.at,
            end=one.at,
            rotation=one.rotation,
        )
        for one in handoffs(on_call, now - LATEST, now)
        if one.key not in keys
    )


def questions_due(
    on_call: OnCall,
    told: Sequence[Notice],
    now: datetime,
    *,
    quiet: QuietHours,
    ask_before: timedelta = ASK_BEFORE,
) -> Plan:
    """Return whom to ask for a note now; nobody is asked in quiet hours, or who was asked."""
    keys = {notice.key for notice in told}
    due, ahead = [], []
    for one in handoffs(on_call, now, now + LATEST + ask_before):
        if one.at - ask_before > now:
            ahead.append(one.at - ask_before)
            continue
        for person in one.outgoing:
            hours = quiet(person)
            key = f"question:{one.rotation}:{one.at.isoformat()}:{person}"
            if key in keys or (hours is not None and quiet_until(hours, now) is not None):
                continue
            due.append(
                Notice(
                    key=key,
                    kind=NoticeKind.QUESTION,
                    start=one.at,
                    end=one.at,
                    person=person,
                    rotation=one.rotation,
                )
            )
    return Plan(tuple(due), min(ahead, default=None))
