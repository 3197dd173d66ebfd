"""Whether a database takes what is written: what a full disk or a standby looks like from here."""

from datetime import datetime, timedelta

from sqlalchemy import text, update

from bot.clock import Clock
from bot.ports.inbox import NotStoredError
from bot.store.database import Database
from bot.store.inbox import GroupCommitInbox
from bot.store.jobs import insert_for
from bot.store.tables.audit import ERRAND

EVERY = timedelta(seconds=5)
"""How long it is believed, once it was seen, that the file can be written."""
REMEMBERED = timedelta(minutes=1)
"""How long a refused delivery counts, unless another one is stored after it."""

_MEANWHILE = "alerts are refused meanwhile, and their senders try again"
_FULL = ("disk is full", "no space left", "could not extend file")
_CROWDED = ("too many clients", "remaining connection slots", "too many connections")
_NOT_OURS = ("readonly", "read-only", "permission denied")
_READ_ONLY = text("SELECT current_setting('transaction_read_only')")
_NAME = "readiness"


class Fitness:
    """Tells, in a sentence that says what to do, why the database is not fit to be written."""

    def __init__(self, database: Database, inbox: GroupCommitInbox, clock: Clock) -> None:
        self._database = database
        self._inbox = inbox
        self._clock = clock
        self._written_at: datetime | None = None

    async def fault(self) -> str:
        """Return what is wrong, "" when nothing is."""
        now = self._clock.now()
        try:
            if self._database.is_sqlite:
                await self._write(now)
            elif await self._is_standby():
                self._database.connect_anew()  # it may be none any more when we look again
                return f"it is read-only; point `database` at the primary; {_MEANWHILE}"
        except NotStoredError as error:
            self._written_at = None
            return self._in_words(str(error))
        at, why = self._inbox.refused
        return self._in_words(why) if at is not None and now - at < REMEMBERED else ""

    async def _write(self, now: datetime) -> None:
        if self._written_at is not None and now - self._written_at < EVERY:
            return
        async with self._database.write() as connection:
            row = {"name": _NAME, "next_at": now}
            await connection.execute(insert_for(ERRAND, "sqlite").on_conflict_do_nothing(), row)
            done = update(ERRAND).where(ERRAND.c.name == _NAME).values(next_at=now, done_at=now)
            await connection.execute(done)
        self._written_at = now

    async def _is_standby(self) -> bool:
        async with self._database.read() as connection:
            return bool((await connection.execute(_READ_ONLY)).scalar_one() == "on")

    def _in_words(self, why: str) -> str:
        said = why.lower()
        if any(word in said for word in _FULL):
            where = self._database.path if self._database.is_sqlite else "PostgreSQL"
            return f"the disk of {where} is full: make space there; {_MEANWHILE}"
        if any(word in said for word in _CROWDED):
            return (
                f"the server has no connection left ({why}): each replica takes 16, so raise"
                f" max_connections or end what else is connected; {_MEANWHILE}"
            )
        if any(word in said for word in _NOT_OURS):
            return f"it cannot be written ({why}): give Watchbill the right to; {_MEANWHILE}"
        return f"it cannot be used ({why}): is it there, and may we in? {_MEANWHILE}"
