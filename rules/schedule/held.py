"""Who has a role over a stretch of time, and what a change of it brings about."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rules.rotation import OnCall
from rules.schedule.coverage import double_booked, gaps, within
from rules.schedule.roster import Away
from rules.sentence import Sentence, Who, say

MOST_CAUTIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A stretch [starts_at, ends_at) of one role."""

    rotation: str
    role: str
    starts_at: datetime
    ends_at: datetime


def holders(on_call: OnCall, slot: Slot) -> tuple[str, ...]:
    """Return everybody who has the role at some time of the slot, in order."""
    spans = within(on_call, slot.rotation, slot.role, slot.starts_at, slot.ends_at)
    return tuple(dict.fromkeys(person for span in spans for person in span.people))


def held_text(on_call: OnCall, slot: Slot) -> str:
    """Say by their keys who has the role, in order: "ana, then nobody, then bo and cy"."""
    told: list[str] = []
    covered = slot.starts_at
    for span in within(on_call, slot.rotation, slot.role, slot.starts_at, slot.ends_at):
        told += ["nobody"] if span.start > covered else []
        told.append(" and ".join(span.people) or "nobody")
        covered = span.end
    told += ["nobody"] if covered < slot.ends_at else []
    return ", then ".join(one for n, one in enumerate(told) if n == 0 or told[n - 1] != one)


def has_all(on_call: OnCall, person: str, slot: Slot) -> bool:
    """Whether a person has the role through the whole slot."""
    covered = slot.starts_at
    for span in within(on_call, slot.rotation, slot.role, slot.starts_at, slot.ends_at):
        if person not in span.people or span.start > covered:
            return False
        covered = span.end
    return covered >= slot.ends_at


def cautions(
    before: OnCall, after: OnCall, slot: Slot, away: Sequence[Away], people: Collection[str] = ()
) -> tuple[Sentence, ...]:
    """Say what a change of a slot brings about that people may not want, at most four things.

    `people` are those it puts on call; without them, whoever has the slot afterwards.
    """
    concerned = set(people) or set(holders(after, slot)) - set(holders(before, slot))
    found = [
        *_double_duty(before, after, slot, concerned),
        *_away(slot, away, concerned),
        *_gaps(before, after, slot),
    ]
    return tuple(found[:MOST_CAUTIONS])


def _double_duty(
    before: OnCall, after: OnCall, slot: Slot, people: Collection[str]
) -> Iterator[Sentence]:
    start, end = slot.starts_at, slot.ends_at
    known = {(b.person, b.start, b.end) for b in double_booked(before, start, end)}
    for both in double_booked(after, start, end):
        if both.person in people and (both.person, both.start, both.end) not in known:
            first, second = both.first, both.second
            yield say(
                "Beware: {who} is then {first} of {first_of} and {second} of {second_of} at"
                " once, from {start} to {end}.",
                who=Who(both.person),
                first=first.role,
                first_of=first.rotation,
                second=second.role,
                second_of=second.rotation,
                start=both.start,
                end=both.end,
            )


def _away(slot: Slot, away: Sequence[Away], people: Collection[str]) -> Iterator[Sentence]:
    for absence in away:
        begins, ends = max(absence.start, slot.starts_at), min(absence.end, slot.ends_at)
        if absence.person in people and begins < ends:
            yield say(
                "Beware: {who} is away from {start} to {end}.",
                who=Who(absence.person),
                start=absence.start,
                end=absence.end,
            )


def _gaps(before: OnCall, after: OnCall, slot: Slot) -> Iterator[Sentence]:
    def of(on_call: OnCall) -> set[tuple[datetime, datetime]]:
        found = gaps(on_call, slot.starts_at, slot.ends_at)
        own = (gap for gap in found if (gap.rotation, gap.role) == (slot.rotation, slot.role))
        return {(gap.start, gap.end) for gap in own}

    for start, end in sorted(of(after) - of(before)):
        yield say(
            "Beware: nobody is {role} of {rotation} from {start} to {end}.",
            role=slot.role,
            rotation=slot.rotation,
            start=start,
            end=end,
        )
