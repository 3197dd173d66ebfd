"""Looks after grants as time passes: ends, warnings, silent approvers, shifts, closed incidents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.engine.access.jobs import sync_job, write_steps
from bot.ports.access import AccessReads
from bot.ports.store import Reader, Store, Transaction
from rules.access.asking import Scene
from rules.access.following import follow, on_duty
from rules.access.grant import Grant, GrantState
from rules.access.lasting import incident_seen, revoke, wake
from rules.access.seeing import elsewhere, troubled
from rules.access.telling import Step
from rules.rulebook import RuleBook

LOOK_AGAIN = timedelta(seconds=30)
"""The longest pause: whatever else was missed is noticed by then."""
_SYNC_AGAIN = timedelta(seconds=30)
"""A group that nobody has gone over by then is asked for again."""
_FARTHEST = timedelta(days=2)
"""No back-end may put a group off for longer."""
_MOST_STEPS = 5
_UNCONFIGURED = "the group is configured no more"
_MOVED = "the group is kept in another place now"
_SET_BACK = "Its place is configured no more: set the group back to it, and I end it."
_CONFIGURE = "Its back-end is configured no more: configure it again, and I end it."


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperParts:
    """What keeping works with.

    `book` has who is on call now; `roster_read_at` tells when the roster was surely so, None:
    there is none, or nobody could read it. `places` names each group's place, as far as known.
    `kick` wakes the outbox.
    """

    book: Callable[[], RuleBook]
    store: Store
    reads: AccessReads
    reader: Reader
    clock: Clock
    new_id: Callable[[], str]
    roster_read_at: Callable[[], datetime | None]
    places: Mapping[str, str] = field(default_factory=dict)
    kick: Callable[[], None] = lambda: None


class Keeper:
    """Looks at all grants when something may be due; `tick` is cheap otherwise."""

    def __init__(self, parts: KeeperParts) -> None:
        self._parts = parts
        self._again: datetime | None = None
        self._seen: object = None

    async def tick(self) -> bool:
        """Do what is due; tell whether anything was looked at. Raises NotStoredError, ConflictError."""
        parts, now, book = self._parts, self._parts.clock.now(), self._parts.book()
        closed = await self._incidents()
        rules = book.access
        present = (self._duties(book, now), rules.barred, rules.looked_up, tuple(closed.items()))
        wake_at = await parts.reads.next_wake()
        due = wake_at is not None and wake_at <= now
        # a clock that was ahead for a moment may have left a time that is never reached
        waits = self._again is not None and self._again - LOOK_AGAIN <= now < self._again
        if not due and present == self._seen and waits:
            return False
        async with parts.store.begin() as tx:
            await tx.access.hold()
            steps = await self._steps(tx, book, closed, now)
            write_steps(tx, steps, book, now)
            await self._sync_due(tx, book, now)
        self._seen, self._again = present, now + LOOK_AGAIN
        parts.kick()
        return True

    async def _steps(
        self,
        tx: Transaction,
        book: RuleBook,
        closed: Mapping[int, datetime | None],
        now: datetime,
    ) -> list[Step]:
        steps: list[Step] = []
        grants = {grant.id: grant for grant in await tx.access.open_grants()}
        for grant in list(grants.values()):
            for step in self._passes(grant, book, closed, now):
                grants[grant.id] = step.grant
                steps.append(step)
        for group in book.access.groups.values():
            if not group.follows and not any(g.origin == "rotation" for g in grants.values()):
                continue
            standing = await tx.access.standing(group.name)
            open_ones = tuple(one for one in grants.values() if one.is_open)
            steps += follow(
                group,
                Scene(
                    rules=book.access,
                    on_call=book.access.on_call(book.on_call),
                    now=now,
                    grants=open_ones,
                ),
                new_id=self._parts.new_id,
                roster_read_at=self._parts.roster_read_at(),
                withheld=standing.withheld,
            )
        return steps

    def _passes(
        self,
        grant: Grant,
        book: RuleBook,
        closed: Mapping[int, datetime | None],
        now: datetime,
    ) -> list[Step]:
        """Let time work on one grant: after a long night several things may be due at once."""
        group = book.access.groups.get(grant.group)
        steps: list[Step] = []
        if grant.incident in closed:
            seen = incident_seen(grant, closed[grant.incident])
            if seen is not grant:
                steps.append(Step(seen))
                grant = seen
        lost = group is None or elsewhere(grant, self._parts.places.get(grant.group, ""))
        if lost and grant.state is not GrantState.REVOKING:
            why, trouble = (_UNCONFIGURED, _CONFIGURE) if group is None else (_MOVED, _SET_BACK)
            ending = troubled(grant, trouble, now) if grant.is_wanted else grant
            steps.append(revoke(ending, now, by="", why=why, due=now))
            grant = steps[-1].grant
        for _ in range(_MOST_STEPS):
            step = wake(grant, group, book.access, book.access.on_call(book.on_call), now)
            if step is None:
                break
            steps.append(step)
            grant = step.grant
        return steps

    async def _sync_due(self, tx: Transaction, book: RuleBook, now: datetime) -> None:
        for one in await self._parts.reads.standings():
            if one.name not in book.access.groups and one.due_at is not None:
                tx.access.save_standing(replace(one, due_at=None))
        for name in book.access.groups:
            standing = await tx.access.standing(name)
            if standing.due_at is None or not now < standing.due_at <= now + _FARTHEST:
                tx.enqueue(sync_job(name, now))
                tx.access.save_standing(replace(standing, due_at=now + _SYNC_AGAIN))

    async def _incidents(self) -> dict[int, datetime | None]:
        """Return by number when the incidents that open grants are for were closed."""
        numbers = {g.incident for g in await self._parts.reads.open_grants() if g.incident}
        found: dict[int, datetime | None] = {}
        for number in sorted(numbers):
            incident = await self._parts.reader.incident_numbered(number)
            if incident is not None:
                at = incident.closed_at or incident.resolved_at or self._parts.clock.now()
                found[number] = at if incident.is_closed else None
        return found

    def _duties(self, book: RuleBook, now: datetime) -> Sequence[tuple[str, ...]]:
        groups = book.access.groups.values()
        return [
            on_duty(group, book.access.on_call(book.on_call), now)
            for group in groups
            if group.follows
        ]
