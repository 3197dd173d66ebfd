"""What follows "who is on call now": whom a user group holds, what a topic or bookmark says."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from zoneinfo import ZoneInfo

from rules.rotation import OnCall

REPAIR_WINDOW = timedelta(minutes=15)
"""Who changes it again so soon after our repair means it."""
TRUCE = timedelta(hours=1)
_MOST_STEPS = 60
_PART = re.compile(r"\[On call: [^\[\]]*\]")
_BRACKETS = str.maketrans("[]", "()")
_DAY = timedelta(days=1)


class FollowerKind(StrEnum):
    USER_GROUP = "user_group"
    TOPIC = "topic"
    BOOKMARK = "bookmark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """One thing in Slack that follows; `place` is a group's handle or a channel's name.

    Without `rotations` or `roles` it follows all of them.
    """

    kind: FollowerKind
    place: str
    rotations: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.place}"

    @property
    def title(self) -> str:
        """Return what a person would call it."""
        match self.kind:
            case FollowerKind.USER_GROUP:
                return f"the user group @{self.place}"
            case FollowerKind.TOPIC:
                return f"the topic of #{self.place}"
            case FollowerKind.BOOKMARK:
                return f"the bookmark in #{self.place}"


@dataclass(frozen=True, slots=True)
class Duty:
    """Who has the followed roles of a rotation until when; `stand_in` when it is the fallback.

    `short` turns last a day at most, so that the time alone says when they end.
    """

    rotation: str
    people: tuple[str, ...]
    until: datetime | None
    stand_in: bool = False
    short: bool = False


def duties(
    on_call: OnCall, follower: Follower, now: datetime, fallback: Sequence[str] = ()
) -> tuple[Duty, ...]:
    """Return who is on call now, by rotation; a rotation without anybody has its fallback."""
    return tuple(
        _duty(on_call, rotation, follower.roles, now, fallback)
        for rotation in on_call.rotations
        if not follower.rotations or rotation in follower.rotations
    )


def members(
    on_call: OnCall, follower: Follower, now: datetime, fallback: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return whom a group should hold, each once; the fallback only when nobody is on call."""
    found = duties(on_call, follower, now, fallback)
    people = [p for duty in found if not duty.stand_in for p in duty.people]
    stand_ins = [p for duty in found for p in duty.people] or list(fallback)
    return tuple(dict.fromkeys(people or stand_ins))


def plan_of(
    on_call: OnCall, follower: Follower, now: datetime, fallback: Sequence[str] = ()
) -> str:
    """Return what the follower should show as one text, the same as long as that is the same."""
    if follower.kind is FollowerKind.USER_GROUP:
        return ", ".join(sorted(members(on_call, follower, now, fallback)))
    return "; ".join(
        f"{d.rotation}: {', '.join(d.people)} until {d.until.isoformat() if d.until else '-'}"
        for d in duties(on_call, follower, now, fallback)
    )


def next_boundary(on_call: OnCall, now: datetime) -> datetime | None:
    """Return when a span of any role next begins or ends."""
    slots = ((name, role) for name in on_call.rotations for role in on_call.roles(name))
    return min((at for slot in slots if (at := _next_of(on_call, slot, now))), default=None)


def _duty(
    on_call: OnCall,
    rotation: str,
    roles: tuple[str, ...],
    now: datetime,
    fallback: Sequence[str],
) -> Duty:
    slots = [(rotation, role) for role in on_call.roles(rotation) if not roles or role in roles]
    present = _people(on_call, slots, now)
    end = on_call.known(_changes_after(on_call, slots, present, now))
    begun = [span.start for slot in slots if (span := on_call.span_at(*slot, now))]
    short = end is not None and end - max(begun, default=now) <= _DAY
    if present:
        return Duty(rotation, present, end, short=short)
    stand_ins = on_call.fallback(rotation) or tuple(fallback)
    return Duty(rotation, stand_ins, end, stand_in=True, short=short)


def _changes_after(
    on_call: OnCall, slots: Sequence[tuple[str, str]], present: tuple[str, ...], now: datetime
) -> datetime | None:
    """Return when the people next change, None when they do not as far as was looked."""
    at = now
    for _ in range(_MOST_STEPS):
        ahead = [found for slot in slots if (found := on_call.changes_after(*slot, at))]
        if not ahead:
            break
        at = min(ahead)
        if _people(on_call, slots, at) != present:
            return at
    return None


def _people(on_call: OnCall, slots: Sequence[tuple[str, str]], when: datetime) -> tuple[str, ...]:
    people = (person for slot in slots for person in on_call.at(*slot, when))
    return tuple(dict.fromkeys(people))


def _next_of(on_call: OnCall, slot: tuple[str, str], after: datetime) -> datetime | None:
    spans = on_call.spans(*slot)
    at = bisect_right(spans, after, key=attrgetter("start"))
    if at and spans[at - 1].end > after:
        return spans[at - 1].end
    return spans[at].start if at < len(spans) else None


# --- texts ---------------------------------------------------------------------------------


def lines(
    found: Sequence[Duty],
    name: Callable[[str], str],
    zone: Callable[[str], str],
) -> tuple[str, ...]:
    """Return "On call: Ana until 09:00" in several lengths, the longest first.

    `name` tells what a person is called, `zone` the region of a rotation.
    """
    long = [_line(duty, name, zone, until=True) for duty in found]
    short = [_line(duty, name, zone, until=False) for duty in found]
    if len(found) > 1:
        long = [f"{d.rotation}: {text}" for d, text in zip(found, long, strict=True)]
        short = [f"{d.rotation}: {text}" for d, text in zip(found, short, strict=True)]
    first = f"{short[0]} and {len(short) - 1} more" if len(short) > 1 else "".join(short)
    texts = ("; ".join(long), "; ".join(short), first)
    return tuple(f"On call: {text or 'nobody'}" for text in texts)


def _line(
    duty: Duty,
    name: Callable[[str], str],
    zone: Callable[[str], str],
    *,
    until: bool,
) -> str:
    people = " and ".join(" ".join(name(key).translate(_BRACKETS).split()) for key in duty.people)
    people = people or "nobody"
    if duty.stand_in and duty.people:
        people += " (fallback)"
    if not (until and duty.until):
        return people
    end = duty.until.astimezone(ZoneInfo(zone(duty.rotation)))
    # never by how far away it is now: a topic that changes by itself disturbs the channel
    return f"{people} until {end:%H:%M}" if duty.short else f"{people} until {end:%a %d %b %H:%M}"


def with_part(topic: str, part: str, longest: int) -> str | None:
    """Lay `[part]` into a topic, where ours was or at its end; None where it does not fit.

    Whatever else stands there stays as it is.
    """
    marked = f"[{part}]"
    own = _PART.search(topic)
    if own:
        rest = _PART.sub("", topic[own.end() :])
        made = topic[: own.start()] + marked + rest
    else:
        made = f"{topic.rstrip()} {marked}" if topic.strip() else marked
    return made if len(made) <= longest else None


def part_of(topic: str) -> str:
    """Return our part of a topic, without its brackets; "" when there is none."""
    own = _PART.search(topic)
    return own[0][1:-1] if own else ""


def without_part(topic: str) -> str:
    """Take our part out of a topic."""
    return " ".join(piece for piece in (p.strip() for p in _PART.split(topic)) if piece)


# --- what to do ----------------------------------------------------------------------------


class Step(StrEnum):
    """What to do about a difference: REPAIR undoes what others did, STOP gives up for a while."""

    NOTHING = "nothing"
    WRITE = "write"
    REPAIR = "repair"
    STOP = "stop"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a follower last did: `wrote` is what it wrote, `ref` Slack's id of what is ours."""

    wrote: tuple[str, ...] = ()
    ref: str = ""
    repaired_at: datetime | None = None
    stopped_until: datetime | None = None


def next_step(
    desired: tuple[str, ...], seen: tuple[str, ...], memory: Memory, now: datetime
) -> tuple[Step, Memory]:
    """Decide between what should be and what is there, both in one order.

    What others changed is put right once; who changes it again soon after wins for an hour.
    """
    if desired == seen:
        return Step.NOTHING, replace(memory, wrote=desired, stopped_until=None)
    if memory.stopped_until is not None and now < memory.stopped_until:
        return Step.WAIT, memory
    written = replace(memory, wrote=desired, stopped_until=None)
    if memory.wrote != desired or memory.stopped_until is not None:
        return Step.WRITE, written
    if memory.repaired_at is not None and now - memory.repaired_at < REPAIR_WINDOW:
        return Step.STOP, replace(memory, repaired_at=None, stopped_until=now + TRUCE)
    return Step.REPAIR, replace(written, repaired_at=now)
