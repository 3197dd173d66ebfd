"""What is kept of grants, in lists a test fills."""

from collections.abc import Sequence
from datetime import datetime

from bot.ports.access import GroupStanding
from rules.access.grant import Grant
from rules.access.ledger import Entry


class FakeAccess:
    """The AccessReads of a test."""

    def __init__(self, *grants: Grant) -> None:
        self.held = {grant.id: grant for grant in grants}
        self.lines: list[Entry] = []

    def put(self, grant: Grant) -> None:
        self.held[grant.id] = grant

    async def grant(self, grant_id: str) -> Grant | None:
        return self.held.get(grant_id)

    async def open_grants(self, group: str = "") -> Sequence[Grant]:
        return [g for g in self.held.values() if g.is_open and group in {"", g.group}]

    async def grants(self, since: datetime, limit: int) -> Sequence[Grant]:
        found = (g for g in self.held.values() if g.requested_at >= since or g.is_open)
        return list(found)[:limit]

    async def ledger(
        self, start: datetime, end: datetime, *, grant: str = "", limit: int = 10_000
    ) -> Sequence[Entry]:
        found = (e for e in self.lines if start <= e.at < end and grant in {"", e.grant})
        return list(found)[:limit]

    async def standings(self) -> Sequence[GroupStanding]:
        return ()

    async def next_wake(self) -> datetime | None:
        return None
