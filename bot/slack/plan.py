"""Who is reached next, and when, if nobody answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from rules.decision import Reason
from rules.foresee import Foreseen, ahead
from rules.incident import Incident, State
from rules.rulebook import RuleBook

_MOST_LOOKS = 12
_PLACES = {"page.user_group": "@{group}", "page.channel": "#{channel}", "page.webhook": "{webhook}"}


@dataclass(frozen=True, slots=True)
class Planned:
    """At `at`, these people are paged and these places told."""

    at: datetime
    people: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


def coming(incident: Incident, book: RuleBook, now: datetime) -> Planned | None:
    """Return the next moment at which somebody is reached; None when nothing is due."""
    if incident.state is not State.TRIGGERED or incident.muted or incident.step_due_at is None:
        return None
    if incident.exhausted:
        people = book.fallback_of(incident.rotation, again=True)
        return Planned(incident.step_due_at, people) if people else None
    looks = islice(ahead(incident, book, now), _MOST_LOOKS)
    return next((plan for plan in map(_planned, looks) if plan.people or plan.places), None)


def _planned(seen: Foreseen) -> Planned:
    people = tuple(dict.fromkeys(page.person for page in seen.pages))
    return Planned(seen.at, people, tuple(_places(seen.reasons)))


def _places(reasons: tuple[Reason, ...]) -> Iterator[str]:
    for reason in reasons:
        if form := _PLACES.get(reason.rule):
            values = {name: str(value) for name, value in reason.sentence.values.items()}
            yield form.format_map(values)
