"""Carries out what people are told of their shifts: reminders, questions, hand-offs, late notes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.duty_jobs import ASK_NOTE, HANDOFF, LATE_NOTE, REMIND, notice_of
from bot.ports.delivering import Delivered, Deliverer, GiveUpError, RetryLaterError
from bot.ports.jobs import Job
from bot.ports.store import Store
from bot.slack.announcing import ANNOUNCE, announce, announcement
from bot.slack.delivery import Task
from bot.slack.desk import Desk
from bot.slack.direct import messages_with
from bot.slack.duty.readiness import ready_for
from bot.slack.text import Mrkdwn, mention, outside
from bot.slack.views.duties import (
    HandoffFacts,
    handoff_message,
    late_note_message,
    question_message,
    shift_message,
)
from rules.contacting.method import TITLES
from rules.incident import State
from rules.schedule.handoff import LATEST, Handoff, handoff_at, handoffs
from rules.schedule.reminders import Notice, NoticeKind
from rules.sentence import Who, say

_OPEN = (State.TRIGGERED, State.ACKNOWLEDGED)
_NOTHING = Delivered()
_SIGHT = timedelta(days=14)
_SHIFT = timedelta(days=7)
_MOST_READ = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyDesk:
    """What telling of shifts works with; hand-offs and trouble are told in `channel`."""

    desk: Desk
    store: Store
    channel: str

    @property
    def deliverers(self) -> Mapping[str, Deliverer]:
        return {
            REMIND: _Job(self._remind),
            ASK_NOTE: _Job(self._ask_note),
            HANDOFF: _Job(self._handoff),
            LATE_NOTE: _Job(self._late_note),
            ANNOUNCE: Task(self.desk, announce),
        }

    async def _remind(self, job: Job) -> None:
        """Remind a person; where that is not possible, say so where others read it."""
        notice, now = notice_of(job), self.desk.clock.now()
        if notice.kind is NoticeKind.REMINDER and notice.start <= now:
            return
        try:
            channel = await messages_with(self.desk, notice.person)
            ready = await ready_for(self.desk, notice)
            await self.desk.post(job, channel, shift_message(notice, now, ready=ready))
        except RetryLaterError:
            raise
        except GiveUpError as unreachable:
            await self._cannot_be_paged(notice, str(unreachable), now)

    async def _cannot_be_paged(self, notice: Notice, why: str, now: datetime) -> None:
        if notice.kind is NoticeKind.CANCELLED:
            return
        others = [TITLES[m] for m in self.desk.rulebook().contacts.methods(notice.person)]
        words = "⚠️ {who} is {role} of {rotation} from {start} and cannot be paged: {why}."
        if others:
            words = (
                "⚠️ {who} is {role} of {rotation} from {start} and cannot be paged in Slack: "
                "{why}. Pages go by " + ", ".join(others) + " alone."
            )
        sentence = say(
            words,
            who=Who(notice.person),
            role=notice.role,
            rotation=notice.rotation,
            start=notice.start,
            why=why,
        )
        key = f"unreachable:{notice.key}"
        async with self.store.begin() as tx:
            tx.enqueue(announcement(key, [sentence], now, channel=self.channel))

    async def _ask_note(self, job: Job) -> None:
        notice, now = notice_of(job), self.desk.clock.now()
        handoff = handoff_at(self.desk.on_call(), notice.rotation, notice.start)
        if handoff is None or notice.person not in handoff.outgoing or notice.start <= now:
            return
        await self.desk.directory.learn_names(handoff.incoming)
        channel = await messages_with(self.desk, notice.person)
        body = question_message(handoff, now, self.desk.directory)
        await self.desk.post(job, channel, body)

    async def _handoff(self, job: Job) -> None:
        """Tell of a hand-off as it is now; one that was taken back or is long ago is not told."""
        notice, now = notice_of(job), self.desk.clock.now()
        handoff = handoff_at(self.desk.on_call(), notice.rotation, notice.start)
        if handoff is None or now - handoff.at > LATEST:
            return
        await self.desk.post_in(job, self.channel, handoff_message(await self._facts(handoff, now)))

    async def _facts(self, handoff: Handoff, now: datetime) -> HandoffFacts:
        desk, reader = self.desk, self.desk.reader
        ahead = handoffs(desk.on_call(), handoff.at, handoff.at + _SIGHT)
        own = (one.at for one in ahead if one.rotation == handoff.rotation)
        until = next(own, handoff.at + _SHIFT)
        people = [p for change in handoff.changes for p in (*change.before, *change.after)]
        notes = await reader.notes(handoff.rotation, handoff.at)
        await desk.directory.learn_names([*people, *(note.person for note in notes)])
        open_ones = await reader.incidents(states=_OPEN, limit=_MOST_READ)
        pending = await reader.pending_incidents(_MOST_READ)
        overrides = await reader.overrides(now)
        return HandoffFacts(
            handoff=handoff,
            now=now,
            until=until,
            names=desk.directory,
            mentions={key: self._mention(key) for key in handoff.incoming},
            incidents=[one for one in open_ones if one.rotation == handoff.rotation],
            pending=[one for one in pending if one.rotation == handoff.rotation],
            silences=[s for s in await reader.silences(now) if s.ends_at < until],
            overrides=[
                o
                for o in overrides
                if o.rotation == handoff.rotation and handoff.at < o.starts_at < until
            ],
            notes=notes,
        )

    def _mention(self, key: str) -> Mrkdwn:
        user = self.desk.directory.known_user(key)
        return mention(user) if user else outside(self.desk.directory.name(key), 80)

    async def _late_note(self, job: Job) -> None:
        rotation, person = str(job.payload["rotation"]), str(job.payload["person"])
        boundary = datetime.fromisoformat(job.payload["at"])
        notes = await self.desk.reader.notes(rotation, boundary)
        note = next((one for one in notes if one.person == person), None)
        if note is not None:
            body = late_note_message(note, self.desk.clock.now(), self.desk.directory)
            await self.desk.post_in(job, self.channel, body)


class _Job:
    """One kind of job."""

    def __init__(self, work: Callable[[Job], Awaitable[None]]) -> None:
        self._work = work

    async def deliver(self, job: Job) -> Delivered:
        await self._work(job)
        return _NOTHING
