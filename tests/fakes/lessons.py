"""Lessons that a test fills."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.ports.inbox import NotStoredError
from rules.teaching.learned import LearnedRule
from rules.teaching.trial import PastAlert, PastIncident


class FakeLessons:
    """Holds what a database would; `broken` makes every read fail."""

    def __init__(self) -> None:
        self.rules: list[LearnedRule] = []
        self.alerts: list[PastAlert] = []
        self.incidents: dict[str, PastIncident] = {}
        self.broken = False

    async def learned_ids(self) -> Sequence[str]:
        return [rule.id for rule in await self.learned_rules()]

    async def learned_rules(self) -> Sequence[LearnedRule]:
        self._check()
        return list(self.rules)

    async def past_alerts(self, since: datetime, limit: int) -> Sequence[PastAlert]:
        self._check()
        return [one for one in self.alerts if one.at >= since][:limit]

    async def past_incidents(self, ids: Sequence[str]) -> Mapping[str, PastIncident]:
        return {one: self.incidents[one] for one in ids if one in self.incidents}

    def _check(self) -> None:
        if self.broken:
            raise NotStoredError("the database is away")
