"""The inbox's batches on PostgreSQL: one statement, one round trip, one commit."""

from collections.abc import Sequence

import asyncpg

from bot.ports.inbox import NotStoredError
from bot.store.columns import from_micros
from bot.store.database import Database
from bot.store.errors import ReadOnlyError
from bot.store.inbox import InboundTuple

_INSERT = """
INSERT INTO inbound (id, key, source, received_at, next_at, content_type, headers, body)
SELECT id, key, source, at, at, content_type, headers, body
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
            $7::bytea[]) AS new (id, key, source, at, content_type, headers, body)
ON CONFLICT (key) DO NOTHING
RETURNING key
"""
_FIND = "SELECT key, id FROM inbound WHERE key = ANY($1::text[])"
_FAILURES = (
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
    OSError,
)


class PostgresqlBatchWriter:
    """Writes through a connection of the pool, past SQLAlchemy: half its cost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, batch: Sequence[InboundTuple]) -> dict[str, str]:
        # sorted: two replicas that get the same keys at once meet them in the same order
        ordered = sorted(batch, key=lambda row: row[1])
        async with self._database.bare() as pooled:
            connection = (await pooled.get_raw_connection()).driver_connection
            assert isinstance(connection, asyncpg.Connection)
            try:
                return await _write_batch(connection, ordered)
            except _FAILURES as error:
                await pooled.invalidate()
                is_read_only = isinstance(error, asyncpg.ReadOnlySQLTransactionError)
                kind = ReadOnlyError if is_read_only else NotStoredError
                raise kind(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """The pool belongs to the database."""


async def _write_batch(
    connection: asyncpg.Connection, batch: Sequence[InboundTuple]
) -> dict[str, str]:
    ids, keys, sources, micros, content_types, headers, bodies = zip(*batch, strict=True)
    times = [from_micros(at) for at in micros]
    inserted = await connection.fetch(
        _INSERT, ids, keys, sources, times, content_types, headers, bodies
    )
    if len(inserted) == len(batch):
        return {}
    missing = set(keys) - {row["key"] for row in inserted}
    return {row["key"]: row["id"] for row in await connection.fetch(_FIND, list(missing))}
