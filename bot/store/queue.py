"""Leases on due jobs: who may carry out what, in which order, at what pace."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    func,
    not_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.jobs import Job
from bot.store import jobs, rows
from bot.store.claiming import Claim, Terms, lease_values, one_of
from bot.store.columns import UtcDateTime
from bot.store.database import Database
from bot.store.tables.core import JOB, LANE

_TODO = text("job.state = 'todo'")
_ALONE = text("job.lane = ''")
_IN_LANE = text("job.lane != ''")


def _at(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=UtcDateTime())


_RENEW = (
    update(JOB)
    .where(
        JOB.c.id == bindparam("job_id"),
        JOB.c.lease == bindparam("its_lease"),
        JOB.c.leased == 1,
        JOB.c.state == "todo",
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


@cache
def _next_due(*, sqlite: bool, with_held: bool) -> Select[*tuple[Any, ...]]:
    """Build the look ahead; what is `held` here though its lease has lapsed is nobody's to begin."""
    theirs = not_(one_of(JOB.c.id, "held", sqlite=sqlite)) if with_held else true()
    soonest = (
        select(func.min(JOB.c.next_at, type_=UtcDateTime()))
        .where(_TODO, _IN_LANE, JOB.c.lane == LANE.c.name, theirs)
        .scalar_subquery()
        .correlate(LANE)
        .label("soonest")
    )
    opens = _later(LANE.c.free_at, _later(LANE.c.blocked_until, LANE.c.held_until)).label("opens")
    lanes = select(soonest, opens).subquery("lanes")
    in_lanes = select(func.min(_later(lanes.c.soonest, lanes.c.opens), type_=UtcDateTime())).where(
        lanes.c.soonest.is_not(None)
    )
    alone = select(func.min(JOB.c.next_at, type_=UtcDateTime())).where(_TODO, _ALONE, theirs)
    return select(alone.scalar_subquery(), in_lanes.scalar_subquery())


class SqlJobQueue:
    """The JobQueue of a database; `held` has the jobs this process works on, with lease ends."""

    def __init__(
        self,
        database: Database,
        held: dict[str, datetime],
        terms: Terms | None = None,
    ) -> None:
        self._database = database
        self._held = held
        self._terms = terms or Terms()

    async def claim(self, now: datetime, limit: int) -> Sequence[Job]:
        async with self._database.write() as connection:
            claimed = await Claim(now, limit, self._lapsed(now), self._terms).on(connection)
        self._held.update({job.id: job.leased_until for job in claimed})
        return claimed

    def _lapsed(self, now: datetime) -> list[str]:
        """List what is still being worked on here on a lapsed lease: not for us to take over."""
        return [job_id for job_id, end in self._held.items() if end <= now]

    async def renew(self, leased: Sequence[Job], now: datetime) -> Sequence[Job]:
        if not leased:
            return []
        until = now + self._terms.lease
        kept = []
        async with self._database.write() as connection:
            if in_lanes := [{**lease_values(job), "until": until} for job in leased if job.lane]:
                await connection.execute(_RENEW_LANE, in_lanes)
            for job in leased:
                renewed = await connection.execute(_RENEW, {**lease_values(job), "until": until})
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
        lease = lease_values(job)
        await jobs.release_lane(connection, job, now)
        values = {**lease, "now": now, "doubt": int(unsure or job.unsure)}
        await connection.execute(_RELEASE, {**values, "uncounted": int(not unsure)})

    async def next_due(self, now: datetime) -> datetime | None:
        sqlite, held = self._database.is_sqlite, self._lapsed(now)
        query = _next_due(sqlite=sqlite, with_held=bool(held))
        given = {"held": rows.to_json(held) if sqlite else held} if held else {}
        # not near: with thousands to do in many lanes it takes milliseconds
        async with self._database.read() as connection:
            alone, in_lanes = (await connection.execute(query, given)).one()
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
