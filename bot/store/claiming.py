"""Which due jobs are leased: any without lane, and the first of each lane that is free."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Executable,
    Row,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    not_,
    select,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.ports.jobs import Job, NewJob
from bot.store import bulk, jobs, rows
from bot.store.columns import UtcDateTime, from_micros, stored_key
from bot.store.sqlite_driver import OneVisitConnection
from bot.store.tables.core import JOB, LANE

LEASE = timedelta(seconds=6)
LANE_GAP = timedelta(seconds=1)

_TODO = text("job.state = 'todo'")
_ALONE = text("job.lane = ''")
_IN_LANE = text("job.lane != ''")


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a lease lasts, and how far apart a lane lets jobs through."""

    lease: timedelta = LEASE
    lane_gap: timedelta = LANE_GAP


def _at(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=UtcDateTime())


_ORDER = (JOB.c.priority, JOB.c.next_at, JOB.c.id)
_INSTANTS = [isinstance(column.type, UtcDateTime) for column in JOB.columns]
_NAMES = JOB.columns.keys()


def one_of(column: ColumnElement[str], name: str, *, sqlite: bool) -> ColumnElement[bool]:
    """Ask for one of the values in a parameter: JSON on SQLite, an array on PostgreSQL."""
    if not sqlite:
        return column == func.any(bindparam(name, type_=ARRAY(Text)))
    given = func.json_each(bindparam(name, type_=Text())).table_valued("value", name=name)
    return column.in_(select(given.c.value))


def _due(*, sqlite: bool) -> ColumnElement[bool]:
    return and_(JOB.c.next_at <= _at("now"), not_(one_of(JOB.c.id, "held", sqlite=sqlite)))


def _alone(*, own: bool, sqlite: bool) -> CTE:
    is_own = one_of(JOB.c.key, "own_keys", sqlite=sqlite) if own else true()
    return (
        select(JOB.c.id, JOB.c.priority, JOB.c.next_at)
        .where(_TODO, _ALONE, _due(sqlite=sqlite), is_own)
        .order_by(*_ORDER)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("alone")
        .prefix_with("MATERIALIZED")
    )


def _free_lanes(*, own: bool, sqlite: bool) -> CTE:
    """Build the choice of lanes that let a job through now, each with its first job.

    A lane's row is the lock of the lane; its job is checked again when it is updated.
    """
    waiting = and_(_TODO, _IN_LANE, JOB.c.lane == LANE.c.name, _due(sqlite=sqlite))
    first = select(JOB.c.id).where(waiting).order_by(*_ORDER).limit(1).scalar_subquery()
    return (
        select(first.correlate(LANE).label("job_id"))
        .where(
            one_of(LANE.c.name, "own_lanes", sqlite=sqlite) if own else true(),
            LANE.c.free_at <= _at("now"),
            LANE.c.blocked_until <= _at("now"),
            LANE.c.held_until <= _at("now"),
            exists(select(literal_column("1")).where(waiting).correlate(LANE)),
        )
        .with_for_update(skip_locked=True, of=LANE)
        .cte("free_lane")
        .prefix_with("MATERIALIZED")
    )


def _claim(*, own: bool, sqlite: bool) -> ReturningUpdate[*tuple[Any, ...]]:
    """Build the claim: lane-less jobs and the first of each free lane, the most urgent of all.

    The choice is materialised, or PostgreSQL may run it twice and lock more than it takes.
    """
    alone, free_lane = _alone(own=own, sqlite=sqlite), _free_lanes(own=own, sqlite=sqlite)
    first = JOB.alias("first")
    is_own = one_of(first.c.key, "own_keys", sqlite=sqlite) if own else true()
    both = union_all(
        select(alone.c.id, alone.c.priority, alone.c.next_at),
        select(first.c.id, first.c.priority, first.c.next_at)
        .join_from(free_lane, first, first.c.id == free_lane.c.job_id)
        .where(is_own),
    ).subquery("both")
    chosen = (
        select(both.c.id)
        .order_by(both.c.priority, both.c.next_at, both.c.id)
        .limit(bindparam("most"))
        .cte("chosen")
        .prefix_with("MATERIALIZED")
    )
    return (
        update(JOB)
        .where(JOB.c.id == chosen.c.id, _TODO, JOB.c.next_at <= _at("now"))
        .values(
            next_at=_at("until"),
            lease=JOB.c.lease + 1,
            leased=1,
            unsure=JOB.c.in_flight,
            in_flight=1,
            attempts=JOB.c.attempts + 1,
            first_attempt_at=func.coalesce(JOB.c.first_attempt_at, _at("now")),
            again_at=None,
        )
        .returning(*JOB.columns)
    )


_HOLD_LANE = (
    update(LANE)
    .where(LANE.c.name == bindparam("lane_name"))
    .values(free_at=_at("free"), held_until=_at("until"), holder=bindparam("by_lease"))
)


@cache
def _on_sqlite(*, own: bool) -> Executable:
    return _claim(own=own, sqlite=True)


@cache
def _on_postgresql(*, own: bool) -> Executable:
    """Build the claim that holds the lanes as well: one way there and back."""
    claimed = _claim(own=own, sqlite=False).cte("claimed")
    held = (
        update(LANE)
        .where(LANE.c.name == claimed.c.lane, claimed.c.lane != "")
        .values(
            free_at=_at("free"),
            held_until=_at("until"),
            holder=func.concat(claimed.c.id, ":", claimed.c.lease),
        )
        .returning(LANE.c.name)
        .cte("held_lane")
    )
    return select(claimed).add_cte(held)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of up to `most` due jobs, most urgent first; of `own` only, where they are given.

    What is `held` is still being worked on here, though its lease has lapsed: not to be taken.
    """

    now: datetime
    most: int
    held: Collection[str]
    terms: Terms
    own: Sequence[NewJob] | None = None

    async def on(self, connection: AsyncConnection) -> list[Job]:
        """Lease them."""
        if connection.dialect.name == "sqlite":
            driver = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, OneVisitConnection)
            return await driver.visit(self.in_visit())
        found = await connection.execute(_on_postgresql(own=self.own is not None), self._values())
        return _in_order(rows.job(row) for row in found)

    def in_visit(self) -> Callable[[sqlite3.Connection], list[Job]]:
        """Return what leases them in a visit to a SQLite file, after whatever else it is for."""
        values, choice = self._values(), _on_sqlite(own=self.own is not None)
        plan, hold = bulk.plan(choice, sqlite=True), bulk.plan(_HOLD_LANE, sqlite=True)
        lists = {
            name: rows.to_json(value) for name, value in values.items() if isinstance(value, list)
        }
        (parameters,) = plan.tuples([values | lists])

        def claim_and_hold(raw: sqlite3.Connection) -> list[Job]:
            claimed = [_job(row) for row in raw.execute(plan.sql, parameters).fetchall()]
            in_lanes = [values | lease_values(job) for job in claimed if job.lane]
            raw.executemany(hold.sql, hold.tuples(in_lanes))
            return _in_order(claimed)

        return claim_and_hold

    def _values(self) -> rows.Values:
        values: rows.Values = {
            "now": self.now,
            "until": self.now + self.terms.lease,
            "free": self.now + self.terms.lane_gap,
            "most": self.most,
            "held": list(self.held),
        }
        if self.own is not None:
            values["own_keys"] = [stored_key(job.key) for job in self.own]
            values["own_lanes"] = sorted({stored_key(job.lane) for job in self.own if job.lane})
        return values


def _in_order(claimed: Iterable[Job]) -> list[Job]:
    return sorted(claimed, key=lambda job: (job.priority, job.due_at, job.id))


def _job(row: Sequence[Any]) -> Job:
    values = (
        from_micros(value) if instant and value is not None else value
        for value, instant in zip(row, _INSTANTS, strict=True)
    )
    named = SimpleNamespace(**dict(zip(_NAMES, values, strict=True)))
    return rows.job(cast("Row[Any]", named))


def lease_values(job: Job) -> rows.Values:
    """Return the parameters that name one lease of a job and of its lane."""
    return {
        "job_id": job.id,
        "its_lease": job.lease,
        "lane_name": job.lane,
        "by_lease": jobs.holder(job.id, job.lease),
    }
