"""The statements on jobs and lanes that more than one part of the store runs."""

from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Update, and_, bindparam, case, func, null, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.contact_jobs import CONTACT, PAGE
from bot.ports.delivering import Dead, Delivered, Outcome, Retry
from bot.ports.jobs import Job
from bot.store import bulk
from bot.store.bulk import insert_rows
from bot.store.columns import UtcDateTime, stored_text
from bot.store.tables.core import JOB, LANE

Insert: TypeAlias = bulk.Insert

_NEW_JOB = (
    *("id", "key", "kind", "lane", "priority", "payload", "incident_id"),
    *("created_at", "due_at", "next_at"),
)
_NEW_LANE = ("name", "free_at", "blocked_until", "held_until")

_TODO = text("job.state = 'todo'")


def insert_for(table: Any, dialect: str) -> Insert:
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # 2 MB, which a bot on SQLite need not spend

    return postgresql.insert(table)


def holder(job_id: str, lease: int) -> str:
    """Name one lease of one job, so that a lane is only freed by who holds it."""
    return f"{job_id}:{lease}"


@cache
def insert_job(dialect: str) -> Insert:
    return insert_rows(JOB, _NEW_JOB, dialect).on_conflict_do_nothing(index_elements=["key"])


@cache
def renew_job(dialect: str) -> Insert:
    """Insert, or make the job due again: now, or once the attempt under way has ended."""
    statement = insert_rows(JOB, _NEW_JOB, dialect)
    new = statement.excluded
    leased = JOB.c.leased == 1
    waits = and_(JOB.c.state == "todo", JOB.c.leased == 0)
    live = JOB.c.state == "todo"
    again = func.coalesce(JOB.c.again_at, new.due_at)
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "kind": new.kind,
            "lane": new.lane,
            "incident_id": new.incident_id,
            "payload": new.payload,
            "priority": case((live, _least(JOB.c.priority, new.priority)), else_=new.priority),
            "due_at": case(
                (leased, JOB.c.due_at), (waits, _least(JOB.c.due_at, new.due_at)), else_=new.due_at
            ),
            "next_at": case(
                (leased, JOB.c.next_at),
                (waits, _least(JOB.c.next_at, new.due_at)),
                else_=new.due_at,
            ),
            "again_at": case((leased, _least(again, new.due_at)), else_=null()),
            "attempts": case((live, JOB.c.attempts), else_=0),
            "first_attempt_at": case((live, JOB.c.first_attempt_at), else_=null()),
            "state": "todo",
            "done_at": null(),
            "error": "",
            "revision": JOB.c.revision + 1,
        },
    )


@cache
def insert_lane(dialect: str) -> Insert:
    return insert_for(LANE, dialect).on_conflict_do_nothing(index_elements=["name"])


@cache
def insert_lanes(dialect: str) -> Insert:
    """Build the insert of many, for bulk writing."""
    return insert_rows(LANE, _NEW_LANE, dialect).on_conflict_do_nothing(index_elements=["name"])


@cache
def _pace_lane(dialect: str) -> Insert:
    statement = insert_for(LANE, dialect)
    later = case(
        (LANE.c.free_at < statement.excluded.free_at, statement.excluded.free_at),
        else_=LANE.c.free_at,
    )
    return statement.on_conflict_do_update(index_elements=["name"], set_={"free_at": later})


CANCEL_JOBS = (
    update(JOB)
    .where(
        JOB.c.incident_id == bindparam("of_incident"),
        JOB.c.kind == bindparam("of_kind"),
        _TODO,
    )
    .values(state="cancelled", done_at=bindparam("at", type_=UtcDateTime()))
)

_RELEASE_LANE = (
    update(LANE)
    .where(LANE.c.name == bindparam("lane_name"), LANE.c.holder == bindparam("by_lease"))
    .values(holder="", held_until=bindparam("at", type_=UtcDateTime()))
)
_BLOCK_LANE = (
    update(LANE)
    .where(
        LANE.c.name == bindparam("lane_name"),
        LANE.c.blocked_until < bindparam("until", type_=UtcDateTime()),
    )
    .values(blocked_until=bindparam("until", type_=UtcDateTime()))
)


def _least(a: ColumnElement[Any], b: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((a < b, a), else_=b)


def _held(state: str) -> Update:
    """Build an update of the job whose lease is still the one given."""
    return update(JOB).where(
        JOB.c.id == bindparam("job_id"),
        JOB.c.lease == bindparam("its_lease"),
        JOB.c.leased == 1,
        JOB.c.state == state,
    )


def _ended(state: str) -> Update:
    """Build an update that ends the job, or makes it due again when it was renewed meanwhile."""
    once = JOB.c.again_at.is_(None)
    return _held("todo").values(
        state=case((once, state), else_="todo"),
        next_at=func.coalesce(JOB.c.again_at, JOB.c.next_at),
        due_at=func.coalesce(JOB.c.again_at, JOB.c.due_at),
        first_attempt_at=case((once, JOB.c.first_attempt_at), else_=null()),
        done_at=case((once, bindparam("at", type_=UtcDateTime())), else_=null()),
        attempts=case((once, JOB.c.attempts), else_=0),
        again_at=null(),
        leased=0,
        in_flight=0,
        error=bindparam("why"),
    )


_DELIVERED = _ended("done")
_DEAD = _ended("dead")
_CANCELLED = _held("cancelled").values(leased=0, in_flight=0, again_at=null())
_NO_ATTEMPT_LEFT = and_(JOB.c.attempts <= bindparam("uncounted"), bindparam("clean") == 1)
_RETRY = _held("todo").values(
    next_at=bindparam("retry_at", type_=UtcDateTime()),
    attempts=JOB.c.attempts - bindparam("uncounted"),
    first_attempt_at=case((_NO_ATTEMPT_LEFT, null()), else_=JOB.c.first_attempt_at),
    again_at=null(),
    leased=0,
    in_flight=1 - bindparam("clean"),
    error=bindparam("why"),
)


async def release_lane(connection: AsyncConnection, job: Job, now: datetime) -> None:
    """Let the next job of the lane go, if this lease still holds the lane."""
    by_lease = holder(job.id, job.lease)
    await connection.execute(
        _RELEASE_LANE, {"lane_name": job.lane, "by_lease": by_lease, "at": now}
    )


async def block_lane(connection: AsyncConnection, lane: str, until: datetime) -> None:
    await connection.execute(_BLOCK_LANE, {"lane_name": lane, "until": until})


async def keep_free(connection: AsyncConnection, lane: str, until: datetime, now: datetime) -> None:
    """Pace a lane that is in use, also one that is new: unlike a shut one, it is waited for."""
    values = {"name": lane, "free_at": until, "blocked_until": now, "held_until": now}
    await connection.execute(_pace_lane(connection.dialect.name), values)


async def record_outcome(
    connection: AsyncConnection, job: Job, outcome: Outcome, now: datetime
) -> bool:
    """Write how the attempt ended; False when the lease was lost, or nothing came of a cancelled job.

    A job that was cancelled while it went out stays cancelled; that it went out counts, and so
    does an attempt to reach somebody that was refused.
    """
    lease = {"job_id": job.id, "its_lease": job.lease}
    match outcome:
        case Delivered():
            statement, values = _DELIVERED, {"at": now, "why": ""}
        case Dead(why):
            statement, values = _DEAD, {"at": now, "why": stored_text(why)}
        case Retry(at, why, unsure, _, counts):
            statement = _RETRY
            values = {
                "retry_at": at,
                "why": stored_text(why),
                "uncounted": int(not counts),
                "clean": int(not unsure),
            }
    if (await connection.execute(statement, {**lease, **values})).rowcount:
        return True
    cancelled = (await connection.execute(_CANCELLED, lease)).rowcount
    refused = isinstance(outcome, Dead) and job.kind in {PAGE, CONTACT}
    return bool(cancelled) and (refused or isinstance(outcome, Delivered))
