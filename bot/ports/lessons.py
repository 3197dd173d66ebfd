"""What people taught: the rules they saved, and the past that a new rule is tried on."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from rules.rulebook import RuleBook
from rules.teaching.correction import Breadth, Remedy
from rules.teaching.learned import LearnedRule
from rules.teaching.trial import PastAlert, PastIncident, Trial, fitting, try_rule

TRIED_ON = timedelta(days=30)
MOST_TRIED = 10_000


class LessonWrites(Protocol):
    """The part of a transaction that keeps learned rules."""

    async def learned_rules(self) -> Sequence[LearnedRule]:
        """Return the rules in force, the newest first."""
        ...

    def save_learned(self, rule: LearnedRule) -> None: ...
    def end_learned(self, rule_id: str, by: str, at: datetime) -> None: ...


class Lessons(Protocol):
    """Reads what people taught and what happened; every method may raise NotStoredError."""

    async def learned_ids(self) -> Sequence[str]:
        """Return the ids of the rules in force, the newest first; a rule never changes."""
        ...

    async def learned_rules(self) -> Sequence[LearnedRule]:
        """Return the rules in force, the newest first."""
        ...

    async def past_alerts(self, since: datetime, limit: int) -> Sequence[PastAlert]:
        """Return the alerts since then with the category each was given, newest first."""
        ...

    async def past_incidents(self, ids: Sequence[str]) -> Mapping[str, PastIncident]: ...


class NoLessons:
    """Where nothing was ever taught and nothing happened."""

    async def learned_ids(self) -> Sequence[str]:
        return ()

    async def learned_rules(self) -> Sequence[LearnedRule]:
        return ()

    async def past_alerts(self, since: datetime, limit: int) -> Sequence[PastAlert]:  # noqa: ARG002 - the port's
        return ()

    async def past_incidents(self, ids: Sequence[str]) -> Mapping[str, PastIncident]:  # noqa: ARG002 - the port's
        return {}


@dataclass(frozen=True, slots=True)
class Past:
    """The alerts a rule is tried on, read once for all of its breadths."""

    alerts: Sequence[PastAlert]
    cut: bool


async def read_past(lessons: Lessons, now: datetime) -> Past:
    alerts = await lessons.past_alerts(now - TRIED_ON, MOST_TRIED + 1)
    return Past(alerts[:MOST_TRIED], len(alerts) > MOST_TRIED)


async def tried(
    lessons: Lessons, past: Past, breadth: Breadth, remedy: Remedy, book: RuleBook
) -> Trial:
    """Try a rule on the past: what would have been otherwise, by today's rulebook."""
    taken = await asyncio.to_thread(fitting, past.alerts, breadth.matchers)
    incidents = await lessons.past_incidents(list(dict.fromkeys(one.incident_id for one in taken)))
    return await asyncio.to_thread(
        try_rule, taken, incidents, remedy, book, looked_at=len(past.alerts), cut=past.cut
    )
