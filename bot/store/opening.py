"""Open a database: take its lock, bring its tables up to date, hand out the store's parts."""

import asyncio
from datetime import datetime, timedelta
from io import TextIOWrapper

import structlog
from sqlalchemy import text

from bot.clock import Clock
from bot.ports.inbox import NotStoredError
from bot.store.access import SqlAccess
from bot.store.audits import SqlAudits
from bot.store.calendars import SqlCalendars
from bot.store.claiming import LANE_GAP, LEASE, Terms
from bot.store.contact import SqlContacts
from bot.store.database import Database
from bot.store.errors import DAMAGED, StoreUnfitError
from bot.store.followers import SqlFollowers
from bot.store.inbox import BatchWriter, GroupCommitInbox, SqliteBatchWriter
from bot.store.issues.drawing import IssueDrawing
from bot.store.issues.reading import SqlIssues
from bot.store.journal.reading import SqlJournal
from bot.store.lessons import SqlLessons
from bot.store.locking import lock, restoring
from bot.store.past import SqlPast
from bot.store.queue import SqlJobQueue
from bot.store.reader import SqlReader
from bot.store.retention import Pause, no_pause, prune
from bot.store.roster.rows import SqlRosterRows
from bot.store.roster.versions import SqlRosterVersions
from bot.store.runbooks import SqlRunbooks
from bot.store.schema import half_restored, migrate
from bot.store.seen_lineage import forget
from bot.store.tasks import SqlTasks
from bot.store.transaction import SqlStore

_log = structlog.get_logger(__name__)

CLOSING = 3.0
"""Seconds after which a server that says nothing is left without a goodbye."""
_OLDEST_SQLITE = (3, 35, 0)


class OpenedStore:
    """Everything that works on one database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        writer: BatchWriter,
        lock: TextIOWrapper | None,
        *,
        lease: timedelta,
        lane_gap: timedelta,
    ) -> None:
        held: dict[str, datetime] = {}
        self.database = database
        terms = Terms(lease, lane_gap)
        self.store = SqlStore(database, clock, held, terms)
        self.inbox = GroupCommitInbox(writer, clock)
        self.queue = SqlJobQueue(database, held, terms)
        self.reader = SqlReader(database)
        self.past = SqlPast(database)
        self.lessons = SqlLessons(database)
        self.journal = SqlJournal(database)
        self.calendars = SqlCalendars(database)
        self.roster_versions = SqlRosterVersions(database)
        self.roster_rows = SqlRosterRows(database)
        self.followers = SqlFollowers(database)
        self.audits = SqlAudits(database)
        self.issues = SqlIssues(database)
        self.issue_drawing = IssueDrawing(database)
        self.runbooks = SqlRunbooks(database)
        self.tasks = SqlTasks(database)
        self.access = SqlAccess(database)
        self.contacts = SqlContacts(database)
        self._clock = clock
        self._lock = lock

    @property
    def shared(self) -> bool:
        """Tell whether other processes may work on the same database."""
        return not self.database.is_sqlite

    async def close(self) -> None:
        """Finish what the inbox accepted, close all connections, give the file's lock back.

        A server that hangs is not waited for: its connections end with the process.
        """
        try:
            async with asyncio.timeout(CLOSING if self.shared else None):
                await self.inbox.close()
                await self.database.close()
        except TimeoutError:
            _log.warning("database failed", action="close_store", error="it does not answer")
        finally:
            if self._lock is not None:
                self._lock.close()

    async def ping(self) -> None:
        """Return when the database answers. Raises NotStoredError."""
        async with self.database.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def database_now(self) -> datetime:
        """Return the database's time; on SQLite that is our own clock."""
        if self.database.is_sqlite:
            return self._clock.now()
        async with self.database.read() as connection:
            now: datetime = (
                await connection.execute(text("SELECT clock_timestamp()"))
            ).scalar_one()
        return now

    async def clock_offset(self) -> timedelta:
        """Measure what the database's clock is ahead of ours; nothing within half a round trip."""
        if self.database.is_sqlite:
            return timedelta(0)
        asked = self._clock.now()
        now = await self.database_now()
        half = (self._clock.now() - asked) / 2
        ahead = now - (asked + half)
        return ahead if abs(ahead) > half else timedelta(0)

    async def prune(self, before: datetime, pause: Pause = no_pause) -> dict[str, int]:
        """Forget what ended before `before`; return how many rows of each sort.

        `pause` is awaited between two transactions.
        """
        return await prune(self.database, before, pause)

    async def forget_lineage(self, before: datetime) -> int:
        """Forget lineage that no event has told of since `before`; return how many rows."""
        return await forget(self.database, before)


async def open_store(
    url: str,
    clock: Clock,
    *,
    lease: timedelta = LEASE,
    lane_gap: timedelta = LANE_GAP,
    beside: bool = False,
) -> OpenedStore:
    """Open `sqlite:///file` or `postgresql://...` and migrate it.

    `beside` is for a short command beside a running bot: it takes no lock, migrates nothing and
    claims no jobs. Raises StoreInUseError, StoreUnfitError with what to do, NotStoredError when
    it cannot be reached.
    """
    database = Database(url)
    held = lock(database.path) if database.is_sqlite and not beside else None
    try:
        if not beside:
            await _prepare(database)
    except NotStoredError as error:
        await _give_up(database, held)
        raise _cannot_use(database, error) from error
    except BaseException:
        await _give_up(database, held)
        raise
    writer = _batch_writer(database)
    return OpenedStore(database, clock, writer, held, lease=lease, lane_gap=lane_gap)


async def _prepare(database: Database) -> None:
    if not database.is_sqlite:
        # imported here, as below
        from bot.store.pooler import refuse_forgetful

        await refuse_forgetful(database)
    elif not database.path.exists() and (left := restoring(database.path)).exists():
        raise half_restored(str(left))
    if await migrate(database):
        _log.info("store", action="migrate")


def _cannot_use(database: Database, error: NotStoredError) -> Exception:
    if not database.is_sqlite:
        # imported here, as below
        from bot.store.pooler import in_words

        if words := in_words(str(error)):
            return StoreUnfitError(words)
    shown = database.url.render_as_string(hide_password=True)
    if database.is_sqlite and any(word in str(error) for word in DAMAGED):
        what = "restore the newest whole backup, with `watchbill restore`"
        return NotStoredError(f"database: {shown} is damaged ({error}): {what}")
    asked = "is there room for it" if database.is_sqlite else "is it there"
    return NotStoredError(f"database: {shown} cannot be used ({error}); {asked}, and may we in?")


async def _give_up(database: Database, lock: TextIOWrapper | None) -> None:
    await database.close()
    if lock is not None:
        lock.close()


def _batch_writer(database: Database) -> BatchWriter:
    if database.is_sqlite:
        return SqliteBatchWriter(database)
    # imported here: asyncpg takes 0.2 s that a SQLite start need not spend
    from bot.store.inbox_postgresql import PostgresqlBatchWriter

    return PostgresqlBatchWriter(database)
