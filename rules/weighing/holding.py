"""When a page may wait: people sleep until the last moment at which the promise can be kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum

from rules.decision import Reason
from rules.hours import DAYS, Hours
from rules.priority import Priority
from rules.sentence import say
from rules.sla import Effort, last_responsible_moment


class Hold(StrEnum):
    """How long the first page of an incident may wait outside working hours."""

    NOW = "now"
    LAST_MOMENT = "last_moment"
    WORKING_HOURS = "working_hours"
    NEVER = "never"


DEFAULT_HOLDS: Mapping[Priority, Hold] = {
    Priority.P1: Hold.NOW,
    Priority.P2: Hold.LAST_MOMENT,
    Priority.P3: Hold.WORKING_HOURS,
    Priority.P4: Hold.NEVER,
    Priority.P5: Hold.NEVER,
}

OFFICE_HOURS = Hours(time(9), time(18), "UTC", DAYS[:5])


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What each priority waits for, and how much room to leave before a deadline."""

    holds: Mapping[Priority, Hold] = field(default_factory=lambda: dict(DEFAULT_HOLDS))
    working_hours: Hours = OFFICE_HOURS
    margin: timedelta = timedelta(minutes=30)


def page_at(
    priority: Priority,
    now: datetime,
    holding: Holding,
    *,
    deadline: datetime | None,
    effort: Effort,
) -> datetime | None:
    """Return when to page, `now` or later; None when this priority never pages."""
    return hold(priority, now, holding, deadline=deadline, effort=effort)[0]


def hold(
    priority: Priority,
    now: datetime,
    holding: Holding,
    *,
    deadline: datetime | None,
    effort: Effort,
) -> tuple[datetime | None, Reason]:
    """Return what `page_at` does, with the reason."""
    rule = f"holding.{priority}"
    kind = holding.holds.get(priority, DEFAULT_HOLDS[priority])
    if kind is Hold.NEVER:
        return None, Reason(rule, say("{priority} pages nobody.", priority=priority))
    if kind is Hold.NOW:
        return now, Reason(rule, say("{priority} pages at any hour.", priority=priority))
    hours = holding.working_hours
    opens = hours.opens_after(now)
    if opens == now:
        return now, Reason(
            rule, say("Paged at once: these are working hours in {zone}.", zone=hours.zone)
        )
    if kind is Hold.LAST_MOMENT and deadline is not None:
        latest = last_responsible_moment(deadline, effort, holding.margin)
        if latest <= now:
            words = say("Paged at once: waiting would risk the deadline, {at}.", at=deadline)
            return now, Reason(rule, words)
        if latest < opens:
            words = say(
                "Held until {latest}, the last moment that leaves room before the deadline, {at}.",
                latest=latest,
                at=deadline,
            )
            return latest, Reason(rule, words)
    words = say("Held until working hours in {zone}, {opens}.", zone=hours.zone, opens=opens)
    return opens, Reason(rule, words)
