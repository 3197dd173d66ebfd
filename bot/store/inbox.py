"""Durable acceptance: everybody who waits at the same time shares one commit."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from bot.clock import Clock
from bot.ports.inbox import Accepted, NewDelivery, NotStoredError
from bot.store import rows
from bot.store.columns import stored_key, stored_text, to_micros
from bot.store.database import Database
from bot.store.ids import new_id

_log = structlog.get_logger(__name__)

_LARGEST_BATCH = 1_000

InboundTuple = tuple[str, str, str, int, str, str, bytes]
"""id, key, source, received_at in microseconds, content type, headers, body."""


class BatchWriter(Protocol):
    """Commits a batch; returns, for keys that were there before, the id they have."""

    async def write(self, batch: Sequence[InboundTuple]) -> dict[str, str]: ...
    async def close(self) -> None: ...


@dataclass(slots=True)
class _Waiting:
    row: InboundTuple
    answer: asyncio.Future[Accepted]


class GroupCommitInbox:
    """The Inbox on any BatchWriter."""

    def __init__(self, writer: BatchWriter, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self.commits = 0
        self.refused: tuple[datetime | None, str] = (None, "")
        """When storing last failed, and why; nothing once it has worked again."""

    async def accept(self, delivery: NewDelivery) -> Accepted:
        now = self._clock.now()
        row = (
            new_id(now),
            stored_key(delivery.key),
            stored_key(delivery.source),
            to_micros(now),
            stored_text(delivery.content_type),
            rows.to_json(dict(delivery.headers)) if delivery.headers else "{}",
            delivery.body,
        )
        loop = asyncio.get_running_loop()
        waiting = _Waiting(row, loop.create_future())
        self._waiting.append(waiting)
        if self._task is None:
            # lives only while somebody waits for it; close() waits for its end
            self._task = loop.create_task(self._commit_all(), name="inbox")
        return await waiting.answer

    async def close(self) -> None:
        if self._task is not None:
            await self._task
        await self._writer.close()

    async def _commit_all(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch = self._waiting[:_LARGEST_BATCH]
                del self._waiting[:_LARGEST_BATCH]
                await self._commit(batch)
        finally:
            self._task = None
            for waiting in [*batch, *self._waiting]:
                if not waiting.answer.done():
                    waiting.answer.set_exception(NotStoredError("the inbox was stopped"))

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        first = {waiting.row[1]: waiting.row for waiting in reversed(batch)}
        try:
            earlier = await self._writer.write(list(first.values()))
        except NotStoredError as error:
            why = str(error)
            self.refused = self._clock.now(), why
            _log.error("inbox", action="refuse_deliveries", count=len(batch), error=why)
            _answer(batch, lambda waiting: waiting.answer.set_exception(NotStoredError(why)))
            return
        self.commits += 1
        self.refused = None, ""
        ids = {key: row[0] for key, row in first.items()} | earlier

        def tell(waiting: _Waiting) -> None:
            own_id, key = waiting.row[:2]
            waiting.answer.set_result(Accepted(ids[key], repeated=ids[key] != own_id))

        _answer(batch, tell)


def _answer(batch: Iterable[_Waiting], tell: Callable[[_Waiting], None]) -> None:
    for waiting in batch:
        if not waiting.answer.done():  # the requester may have gone
            tell(waiting)


_INSERT = (
    "INSERT INTO inbound (id, key, source, received_at, next_at, content_type, headers, body)"
    " VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7) ON CONFLICT (key) DO NOTHING"
)
_FIND = "SELECT key, id FROM inbound WHERE key IN (SELECT value FROM json_each(?))"


class SqliteBatchWriter:
    """One thread with one bare connection: a third of the cost of any layer above it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, "inbox")
        self._connection: sqlite3.Connection | None = None

    async def write(self, batch: Sequence[InboundTuple]) -> dict[str, str]:
        async with self._database.turn():
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._write, batch)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _write(self, batch: Sequence[InboundTuple]) -> dict[str, str]:
        try:
            return _write_batch(self._connected(), batch)
        except sqlite3.Error as error:
            raise NotStoredError(str(error)) from error

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _connect(self._database.path)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=True)
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _write_batch(connection: sqlite3.Connection, batch: Sequence[InboundTuple]) -> dict[str, str]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        inserted = connection.executemany(_INSERT, batch).rowcount
        if inserted == len(batch):
            earlier = {}
        else:
            keys = {row[1]: row[0] for row in batch}
            found = connection.execute(_FIND, (rows.to_json(list(keys)),))
            earlier = {key: its_id for key, its_id in found if keys[key] != its_id}
        connection.execute("COMMIT")
        return earlier
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
