"""What is left to do after incidents, as the database keeps it."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import jobs, rows
from bot.store.columns import UtcDateTime, stored_key, stored_text
from bot.store.database import Database
from bot.store.tables.tasks import INCIDENT_TASK
from rules.tasks.task import Task, TaskState

_ITS = INCIDENT_TASK.c
_OPEN = TaskState.OPEN.value
_REMINDED = (_ITS.assignee != "", _ITS.nudges < _ITS.most_nudges)
_MOST = 1_000
_LONGEST_WHY = 500


class SqlTasks:
    """The TaskReads of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def task(self, task_id: str) -> Task | None:
        async with self._database.read() as connection:
            return await _one(connection, task_id)

    async def of_incident(self, incident_id: str) -> Sequence[Task]:
        async with self._database.read() as connection:
            return await _all(connection, _of(incident_id))

    async def open_tasks(self, *, assignee: str = "", limit: int = 100) -> Sequence[Task]:
        query = _waiting(limit)
        if assignee:
            query = query.where(_ITS.assignee == stored_text(assignee))
        async with self._database.read() as connection:
            return await _all(connection, query)

    async def waiting(self) -> Sequence[Task]:
        async with self._database.read() as connection:
            return await _all(connection, _waiting(_MOST).where(*_REMINDED))

    async def next_due(self) -> datetime | None:
        first = select(func.min(_ITS.due_at, type_=UtcDateTime()))
        query = first.where(_ITS.state == _OPEN, *_REMINDED)
        async with self._database.read() as connection:
            due: datetime | None = (await connection.execute(query)).scalar_one_or_none()
        return due


class PendingTasks:
    """The TaskWrites of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._planned: dict[str, rows.Values] = {}

    def plan(self, tasks: Sequence[Task]) -> None:
        self._planned |= {task.id: _values(task) for task in tasks}

    async def task(self, task_id: str) -> Task | None:
        await self.flush()
        return await _one(self._connection, task_id)

    async def of_incident(self, incident_id: str) -> Sequence[Task]:
        await self.flush()
        return await _all(self._connection, _of(incident_id))

    async def save(self, task: Task) -> None:
        values = {k: v for k, v in _values(task).items() if not k.startswith("mirror")}
        await self._change(values.pop("id"), **values)

    async def nudged(self, task_id: str, at: datetime) -> None:
        await self._change(task_id, nudges=_ITS.nudges + 1, nudged_at=at)

    async def mirrored(self, task_id: str, key: str, url: str) -> None:
        await self._change(task_id, mirror_key=stored_text(key), mirror_url=stored_text(url))

    async def _change(self, task_id: str, **values: Any) -> None:
        which = _ITS.id == stored_key(task_id)
        await self._connection.execute(update(INCIDENT_TASK).where(which).values(**values))

    async def waiting(self) -> Sequence[Task]:
        return await _all(self._connection, _waiting(_MOST).where(*_REMINDED))

    async def flush(self) -> None:
        if self._planned:
            statement = _plan(self._connection.dialect.name)
            for values in self._planned.values():
                await self._connection.execute(statement, values)
            self._planned.clear()


def _of(incident_id: str) -> Select[Any]:
    its = _ITS.incident_id == incident_id
    return select(INCIDENT_TASK).where(its).order_by(_ITS.created_at, _ITS.due_at, _ITS.id)


def _waiting(limit: int) -> Select[Any]:
    ordered = select(INCIDENT_TASK).where(_ITS.state == _OPEN).order_by(_ITS.due_at, _ITS.id)
    return ordered.limit(limit)


async def _one(connection: AsyncConnection, task_id: str) -> Task | None:
    query = select(INCIDENT_TASK).where(_ITS.id == stored_key(task_id))
    found = (await connection.execute(query)).one_or_none()
    return None if found is None else _task(found)


async def _all(connection: AsyncConnection, query: Select[Any]) -> list[Task]:
    return [_task(row) for row in await connection.execute(query)]


@cache
def _plan(dialect: str) -> jobs.Insert:
    insert = jobs.insert_for(INCIDENT_TASK, dialect)
    new = insert.excluded
    begins_anew = and_(_ITS.state != _OPEN, _ITS.blocks == 1)
    fresh = {name: new[name] for name in ("state", "ended_by", "ended_at", "why", "nudges")}
    return insert.on_conflict_do_update(
        index_elements=["incident_id", "rule"],
        set_={
            **fresh,
            "title": new.title,
            "due_at": new.due_at,
            "nudged_at": new.nudged_at,
            "assignee": case((_ITS.assignee != "", _ITS.assignee), else_=new.assignee),
        },
        where=or_(begins_anew, _ITS.state == _OPEN),
    )


def _values(task: Task) -> rows.Values:
    return {
        "id": stored_key(task.id),
        "incident_id": task.incident_id,
        "number": task.number,
        "rule": stored_key(task.rule),
        "title": stored_text(task.title),
        "assignee": stored_text(task.assignee),
        "state": task.state.value,
        "blocks": int(task.blocks),
        "due_at": task.due_at,
        "created_at": task.created_at,
        "ended_by": stored_text(task.ended_by),
        "ended_at": task.ended_at,
        "why": stored_text(task.why)[:_LONGEST_WHY],
        "nudges": task.nudges,
        "most_nudges": task.most_nudges,
        "nudged_at": task.nudged_at,
        "mirror_key": stored_text(task.mirror_key),
        "mirror_url": stored_text(task.mirror_url),
    }


def _task(row: Row[Any]) -> Task:
    return Task(
        id=row.id,
        incident_id=row.incident_id,
        number=row.number,
        rule=row.rule,
        title=row.title,
        assignee=row.assignee,
        state=TaskState(row.state),
        blocks=bool(row.blocks),
        due_at=row.due_at,
        created_at=row.created_at,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
        why=row.why,
        nudges=row.nudges,
        most_nudges=row.most_nudges,
        nudged_at=row.nudged_at,
        mirror_key=row.mirror_key,
        mirror_url=row.mirror_url,
    )
