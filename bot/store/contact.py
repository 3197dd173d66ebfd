"""The ledger of attempts to reach people, and the steps of their pages, as the database keeps them."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Row,
    Select,
    and_,
    bindparam,
    exists,
    insert,
    literal,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.contact_jobs import CONTACT, PAGE, RECEIPT, key_after, key_of, keys_of, lanes_of
from bot.ports.contact import Attempt, Result
from bot.ports.jobs import JobState, NewJob
from bot.store import rows
from bot.store.claiming import one_of
from bot.store.columns import UtcDateTime, stored_key, stored_text
from bot.store.database import Database
from bot.store.ids import new_id
from bot.store.tables.contact import CONTACT_ATTEMPT
from bot.store.tables.core import JOB, LANE
from rules.contacting.following import PACED, Fate, StepStanding, is_past_slack, passed_at
from rules.contacting.method import Method

_LONGEST_ERROR = 500
_MOST = 2_000
_TODO = text("job.state = 'todo'")
_IN_LANE = text("job.lane != ''")
_ITS = CONTACT_ATTEMPT.c
_OF_INCIDENT = (
    select(CONTACT_ATTEMPT)
    .where(_ITS.incident_id == bindparam("its_incident"))
    .order_by(_ITS.id)
    .limit(_MOST)
)
_UNTRIED = and_(_TODO, JOB.c.kind == CONTACT, JOB.c.leased == 0, JOB.c.first_attempt_at.is_(None))
_NOW = {
    "next_at": bindparam("at", type_=UtcDateTime()),
    "due_at": bindparam("at", type_=UtcDateTime()),
}
_HASTEN = (
    update(JOB)
    .where(
        JOB.c.key == bindparam("its_key"),
        _UNTRIED,
        JOB.c.next_at > bindparam("at", type_=UtcDateTime()),
    )
    .values(_NOW)
)
_UNTRIED_STEPS = select(JOB.c.key, JOB.c.next_at).where(_UNTRIED)
_LANES_OF = select(JOB.c.key).join_from(JOB, LANE, LANE.c.name == JOB.c.lane)
_STEPS = _LANES_OF.add_columns(JOB.c.due_at, LANE.c.blocked_until).where(_UNTRIED)
_TRIED = JOB.alias("tried")
_FAILS = exists(
    select(literal_column("1"))
    .where(text("tried.state = 'todo' AND tried.lane != ''"), _TRIED.c.lane == LANE.c.name)
    .where(_TRIED.c.leased == 0, _TRIED.c.attempts > 0)
    .correlate(LANE)
)
"""Something in the lane failed; who was only asked to wait has not, as far as attempts count."""
_SHUT_LANES_OF = _LANES_OF.add_columns(LANE.c.blocked_until, _FAILS.label("fails"))
_MISSED = frozenset({Result.FAILED.value, Result.UNANSWERED.value})
_FIRST = "contact:1:"


class SqlContacts:
    """The ContactReads of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def attempts(self, incident_id: str) -> Sequence[Attempt]:
        async with self._database.read() as connection:
            found = await connection.execute(_OF_INCIDENT, {"its_incident": incident_id})
            return [_attempt(row) for row in found]


class PendingContacts:
    """The ContactWrites of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._attempts: list[rows.Values] = []
        self._expected: list[NewJob] = []

    def record(self, attempt: Attempt) -> None:
        self._attempts.append(
            {
                "id": new_id(attempt.at),
                "incident_id": attempt.incident_id,
                "page_key": stored_key(attempt.page),
                "person": stored_text(attempt.person),
                "method": attempt.method.value,
                "step": attempt.step,
                "attempt": attempt.attempt,
                "at": attempt.at,
                "changed_at": attempt.changed_at,
                "result": attempt.result.value,
                "provider_id": stored_key(attempt.provider_id),
                "error": stored_text(attempt.error)[:_LONGEST_ERROR],
            }
        )

    async def standings(self, page: str) -> Sequence[StepStanding]:
        keys = {stored_key(key): step for step, key in enumerate(keys_of(page))}
        query = select(
            JOB.c.key,
            JOB.c.kind,
            JOB.c.state,
            JOB.c.first_attempt_at,
            JOB.c.payload,
            JOB.c.incident_id,
        ).where(JOB.c.key.in_(keys), JOB.c.kind.in_((PAGE, CONTACT)))
        jobs = (await self._connection.execute(query)).all()
        missed = await self._missed(jobs[0].incident_id, page) if jobs else ()
        found = [_standing(keys[row.key], row, missed) for row in jobs]
        return sorted(found, key=lambda one: one.step)

    async def _missed(self, incident_id: str, page: str) -> frozenset[int]:
        """Return the steps of a page that did not get through, as far as services have told."""
        told = (
            select(_ITS.step, _ITS.result)
            .where(_ITS.incident_id == incident_id, _ITS.page_key == stored_key(page))
            .order_by(_ITS.id)
        )
        latest = {row.step: row.result for row in await self._connection.execute(told)}
        return frozenset(step for step, result in latest.items() if result in _MISSED)

    async def hasten(self, page: str, step: int, now: datetime) -> int | None:
        values = {"its_key": stored_key(key_of(page, step)), "at": now}
        if not (await self._connection.execute(_HASTEN, values)).rowcount:
            return None
        moved = await self._pass_shut([stored_key(key_of(page, step))], now)
        while stored_key(key_of(page, step + 1)) in moved:
            step += 1
        return step

    async def hasten_all(self, now: datetime, *, lane: str = "") -> int:
        its_page = JOB.alias("its_page")
        # from the few pages that wait: each of both has an index of its own
        waits = select(literal(_FIRST).concat(its_page.c.key)).where(
            text("its_page.state = 'todo' AND its_page.lane != ''"), its_page.c.kind == PAGE
        )
        if lane:
            waits = waits.where(its_page.c.lane == stored_key(lane))
        statement = (
            update(JOB)
            .where(
                JOB.c.key.in_(waits),
                _UNTRIED,
                JOB.c.next_at > bindparam("at", type_=UtcDateTime()),
            )
            .values(_NOW)
            .returning(JOB.c.key)
        )
        hastened = (await self._connection.execute(statement, {"at": now})).scalars().all()
        if hastened:
            await self._pass_shut(hastened, now)
        return len(hastened)

    async def lane_shut(self, lane: str, until: datetime, now: datetime, *, fails: bool) -> None:
        if is_past_slack(until - now, fails=fails):
            await self.hasten_all(now, lane=lane)
        waiting = select(JOB.c.key).where(_UNTRIED, _IN_LANE, JOB.c.lane == stored_key(lane))
        if keys := (await self._connection.execute(waiting)).scalars().all():
            await self._pass_shut(keys, now)

    async def _pass_shut(self, keys: Sequence[str], now: datetime) -> Collection[str]:
        """Let the step after each of these go where its own lane is shut; return which did."""
        moved: set[str] = set()
        while keys:
            wanted = {
                stored_key(key_after(row.key)): at
                for row in await self._among(keys, _STEPS.where(LANE.c.blocked_until > now))
                if (at := passed_at(row.due_at, row.blocked_until, now)) is not None
            }
            later = await self._among(sorted(wanted), _UNTRIED_STEPS) if wanted else ()
            keys = sorted(row.key for row in later if row.next_at > wanted[row.key])
            if keys:
                values = [{"its_key": key, "at": wanted[key]} for key in keys]
                await self._connection.execute(_HASTEN, values)
            moved.update(keys)
        return moved

    async def _among(
        self, keys: Sequence[str], query: Select[*tuple[Any, ...]]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """Ask of the jobs with these keys, however many."""
        sqlite = self._connection.dialect.name == "sqlite"
        given = {"keys": rows.to_json(list(keys)) if sqlite else list(keys)}
        which = query.where(one_of(JOB.c.key, "keys", sqlite=sqlite))
        return (await self._connection.execute(which, given)).all()

    async def call_off(self, incident_id: str, person: str, now: datetime) -> int:
        lanes = [stored_key(lane) for lane in lanes_of(person)]
        ended = (
            update(JOB)
            .where(
                JOB.c.incident_id == incident_id,
                JOB.c.kind == CONTACT,
                JOB.c.lane.in_(lanes),
                _TODO,
            )
            .values(state=JobState.CANCELLED.value, done_at=now)
        )
        stopped = (await self._connection.execute(ended)).rowcount
        await self._end_repeats(incident_id, person)
        return stopped

    async def _end_repeats(self, incident_id: str, person: str) -> None:
        """Leave word for the jobs that can tell a service to repeat its message no more."""
        asking = select(JOB.c.id, JOB.c.payload).where(
            JOB.c.incident_id == incident_id, JOB.c.kind == RECEIPT, _TODO
        )
        for row in (await self._connection.execute(asking)).all():
            payload = json.loads(row.payload)
            if payload["person"] == person:
                over = rows.to_json({**payload, "over": True})
                statement = update(JOB).where(JOB.c.id == row.id).values(payload=over)
                await self._connection.execute(statement)

    async def heard(
        self, incident_id: str, provider_id: str, result: Result, error: str, now: datetime
    ) -> Attempt | None:
        which = and_(_ITS.incident_id == incident_id, _ITS.provider_id == stored_key(provider_id))
        found = (
            await self._connection.execute(
                select(CONTACT_ATTEMPT).where(which).order_by(_ITS.id.desc()).limit(1)
            )
        ).one_or_none()
        if found is None:
            return None
        told = {
            "result": result.value,
            "error": stored_text(error)[:_LONGEST_ERROR],
            "changed_at": now,
        }
        await self._connection.execute(
            update(CONTACT_ATTEMPT).where(_ITS.id == found.id).values(told)
        )
        return _attempt(found)

    def expect(self, job: NewJob) -> None:
        """Look, once it is written, whether what it follows has any way to go out now."""
        self._expected.append(job)

    async def flush(self, now: datetime) -> None:
        if self._attempts:
            await self._connection.execute(insert(CONTACT_ATTEMPT), self._attempts)
        if self._expected:
            await self._hasten_past_shut_lanes(now)

    async def _hasten_past_shut_lanes(self, now: datetime) -> None:
        """Let the next method go at once where a lane that comes before it is shut for a while."""
        keys = [stored_key(job.key) for job in self._expected]
        firsts = {
            stored_key(job.payload["page"]): stored_key(job.key)
            for job in self._expected
            if job.payload["step"] == 1
        }
        shut = _SHUT_LANES_OF.where(LANE.c.blocked_until > now + PACED)
        behind = await self._among([*firsts, *keys], shut)
        pages = sorted(
            row.key
            for row in behind
            if row.key in firsts and is_past_slack(row.blocked_until - now, fails=row.fails)
        )
        if pages:
            values = [{"its_key": firsts[key], "at": now} for key in pages]
            await self._connection.execute(_HASTEN, values)
        if behind:
            await self._pass_shut(keys, now)


def _standing(step: int, row: Any, missed: Collection[int]) -> StepStanding:
    method = Method(json.loads(row.payload)["method"]) if row.kind == CONTACT else Method.SLACK
    match row.state:
        case JobState.TODO:
            fate = Fate.TRIED if row.first_attempt_at else Fate.AHEAD
        case JobState.DONE:
            # a service took it, and told later that it did not get through
            fate = Fate.FAILED if step in missed else Fate.DELIVERED
        case JobState.DEAD:
            fate = Fate.FAILED
        case _:
            fate = Fate.CALLED_OFF
    return StepStanding(step, method, fate)


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        incident_id=row.incident_id,
        page=row.page_key,
        person=row.person,
        method=Method(row.method),
        step=row.step,
        attempt=row.attempt,
        at=row.at,
        changed_at=row.changed_at,
        result=Result(row.result),
        provider_id=row.provider_id,
        error=row.error,
    )
