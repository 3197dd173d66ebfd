"""Followers in Slack as the database keeps them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, bindparam, case, delete, func, null, select, update

from bot.ports.followers import FollowerState
from bot.store import jobs
from bot.store.columns import UtcDateTime, from_micros, stored_key, stored_text, to_micros
from bot.store.database import Database
from bot.store.tables.duties import SLACK_FOLLOWER
from rules.schedule.following import Memory

_LONGEST_PLAN = 8_000
_ITS = SLACK_FOLLOWER.c.name == bindparam("its_name")
_SAVE = (
    update(SLACK_FOLLOWER)
    .where(_ITS)
    .values(
        applied=bindparam("shows"),
        behind_since=case(
            (SLACK_FOLLOWER.c.wanted == bindparam("shows"), null()),
            else_=func.coalesce(
                SLACK_FOLLOWER.c.behind_since, bindparam("tried", type_=UtcDateTime())
            ),
        ),
        tried_at=bindparam("tried", type_=UtcDateTime()),
        applied_at=bindparam("done", type_=UtcDateTime()),
        problem=bindparam("wrong"),
        told=bindparam("said"),
        memory=bindparam("kept"),
    )
)


class SqlFollowers:
    """The FollowerStore of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def followers(self) -> Sequence[FollowerState]:
        query = select(SLACK_FOLLOWER).order_by(SLACK_FOLLOWER.c.name)
        async with self._database.read() as connection:
            return [_state(row) for row in await connection.execute(query)]

    async def follower(self, name: str) -> FollowerState:
        query = select(SLACK_FOLLOWER).where(SLACK_FOLLOWER.c.name == stored_key(name))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _state(row) if row is not None else FollowerState(name=name)

    async def want(self, plans: Mapping[str, str], now: datetime) -> None:
        rows = [
            {"name": stored_key(name), "wanted": _plan(plan), "behind_since": now}
            for name, plan in sorted(plans.items())
        ]
        if rows:
            async with self._database.write() as connection:
                await connection.execute(_want(connection.dialect.name), rows)

    async def save_follower(self, state: FollowerState) -> None:
        values = {
            "its_name": stored_key(state.name),
            "shows": _plan(state.applied),
            "tried": state.tried_at,
            "done": state.applied_at,
            "wrong": stored_text(state.problem)[:2000],
            "said": stored_text(state.told)[:2000],
            "kept": _memory_json(state.memory),
        }
        async with self._database.write() as connection:
            saved = await connection.execute(_SAVE, values)
            if not saved.rowcount:
                new = {"name": values["its_name"], "wanted": _plan(state.wanted)}
                await connection.execute(
                    jobs.insert_for(SLACK_FOLLOWER, connection.dialect.name), new
                )
                await connection.execute(_SAVE, values)

    async def forget_follower(self, name: str) -> None:
        statement = delete(SLACK_FOLLOWER).where(SLACK_FOLLOWER.c.name == stored_key(name))
        async with self._database.write() as connection:
            await connection.execute(statement)


@cache
def _want(dialect: str) -> jobs.Insert:
    """Build: set the plan; behind since now unless it was behind already or shows it."""
    statement = jobs.insert_for(SLACK_FOLLOWER, dialect)
    new, old = statement.excluded, SLACK_FOLLOWER.c
    since = case(
        (old.applied == new.wanted, null()),
        (old.behind_since.is_not(None), old.behind_since),
        else_=new.behind_since,
    )
    return statement.on_conflict_do_update(
        index_elements=["name"], set_={"wanted": new.wanted, "behind_since": since}
    )


def _plan(plan: str) -> str:
    return stored_text(plan)[:_LONGEST_PLAN]


def _memory_json(memory: Memory) -> str:
    return json.dumps(
        {
            "wrote": list(memory.wrote),
            "ref": memory.ref,
            "repaired_at": _micros(memory.repaired_at),
            "stopped_until": _micros(memory.stopped_until),
        }
    )


def _memory(text: str) -> Memory:
    kept: dict[str, Any] = json.loads(text)
    return Memory(
        wrote=tuple(kept.get("wrote", ())),
        ref=kept.get("ref", ""),
        repaired_at=_instant(kept.get("repaired_at")),
        stopped_until=_instant(kept.get("stopped_until")),
    )


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _state(row: Row[Any]) -> FollowerState:
    return FollowerState(
        name=row.name,
        wanted=row.wanted,
        applied=row.applied,
        behind_since=row.behind_since,
        tried_at=row.tried_at,
        applied_at=row.applied_at,
        problem=row.problem,
        told=row.told,
        memory=_memory(row.memory),
    )
