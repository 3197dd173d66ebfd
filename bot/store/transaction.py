"""The unit of work: one event's loads, decisions and writes in one commit."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.contact_jobs import CONTACT
from bot.ports.delivering import Delivered, Outcome, Retry
from bot.ports.duties import HandoffNote
from bot.ports.inbox import Delivery
from bot.ports.jobs import Job, NewJob
from bot.ports.store import (
    AlertRef,
    OpenAlert,
    PastOpenings,
    Related,
    StoredOverride,
    TimelineEntry,
    Transaction,
)
from bot.store import jobs, rows
from bot.store.access import PendingAccess
from bot.store.audits import PendingAudit
from bot.store.claiming import Claim, Terms
from bot.store.columns import UtcDateTime, stored_key
from bot.store.contact import PendingContacts
from bot.store.database import Database
from bot.store.duties import PendingDuties
from bot.store.incidents import Incidents
from bot.store.journal.writes import PendingJournal
from bot.store.lessons import PendingLessons
from bot.store.lookups import Lookups
from bot.store.near import looking_near
from bot.store.numbers import Numbers
from bot.store.pending import Pending
from bot.store.roster.changes import PendingChanges
from bot.store.roster.rows import PendingRows
from bot.store.runbooks import PendingRunbooks
from bot.store.runs.writes import RunWriting
from bot.store.seen_lineage import PendingLineage, Remembered
from bot.store.tables.core import ALERT, ALERT_TIME, MESSAGE, SILENCE
from bot.store.taking import heard_until, take
from bot.store.tasks import PendingTasks
from rules.alert import Alert
from rules.folding import OpenSubject
from rules.incident import Incident
from rules.schedule.reminders import Notice
from rules.seen_lineage import SeenLineage
from rules.silence import Silence
from rules.teaching.learned import LearnedRule

_ALERT_TIMES = select(ALERT_TIME.c.at, ALERT_TIME.c["count"]).where(
    ALERT_TIME.c.incident_id == bindparam("its_id"),
    ALERT_TIME.c.at >= bindparam("since", type_=UtcDateTime()),
)
_THIS_ALERT = (
    ALERT.c.incident_id == bindparam("its_id"),
    ALERT.c.source == bindparam("its_source"),
    ALERT.c.dedup_key == bindparam("its_key"),
)
_ONE_ALERT = select(ALERT).where(*_THIS_ALERT)
_DROP_ALERT = delete(ALERT).where(*_THIS_ALERT)
SILENCES = (
    select(SILENCE)
    .where(SILENCE.c.ends_at > bindparam("now", type_=UtcDateTime()))
    .order_by(SILENCE.c.starts_at, SILENCE.c.id)
)


class SqlTransaction(RunWriting):
    """A Transaction on one database connection."""

    def __init__(
        self,
        connection: AsyncConnection,
        held: dict[str, datetime],
        remembered: Remembered,
        terms: Terms,
        numbers: Numbers,
    ) -> None:
        super().__init__(connection)
        self.leased: Sequence[Job] = ()
        self._connection = connection
        self._held = held
        self._terms = terms
        self._numbers = numbers
        self._lease_at_most = 0
        self._lineage = PendingLineage(remembered)
        self._incidents = Incidents(connection)
        self._lessons = PendingLessons(connection)
        self._duties = PendingDuties(connection)
        self.roster = PendingChanges(connection)
        self.rows = PendingRows(connection)
        self.audit = PendingAudit(connection)
        self.journal = PendingJournal(connection)
        self.runbooks = PendingRunbooks(connection)
        self.tasks = PendingTasks(connection)
        self.access = PendingAccess(connection)
        self.contact = PendingContacts(connection)
        self._lookups = Lookups()
        self._pending = Pending()
        self._last_number: int | None = None
        self._finished: list[Job] = []

    # deliveries

    async def in_turn(self) -> None:
        if self._last_number is None:
            # this lock also makes grouping serial: two replicas never open what is one incident
            self._last_number = await self._numbers.last(self._connection)

    async def take_deliveries(
        self,
        limit: int,
        now: datetime,
        *,
        others: bool = True,
        known: Collection[str] | None = None,
    ) -> Sequence[Delivery]:
        return await take(self._connection, limit, now, others=others, known=known)

    async def heard_until(self, now: datetime) -> datetime:
        return await heard_until(self._connection, now)

    def finish_delivery(self, delivery_id: str, *, error: str = "") -> None:
        self._pending.finish_delivery(delivery_id, error)

    def postpone_delivery(self, delivery_id: str, until: datetime, error: str) -> None:
        self._pending.postpone_delivery(delivery_id, until, error)

    # look-ups

    async def load_for(
        self,
        alerts: Sequence[AlertRef],
        *,
        now: datetime,
        window: timedelta,
        related: Related | None = None,
    ) -> None:
        await self.in_turn()
        named = await self._lookups.load(self._connection, alerts, now - window)
        if related is not None:
            # one load for all: locks are taken in the order of ids, and never in two goes
            named.update(related(await self._lookups.load_subjects(self._connection)))
        await self._incidents.load(sorted(named))
        known = self._incidents.known
        self._lookups.closed(i for i in named if i not in known or not known[i].is_open)
        self._lookups.over(i for i in named if i not in known or not known[i].takes_alerts)

    def open_subjects(self) -> Sequence[OpenSubject]:
        known = self._incidents.known
        return [one for one in self._lookups.open_subjects() if one.incident_id in known]

    def open_alert(self, source: str, dedup_key: str) -> OpenAlert | None:
        return self._lookups.open_alert(source, dedup_key)

    def open_group(self, source: str, group_key: str) -> str | None:
        return self._lookups.open_group(source, group_key)

    def open_storm(self, source: str) -> str | None:
        return self._lookups.open_storm(source)

    def openings(self, source: str, since: datetime) -> int:
        return self._lookups.openings(source, since)

    def openings_of(self, source: str, dedup_key: str, since: datetime) -> PastOpenings:
        return self._lookups.openings_of(source, dedup_key, since)

    def next_number(self) -> int:
        """Return the next incident's number; `load_for` must have been awaited, if with nothing."""
        if self._last_number is None:
            raise LookupError("await load_for before next_number")
        self._last_number += 1
        self._pending.last_number = self._last_number
        return self._last_number

    # incidents

    async def take_due(self, now: datetime, limit: int) -> Sequence[Incident]:
        return await self._incidents.due(now, limit, await self.heard_until(now))

    async def load_incidents(self, ids: Sequence[str]) -> None:
        await self._incidents.load(ids)

    async def incident_numbered(self, number: int) -> Incident | None:
        return await self._incidents.numbered(number)

    async def open_incidents(self) -> Sequence[Incident]:
        return await self._incidents.open()

    async def pending_proofs(self) -> Mapping[str, frozenset[str]]:
        return await self._incidents.pending()

    def incident(self, incident_id: str) -> Incident:
        return self._incidents.get(incident_id)

    def save(self, incident: Incident) -> None:
        is_new = self._incidents.save(incident)
        self._lookups.saved(incident, new=is_new)

    def record_alert(self, incident_id: str, alert: Alert, now: datetime) -> None:
        self._pending.record_alert(incident_id, alert, now)
        self._lookups.recorded(incident_id, alert.source, alert.dedup_key, alert.status)

    async def take_alert(self, incident_id: str, source: str, dedup_key: str) -> Alert | None:
        named = {
            "its_id": incident_id,
            "its_source": stored_key(source),
            "its_key": stored_key(dedup_key),
        }
        row = (await self._connection.execute(_ONE_ALERT, named)).one_or_none()
        if row is None:
            return None
        await self._connection.execute(_DROP_ALERT, named)
        return rows.alert(row)

    async def alert_times(self, incident_id: str, since: datetime) -> Sequence[datetime]:
        stored = await self._connection.execute(
            _ALERT_TIMES, {"its_id": incident_id, "since": since}
        )
        times = [at for at, count in stored for _ in range(count)]
        return sorted([*times, *self._pending.alert_times(incident_id, since)])

    def add_timeline(self, incident_id: str, entry: TimelineEntry) -> None:
        self._pending.add_timeline(incident_id, entry)

    # the outbox

    def enqueue(self, job: NewJob) -> None:
        self._pending.enqueue(job)
        if job.kind == CONTACT:
            self.contact.expect(job)

    def cancel_jobs(self, incident_id: str, kinds: Sequence[str]) -> None:
        self._pending.cancel_jobs(incident_id, kinds)

    def lease_own(self, most: int) -> None:
        self._lease_at_most = most

    def _claim(self, now: datetime) -> Claim | None:
        """Return how what is due of the jobs enqueued here is leased, None when nothing is."""
        due = self._pending.due_jobs(now) if self._lease_at_most > 0 else ()
        held = [job_id for job_id, end in self._held.items() if end <= now]
        return Claim(now, self._lease_at_most, held, self._terms, due) if due else None

    async def finish_job(self, job: Job, outcome: Outcome, now: datetime) -> bool:
        connection = self._connection
        if job.incident_id and connection.dialect.name != "sqlite":
            # the order of locks is incident, lane, job everywhere: no deadlock with an ack
            await self._incidents.lock(job.incident_id)
        if isinstance(outcome, Delivered) and outcome.busy_until is not None:
            for lane in sorted(map(stored_key, outcome.busy)):
                await jobs.keep_free(connection, lane, outcome.busy_until, now)
        if job.lane:
            if isinstance(outcome, Retry) and outcome.lane_until is not None:
                await jobs.block_lane(connection, job.lane, outcome.lane_until)
            await jobs.release_lane(connection, job, now)
        recorded = await jobs.record_outcome(connection, job, outcome, now)
        if recorded and isinstance(outcome, Delivered) and outcome.messages:
            messages = [rows.message_values(job.incident_id, m) for m in outcome.messages]
            await connection.execute(_put_message(connection.dialect.name), messages)
        if isinstance(outcome, Retry) and outcome.lane_until is not None:
            until, fails = outcome.lane_until, outcome.counts
            await self.contact.lane_shut(job.lane, until, now, fails=fails)
        self._finished.append(job)
        return recorded

    # lineage

    def see_lineage(self, source: str, seen: SeenLineage) -> None:
        self._lineage.see(source, seen)

    # people's

    async def silences(self, now: datetime) -> Sequence[Silence]:
        stored = await self._connection.execute(SILENCES, {"now": now})
        found = {row.id: rows.silence(row) for row in stored} | self._pending.silences
        return [silence for silence in found.values() if silence.ends_at > now]

    def save_silence(self, silence: Silence) -> None:
        self._pending.silences[silence.id] = silence

    async def overrides(self, since: datetime) -> Sequence[StoredOverride]:
        return await self.roster.overrides(since)

    def save_override(self, override: StoredOverride) -> None:
        self.roster.save_override(override)

    # lessons

    async def learned_rules(self) -> Sequence[LearnedRule]:
        return await self._lessons.learned_rules()

    def save_learned(self, rule: LearnedRule) -> None:
        self._lessons.save(rule)

    def end_learned(self, rule_id: str, by: str, at: datetime) -> None:
        self._lessons.end(rule_id, by, at)

    # shifts

    async def notices(self, since: datetime) -> Sequence[Notice]:
        return await self._duties.notices(since)

    def record_notice(self, notice: Notice, now: datetime) -> None:
        self._duties.record(notice, now)

    def save_note(self, note: HandoffNote) -> None:
        self._duties.save_note(note)

    # the end

    async def flush(self, now: datetime) -> None:
        new, claim = await self._incidents.flush(), self._claim(now)
        known, near = self._incidents.known, self._connection.dialect.name == "sqlite"
        self.leased = await self._pending.flush(
            self._connection, known, now, first=new, claim=claim if near else None
        )
        await self._incidents.flush_alerts()
        await self._lessons.flush()
        await self._duties.flush()
        await self.journal.flush()
        await self.roster.flush()
        await self.runbooks.flush()
        await self.tasks.flush()
        await self.access.flush()
        await self.contact.flush(now)
        await self.flush_runs(now)
        await self._lineage.flush(self._connection, now)
        if claim is not None and not near:
            self.leased = await claim.on(self._connection)

    def committed(self) -> None:
        self._lineage.committed()
        if self._last_number is not None:
            self._numbers.committed(self._last_number)
        self._held.update({job.id: job.leased_until for job in self.leased})
        for job in self._finished:
            self._held.pop(job.id, None)


class SqlStore:
    """The Store on a database; `held` has the jobs this process works on."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        held: dict[str, datetime],
        terms: Terms | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._held = held
        self._terms = terms or Terms()
        self._remembered = Remembered()
        self._numbers = Numbers()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self._database.write() as connection:
            transaction = SqlTransaction(
                looking_near(connection, self._database.near),
                self._held,
                self._remembered,
                self._terms,
                self._numbers,
            )
            yield transaction
            await transaction.flush(self._clock.now())
        transaction.committed()


@cache
def _put_message(dialect: str) -> jobs.Insert:
    statement = jobs.insert_for(MESSAGE, dialect)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["incident_id", "channel", "ts"],
        set_={"role": new.role, "person": new.person, "key": new.key},
    )
