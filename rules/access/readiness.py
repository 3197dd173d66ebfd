"""Whether a person's elevated groups will open when their shift begins, seen before it does."""

from collections.abc import Mapping
from dataclasses import dataclass

from rules.access.group import AccessGroup, AccessRules, Duty, account_of


@dataclass(frozen=True, slots=True)
class Readiness:
    """One group that comes with a shift; `fault` is why it would not open, "" when it will."""

    group: str
    fault: str = ""


def readiness(
    rules: AccessRules, person: str, duty: Duty, troubles: Mapping[str, str]
) -> list[Readiness]:
    """Return the groups that follow this duty; `troubles` are by group what is wrong with it now."""
    return [
        Readiness(name, _fault(group, rules, person) or troubles.get(name, ""))
        for name, group in sorted(rules.groups.items())
        if any(_follows(one, duty) for one in group.follows)
    ]


def _follows(followed: Duty, duty: Duty) -> bool:
    return followed.rotation == duty.rotation and followed.role in {"", duty.role}


def _fault(group: AccessGroup, rules: AccessRules, person: str) -> str:
    if why := rules.barred.get(person, ""):
        return why
    return "" if account_of(group, person) else "no account of yours is known there"
