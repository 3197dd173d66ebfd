"""A transaction's part about runs: what is expected, what ran, and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Integer, bindparam, case, func, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import jobs, rows
from bot.store.columns import UtcDateTime, stored_key
from bot.store.runs import rows as run_rows
from bot.store.tables.runs import EXPECTATION, OCCASION, RUN
from rules.expected_runs import Occasion, Outcome, Standing
from rules.run import Run, RunIdentity, RunState, merged

_IN_ONE_QUERY = 500
_OVERDUE = (
    select(EXPECTATION)
    .where(
        text("expectation.look_at IS NOT NULL"),
        EXPECTATION.c.look_at <= bindparam("now", type_=UtcDateTime()),
    )
    .order_by(EXPECTATION.c.look_at, EXPECTATION.c.name)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True)
)
_NAMED = (
    select(EXPECTATION)
    .where(EXPECTATION.c.name.in_(bindparam("names", expanding=True)))
    .order_by(EXPECTATION.c.name)
    .with_for_update()
)
_STARTED = select(
    RUN.c.source, RUN.c.pipeline, RUN.c.run_id, RUN.c.attempt, RUN.c.started_at
).where(
    tuple_(RUN.c.source, RUN.c.pipeline, RUN.c.run_id, RUN.c.attempt).in_(
        bindparam("identities", expanding=True)
    ),
    RUN.c.started_at.is_not(None),
)


class RunWriting:
    """Loads at once, and keeps writes in memory until `flush_runs`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._runs_on = connection
        self._runs: dict[RunIdentity, Run] = {}
        self._standings: dict[str, Standing] = {}
        self._occasions: list[tuple[Occasion, bool]] = []

    def record_run(self, run: Run) -> None:
        old = self._runs.get(run.identity)
        self._runs[run.identity] = merged(old, run) if old else run

    async def starts_of(self, runs: Sequence[Run]) -> Mapping[RunIdentity, datetime]:
        stored = {_stored_identity(run): run.identity for run in runs}
        wanted, found = sorted(stored), dict[RunIdentity, datetime]()
        for at in range(0, len(wanted), _IN_ONE_QUERY):
            piece = {"identities": wanted[at : at + _IN_ONE_QUERY]}
            for row in await self._runs_on.execute(_STARTED, piece):
                found[stored[row.source, row.pipeline, row.run_id, row.attempt]] = row.started_at
        return found

    async def overdue_expectations(self, now: datetime, limit: int) -> Sequence[Standing]:
        found = await self._runs_on.execute(_OVERDUE, {"now": now, "most": limit})
        return [run_rows.standing(row) for row in found]

    async def expectations(self, names: Sequence[str]) -> Mapping[str, Standing]:
        loaded: dict[str, Standing] = {}
        wanted = sorted({stored_key(name) for name in names})
        for at in range(0, len(wanted), _IN_ONE_QUERY):
            piece = wanted[at : at + _IN_ONE_QUERY]
            found = await self._runs_on.execute(_NAMED, {"names": piece})
            loaded |= {row.name: run_rows.standing(row) for row in found}
        loaded |= {n: self._standings[n] for n in wanted if n in self._standings}
        return {name: loaded[key] for name in names if (key := stored_key(name)) in loaded}

    def save_expectation(self, standing: Standing) -> None:
        self._standings[stored_key(standing.name)] = standing

    def record_occasion(self, occasion: Occasion, *, known_only: bool = False) -> None:
        self._occasions.append((occasion, known_only))

    async def flush_runs(self, now: datetime) -> None:
        """Write everything, in one order of keys for all transactions."""
        dialect = self._runs_on.dialect.name
        runs = [run_rows.run_values(self._runs[key], now) for key in sorted(self._runs)]
        standings = [run_rows.standing_values(s) for _, s in sorted(self._standings.items())]
        if runs:
            await self._runs_on.execute(_put_run(dialect), runs)
        if standings:
            await self._runs_on.execute(_put_expectation(dialect), standings)
        for only, statement in ((False, _put_occasion(dialect)), (True, _AMEND_OCCASION)):
            told = [one for one, known_only in self._occasions if known_only is only]
            values = [run_rows.occasion_values(one) for one in told]
            if only:
                values = [_amending(one) for one in values]
            if values:
                await self._runs_on.execute(statement, values)


def _stored_identity(run: Run) -> RunIdentity:
    source, pipeline, run_id, attempt = run.identity
    short = run_rows.short_key
    return short(source), short(pipeline), short(run_id), attempt


_RANKS = {outcome.value: rank for rank, outcome in enumerate(Outcome)}
_AMEND_OCCASION = (
    update(OCCASION)
    .where(
        OCCASION.c.name == bindparam("new_name"),
        OCCASION.c.due_at == bindparam("new_due_at", type_=UtcDateTime()),
        case(_RANKS, value=OCCASION.c.outcome, else_=0) < bindparam("new_rank", type_=Integer()),
    )
    .values(
        outcome=bindparam("new_outcome"),
        run_id=bindparam("new_run_id"),
        seen_at=func.coalesce(
            OCCASION.c.seen_at, bindparam("new_seen_at", type_=UtcDateTime()), type_=UtcDateTime()
        ),
    )
)


def _amending(values: rows.Values) -> rows.Values:
    told = {f"new_{name}": value for name, value in values.items() if name != "product"}
    return {**told, "new_rank": _RANKS[values["outcome"]]}


@cache
def _put_run(dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(RUN, dialect)
    new, old = statement.excluded, RUN.c
    over = (new.state == "started") & (old.state != "started")
    well = old.state == RunState.SUCCEEDED.value
    return statement.on_conflict_do_update(
        index_elements=["source", "pipeline", "run_id", "attempt"],
        set_={
            "state": case((over, old.state), else_=new.state),
            "kind": case((new.kind == "", old.kind), else_=new.kind),
            "started_at": func.coalesce(old.started_at, new.started_at),
            "ended_at": case(
                (well, func.coalesce(old.ended_at, new.ended_at)),
                else_=func.coalesce(new.ended_at, old.ended_at),
            ),
            "nominal_at": func.coalesce(new.nominal_at, old.nominal_at),
            "labels": case((over, old.labels), else_=new.labels),
            "updated_at": new.updated_at,
        },
    )


@cache
def _put_expectation(dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(EXPECTATION, dialect)
    taken = {column.name: column for column in statement.excluded if column.name != "name"}
    return statement.on_conflict_do_update(index_elements=["name"], set_=taken)


@cache
def _put_occasion(dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(OCCASION, dialect)
    new, old = statement.excluded, OCCASION.c
    ranks = [case(_RANKS, value=one.outcome, else_=0) for one in (new, old)]
    return statement.on_conflict_do_update(
        index_elements=["name", "due_at"],
        set_={
            "outcome": new.outcome,
            "run_id": new.run_id,
            "product": new.product,
            "seen_at": func.coalesce(old.seen_at, new.seen_at),
        },
        where=ranks[0] > ranks[1],
    )
