"""Leases on due jobs: who may carry out what, in which order, at what pace."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.ports.jobs import Job
from bot.store import jobs, rows
from bot.store.columns import UtcDateTime
from bot.store.database import Database
from bot.store.tables.core import JOB, LANE

LEASE = timedelta(seconds=6)
LANE_GAP = timedelta(seconds=1)

_TODO = text("job.state = 'todo'")
_ALONE = text("job.lane = ''")
_IN_LANE = text("job.lane != ''")


def _at(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=UtcDateTime())


_DUE = and_(JOB.c.next_at <= _at("now"), JOB.c.id.not_in(bindparam("held", expanding=True)))
_ORDER = (JOB.c.priority, JOB.c.next_at, JOB.c.id)


def _alone() -> CTE:
    return (
        select(JOB.c.id, JOB.c.priority, JOB.c.next_at)
        .where(_TODO, _ALONE, _DUE)
        .order_by(*_ORDER)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("alone")
        .prefix_with("MATERIALIZED")
    )


def _free_lanes() -> CTE:
    """Build the choice of lanes that let a job through now, each with its first job.

    A lane's row is the lock of the lane; its job is checked again when it is updated.
    """
    waiting = and_(_TODO, _IN_LANE, JOB.c.lane == LANE.c.name, _DUE)
    first = select(JOB.c.id).where(waiting).order_by(*_ORDER).limit(1).scalar_subquery()
    return (
        select(first.correlate(LANE).label("job_id"))
        .where(
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
def _claim() -> ReturningUpdate[*tuple[Any, ...]]:
    """Build the claim: lane-less jobs and the first of each free lane, the most urgent of all.

    The choice is materialised, or PostgreSQL may run it twice and lock more than it takes.
    """
    alone, free_lane, first = _alone(), _free_lanes(), JOB.alias("first")
    both = union_all(
        select(alone.c.id, alone.c.priority, alone.c.next_at),
        select(first.c.id, first.c.priority, first.c.next_at).join_from(
            free_lane, first, first.c.id == free_lane.c.job_id
        ),
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
_RENEW = (
    update(JOB)
    .where(
        JOB.c.id == bindparam("job_id"),
        JOB.c.lease == bindparam("its_lease"),
        JOB.c.leased == 1,
    )
    .values(next_at=_at("until"))
)
_RENEW_LANE = (
    update(LANE)
    .where(LANE.c.name == bindparam("lane_name"), LANE.c.holder == bindparam("by_lease"))
    .values(held_until=_at("until"))
)
_RELEASE = (
    update(JOB)
    .where(
        JOB.c.id == bindparam("job_id"),
        JOB.c.lease == bindparam("its_lease"),
        JOB.c.leased == 1,
    )
    .values(
        next_at=_at("now"),
        leased=0,
        in_flight=bindparam("doubt"),
        attempts=JOB.c.attempts - bindparam("uncounted"),
    )
)
_END_LEASES = update(JOB).where(_TODO, JOB.c.leased == 1).values(next_at=_at("now"), leased=0)
_END_LANES = (
    update(LANE).where(LANE.c.held_until > _at("now")).values(held_until=_at("now"), holder="")
)
_REVIVE = (
    update(JOB)
    .where(JOB.c.id == bindparam("job_id"), JOB.c.state == "dead")
    .values(
        state="todo",
        due_at=_at("now"),
        next_at=_at("now"),
        attempts=0,
        first_attempt_at=None,
        done_at=None,
        error="",
    )
)


def _later(a: ColumnElement[Any], b: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((a > b, a), else_=b)


def _next_due() -> Any:
    soonest = (
        select(func.min(JOB.c.next_at, type_=UtcDateTime()))
        .where(_TODO, _IN_LANE, JOB.c.lane == LANE.c.name)
        .scalar_subquery()
        .correlate(LANE)
        .label("soonest")
    )
    opens = _later(LANE.c.free_at, _later(LANE.c.blocked_until, LANE.c.held_until)).label("opens")
    lanes = select(soonest, opens).subquery("lanes")
    in_lanes = select(func.min(_later(lanes.c.soonest, lanes.c.opens), type_=UtcDateTime())).where(
        lanes.c.soonest.is_not(None)
    )
    alone = select(func.min(JOB.c.next_at, type_=UtcDateTime())).where(_TODO, _ALONE)
    return select(alone.scalar_subquery(), in_lanes.scalar_subquery())


_NEXT_DUE = _next_due()


class SqlJobQueue:
    """The JobQueue of a database; `held` has the jobs this process works on, with lease ends."""

    def __init__(
        self,
        database: Database,
        held: dict[str, datetime],
        *,
        lease: timedelta = LEASE,
        lane_gap: timedelta = LANE_GAP,
    ) -> None:
        self.lease = lease
        self._database = database
        self._held = held
        self._lane_gap = lane_gap

    async def claim(self, now: datetime, limit: int) -> Sequence[Job]:
        until = now + self.lease
        # a lapsed lease of our own is still being worked on here: not for us to take over
        lapsed = [job_id for job_id, end in self._held.items() if end <= now]
        values = {"now": now, "until": until, "most": limit, "held": lapsed}
        async with self._database.write() as connection:
            claimed = [rows.job(row) for row in await connection.execute(_claim(), values)]
            if in_lanes := [job for job in claimed if job.lane]:
                free = now + self._lane_gap
                await connection.execute(
                    _HOLD_LANE, [{**_lease(j), "free": free, "until": until} for j in in_lanes]
                )
        self._held.update({job.id: until for job in claimed})
        return sorted(claimed, key=lambda job: (job.priority, job.due_at, job.id))

    async def renew(self, leased: Sequence[Job], now: datetime) -> Sequence[Job]:
        if not leased:
            return []
        until = now + self.lease
        kept = []
        async with self._database.write() as connection:
            if in_lanes := [{**_lease(job), "until": until} for job in leased if job.lane]:
                await connection.execute(_RENEW_LANE, in_lanes)
            for job in leased:
                renewed = await connection.execute(_RENEW, {**_lease(job), "until": until})
                if renewed.rowcount:
                    kept.append(replace(job, leased_until=until))
        self._held.update({job.id: until for job in kept if job.id in self._held})
        return kept

    async def release(self, leased: Sequence[Job], now: datetime, *, unsure: bool) -> None:
        for job in leased:
            self._held.pop(job.id, None)
        async with self._database.write() as connection:
            for job in leased:
                await self._release(connection, job, now, unsure=unsure)

    async def _release(
        self, connection: AsyncConnection, job: Job, now: datetime, *, unsure: bool
    ) -> None:
        lease = _lease(job)
        await jobs.release_lane(connection, job, now)
        values = {**lease, "now": now, "doubt": int(unsure or job.unsure)}
        await connection.execute(_RELEASE, {**values, "uncounted": int(not unsure)})

    async def next_due(self, now: datetime) -> datetime | None:
        async with self._database.read() as connection:
            alone, in_lanes = (await connection.execute(_NEXT_DUE)).one()
        soonest = min((at for at in (alone, in_lanes) if at is not None), default=None)
        return None if soonest is None else max(soonest, now)

    async def release_all(self, now: datetime) -> int:
        async with self._database.write() as connection:
            ended = await connection.execute(_END_LEASES, {"now": now})
            await connection.execute(_END_LANES, {"now": now})
        return ended.rowcount

    def forget(self, job_id: str) -> None:
        """Stop taking a job for one that is worked on here: whoever had it never ended it."""
        self._held.pop(job_id, None)

    async def retry_dead(self, job_id: str, now: datetime) -> bool:
        async with self._database.write() as connection:
            revived = await connection.execute(_REVIVE, {"job_id": job_id, "now": now})
        return bool(revived.rowcount)


def _lease(job: Job) -> rows.Values:
    return {
        "job_id": job.id,
        "its_lease": job.lease,
        "lane_name": job.lane,
        "by_lease": jobs.holder(job.id, job.lease),
    }
