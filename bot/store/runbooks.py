"""Runbooks in use, what was tried of them, and their gaps, as the database keeps them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    Row,
    Select,
    Text,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import bulk, jobs, rows
from bot.store.columns import UtcDateTime, stored_key, stored_text
from bot.store.database import Database
from bot.store.tables.runbooks import RUNBOOK_ACTION, RUNBOOK_GAP, RUNBOOK_TICK, RUNBOOK_USE
from rules.runbooks.gaps import GapKind, LastUse, RunbookGap, failed
from rules.runbooks.runbook import (
    ActionRun,
    ActionState,
    Guide,
    Runbook,
    RunbookUse,
    StepOutcome,
    Tick,
)

_RUNBOOK = TypeAdapter(Runbook)
_USE, _TICK, _ACTION, _GAP = RUNBOOK_USE.c, RUNBOOK_TICK.c, RUNBOOK_ACTION.c, RUNBOOK_GAP.c
_ITS = bindparam("its_id", type_=Text())
_OF_INCIDENT = select(RUNBOOK_USE).where(_USE.incident_id == _ITS)
_TICKS = select(RUNBOOK_TICK).where(_TICK.incident_id == _ITS).order_by(_TICK.step)
_RUNS = (
    select(RUNBOOK_ACTION)
    .where(_ACTION.incident_id == _ITS)
    .order_by(_ACTION.step, _ACTION.attempt)
)
_OPEN_GAPS = select(RUNBOOK_GAP).where(_GAP.closed_at.is_(None)).order_by(_GAP.opened_at, _GAP.key)


def _last_tried() -> Select[Any]:
    """Build: the newest use of each runbook that somebody tried; by index, from name to name."""
    names = select(func.min(_USE.runbook).label("name")).cte(recursive=True)
    following = select(func.min(_USE.runbook)).where(_USE.runbook > names.c.name).scalar_subquery()
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    newest = (
        select(_USE.incident_id)
        .where(_USE.runbook == names.c.name, exists().where(_TICK.incident_id == _USE.incident_id))
        .order_by(_USE.chosen_at.desc())
        .limit(1)
        .correlate(names)
        .scalar_subquery()
    )
    found = select(newest.label("incident_id")).select_from(names).subquery()
    return select(found.c.incident_id).where(found.c.incident_id.is_not(None))


_LAST_TRIED = _last_tried()
_UNTICK = delete(RUNBOOK_TICK).where(_TICK.incident_id == _ITS, _TICK.step == bindparam("at_step"))
_CLOSE = (
    update(RUNBOOK_GAP)
    .where(_GAP.key == bindparam("its_key"), _GAP.closed_at.is_(None))
    .values(closed_at=bindparam("when", type_=UtcDateTime()))
)
_NUDGED = (
    update(RUNBOOK_GAP)
    .where(_GAP.key == bindparam("its_key"))
    .values(nudges=_GAP.nudges + 1, nudged_at=bindparam("when", type_=UtcDateTime()))
)


class SqlRunbooks:
    """The RunbookReads of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def guide(self, incident_id: str) -> Guide | None:
        async with self._database.read() as connection:
            return await _guide(connection, incident_id)

    async def run(self, key: str) -> ActionRun | None:
        query = select(RUNBOOK_ACTION).where(_ACTION.key == stored_key(key))
        async with self._database.read() as connection:
            found = (await connection.execute(query)).one_or_none()
        return None if found is None else _run(found)

    async def gaps(self) -> Sequence[RunbookGap]:
        async with self._database.read() as connection:
            return [_gap(row) for row in await connection.execute(_OPEN_GAPS)]

    async def last_uses(self) -> Mapping[str, LastUse]:
        async with self._database.read() as connection:
            ids = list((await connection.execute(_LAST_TRIED)).scalars())
            uses = select(RUNBOOK_USE).where(_USE.incident_id.in_(ids))
            ticks = select(RUNBOOK_TICK).where(_TICK.incident_id.in_(ids))
            used = (await connection.execute(uses)).all() if ids else []
            ticked = (await connection.execute(ticks)).all() if ids else []
        return {row.runbook: _last(row, ticked) for row in used}


class PendingRunbooks:
    """The RunbookWrites of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._uses: dict[str, rows.Values] = {}
        self._ticks: dict[tuple[str, int], rows.Values | None] = {}
        self._asked: dict[str, rows.Values] = {}
        self._gaps: dict[str, rows.Values] = {}
        self._closed: dict[str, datetime] = {}
        self._nudged: dict[str, datetime] = {}

    def attach(self, use: RunbookUse) -> None:
        body = _RUNBOOK.dump_json(use.runbook).decode()
        self._uses[use.incident_id] = {
            "incident_id": use.incident_id,
            "number": use.number,
            "runbook": stored_key(use.runbook.id),
            "body": stored_text(body),
            "chosen_at": use.chosen_at,
        }

    async def guide(self, incident_id: str) -> Guide | None:
        await self.flush()
        return await _guide(self._connection, incident_id)

    def tick(self, incident_id: str, tick: Tick) -> None:
        self._ticks[incident_id, tick.step] = {
            "incident_id": incident_id,
            "step": tick.step,
            "outcome": tick.outcome.value,
            "by": stored_text(tick.by),
            "at": tick.at,
        }

    def untick(self, incident_id: str, step: int) -> None:
        self._ticks[incident_id, step] = None

    def ask(self, run: ActionRun) -> None:
        self._asked[run.key] = {
            "key": stored_key(run.key),
            "incident_id": run.incident_id,
            "step": run.step,
            "attempt": run.attempt,
            "action": stored_text(run.action),
            "by": stored_text(run.by),
            "state": run.state.value,
            "asked_at": run.asked_at,
        }

    async def begin_action(self, key: str, at: datetime) -> bool:
        begun = await self._connection.execute(
            update(RUNBOOK_ACTION)
            .where(_ACTION.key == stored_key(key), _ACTION.state == ActionState.ASKED.value)
            .values(state=ActionState.RUNNING.value, started_at=at)
        )
        return begun.rowcount == 1

    async def end_action(self, key: str, state: ActionState, output: str, at: datetime) -> None:
        under_way = [ActionState.ASKED.value, ActionState.RUNNING.value]
        await self._connection.execute(
            update(RUNBOOK_ACTION)
            .where(_ACTION.key == stored_key(key), _ACTION.state.in_(under_way))
            .values(state=state.value, output=stored_text(output), ended_at=at)
        )

    async def open_gaps(self) -> Sequence[RunbookGap]:
        await self.flush()
        return [_gap(row) for row in await self._connection.execute(_OPEN_GAPS)]

    def open_gap(self, gap: RunbookGap) -> None:
        self._gaps[gap.key] = {
            "key": stored_key(gap.key),
            "kind": gap.kind.value,
            "subject": stored_text(gap.subject),
            "owner": stored_text(gap.owner),
            "number": gap.number,
            "facts": rows.to_json(dict(gap.facts)),
            "opened_at": gap.opened_at,
            "closed_at": None,
            "nudges": 0,
            "nudged_at": None,
        }

    def close_gap(self, key: str, at: datetime) -> None:
        self._closed[key] = at

    def nudged_gap(self, key: str, at: datetime) -> None:
        self._nudged[key] = at

    async def flush(self) -> None:
        execute, dialect = self._connection.execute, self._connection.dialect.name
        await bulk.write(self._connection, [(_attach(dialect), list(self._uses.values()))])
        for (incident_id, step), values in self._ticks.items():
            if values is None:
                await execute(_UNTICK, {"its_id": incident_id, "at_step": step})
            else:
                await execute(_put_tick(dialect), values)
        if self._asked:
            await execute(_ask(dialect), list(self._asked.values()))
        for values in self._gaps.values():
            await execute(_open_gap(dialect), values)
        for statement, told in ((_CLOSE, self._closed), (_NUDGED, self._nudged)):
            for key, at in told.items():
                await execute(statement, {"its_key": stored_key(key), "when": at})
        for written in (self._uses, self._ticks, self._asked, self._gaps, self._closed):
            written.clear()
        self._nudged.clear()


async def _guide(connection: AsyncConnection, incident_id: str) -> Guide | None:
    its = {"its_id": incident_id}
    found = (await connection.execute(_OF_INCIDENT, its)).one_or_none()
    if found is None:
        return None
    ticks = [_tick(row) for row in await connection.execute(_TICKS, its)]
    runs = [_run(row) for row in await connection.execute(_RUNS, its)]
    use = RunbookUse(
        incident_id=found.incident_id,
        number=found.number,
        runbook=_RUNBOOK.validate_json(found.body),
        chosen_at=found.chosen_at,
    )
    return Guide(use, tuple(ticks), tuple(runs))


def _last(use: Row[Any], ticks: Sequence[Row[Any]]) -> LastUse:
    own = tuple(_tick(row) for row in ticks if row.incident_id == use.incident_id)
    book = RunbookUse(
        incident_id=use.incident_id,
        number=use.number,
        runbook=_RUNBOOK.validate_json(use.body),
        chosen_at=use.chosen_at,
    )
    at = max((tick.at for tick in own), default=use.chosen_at)
    reviewed = book.runbook.reviewed_on
    return LastUse(use.runbook, use.number, at, failed(Guide(book, own)), reviewed)


def _tick(row: Row[Any]) -> Tick:
    return Tick(row.step, StepOutcome(row.outcome), row.by, row.at)


def _run(row: Row[Any]) -> ActionRun:
    return ActionRun(
        key=row.key,
        incident_id=row.incident_id,
        step=row.step,
        attempt=row.attempt,
        action=row.action,
        by=row.by,
        asked_at=row.asked_at,
        state=ActionState(row.state),
        output=row.output,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def _gap(row: Row[Any]) -> RunbookGap:
    return RunbookGap(
        key=row.key,
        kind=GapKind(row.kind),
        subject=row.subject,
        owner=row.owner,
        number=row.number,
        facts=json.loads(row.facts),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        nudges=row.nudges,
        nudged_at=row.nudged_at,
    )


@cache
def _attach(dialect: str) -> jobs.Insert:
    insert = bulk.insert_rows(RUNBOOK_USE, RUNBOOK_USE.columns.keys(), dialect)
    return insert.on_conflict_do_nothing(index_elements=["incident_id"])


@cache
def _put_tick(dialect: str) -> jobs.Insert:
    insert = jobs.insert_for(RUNBOOK_TICK, dialect)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["incident_id", "step"],
        set_={"outcome": new.outcome, "by": new.by, "at": new.at},
    )


@cache
def _ask(dialect: str) -> jobs.Insert:
    return jobs.insert_for(RUNBOOK_ACTION, dialect).on_conflict_do_nothing(index_elements=["key"])


@cache
def _open_gap(dialect: str) -> jobs.Insert:
    insert = jobs.insert_for(RUNBOOK_GAP, dialect)
    new, known = insert.excluded, ("number", "facts", "opened_at", "closed_at", "nudges")
    values = {name: new[name] for name in ("kind", "subject", "owner", *known, "nudged_at")}
    return insert.on_conflict_do_update(
        index_elements=["key"],
        set_=values,
        where=or_(_GAP.closed_at.is_not(None), _GAP.owner != new.owner),
    )
