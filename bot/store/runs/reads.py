"""The reader's part about runs."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select, text

from bot.store.columns import UtcDateTime, stored_key
from bot.store.database import Database
from bot.store.runs import rows as run_rows
from bot.store.tables.runs import EXPECTATION, OCCASION, RUN
from rules.expected_runs import Occasion, Standing
from rules.run import Run

_OVERDUE = (
    select(EXPECTATION.c.name)
    .where(
        text("expectation.look_at IS NOT NULL"),
        EXPECTATION.c.look_at <= bindparam("now", type_=UtcDateTime()),
    )
    .limit(1)
)


class RunReading:
    """Answers about runs; every method raises NotStoredError when the database is away."""

    def __init__(self, database: Database) -> None:
        self._runs_of = database

    async def standings(self) -> Sequence[Standing]:
        async with self._runs_of.read() as connection:
            found = await connection.execute(select(EXPECTATION).order_by(EXPECTATION.c.name))
            return [run_rows.standing(row) for row in found]

    async def occasions(self, product_or_name: str, since: datetime) -> Sequence[Occasion]:
        key = stored_key(product_or_name)
        of_product = (OCCASION.c.product == key) & text("occasion.product != ''")
        query = (
            select(OCCASION)
            .where(or_(OCCASION.c.name == key, of_product), OCCASION.c.due_at >= since)
            .order_by(OCCASION.c.due_at, OCCASION.c.name)
        )
        async with self._runs_of.read() as connection:
            return [run_rows.occasion(row) for row in await connection.execute(query)]

    async def latest_runs(self, source: str, pipeline: str, limit: int) -> Sequence[Run]:
        query = select(RUN).order_by(RUN.c.heard_at.desc(), RUN.c.run_id.desc()).limit(limit)
        if source:
            query = query.where(RUN.c.source == run_rows.short_key(source))
        if pipeline:
            query = query.where(RUN.c.pipeline == run_rows.short_key(pipeline))
        async with self._runs_of.read() as connection:
            return [run_rows.run(row) for row in await connection.execute(query)]

    async def runs_are_overdue(self, now: datetime) -> bool:
        return bool(await self._runs_of.look(_OVERDUE, {"now": now}))

    async def overdue_runs(self) -> int:
        query = select(func.count()).where(EXPECTATION.c.missed_at.is_not(None))
        async with self._runs_of.read() as connection:
            return int((await connection.execute(query)).scalar_one())
