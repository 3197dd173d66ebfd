"""Watches who is on call: sets followers going, and plans what people are told of their shifts."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.config.duties import NoticesSpec
from bot.duty_jobs import follow_job, notice_job
from bot.ports.followers import FollowerState, FollowerStore
from bot.ports.jobs import JobPriority, NewJob
from bot.ports.store import Reader, Store, Transaction
from bot.wire import sentence_to_json
from rules.contacting.contacts import Contacts
from rules.hours import Hours
from rules.rotation import OnCall
from rules.schedule.following import Follower, next_boundary, plan_of
from rules.schedule.handoff import handoffs_due, questions_due
from rules.schedule.reachability import reach_sentence, reach_warnings
from rules.schedule.reminders import (
    Notice,
    NoticeKind,
    corrections,
    double_warnings,
    gap_warnings,
    nobody_warnings,
    reminders,
    turns,
)
from rules.sentence import Sentence, Who, say

LOOK_AGAIN = timedelta(seconds=30)
"""The longest pause: a clock that jumps, or a plan that changes unseen, is noticed by then."""
_AFTER_TROUBLE = timedelta(seconds=2)
"""When to look again after the database failed in the middle of it."""
SETTLED = timedelta(minutes=1)
"""What a roster must keep saying before people are told of it: somebody may still be typing."""
_REMEMBER = timedelta(days=45)
_MOST_LINES = 10
_OF_REACH = frozenset({NoticeKind.UNREACHABLE, NoticeKind.ONE_WAY})
_WARNINGS = frozenset({NoticeKind.GAP, NoticeKind.NOBODY, NoticeKind.DOUBLE_BOOKING}) | _OF_REACH


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyParts:
    """What watching works with; `zone_of` is a person's region, `kick` wakes the outbox.

    `has_roster` tells that somebody is meant to be on call.
    """

    on_call: Callable[[], OnCall]
    fallback: Callable[[], Sequence[str]]
    store: Store
    reader: Reader
    states: FollowerStore
    clock: Clock
    followers: Mapping[str, Follower]
    repair_every: timedelta
    notices: NoticesSpec
    channel: str
    editors: Sequence[str] = ()
    zone_of: Callable[[str], str] = lambda _person: "UTC"
    kick: Callable[[], None] = lambda: None
    has_roster: bool = True
    contacts: Callable[[], Contacts] = Contacts
    slack_trouble: Callable[[str], str] = lambda _person: ""


class Duties:
    """Looks at who is on call; `tick` is cheap as long as nothing is due."""

    def __init__(self, parts: DutyParts) -> None:
        self._parts = parts
        self._seen: OnCall | None = None
        self._next: datetime | None = None
        self._looked_at = parts.clock.now()
        self._plans: dict[str, str] = {}
        self._unsettled: dict[str, datetime] = {}
        self._retired = False

    async def tick(self) -> bool:
        """Do what is due; tell whether anything was looked at. Raises NotStoredError."""
        now, on_call = self._parts.clock.now(), self._parts.on_call()
        # before the last look: the clock was set back
        if on_call is self._seen and self._next is not None and self._looked_at <= now < self._next:
            return False
        self._looked_at, self._next = now, now + _AFTER_TROUBLE
        again = [next_boundary(on_call, now)]
        await self._follow(on_call, now)
        again += [await self._notify(on_call, now)]
        self._next = min([now + LOOK_AGAIN, *(at for at in again if at is not None)])
        self._seen = on_call
        return True

    async def states(self) -> Sequence[FollowerState]:
        """Return how the configured followers stand."""
        stored = {state.name: state for state in await self._parts.states.followers()}
        return [stored.get(name, FollowerState(name=name)) for name in self._parts.followers]

    # followers

    async def _follow(self, on_call: OnCall, now: datetime) -> None:
        """Set those going whose plan changed, and look after the others once in a while."""
        if not self._parts.followers and self._retired:
            return
        fallback = self._parts.fallback()
        plans = {
            name: plan_of(on_call, follower, now, fallback)
            for name, follower in self._parts.followers.items()
        }
        changed = {name: plan for name, plan in plans.items() if self._plans.get(name) != plan}
        if changed:
            await self._parts.states.want(changed, now)
        stale = now - self._parts.repair_every
        stored = await self._parts.states.followers()
        due = {s.name for s in stored if s.tried_at is None or s.tried_at <= stale}
        if not self._retired:
            due |= {s.name for s in stored}
        wanted = sorted((due & plans.keys()) | changed.keys() | _gone(due, plans))
        await self._enqueue([follow_job(name, now) for name in wanted])
        self._plans, self._retired = plans, True

    # notices

    async def _notify(self, on_call: OnCall, now: datetime) -> datetime | None:
        """Tell what is due; return when something more may be."""
        told = await self._parts.reader.notices(now - _REMEMBER)
        found, again = self._plan(on_call, told, now)
        if found:
            async with self._parts.store.begin() as tx:
                # serial over replicas: what another one has just told is seen here
                await tx.load_for([], now=now, window=timedelta(0))
                told = await tx.notices(now - _REMEMBER)
                found, again = self._plan(on_call, told, now)
                self._write(tx, found, now)
            self._parts.kick()
        return again

    def _plan(
        self, on_call: OnCall, told: Sequence[Notice], now: datetime
    ) -> tuple[list[Notice], datetime | None]:
        spec = self._parts.notices
        keys = {notice.key for notice in told}
        their_turns = turns(on_call, now) if spec.reminders else []
        found: list[Notice] = []
        again: list[datetime | None] = []
        wrong: tuple[Notice, ...] = ()
        if spec.reminders:
            wrong = corrections(their_turns, told, now, quiet=self._quiet)
            plan = reminders(their_turns, told, now, quiet=self._quiet, before=spec.reminders)
            moved = {(one.slot, one.start) for one in wrong}
            found += [one for one in plan.notices if (one.slot, one.start) not in moved]
            again.append(plan.again)
        if spec.handoffs:
            found += handoffs_due(on_call, told, now)
        if spec.ask_before is not None:
            asked = questions_due(on_call, told, now, quiet=self._quiet, ask_before=spec.ask_before)
            found += asked.notices
            again.append(asked.again)
        unsettled = [one for one in (*wrong, *self._warnings(on_call, now)) if one.key not in keys]
        settled, later = self._settled(unsettled, now)
        ahead = [at for at in (*again, later) if at is not None]
        return [*found, *settled], min(ahead, default=None)

    def _warnings(self, on_call: OnCall, now: datetime) -> Iterable[Notice]:
        if self._parts.notices.gaps:
            yield from gap_warnings(on_call, now)
            if self._parts.has_roster:
                yield from nobody_warnings(on_call, now)
        if self._parts.notices.double_bookings:
            yield from double_warnings(on_call, now)
        contacts = self._parts.contacts()
        if self._parts.notices.reach and contacts.configured:
            yield from reach_warnings(
                turns(on_call, now),
                now,
                methods_of=contacts.when_critical,
                slack_trouble=self._parts.slack_trouble,
            )

    def _settled(
        self, found: Sequence[Notice], now: datetime
    ) -> tuple[list[Notice], datetime | None]:
        """Return what has been so for a minute, and when the rest will have been."""
        self._unsettled = {one.key: self._unsettled.get(one.key, now) for one in found}
        settled = [one for one in found if now - self._unsettled[one.key] >= SETTLED]
        rest = (at + SETTLED for at in self._unsettled.values() if now - at < SETTLED)
        return settled, min(rest, default=None)

    def _quiet(self, person: str) -> Hours | None:
        spec = self._parts.notices.quiet_hours
        if spec is None:
            return None
        return Hours(spec.opens, spec.closes, self._parts.zone_of(person))

    def _write(self, tx: Transaction, found: Sequence[Notice], now: datetime) -> None:
        for notice in found:
            tx.record_notice(notice, now)
            if notice.kind not in _WARNINGS:
                tx.enqueue(notice_job(notice, now, channel=self._parts.channel))
        if warned := [notice for notice in found if notice.kind in _WARNINGS]:
            for job in self._warning_jobs(warned, now):
                tx.enqueue(job)

    def _warning_jobs(self, warned: Sequence[Notice], now: datetime) -> list[NewJob]:
        """Return one message with all warnings, for each who is to hear it."""
        names = "\n".join(sorted(notice.key for notice in warned))
        key = f"roster_warning:{hashlib.sha256(names.encode()).hexdigest()[:24]}"
        sentences = [sentence_to_json(one) for one in warning_sentences(warned, now)]
        to = [("", person) for person in self._parts.editors] or [(self._parts.channel, "")]
        return [
            NewJob(
                key=f"{key}:{person}" if person else key,
                kind="announce",
                lane=f"dm:{person}" if person else f"slack:{channel}",
                priority=JobPriority.NOTE,
                due_at=now,
                payload={"channel": channel, "person": person, "sentences": sentences},
            )
            for channel, person in to
        ]

    async def _enqueue(self, jobs: Sequence[NewJob]) -> None:
        if not jobs:
            return
        async with self._parts.store.begin() as tx:
            for job in jobs:
                tx.enqueue(job)
        self._parts.kick()


def warning_sentences(warned: Sequence[Notice], now: datetime) -> list[Sentence]:
    """Say what is wrong with the roster, at most ten lines."""
    shown = sorted(warned, key=lambda notice: (notice.start, notice.key))
    lines = [_warning(notice, now) for notice in shown[:_MOST_LINES]]
    if rest := len(shown) - len(lines):
        lines.append(say("… and {rest} more: `watchbill roster check` lists them.", rest=rest))
    return lines


def _warning(notice: Notice, now: datetime) -> Sentence:
    if notice.kind in _OF_REACH:
        return reach_sentence(notice, now)
    if notice.kind is NoticeKind.NOBODY:
        return say(
            "⚠️ Nobody is on call: no row of the roster can be used. Alerts page only the people whom "
            "policies and `fallback` name. `watchbill roster check` says what to mend."
        )
    if notice.kind is NoticeKind.DOUBLE_BOOKING:
        return say(
            "⚠️ {who} is {both} at once from {start} to {end}. Give one of them to somebody else.",
            who=Who(notice.person), both=notice.role, start=notice.start, end=notice.end,
        )  # fmt: skip
    place: dict[str, str | datetime] = {
        "role": notice.role,
        "rotation": notice.rotation,
        "start": notice.start,
    }
    if notice.end >= now + timedelta(days=13):
        return say("⚠️ Nobody is {role} of {rotation} from {start} on. Add rows to the roster.",
                   **place)  # fmt: skip
    return say(
        "⚠️ Nobody is {role} of {rotation} from {start} to {end}. Fill the roster, or use "
        "`/oncall override`.",
        **place, end=notice.end,
    )  # fmt: skip


def _gone(due: set[str], plans: Mapping[str, str]) -> set[str]:
    """Return the followers that the configuration does not name any more."""
    return due - plans.keys()
