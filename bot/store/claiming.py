"""Which due jobs are leased: any without lane, and the first of each lane that is free."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.ports.jobs import Job, NewJob
from bot.store import jobs, rows
from bot.store.columns import UtcDateTime, stored_key
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


_DUE = and_(JOB.c.next_at <= _at("now"), JOB.c.id.not_in(bindparam("held", expanding=True)))
_ORDER = (JOB.c.priority, JOB.c.next_at, JOB.c.id)
_OWN_KEYS: BindParameter[str] = bindparam("own_keys", expanding=True)
_OWN_LANES: BindParameter[str] = bindparam("own_lanes", expanding=True)


def _alone(*, own: bool) -> CTE:
    return (
        select(JOB.c.id, JOB.c.priority, JOB.c.next_at)
        .where(_TODO, _ALONE, _DUE, JOB.c.key.in_(_OWN_KEYS) if own else true())
        .order_by(*_ORDER)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("alone")
        .prefix_with("MATERIALIZED")
    )


def _free_lanes(*, own: bool) -> CTE:
    """Build the choice of lanes that let a job through now, each with its first job.

    A lane's row is the lock of the lane; its job is checked again when it is updated.
    """
    waiting = and_(_TODO, _IN_LANE, JOB.c.lane == LANE.c.name, _DUE)
    first = select(JOB.c.id).where(waiting).order_by(*_ORDER).limit(1).scalar_subquery()
    return (
        select(first.correlate(LANE).label("job_id"))
        .where(
            LANE.c.name.in_(_OWN_LANES) if own else true(),
            LANE.c.free_at <= _at("now"),
            LANE.c.blocked_until <= _at("now"),
            LANE.c.held_until <= _at("now"),
            exists(select(literal_column("1")).where(waiting).correlate(LANE)),
        )
        .with_for_update(skip_locked=True, of=LANE)
        .cte("free_lane")
        .prefix_with("MATERIALIZED")
    )


@cache
def _claim(*, own: bool) -> ReturningUpdate[*tuple[Any, ...]]:
    """Build the claim: lane-less jobs and the first of each free lane, the most urgent of all.

    The choice is materialised, or PostgreSQL may run it twice and lock more than it takes.
    """
    alone, free_lane, first = _alone(own=own), _free_lanes(own=own), JOB.alias("first")
    both = union_all(
        select(alone.c.id, alone.c.priority, alone.c.next_at),
        select(first.c.id, first.c.priority, first.c.next_at)
        .join_from(free_lane, first, first.c.id == free_lane.c.job_id)
        .where(first.c.key.in_(_OWN_KEYS) if own else true()),
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


async def claim(
    connection: AsyncConnection,
    now: datetime,
    most: int,
    held: Collection[str],
    terms: Terms,
    *,
    own: Sequence[NewJob] | None = None,
) -> list[Job]:
    """Lease up to `most` due jobs, most urgent first; of `own` only, where they are given.

    What is `held` is still being worked on here, though its lease has lapsed: not to be taken.
    """
    until = now + terms.lease
    values: rows.Values = {"now": now, "until": until, "most": most, "held": list(held)}
    if own is not None:
        values["own_keys"] = [stored_key(job.key) for job in own]
        values["own_lanes"] = sorted({stored_key(job.lane) for job in own if job.lane})
    found = await connection.execute(_claim(own=own is not None), values)
    claimed = [rows.job(row) for row in found]
    if in_lanes := [job for job in claimed if job.lane]:
        free = now + terms.lane_gap
        await connection.execute(
            _HOLD_LANE, [{**lease_values(j), "free": free, "until": until} for j in in_lanes]
        )
    return sorted(claimed, key=lambda job: (job.priority, job.due_at, job.id))


def lease_values(job: Job) -> rows.Values:
    """Return the parameters that name one lease of a job and of its lane."""
    return {
        "job_id": job.id,
        "its_lease": job.lease,
        "lane_name": job.lane,
        "by_lease": jobs.holder(job.id, job.lease),
    }
