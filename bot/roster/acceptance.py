"""Which rotations of a newly read roster take effect, and which keep their last good version."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.roster.book import BookRead, people_in
from bot.roster.changes_tabs import LEFT_OUT, is_unnamed
from bot.roster.last_good import Good
from bot.roster.parse import Unread
from bot.roster.table import Problem, Severity
from rules.people import People
from rules.rotation import Span
from rules.schedule.coverage import covers
from rules.schedule.resolution import resolve
from rules.schedule.roster import (
    ALWAYS,
    LOOK_AHEAD,
    Override,
    RotationPlan,
    Schedule,
    Shift,
)

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in force after a read.

    `version` is a hash of the roster as read, "" when it could not be; `rows_version` of what is
    in force. `plans` are the rotations in force, with earlier versions that answer for the past.
    `refused` are rotations whose new version is not in force; `held` those of them that wait for
    a person because they would end cover. `weights` are shares of people that are not 1.
    """

    version: str = ""
    rows_version: str = ""
    plans: tuple[RotationPlan, ...] = ()
    problems: tuple[Problem, ...] = ()
    refused: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)

    @property
    def newest(self) -> dict[str, RotationPlan]:
        """Return the version of each rotation that is in force now."""
        return {plan.name: plan for plan in sorted(self.plans, key=lambda plan: plan.valid_from)}

    @property
    def rows(self) -> tuple[Shift, ...]:
        """Return the shifts in force now."""
        return tuple(shift for plan in self.newest.values() for shift in plan.shifts)

    @property
    def zones(self) -> dict[str, str]:
        return {name: plan.zone for name, plan in self.newest.items() if says_something(plan)}

    @property
    def is_empty(self) -> bool:
        """Whether nobody can be on call by it."""
        return not self.zones


@dataclass(frozen=True, slots=True)
class Read:
    """A roster as read: `confirmed` when a person has said that this version is meant."""

    name: str
    version: str
    book: BookRead
    confirmed: bool = False
    author: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`good` is what is in force by rotation; `readable` stands in where nothing good is known."""

    good: Mapping[str, Good]
    readable: Mapping[str, Good]
    problems: tuple[Problem, ...]
    refused: tuple[str, ...]
    held: tuple[str, ...]

    def plans(self) -> tuple[RotationPlan, ...]:
        return tuple(entry.plan for entry in (*self.good.values(), *self.readable.values()))


def accept(read: Read, good: Mapping[str, Good], now: datetime) -> Verdict:
    """Take each rotation whole or not at all; a cell that cannot be read keeps its last value."""
    book = read.book
    new = {name: Good(read.version, now, plan, read.author) for name, plan in book.plans.items()}
    broken = set(good) | set(new) if book.unusable else set(book.broken)
    slots: dict[Problem, Problem] = {}
    for name, entry in new.items():
        before = good[name].plan if name in good else None
        plan = _mended(_made(entry.plan, before, now), before, book, slots)
        new[name] = replace(entry, plan=_dated(plan, before, now))
    gone = {name for name in good if name not in new and says_something(good[name].plan)}
    new.update({name: _left(read, good[name], now) for name in gone - broken})
    held = {} if read.confirmed else dict(_held(good, new, now, broken))
    kept = {name: good[name] for name in good if name in broken | set(held) or name not in new}
    fresh = {name: entry for name, entry in new.items() if name not in broken | set(held)}
    # Paging fails open: without an earlier version what can be read is better than nobody. It
    # does not become the last good version.
    readable = {name: new[name] for name in broken if name in new and name not in good}
    return Verdict(
        good={**kept, **fresh},
        readable=readable,
        problems=(
            *(slots.get(problem, problem) for problem in book.problems),
            *(_held_back(read.name, name, good[name], until) for name, until in held.items()),
            *(_kept(name, good.get(name)) for name in sorted(broken)),
        ),
        refused=tuple(sorted(broken | set(held))),
        held=tuple(sorted(held)),
    )


def content(plan: RotationPlan) -> RotationPlan:
    """Return what makes one version differ from another."""
    return replace(plan, valid_from=ALWAYS)


def digest(plans: Sequence[RotationPlan]) -> str:
    return hashlib.sha256(repr(plans).encode()).hexdigest()[:12]


def says_something(plan: RotationPlan) -> bool:
    return bool(plan.layers or plan.shifts or plan.overrides)


def _dated(plan: RotationPlan, before: RotationPlan | None, now: datetime) -> RotationPlan:
    """Let a version that says something new begin now; the first one answers for all the past."""
    if before is None:
        return replace(plan, valid_from=ALWAYS)
    same = content(plan) == content(before)
    return before if same else replace(plan, valid_from=max(now, before.valid_from))


def _made(plan: RotationPlan, before: RotationPlan | None, now: datetime) -> RotationPlan:
    """Let an override that does not say when it was made be made when it was first read.

    A reader takes its start for that, which may be ahead: then nothing that is made in Slack
    until that time would lie on top of it.
    """
    known = {one.id: one.created_at for one in before.overrides} if before else {}

    def dated(one: Override) -> Override:
        if one.created_at != one.starts_at and one.created_at <= now:
            return one
        return replace(one, created_at=min(known.get(one.id, now), one.created_at))

    return replace(plan, overrides=tuple(map(dated, plan.overrides)))


def _left(read: Read, good: Good, now: datetime) -> Good:
    """Return the last version of a rotation that left the roster."""
    return Good(
        read.version,
        now,
        RotationPlan(name=good.plan.name, zone=good.plan.zone, valid_from=now),
        read.author,
    )


def _mended(
    plan: RotationPlan,
    before: RotationPlan | None,
    book: BookRead,
    slots: dict[Problem, Problem],
) -> RotationPlan:
    """Fill what cannot be read with what stood there; note in `slots` what is said of it."""
    shifts: list[Shift] = []
    for unread in (u for u in book.unread if u.rotation == plan.name):
        kept = _last_value(unread, before) if before else []
        shifts += kept
        problem = unread.problem
        names = dict.fromkeys(person for shift in kept for person in shift.people)
        slots[problem] = replace(problem, text=f"{problem.text} {_slot(list(names), book.people)}")
    plan = replace(plan, shifts=(*plan.shifts, *shifts))
    return _with_broken_rows(plan, before, book, slots) if before else plan


def _with_broken_rows(
    plan: RotationPlan, before: RotationPlan, book: BookRead, slots: dict[Problem, Problem]
) -> RotationPlan:
    """Keep overrides and absences whose rows cannot be read, known by their ids or their places."""
    known = {override.id for override in plan.overrides}
    overrides = [
        one
        for one in before.overrides
        if one.id in book.unread_overrides - known
        or (is_unnamed(one) and one.id not in known and one.where in book.broken_rows)
    ]
    people = people_in(plan)
    away = [one for one in before.away if one.where in book.broken_rows and one.person in people]
    kept = {one.where for one in overrides} | {one.where for one in away}
    for place in kept & set(book.broken_rows):
        problem = book.broken_rows[place]
        text = f"{problem.text.removesuffix(LEFT_OUT)}The row keeps its last good value."
        slots[problem] = replace(problem, text=text)
    return replace(
        plan,
        overrides=(*plan.overrides, *overrides),
        away=(*plan.away, *away),
        stand_ins=plan.stand_ins or (before.stand_ins if away else {}),
    )


def _slot(people: Sequence[str], known: People) -> str:
    if not people:
        return "It has no earlier value."
    names = [known.by_key(key).name for key in people[:_MOST_NAMED]]
    more = ", ..." if len(people) > _MOST_NAMED else ""
    return f"The slot keeps its last good value ({', '.join(names)}{more})."


def _last_value(unread: Unread, before: RotationPlan) -> list[Shift]:
    plain = replace(before, away=(), overrides=(), valid_from=ALWAYS)
    spans = resolve(Schedule(plans=(plain,)), unread.start, unread.end)
    where = unread.problem.address
    return [
        Shift(
            rotation=before.name,
            role=span.role,
            start=span.start,
            end=span.end,
            people=span.people,
            source=f"last good value of {where}",
            where=where,
        )
        for span in spans
        if span.role == unread.role
    ]


def _spans(plan: RotationPlan, now: datetime) -> list[Span]:
    return resolve(Schedule(plans=(content(plan),)), now, now + LOOK_AHEAD)


def _held(
    good: Mapping[str, Good], new: Mapping[str, Good], now: datetime, broken: set[str]
) -> Iterator[tuple[str, datetime | None]]:
    """Yield rotations that would lose their cover, and when the new version has some again."""
    for name in sorted(set(good) & set(new) - broken):
        old, fresh = good[name].plan, new[name].plan
        if content(old) == content(fresh):
            continue
        before, after = _spans(old, now), _spans(fresh, now)
        tick = now.resolution
        nobody_now = covers(before, now, now + tick) and not covers(after, now, now + tick)
        if nobody_now or (before and not after):
            yield name, min((span.start for span in after), default=None)


def _held_back(file: str, rotation: str, good: Good, until: datetime | None) -> Problem:
    if until is None:
        without = "for the next 14 days"
    else:
        local = until.astimezone(ZoneInfo(good.plan.zone))
        without = f"from now until {local:%a %Y-%m-%d %H:%M}"
    text = (
        f"the new version would leave {rotation} without anybody {without}, which the "
        f"version of {good.accepted_at:%Y-%m-%d %H:%M} UTC covers. Held; confirm it or fix the file."
    )
    return Problem(file, text, Severity.ERROR, rotation, "E15")


def _kept(rotation: str, good: Good | None) -> Problem:
    if good is None:
        text = f"{rotation} has no earlier version; the rows that can be read are used."
    else:
        text = f"{rotation} keeps its version of {good.accepted_at:%Y-%m-%d %H:%M} UTC."
    return Problem("", text, Severity.INFO, rotation)
