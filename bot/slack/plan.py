"""What an incident's frozen policy will do next, whom it will reach, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from rules.incident import Incident, State
from rules.policy import (
    Channel,
    NextOnCallOf,
    OnCallOf,
    OnePerson,
    Step,
    Target,
    UserGroup,
    Webhook,
)
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.sentence import duration_text


@dataclass(frozen=True, slots=True)
class Planned:
    """One step to come: at `at` it reaches `people` and `places`, as far as is known now.

    `nobody` names the targets that would find no one. `note` says what else decides.
    """

    at: datetime
    people: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    nobody: tuple[str, ...] = ()
    note: str = ""


def planned(incident: Incident, on_call: OnCall, book: RuleBook) -> list[Planned]:
    """List the steps to come, soonest first; empty when nothing is due."""
    if incident.state is not State.TRIGGERED or incident.muted or incident.step_due_at is None:
        return []
    return list(_steps(incident, incident.step_due_at, on_call, book))


def coming(incident: Incident, on_call: OnCall, book: RuleBook) -> Planned | None:
    """Return the next step that reaches somebody."""
    return next((p for p in planned(incident, on_call, book) if p.people or p.places), None)


def _steps(incident: Incident, at: datetime, on_call: OnCall, book: RuleBook) -> Iterator[Planned]:
    left = () if incident.exhausted else incident.policy.steps[incident.step :]
    for step in left:
        hours = step.only_during
        if hours and step.outside == "skip" and not hours.hold(at):
            continue
        at = hours.opens_after(at) if hours else at
        found = _reached(step, incident.rotation, on_call, at)
        again = step.repeat - incident.round
        starts_over = again > 0 and (incident.reached or bool(found.people or found.places))
        yield Planned(
            at, found.people, found.places, found.nobody, _note(step, again if starts_over else 0)
        )
        if starts_over:
            return
        if found.people or found.places or not step.targets:
            at += step.wait
    if book.fallback:
        every = f"the fallback, then every {duration_text(book.fallback_every)}"
        yield Planned(at, book.fallback, note=every)


def _note(step: Step, again: int) -> str:
    notes = []
    if step.only_if:
        within = duration_text(step.only_if.within)
        notes.append(f"only with {step.only_if.alerts} alerts within {within}")
    if step.only_during:
        notes.append("only during its hours")
    if again > 0:
        notes.append(f"then from the top, {again} more times" if again > 1 else "then once more")
    return ", ".join(notes)


def _reached(step: Step, rotation: str, on_call: OnCall, at: datetime) -> Planned:
    people: list[str] = []
    places: list[str] = []
    nobody: list[str] = []
    for target in step.targets:
        found = _people(target, rotation, on_call, at)
        if isinstance(found, str):
            places.append(found)
        elif found:
            people.extend(found)
        else:
            nobody.append(_role(target, rotation))
    return Planned(at, tuple(dict.fromkeys(people)), tuple(places), tuple(nobody))


def _people(target: Target, rotation: str, on_call: OnCall, at: datetime) -> tuple[str, ...] | str:
    match target:
        case OnCallOf(role, own):
            return on_call.at(own or rotation, role, at)
        case NextOnCallOf(role, own):
            span = on_call.next_after(own or rotation, role, at)
            return span.people if span else ()
        case OnePerson(person):
            return (person,)
        case UserGroup(group):
            return f"@{group}"
        case Channel(channel):
            return f"#{channel}"
        case Webhook(webhook):
            return f"webhook {webhook}"
        case _:
            assert_never(target)


def _role(target: Target, rotation: str) -> str:
    match target:
        case OnCallOf(role, own):
            return f"{role} of {own or rotation}"
        case NextOnCallOf(role, own):
            return f"next {role} of {own or rotation}"
        case _:
            return "nobody"
