"""Fills a database with a long past in bulk: copies of what the bot itself has stored of a few.

Indexes are taken away first and made again afterwards, which is many times faster.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing

import asyncpg
from sqlalchemy import Table

from bot.store.tables.core import ALERT, ALERT_TIME, INBOUND, INCIDENT, JOB, TIMELINE
from bot.store.tables.issues import ISSUE

DAYS = 60
"""So far back the past goes."""
_MICROS = DAYS * 86_400 * 1_000_000

_OWN = "{c} || '-' || n"
_CHANGED: Mapping[Table, Mapping[str, str]] = {
    INBOUND: {
        "id": _OWN,
        "key": _OWN,
        "received_at": "{at}",
        "next_at": "{at}",
        "body": "{short}",
    },
    INCIDENT: {
        "id": _OWN,
        "number": "{c} + n * {step}",
        "dedup_key": _OWN,
        "group_key": _OWN,
        "body": "replace(body, id, id || '-' || n)",
        **dict.fromkeys(("opened_at", "resolved_at", "paged_at", "closed_at"), "{at}"),
    },
    ALERT: {
        "incident_id": _OWN,
        "dedup_key": _OWN,
        "group_key": _OWN,
        "first_at": "{at}",
        "last_at": "{at}",
    },
    ALERT_TIME: {"incident_id": _OWN, "at": "{at}"},
    TIMELINE: {"id": "", "incident_id": _OWN, "at": "{at}"},
    JOB: {"id": _OWN, "key": _OWN, "incident_id": _OWN, "created_at": "{at}", "done_at": "{at}"},
    ISSUE: {"number": "{c} + n * {step}", "incident_id": _OWN, "opened_at": "{at}"},
}
_COUNTED = "UPDATE counter SET value = (SELECT max(number) FROM incident) WHERE name = 'incident'"
_ONLY = {JOB: " WHERE kind = 'page'"}
"""What is copied of a table, where it is not everything."""
_NAMES = {table.name for table in _CHANGED}


async def multiply(url: str, copies: int, step: int) -> None:
    """Copy all rows there are so many times, each copy further back; numbers rise by `step`."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            _multiply_sqlite(database, copies, step)
        return
    connection = await asyncpg.connect(url)
    try:
        await _multiply_postgresql(connection, copies, step)
    finally:
        await connection.close()


def _multiply_sqlite(database: sqlite3.Connection, copies: int, step: int) -> None:
    for pragma in (
        "journal_mode=DELETE",
        "journal_mode=OFF",
        "synchronous=OFF",
        "cache_size=-500000",
    ):
        database.execute(f"PRAGMA {pragma}").fetchall()
    found = [row for row in database.execute(_INDEXES_SQLITE) if row[1] in _NAMES]
    for name, _table, kind, _made in found:
        database.execute(f"DROP {kind} {name}")
    for table, changed in _CHANGED.items():
        database.execute(_copy(table, changed, copies, step, sqlite=True))
        database.commit()
    database.execute(_COUNTED)
    for *_, made in found:
        database.execute(made)
    database.execute("INSERT INTO issue_search(issue_search) VALUES ('rebuild')")
    database.commit()
    database.execute("ANALYZE")
    database.commit()
    database.execute("PRAGMA journal_mode=WAL").fetchall()


async def _multiply_postgresql(connection: asyncpg.Connection, copies: int, step: int) -> None:
    await connection.execute("SET synchronous_commit = off")
    await connection.execute("SET maintenance_work_mem = '256MB'")
    found = [row for row in await connection.fetch(_INDEXES_POSTGRESQL) if row["place"] in _NAMES]
    for row in found:
        await connection.execute(f"DROP INDEX {row['name']}")
    for table, changed in _CHANGED.items():
        await connection.execute(_copy(table, changed, copies, step, sqlite=False), timeout=300)
    await connection.execute(_COUNTED)
    for row in found:
        await connection.execute(row["made"], timeout=300)
    await connection.execute("VACUUM (ANALYZE)", timeout=300)
    await connection.execute("CHECKPOINT", timeout=300)


def _copy(table: Table, changed: Mapping[str, str], copies: int, step: int, *, sqlite: bool) -> str:
    every = _MICROS // max(copies, 1)
    numbers, head = f"generate_series(1, {copies}) AS numbers (n)", ""
    back = f"{{c}} - make_interval(secs => ({copies} - n) * {every / 1e6})"
    if sqlite:
        numbers, back = "numbers", f"{{c}} - ({copies} - n) * {every}"
        head = (
            "WITH RECURSIVE numbers (n) AS"
            f" (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {copies}) "
        )
    short = "CAST(substr(body, 1, 200) AS BLOB)" if sqlite else "substring(body from 1 for 200)"
    values = {
        column.name: changed.get(column.name, "{c}").format(
            c=column.name, at=back.format(c=column.name), step=step, short=short
        )
        for column in table.columns
    }
    values = {name: value for name, value in values.items() if value}
    # copy by copy of one row: their keys are neighbours, so that few pages are written twice
    source = f"{table.name} CROSS JOIN {numbers}{_ONLY.get(table, '')}"
    chosen = f"SELECT {', '.join(values.values())} FROM {source}"
    return f"{head}INSERT INTO {table.name} ({', '.join(values)}) {chosen}"


_INDEXES_SQLITE = """
SELECT name, tbl_name, upper(type), sql FROM sqlite_master
WHERE type IN ('index', 'trigger') AND sql IS NOT NULL
"""
_INDEXES_POSTGRESQL = """
SELECT i.indexname AS name, i.tablename AS place, i.indexdef AS made
FROM pg_indexes i WHERE i.schemaname = current_schema()
AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)
"""
