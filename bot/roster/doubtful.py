"""What is read and may be a slip of the pen: one wrong letter, and nobody is paged."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from difflib import get_close_matches
from itertools import islice

from bot.roster.table import Problem, Severity, quoted
from rules.nearest import did_you_mean
from rules.people import People
from rules.schedule.resolution import roles_of
from rules.schedule.roster import OnHolidays, RotationPlan

_ALIKE = 0.8
_MOST = 100
_SHORTEST = 4
"""Names shorter than this differ by a letter and are two people's: bo, jo."""


def doubtful(plans: Iterable[RotationPlan], people: People, now: datetime) -> Iterator[Problem]:
    """Yield a warning for each such e-mail that has something to do from `now` on."""
    known = {person.key for person in people}
    emails = [person.email for person in people if person.email]
    strangers: dict[str, tuple[str, str]] = {}
    for rotation, key, where in _named(plans, now) if emails else ():
        if "@" in key and key not in known:
            strangers.setdefault(key, (rotation, where))
    for key, (rotation, where) in islice(strangers.items(), _MOST):
        if meant := next((email for email in emails if _alike(key, email)), ""):
            text = (
                f"nobody has the e-mail {quoted(key)}. Nearest: {quoted(meant)}. It counts as a "
                "new person's; correct it, or add them to people."
            )
            yield Problem(where, text, Severity.WARNING, rotation)


def strange_roles(plans: Iterable[RotationPlan], now: datetime) -> Iterator[Problem]:
    """Yield a warning for each override of a role that its rotation has nowhere else."""
    for plan in plans:
        roles = roles_of(plan)
        for one in plan.overrides:
            if roles and one.role not in roles and one.ends_at > now:
                text = (
                    f"{plan.name} has no role {quoted(one.role)} besides this row, which changes "
                    f"nothing about {', '.join(roles)}. Correct Role, unless that is meant."
                )
                yield Problem(one.where, text, Severity.WARNING, plan.name)


def strange_places(plans: Iterable[RotationPlan]) -> Iterator[Problem]:
    """Yield a warning for each layer that follows the holidays of a place that has none."""
    for plan in plans:
        places = {day.place.casefold(): day.place for day in plan.holidays if day.place}
        for layer in plan.layers:
            heeds = layer.place and layer.on_holidays is not OnHolidays.AS_USUAL
            if heeds and layer.place.casefold() not in places:
                hint = did_you_mean(layer.place, places.values())
                text = f"no row of Holidays is of {quoted(layer.place)}{hint}"
                text += "" if text.endswith("?") else "."
                text += " Until one is, only holidays without a place count here."
                yield Problem(layer.where, text, Severity.WARNING, plan.name)


def _named(plans: Iterable[RotationPlan], now: datetime) -> Iterator[tuple[str, str, str]]:
    for plan in plans:
        for layer in plan.layers:
            yield from ((plan.name, key, layer.where) for turn in layer.order for key in turn)
        for shift in plan.shifts:
            if shift.end > now:
                yield from ((plan.name, key, shift.where) for key in shift.people)
        for override in plan.overrides:
            if override.ends_at > now:
                yield plan.name, override.person, override.where


def _alike(one: str, other: str) -> bool:
    """Whether they differ in little, and only before or only after the `@`."""
    (name, _, host), (its_name, _, its_host) = one.partition("@"), other.partition("@")
    if name == its_name:
        return bool(get_close_matches(host, [its_host], cutoff=_ALIKE))
    if host != its_host or min(len(name), len(its_name)) < _SHORTEST:
        return False
    return bool(get_close_matches(name, [its_name], cutoff=_ALIKE))
