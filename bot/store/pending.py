"""What a transaction means to write: kept in memory, written in few statements at its end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.jobs import Job, NewJob
from bot.ports.store import TimelineEntry
from bot.store import bulk, jobs, rows
from bot.store.claiming import Claim
from bot.store.columns import UtcDateTime, stored_key, stored_text
from bot.store.ids import new_id
from bot.store.tables.core import ALERT, ALERT_TIME, COUNTER, INBOUND, SILENCE, TIMELINE
from rules.alert import Alert
from rules.incident import Incident
from rules.silence import Silence

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_FINISH_DELIVERY = (
    update(INBOUND)
    .where(INBOUND.c.id == bindparam("delivery_id"))
    .values(state="done", error=bindparam("why"))
)
_POSTPONE_DELIVERY = (
    update(INBOUND)
    .where(INBOUND.c.id == bindparam("delivery_id"))
    .values(
        next_at=bindparam("until", type_=UtcDateTime()),
        error=bindparam("why"),
        attempts=INBOUND.c.attempts + 1,
    )
)
_COUNT = update(COUNTER).where(COUNTER.c.name == "incident").values(value=bindparam("last_number"))


class Pending:
    """Buffered writes other than incidents themselves; `flush` writes them all."""

    def __init__(self) -> None:
        self.last_number: int | None = None
        self.silences: dict[str, Silence] = {}
        self._deliveries: list[rows.Values] = []
        self._postponed: list[rows.Values] = []
        self._alerts: dict[tuple[str, str, str], rows.Values] = {}
        self._times: dict[tuple[str, datetime], int] = {}
        self._timeline: list[rows.Values] = []
        self._cancelled: dict[tuple[str, str], None] = {}
        self._jobs: dict[str, NewJob] = {}

    def finish_delivery(self, delivery_id: str, error: str) -> None:
        self._deliveries.append({"delivery_id": delivery_id, "why": stored_text(error)})

    def postpone_delivery(self, delivery_id: str, until: datetime, error: str) -> None:
        values = {"delivery_id": delivery_id, "until": until, "why": stored_text(error)}
        self._postponed.append(values)

    def record_alert(self, incident_id: str, alert: Alert, now: datetime) -> None:
        dedup_key = stored_key(alert.dedup_key)
        thing = (incident_id, stored_key(alert.source), dedup_key)
        old = self._alerts.get(thing)
        self._alerts[thing] = {
            "incident_id": incident_id,
            "source": thing[1],
            "dedup_key": dedup_key,
            "group_key": stored_key(alert.group_key),
            "status": alert.status.value,
            "title": stored_text(alert.title),
            "severity": alert.severity.value,
            "labels": rows.to_json(dict(alert.labels)),
            "category": alert.category.value if alert.category else "",
            "first_at": old["first_at"] if old else now,
            "last_at": now,
            "count": old["count"] + 1 if old else 1,
        }
        self._times[incident_id, now] = self._times.get((incident_id, now), 0) + 1

    def alert_times(self, incident_id: str, since: datetime) -> list[datetime]:
        return [
            at
            for (of_incident, at), count in self._times.items()
            if of_incident == incident_id and at >= since
            for _ in range(count)
        ]

    def add_timeline(self, incident_id: str, entry: TimelineEntry) -> None:
        self._timeline.append(rows.timeline_values(incident_id, entry))

    def enqueue(self, job: NewJob) -> None:
        key = stored_key(job.key)
        old = self._jobs.get(key)
        if old is not None:
            job = _merged(old, job)
        self._jobs[key] = job

    def cancel_jobs(self, incident_id: str, kinds: Sequence[str]) -> None:
        self._cancelled.update(((incident_id, kind), None) for kind in kinds)
        self._jobs = {
            key: job
            for key, job in self._jobs.items()
            if job.incident_id != incident_id or job.kind not in kinds
        }

    def due_jobs(self, now: datetime) -> Sequence[NewJob]:
        """Return what was enqueued here and is due."""
        return [job for job in self._jobs.values() if job.due_at <= now]

    async def flush(
        self,
        connection: AsyncConnection,
        incidents: Mapping[str, Incident],
        now: datetime,
        *,
        first: Sequence[bulk.Write] = (),
        claim: Claim | None = None,
    ) -> Sequence[Job]:
        """Write everything, after what goes `first`, in one visit; a file's `claim` ends it.

        `incidents` are those the transaction knows as they will be.
        """
        for values in self._alerts.values():
            known = incidents.get(values["incident_id"])
            values["open"] = int(known is None or known.takes_alerts)
        dialect = connection.dialect.name
        times = [
            {"incident_id": incident_id, "at": at, "count": count}
            for (incident_id, at), count in sorted(self._times.items())
        ]
        alerts = [self._alerts[key] for key in sorted(self._alerts)]
        writes: list[bulk.Write] = [
            *first,
            (_upsert_alert(dialect), alerts),
            (_add_times(dialect), times),
            (_add_timeline(dialect), self._timeline),
            (_FINISH_DELIVERY, self._deliveries),
            (_POSTPONE_DELIVERY, self._postponed),
            *self._job_writes(dialect, now),
        ]
        if self.last_number is not None:
            writes.append((_COUNT, [{"last_number": self.last_number}]))
        leased: Sequence[Job] = ()
        if claim is None:
            await bulk.write(connection, writes)
        else:
            leased = await bulk.write_then(connection, writes, claim.in_visit())
        await self._flush_people(connection)
        return leased

    def _job_writes(self, dialect: str, now: datetime) -> Iterator[bulk.Write]:
        cancelled = [
            {"of_incident": incident_id, "of_kind": kind, "at": now}
            for incident_id, kind in sorted(self._cancelled)
        ]
        yield jobs.CANCEL_JOBS, cancelled
        # sorted: two transactions that touch the same rows meet them in the same order
        wanted = [self._jobs[key] for key in sorted(self._jobs)]
        lanes = sorted({stored_key(job.lane) for job in wanted if job.lane})
        yield jobs.insert_lanes(dialect), [_lane_values(name) for name in lanes]
        ids = {job.key: new_id(now) for job in self._jobs.values()}
        for statement, renew in (
            (jobs.insert_job(dialect), False),
            (jobs.renew_job(dialect), True),
        ):
            yield (
                statement,
                [rows.job_values(j, ids[j.key], now) for j in wanted if j.renew is renew],
            )

    async def _flush_people(self, connection: AsyncConnection) -> None:
        dialect = connection.dialect.name
        silences = [rows.silence_values(silence) for silence in self.silences.values()]
        await _run(connection, _replace(SILENCE, dialect), silences)


def _merged(old: NewJob, new: NewJob) -> NewJob:
    if not new.renew:
        return old
    return replace(
        new, due_at=min(old.due_at, new.due_at), priority=min(old.priority, new.priority)
    )


def _lane_values(name: str) -> rows.Values:
    return {
        "name": name,
        "free_at": _LONG_AGO,
        "blocked_until": _LONG_AGO,
        "held_until": _LONG_AGO,
    }


@cache
def _upsert_alert(dialect: str) -> jobs.Insert:
    statement = bulk.insert_rows(ALERT, ALERT.columns.keys(), dialect)
    new = statement.excluded
    taken = ("group_key", "status", "title", "severity", "labels", "category", "last_at", "open")
    return statement.on_conflict_do_update(
        index_elements=["incident_id", "source", "dedup_key"],
        set_={**{name: new[name] for name in taken}, "count": ALERT.c.count + new["count"]},
    )


@cache
def _add_times(dialect: str) -> jobs.Insert:
    statement = bulk.insert_rows(ALERT_TIME, ALERT_TIME.columns.keys(), dialect)
    return statement.on_conflict_do_update(
        index_elements=["incident_id", "at"],
        set_={"count": ALERT_TIME.c["count"] + statement.excluded["count"]},
    )


@cache
def _add_timeline(dialect: str) -> bulk.Insert:
    names = [column.name for column in TIMELINE.columns if column.name != "id"]
    return bulk.insert_rows(TIMELINE, names, dialect)


@cache
def _replace(table: Any, dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(table, dialect)
    taken = {column.name: column for column in statement.excluded if column.name != "id"}
    return statement.on_conflict_do_update(index_elements=["id"], set_=taken)


async def _run(
    connection: AsyncConnection, statement: Executable, values: Sequence[rows.Values]
) -> None:
    if values:
        await connection.execute(statement, values)
