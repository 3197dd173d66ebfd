"""An incident as the table of production issues lists it."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from rules.category import Category
from rules.incident import Incident, State
from rules.issues.measures import Measures, breached, course_of, measured
from rules.priority import Impact, Priority, Urgency

LONGEST_WORDS = 400


class Standing(IntEnum):
    """Where an incident stands, what needs somebody most first; RESOLVED still waits to be closed."""

    TRIGGERED = 1
    ACKNOWLEDGED = 2
    RESOLVED = 3
    CLOSED = 4

    @property
    def words(self) -> str:
        return _WORDS[self]

    @property
    def is_over(self) -> bool:
        return self is Standing.CLOSED


_WORDS = {
    Standing.TRIGGERED: "Triggered",
    Standing.ACKNOWLEDGED: "Acknowledged",
    Standing.RESOLVED: "Resolved",
    Standing.CLOSED: "Closed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What the journal says of an incident: the class of its cause, and what is still to be done."""

    entry: str
    cause: str = ""
    follow_up: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One line of the table. Texts are as they came, "" and None are what is not known.

    `owner` is as the catalogue writes it; `on_call` and `holder` are keys of people. `recurs` is
    the number of the incident that the same thing opened before.
    """

    number: int
    incident_id: str
    title: str
    opened_at: datetime
    priority: Priority
    standing: Standing
    product: str = ""
    tier: int | None = None
    category: Category | None = None
    impact: Impact | None = None
    urgency: Urgency | None = None
    owner: str = ""
    on_call: str = ""
    holder: str = ""
    measures: Measures = field(default_factory=Measures)
    deadline: datetime | None = None
    healthy_at: datetime | None = None
    cause: str = ""
    recurs: int | None = None
    follow_up: str = ""
    entry: str = ""

    def breached(self, now: datetime) -> bool | None:
        return breached(self.deadline, self.healthy_at, now)


OnCallAt = Callable[[str, datetime], str]
"""Of a rotation and an instant: the key of the person who was on call first, "" for nobody."""


def issue_of(incident: Incident, on_call: str, lesson: Lesson | None = None) -> Issue:
    """Return the line of an incident; `on_call` is who was on call when it opened."""
    course, stakes = course_of(incident), incident.stakes
    return Issue(
        number=incident.number,
        incident_id=incident.id,
        title=incident.title,
        opened_at=incident.opened_at,
        priority=incident.priority,
        standing=standing_of(incident),
        product=(stakes.product if stakes else "") or incident.product,
        tier=(stakes.tier or None) if stakes else None,
        category=incident.category,
        impact=stakes.impact if stakes else None,
        urgency=stakes.urgency if stakes else None,
        owner=(stakes.owner or stakes.team) if stakes else "",
        on_call=on_call,
        holder=incident.assigned_to or incident.acked_by or incident.resolved_by,
        measures=measured(course),
        deadline=stakes.deadline if stakes else None,
        healthy_at=course.healthy_at,
        cause=lesson.cause if lesson else "",
        recurs=incident.previous,
        follow_up=lesson.follow_up if lesson else "",
        entry=lesson.entry if lesson else "",
    )


def standing_of(incident: Incident) -> Standing:
    if incident.state is State.TRIGGERED:
        return Standing.TRIGGERED
    if incident.state is State.ACKNOWLEDGED:
        return Standing.ACKNOWLEDGED
    return Standing.CLOSED if incident.is_closed else Standing.RESOLVED


def searched(*texts: str) -> str:
    """Return texts as a search compares them: no case, no accents, signs as single spaces."""
    plain = unicodedata.normalize("NFKD", " ".join(texts).casefold())
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", kept))[:LONGEST_WORDS].rstrip()
