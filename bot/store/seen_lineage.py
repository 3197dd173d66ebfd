"""Lineage from live events as rows: written with the delivery, seldom, and never without end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Table, bindparam, delete, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import jobs, rows
from bot.store.columns import UtcDateTime, stored_key, stored_text
from bot.store.database import Database
from bot.store.tables.core import COUNTER
from bot.store.tables.lineage import SEEN_ASSET, SEEN_EDGE
from rules.seen_lineage import Seen, SeenAsset, SeenEdge, SeenLineage, Sighting

MOST_ASSETS = 20_000
"""Assets kept of one source; beyond that, those seen longest ago are forgotten."""
MOST_EDGES = 50_000
TOUCH_EVERY = timedelta(hours=1)
"""How late `last_at` of what did not change may be."""

_AT_ONCE = 400
_MOST_REMEMBERED = 200_000
_BODY = TypeAdapter(SeenAsset)

_CHANGED = update(COUNTER).where(COUNTER.c.name == "lineage").values(value=COUNTER.c.value + 1)
VERSION = select(COUNTER.c.value).where(COUNTER.c.name == "lineage")

AssetKey = tuple[str, str]
EdgeKey = tuple[str, str, str]


@dataclass(slots=True)
class Remembered:
    """What this process knows to be stored, so that what is told again costs no query.

    Another replica may have deleted it since: what is wrong here is right again an hour later.
    """

    assets: dict[AssetKey, tuple[SeenAsset, datetime]] = field(default_factory=dict)
    edges: dict[EdgeKey, datetime] = field(default_factory=dict)

    def knows(self, key: AssetKey, asset: SeenAsset, now: datetime) -> bool:
        known, at = self.assets.get(key, (None, now))
        return known is not None and now - at < TOUCH_EVERY and known.but(asset) == known

    def knows_edge(self, key: EdgeKey, now: datetime) -> bool:
        at = self.edges.get(key)
        return at is not None and now - at < TOUCH_EVERY

    def forget(self) -> None:
        self.assets.clear()
        self.edges.clear()

    def learn(
        self,
        assets: Mapping[AssetKey, tuple[SeenAsset, datetime]],
        edges: Mapping[EdgeKey, datetime],
    ) -> None:
        if len(self.assets) + len(self.edges) > _MOST_REMEMBERED:
            self.forget()
        self.assets.update(assets)
        self.edges.update(edges)


class PendingLineage:
    """What one transaction's deliveries told, in order; `flush` writes what is news."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered
        self._assets: dict[AssetKey, SeenAsset] = {}
        self._edges: dict[EdgeKey, None] = {}
        self._renamed: list[tuple[str, str, str]] = []
        self._gone: list[AssetKey] = []
        self._learnt: tuple[dict[AssetKey, tuple[SeenAsset, datetime]], dict[EdgeKey, datetime]] = (
            {},
            {},
        )
        self._deleted = False

    def see(self, source: str, seen: SeenLineage) -> None:
        space = stored_key(source)
        for old, new in seen.renamed:
            self._rename(space, stored_text(old), stored_text(new))
        for one in seen.gone:
            self._drop(space, stored_text(one))
        for asset in seen.assets:
            key = space, stored_text(asset.id)
            known = self._assets.get(key)
            self._assets[key] = known.but(asset) if known else asset
        for upstream, downstream in seen.edges():
            self._edges[space, stored_text(upstream), stored_text(downstream)] = None

    def _rename(self, source: str, old: str, new: str) -> None:
        self._renamed.append((source, old, new))
        self._assets.pop((source, old), None)
        self._edges = {_moved(key, source, old, new): None for key in self._edges}

    def _drop(self, source: str, gone: str) -> None:
        self._gone.append((source, gone))
        self._assets.pop((source, gone), None)
        self._edges = {key: None for key in self._edges if key[0] != source or gone not in key[1:]}

    async def flush(self, connection: AsyncConnection, now: datetime) -> None:
        if not (self._assets or self._edges or self._renamed or self._gone):
            return
        changed = False
        for source, old, new in self._renamed:
            changed |= await self._move(connection, source, old, new)
        for source, gone in self._gone:
            changed |= await _delete_asset(connection, source, gone)
        self._deleted = changed
        known = self._remembered if not changed else Remembered()
        assets = {k: one for k, one in self._assets.items() if not known.knows(k, one, now)}
        edges = [key for key in self._edges if not known.knows_edge(key, now)]
        grown = await self._put_assets(connection, assets, now)
        grown |= await self._put_edges(connection, edges, now)
        for source in sorted(grown):
            await self._bound(connection, source)
        if changed or grown:
            await connection.execute(_CHANGED)

    def committed(self) -> None:
        """Remember what is stored now; not before the commit, which may fail."""
        if self._deleted:
            self._remembered.forget()
        self._remembered.learn(*self._learnt)

    async def _put_assets(
        self, connection: AsyncConnection, told: Mapping[AssetKey, SeenAsset], now: datetime
    ) -> set[str]:
        """Write assets; return the sources of which something is new or another now."""
        stored = {
            (row.source, row.id): row async for row in _stored(connection, SEEN_ASSET, sorted(told))
        }
        written, news = [], set()
        for key, asset in sorted(told.items(), key=lambda one: one[0]):
            row = stored.get(key)
            whole = _asset(row.body).but(asset) if row else asset
            body = _BODY.dump_json(whole, exclude_defaults=True).decode()
            same = row is not None and body == row.body
            if not same:
                news.add(key[0])
            last_at = row.last_at if same and row else now - TOUCH_EVERY
            if now - last_at >= TOUCH_EVERY:
                written.append({"source": key[0], "id": key[1], "body": stored_text(body),
                                "first_at": now, "last_at": now})  # fmt: skip
                self._learnt[0][key] = whole, now
            else:
                self._learnt[0][key] = whole, last_at
        await _put(connection, SEEN_ASSET, written)
        return news

    async def _put_edges(
        self, connection: AsyncConnection, told: Sequence[EdgeKey], now: datetime
    ) -> set[str]:
        stored = {
            (row.source, row.upstream, row.downstream): row.last_at
            async for row in _stored(connection, SEEN_EDGE, sorted(told))
        }
        stale = sorted(k for k in told if now - stored.get(k, now - TOUCH_EVERY) >= TOUCH_EVERY)
        self._learnt[1].update({**stored, **dict.fromkeys(stale, now)})
        written = [{**dict(zip(("source", "upstream", "downstream"), key, strict=True)),
                    "first_at": now, "last_at": now} for key in stale]  # fmt: skip
        await _put(connection, SEEN_EDGE, written)
        return {key[0] for key in stale if key not in stored}

    async def _move(self, connection: AsyncConnection, source: str, old: str, new: str) -> bool:
        """Give the edges and what is known of an asset to its new name."""
        row = await anext(_stored(connection, SEEN_ASSET, [(source, old)]), None)
        if row is None:
            return False
        known = replace(_asset(row.body), id=new, name="", relation="")
        told = self._assets.get((source, new))
        if told is not None:
            self._assets[source, new] = known.but(told)
        found = await connection.execute(select(SEEN_EDGE).where(_of(source, old)))
        moved = {_moved((r.source, r.upstream, r.downstream), source, old, new) for r in found}
        self._edges.update(dict.fromkeys(sorted(k for k in moved if k[1] != k[2])))
        return await _delete_asset(connection, source, old)

    async def _bound(self, connection: AsyncConnection, source: str) -> None:
        for table, most in ((SEEN_ASSET, MOST_ASSETS), (SEEN_EDGE, MOST_EDGES)):
            of_it = table.c.source == source
            count = select(func.count()).select_from(table).where(of_it)
            over = (await connection.execute(count)).scalar_one() - most
            if over > 0:
                keys = tuple(table.primary_key.columns)
                oldest = select(*keys).where(of_it).order_by(table.c.last_at, *keys).limit(over)
                await connection.execute(delete(table).where(tuple_(*keys).in_(oldest)))
                self._deleted = True


async def forget(database: Database, before: datetime) -> int:
    """Delete in small transactions what nobody has told since `before`; return how many rows."""
    removed = 0
    for table in (SEEN_EDGE, SEEN_ASSET):
        keys = tuple(table.primary_key.columns)
        old = select(*keys).where(table.c.last_at < bindparam("before", type_=UtcDateTime()))
        statement = delete(table).where(tuple_(*keys).in_(old.limit(1_000)))
        count = 1
        while count:
            async with database.write() as connection:
                count = (await connection.execute(statement, {"before": before})).rowcount
                if count:
                    await connection.execute(_CHANGED)
            removed += count
    return removed


async def version(connection: AsyncConnection) -> int:
    return int((await connection.execute(VERSION)).scalar() or 0)


async def all_seen(connection: AsyncConnection) -> Seen:
    """Return everything that is kept; the version first, so that what comes meanwhile is news."""
    at = await version(connection)
    assets = await connection.execute(select(SEEN_ASSET).order_by(SEEN_ASSET.c.id))
    edges = await connection.execute(select(SEEN_EDGE))
    return Seen(
        at,
        tuple(Sighting(_asset(r.body), r.source, r.first_at, r.last_at) for r in assets),
        tuple(SeenEdge(r.upstream, r.downstream, r.source, r.first_at, r.last_at) for r in edges),
    )


def _asset(body: str) -> SeenAsset:
    return _BODY.validate_json(body)


def _moved(key: EdgeKey, source: str, old: str, new: str) -> EdgeKey:
    if key[0] != source:
        return key
    upstream, downstream = (new if one == old else one for one in key[1:])
    return source, upstream, downstream


def _of(source: str, asset: str) -> Any:
    either = or_(SEEN_EDGE.c.upstream == asset, SEEN_EDGE.c.downstream == asset)
    return (SEEN_EDGE.c.source == source) & either


async def _delete_asset(connection: AsyncConnection, source: str, asset: str) -> bool:
    edges = await connection.execute(delete(SEEN_EDGE).where(_of(source, asset)))
    its_row = (SEEN_ASSET.c.source == source) & (SEEN_ASSET.c.id == asset)
    found = await connection.execute(delete(SEEN_ASSET).where(its_row))
    return bool(edges.rowcount or found.rowcount)


async def _stored(
    connection: AsyncConnection, table: Table, keys: Sequence[tuple[str, ...]]
) -> Any:
    columns = tuple_(*table.primary_key.columns)
    for start in range(0, len(keys), _AT_ONCE):
        some = select(table).where(columns.in_(keys[start : start + _AT_ONCE]))
        for row in await connection.execute(some):
            yield row


async def _put(connection: AsyncConnection, table: Table, values: Sequence[rows.Values]) -> None:
    if values:
        await connection.execute(_upsert(table.name, connection.dialect.name), values)


@cache
def _upsert(name: str, dialect: str) -> jobs.Insert:
    table = SEEN_ASSET if name == "seen_asset" else SEEN_EDGE
    statement = jobs.insert_for(table, dialect)
    taken = [column for column in ("body", "last_at") if column in table.c]
    return statement.on_conflict_do_update(
        index_elements=[column.name for column in table.primary_key.columns],
        set_={column: statement.excluded[column] for column in taken},
    )
