"""Makes one group what the ledger says: reads it, takes out, puts in, reads it again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from bot.clock import Clock
from bot.engine.access.jobs import channel_of, tell_job, write_steps
from bot.ports.access import Backend, GroupStanding, Member
from bot.ports.delivering import Delivered, GiveUpError, RetryLaterError
from bot.ports.jobs import Job
from bot.ports.store import Store, Transaction
from rules.access.grant import Grant, GrantState, Origin
from rules.access.group import AccessGroup
from rules.access.lasting import end_of, revoke
from rules.access.ledger import Entry, Happening
from rules.access.seeing import (
    OURS_FOR,
    Plan,
    Seen,
    begin,
    elsewhere,
    fold,
    held_back,
    look_at,
    plan,
    repaired,
    troubled,
)
from rules.access.telling import Step, Tell, Telling
from rules.rulebook import RuleBook
from rules.sentence import say

log = structlog.get_logger(__name__)

RECONCILE = timedelta(minutes=3)
"""A group is read and compared in full so often, also when nothing has happened."""
_CALL = 20.0
"""Seconds one request to a back-end may take."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=1)
_MOST_TOLD = 10
_NOTHING = Delivered()
_REMOVED = "Removed from {group}, where nobody had granted them anything: {who}."
_STAY = (
    "In {group} without a grant: {who}. They stay, as `dry_run` is on. Take them out there, or "
    "name them under `permanent`."
)
_HELD = (
    "🔴 In {group} are {count} accounts without a grant: {who}. That is unusually many, so I take "
    "them out only at {at}. Name who belongs there under `permanent`, or set `dry_run: true`."
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """A group's back-end, its own name there, and what tells this place from others."""

    backend: Backend
    group: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncParts:
    """What syncing works with; `every` is how often a group is gone over when nothing happens."""

    places: Mapping[str, Place]
    book: Callable[[], RuleBook]
    store: Store
    clock: Clock
    every: timedelta = RECONCILE


@dataclass(slots=True)
class _Round:
    """One going over of a group: what was done, and what went wrong with which account."""

    group: AccessGroup
    place: Place
    seen: Sequence[Seen] = ()
    plan: Plan = field(default_factory=Plan)
    faults: dict[str, str] = field(default_factory=dict)
    hopeless: set[str] = field(default_factory=set)
    wait: timedelta | None = None
    many_since: datetime | None = None


class Sync:
    """The Deliverer of `access_sync`. It fails by noting so: a group is never given up."""

    def __init__(self, parts: SyncParts) -> None:
        self._parts = parts

    async def deliver(self, job: Job) -> Delivered:
        name = str(job.payload["group"])
        group, place = self._parts.book().access.groups.get(name), self._parts.places.get(name)
        if group is None or place is None:
            raise GiveUpError(f"group {name} is configured no more; configure it to end its grants")
        try:
            await self._go_over(_Round(group, place))
        except (RetryLaterError, GiveUpError) as error:
            await self._put_off(name, error)
        return _NOTHING

    async def _go_over(self, it: _Round) -> None:
        it.seen = await self._read(it.place)
        await self._begin(it)
        # out before in: at a hand-off nobody keeps it because somebody else's entry fails
        for account in it.plan.remove:
            async with _noted(it, account):
                await _timed(it.place.backend.revoke(it.place.group, account))
        for one in it.plan.add:
            async with _noted(it, one.account):
                await _timed(
                    it.place.backend.grant(it.place.group, one.account, one.until, one.grant)
                )
        if it.plan.remove or it.plan.add:
            it.seen = await self._read(it.place)
        await self._conclude(it)

    async def _read(self, place: Place) -> Sequence[Seen]:
        if not place.backend.capabilities.can_list:
            return ()
        return [_seen(one) for one in await _timed(place.backend.members(place.group))]

    async def _begin(self, it: _Round) -> None:
        """Decide what to do, and write it down before any of it is done."""
        now, name = self._parts.clock.now(), it.group.name
        lists = it.place.backend.capabilities.can_list
        async with self._parts.store.begin() as tx:
            await tx.access.hold()
            grants = await _here(tx, it)
            standing = await tx.access.standing(name)
            seen = it.seen if lists else _believed(grants)
            native = it.place.backend.capabilities.native_expiry
            ours = {fold(a) for a, at in standing.lately.items() if now - at < OURS_FOR}
            it.plan = plan(it.group, grants, seen, native_expiry=native, ours=ours if lists else ())
            it.plan, it.many_since = held_back(it.plan, it.group, standing.many_since, now)
            over = {g.id for g in grants if (end := end_of(g, it.group)) and end <= now}
            it.plan = replace(it.plan, add=tuple(w for w in it.plan.add if w.grant not in over))
            steps = []
            for grant in grants:
                if grant.state is GrantState.GRANTING and grant.started_at is None:
                    others = [one for one in grants if one.id != grant.id]
                    theirs = [one for one in it.seen if fold(one.account) not in ours]
                    steps.append(begin(grant, others, theirs, now, place=it.place.name))
            gone = {fold(one.account) for one in it.plan.add} - {fold(a.account) for a in it.seen}
            again = [one for one in grants if lists and fold(one.account) in gone]
            steps += [step for one in again if (step := repaired(one, now))]
            write_steps(tx, steps, self._parts.book(), now, sync=False)

    async def _conclude(self, it: _Round) -> None:
        """Write down what was seen, and when to look again."""
        now, book, name = self._parts.clock.now(), self._parts.book(), it.group.name
        async with self._parts.store.begin() as tx:
            await tx.access.hold()
            grants = await _here(tx, it)
            standing = await tx.access.standing(name)
            shown = self._shown(it, grants)
            steps = _drawn(it, grants, shown, now)
            write_steps(tx, steps, book, now, sync=False)
            lately = {a: at for a, at in standing.lately.items() if now - at < OURS_FOR}
            lately |= {
                step.grant.account: now
                for step in steps
                if step.grant.started_at and not (step.grant.is_open or step.grant.was_member)
            }
            after = {grant.id: grant for grant in grants} | {s.grant.id: s.grant for s in steps}
            waiting = any(
                one.state in {GrantState.GRANTING, GrantState.REVOKING} for one in after.values()
            )
            standing = _strangers_told(tx, it, standing, book, now)
            tx.access.save_standing(
                _after(standing, it, now, waiting=waiting, lately=lately, every=self._parts.every)
            )

    def _shown(self, it: _Round, grants: Sequence[Grant]) -> Mapping[str, Seen]:
        """Return who is in; of a back-end that cannot list, by its answers of just now."""
        if it.place.backend.capabilities.can_list:
            return {fold(one.account): one for one in it.seen}
        shown = {fold(one.account): one for one in _believed(grants)}
        for one in it.plan.add:
            if one.account not in it.faults:
                shown[fold(one.account)] = Seen(one.account, one.until)
        for account in it.plan.remove:
            if account not in it.faults:
                shown.pop(fold(account), None)
        return shown

    async def _put_off(self, name: str, error: Exception) -> None:
        """Note that the whole group could not be gone over; try again soon."""
        now = self._parts.clock.now()
        log.warning("access not synced", action="access_sync", group=name, error=str(error))
        async with self._parts.store.begin() as tx:
            await tx.access.hold()
            standing = await tx.access.standing(name)
            for grant in await tx.access.open_grants(name):
                if grant.state in {GrantState.GRANTING, GrantState.REVOKING}:
                    step = Step(troubled(grant, str(error), now))
                    write_steps(tx, [step], self._parts.book(), now, sync=False)
            after = error.after if isinstance(error, RetryLaterError) else None
            tx.access.save_standing(
                replace(
                    standing,
                    attempts=standing.attempts + 1,
                    due_at=now + (after or _wait(standing.attempts)),
                    troubled_since=standing.troubled_since or now,
                    trouble=str(error),
                )
            )


async def _here(tx: Transaction, it: _Round) -> list[Grant]:
    """Return the group's open grants, but for those of a place that it had before."""
    grants = await tx.access.open_grants(it.group.name)
    return [one for one in grants if not elsewhere(one, it.place.name)]


def _drawn(
    it: _Round, grants: Sequence[Grant], shown: Mapping[str, Seen], now: datetime
) -> list[Step]:
    """Return what follows for each grant of what was seen, and of what went wrong."""
    steps: list[Step] = []
    faults = {fold(account): why for account, why in it.faults.items()}
    for grant in grants:
        key = fold(grant.account)
        by_rotation = grant.origin is Origin.ROTATION  # wanted for as long as they are on call
        others = {fold(g.account) for g in grants if g.is_wanted and g.id != grant.id}
        if step := look_at(grant, it.group, others, shown, now, failing=faults):
            steps.append(step)
        elif key in it.hopeless and grant.state is GrantState.GRANTING and not by_rotation:
            steps.append(_failed(grant, faults[key], now))
        elif key in faults and grant.state is not GrantState.REQUESTED:
            steps.append(Step(troubled(grant, faults[key], now)))
    return steps


def _failed(grant: Grant, why: str, now: datetime) -> Step:
    """End a grant that can never succeed as it is; it is taken out all the same, to be sure."""
    step = revoke(grant, now, by="", why=f"failed: {why}", due=now)
    told = say("You could not be put into {group}: {why}", group=grant.group, why=why)
    return Step(step.grant, step.entries, (Tell(Telling.FAILED, told, grant.person),))


def _strangers_told(
    tx: Transaction, it: _Round, standing: GroupStanding, book: RuleBook, now: datetime
) -> GroupStanding:
    """Name members nobody granted anything, once each, and note who was taken out."""
    found = it.plan.strangers
    new = [one for one in found if one not in standing.strangers]
    held = it.plan.held_until
    removed = not it.group.dry_run and held is None
    gone = [one for one in found if one not in it.faults] if removed else []
    for account in gone if removed else new:
        what = Happening.STRANGER_REMOVED if removed else Happening.STRANGER_FOUND
        tx.access.note(Entry(at=now, what=what, group=it.group.name, evidence={"account": account}))
    if told := (gone if removed else new):
        words = _REMOVED if removed else (_STAY if held is None else _HELD)
        shown = ", ".join(told[:_MOST_TOLD]) + (", …" if len(told) > _MOST_TOLD else "")
        found_words = say(words, group=it.group.name, who=shown, count=len(found), at=held or now)
        tell = Tell(Telling.STRANGERS, found_words)
        tx.enqueue(tell_job(tell, now, group=it.group.name, channel=channel_of(book)))
    return replace(standing, strangers=found if not removed else ())


def _after(
    standing: GroupStanding,
    it: _Round,
    now: datetime,
    *,
    waiting: bool,
    lately: Mapping[str, datetime],
    every: timedelta,
) -> GroupStanding:
    busy = waiting or bool(it.faults)
    soon = it.wait or _wait(standing.attempts)
    # a late answer of the back-end's is looked for while it may still come
    return replace(
        standing,
        looked_at=now,
        due_at=now + (min(soon, every) if busy else every),
        attempts=standing.attempts + 1 if busy else 0,
        troubled_since=(standing.troubled_since or now) if it.faults else None,
        trouble="; ".join(sorted(set(it.faults.values())))[:500],
        members=tuple(sorted(one.account for one in it.seen)),
        lately=lately,
        many_since=it.many_since,
        withheld={who: until for who, until in standing.withheld.items() if until > now},
    )


@asynccontextmanager
async def _noted(it: _Round, account: str) -> AsyncIterator[None]:
    """Let one account's failure not keep the others waiting, unless all are asked to wait."""
    try:
        yield
    except RetryLaterError as error:
        if error.throttled:
            raise
        it.faults[account] = str(error)
        it.wait = max(it.wait or timedelta(0), error.after) if error.after else it.wait
    except GiveUpError as error:
        it.faults[account] = str(error)
        it.hopeless.add(fold(account))


async def _timed(call: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(_CALL):
            return await call
    except TimeoutError as error:
        raise RetryLaterError("the back-end did not answer in time", unsure=True) from error


def _seen(member: Member) -> Seen:
    return Seen(member.account, member.expires_at, member.pending)


def _believed(grants: Sequence[Grant]) -> list[Seen]:
    """Return who is in by what was answered before, where nobody can look.

    Without an end, so that a back-end that has ends is told them again each time.
    """
    return [
        Seen(one.account)
        for one in grants
        if one.state is GrantState.ACTIVE
        or (one.state is GrantState.REVOKING and one.started_at is not None)
    ]


def _wait(attempts: int) -> timedelta:
    return min(_FIRST_WAIT * (1 << min(attempts, 10)), _LONGEST_WAIT)
