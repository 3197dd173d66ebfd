"""The answers to "who is on call" and "who is next", as data, as text and as JSON."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from rules.hours import local_text
from rules.nearest import nearest
from rules.people import People, Person
from rules.rotation import OnCall, Span
from rules.sentence import duration_text


@dataclass(frozen=True, slots=True)
class Turn:
    """One stretch [start, end) of a role with one set of people; empty people when nobody is."""

    rotation: str
    role: str
    people: tuple[Person, ...]
    start: datetime
    end: datetime | None
    source: str = ""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who has a role at an instant.

    `until` is when the people change, None when nothing is known after now. `next` is the next
    turn of other people, None when none is written.
    """

    rotation: str
    role: str
    people: tuple[Person, ...]
    until: datetime | None
    source: str
    next: Turn | None


class NotInRosterError(ValueError):
    """The roster has no such rotation or role, or no end to go by; the text says what to do."""


def who(on_call: OnCall, people: People, at: datetime, *, rotation: str = "") -> list[OnDuty]:
    """Return who has each role at `at`, of one rotation or of all.

    A role that nobody has, will have, or is meant to have is left out. Raises NotInRosterError
    for a rotation that the roster does not have.
    """
    found = (
        _on_duty(on_call, people, (name, role), at)
        for name in _rotations(on_call, rotation, at)
        for role in on_call.roles(name)
    )
    return [
        duty
        for duty in found
        if duty.people or duty.next or on_call.expects(duty.rotation, duty.role)
    ]


def next_turns(
    on_call: OnCall, people: People, now: datetime, *, rotation: str = "", count: int = 3
) -> list[Turn]:
    """Return the next `count` turns of every role that begin after `now`, in order of time.

    Raises NotInRosterError for a rotation that the roster does not have.
    """
    turns: list[Turn] = []
    for name in _rotations(on_call, rotation, now):
        for role in on_call.roles(name):
            coming = (span for span in _runs(on_call, name, role) if span.start > now)
            turns += [_turn(span, people) for span, _ in zip(coming, range(count), strict=False)]
    return sorted(turns, key=lambda turn: (turn.rotation, turn.start))


def shifts_of(on_call: OnCall, people: People, person: str, now: datetime) -> Iterator[Turn]:
    """Yield the turns of one person that are not over, rotation by rotation."""
    for name in on_call.rotations:
        for role in on_call.roles(name):
            for span in _runs(on_call, name, role):
                if span.end > now and person in span.people:
                    yield _turn(span, people)


def take_until(
    on_call: OnCall, rotation: str, role: str, now: datetime, duration: timedelta | None = None
) -> datetime:
    """Return when a take-over ends: after `duration`, else with the present span or gap.

    Raises NotInRosterError when nobody is on call, nobody follows and no duration was given.
    """
    if duration is not None:
        return now + duration
    if span := on_call.span_at(rotation, role, now):
        return span.end
    if following := on_call.next_after(rotation, role, now):
        return following.start
    raise NotInRosterError(
        f'nobody is {role} of {rotation} now or later, so say how long: "take {rotation} 2h".'
    )


def find_rotation(on_call: OnCall, written: str, *, person: str = "") -> str:
    """Return the rotation meant by a name, or by none when only one can be meant.

    With `person`, none means the only rotation that person is part of. Raises
    NotInRosterError, whose text names the nearest, or the rotations there are.
    """
    names = on_call.rotations
    if not names:
        raise NotInRosterError("The roster is empty. Add rows to it.")
    if written:
        bare = written.lstrip("#@").casefold()
        found = next((name for name in on_call.ever if name.casefold() == bare), None)
        if found is None:
            hit = nearest(bare, names)
            meant = f'Did you mean "{hit}"?' if hit else f"There are {_these(names)}."
            raise NotInRosterError(f'No rotation is called "{written}". {meant}')
        return found
    theirs = [n for n in names if _takes_part(on_call, n, person)] if person else []
    if len(theirs or names) == 1:
        return (theirs or list(names))[0]
    raise NotInRosterError(f"Say which rotation: {_these(names)}.")


def _takes_part(on_call: OnCall, rotation: str, person: str) -> bool:
    return any(
        person in span.people
        for role in on_call.roles(rotation)
        for span in on_call.spans(rotation, role)
    )


def _these(names: tuple[str, ...]) -> str:
    return ", ".join(names[:10]) + (" and others" if len(names) > 10 else "")


def who_text(answers: Sequence[OnDuty], zones: Mapping[str, str]) -> str:
    """Render for a terminal, one role a line; times are local to each rotation."""
    lines = []
    for duty in answers:
        zone = zones.get(duty.rotation, "UTC")
        line = f"{duty.rotation} {duty.role}: {names_of(duty.people)}"
        line += f" until {local_text(duty.until, zone)}" if duty.until else ""
        line += f" ({duty.source})" if duty.source else ""
        if duty.next:
            line += f", then {names_of(duty.next.people)}"
            if duty.next.start != duty.until:
                line += f" from {local_text(duty.next.start, zone)}"
        lines.append(line)
    return "\n".join(lines) or "The roster is empty."


def turns_text(turns: Sequence[Turn], zones: Mapping[str, str]) -> str:
    """Render for a terminal, one turn a line."""
    return (
        "\n".join(_turn_line(t, zones.get(t.rotation, "UTC")) for t in turns) or "Nobody is next."
    )


def who_json(answers: Sequence[OnDuty]) -> list[dict[str, Any]]:
    """Return the answers as JSON values; instants are ISO 8601 in UTC."""
    return [
        {
            "rotation": duty.rotation,
            "role": duty.role,
            "people": _people_json(duty.people),
            "until": duty.until.isoformat() if duty.until else None,
            "source": duty.source,
            "next": turn_json(duty.next) if duty.next else None,
        }
        for duty in answers
    ]


def turn_json(turn: Turn) -> dict[str, Any]:
    return {
        "rotation": turn.rotation,
        "role": turn.role,
        "people": _people_json(turn.people),
        "from": turn.start.isoformat(),
        "until": turn.end.isoformat() if turn.end else None,
        "source": turn.source,
    }


def names_of(people: Sequence[Person]) -> str:
    return " and ".join(person.name for person in people) or "nobody"


def _rotations(on_call: OnCall, written: str, at: datetime) -> tuple[str, ...]:
    return (find_rotation(on_call, written),) if written else on_call.rotations_at(at)


def _on_duty(on_call: OnCall, people: People, slot: tuple[str, str], at: datetime) -> OnDuty:
    spans = on_call.spans(*slot)
    first = bisect_right(spans, at, key=lambda span: span.start) - 1
    present = spans[first] if first >= 0 and at in spans[first] else None
    until, last = _run_end(spans, first) if present else (None, first)
    ahead = range(last + 1, len(spans))
    held = present.people if present else ()
    other = next((n for n in ahead if spans[n].people and spans[n].people != held), None)
    turn = None
    if other is not None:
        end, _ = _run_end(spans, other)
        turn = replace(_turn(spans[other], people), end=end)
    if present is None or not present.people:
        return OnDuty(*slot, (), turn.start if turn else None, "", turn)
    until = on_call.known(until)
    return OnDuty(*slot, _persons(present, people), until, present.source, turn)


def _run_end(spans: Sequence[Span], number: int) -> tuple[datetime, int]:
    """Return when the people of this span next change, and the last span they have till then."""
    while number + 1 < len(spans):
        span, following = spans[number], spans[number + 1]
        if following.start != span.end or following.people != span.people:
            break
        number += 1
    return spans[number].end, number


def _runs(on_call: OnCall, rotation: str, role: str) -> Iterator[Span]:
    """Yield spans with those of the same people that touch made one."""
    run: Span | None = None
    for span in on_call.spans(rotation, role):
        if run and run.end == span.start and run.people == span.people:
            run = Span(run.start, span.end, rotation, role, run.people, run.source)
            continue
        if run and run.people:
            yield run
        run = span
    if run and run.people:
        yield run


def _turn(span: Span, people: People) -> Turn:
    who_ = _persons(span, people)
    return Turn(span.rotation, span.role, who_, span.start, span.end, span.source)


def _persons(span: Span, people: People) -> tuple[Person, ...]:
    return tuple(people.by_key(key) for key in span.people)


def _turn_line(turn: Turn, zone: str) -> str:
    start = local_text(turn.start, zone)
    line = f"{turn.rotation} {turn.role}: {names_of(turn.people)} from {start}"
    if turn.end:
        line += f" to {local_text(turn.end, zone)} ({duration_text(turn.end - turn.start)})"
    return line


def _people_json(people: Sequence[Person]) -> list[dict[str, str]]:
    return [{"key": p.key, "name": p.name, "email": p.email, "slack": p.slack} for p in people]
