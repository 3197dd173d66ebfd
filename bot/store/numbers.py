"""Incidents' numbers, one after the other, also where the database has lost the last of them."""

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.backups.settling import SETTLE
from bot.store.tables.core import COUNTER

_log = structlog.get_logger(__name__)

_LAST = select(COUNTER.c.value).where(COUNTER.c.name == "incident").with_for_update()


class Numbers:
    """What this process has seen given out: a database that knows of fewer has gone back in time.

    So it does when a server takes over that had not heard the last of the one before.
    """

    def __init__(self) -> None:
        self._seen = 0

    async def last(self, connection: AsyncConnection) -> int:
        """Lock and return the last number given out; after a loss it is settled as a restore is.

        Buttons in Slack name incidents by number: those of a lost one must not mean another.
        """
        while True:
            found: int = (await connection.execute(_LAST)).scalar_one()
            if found >= self._seen:
                return found
            _log.error("the database has gone back", action="settle", now=found, before=self._seen)
            for statement in SETTLE:
                await connection.execute(text(statement))

    def committed(self, last: int) -> None:
        """Remember what a transaction has read, or given out."""
        self._seen = max(self._seen, last)
