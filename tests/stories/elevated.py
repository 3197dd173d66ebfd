"""Stories about elevated groups: a story's bot with a keeper, a sync and a place for groups."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from bot.access.keeping import Keeper, KeeperParts
from bot.access.sync import RECONCILE, Place, Sync, SyncParts
from bot.acts.access import AskAccess
from bot.acts.act import Act
from bot.outbox import Outbox, OutboxSettings
from bot.ports.access import ACCESS_SYNC, ACCESS_TELL
from bot.store.opening import OpenedStore
from bot.wire import sentence_from_json
from rules.access.grant import Grant
from rules.access.group import AccessGroup, AccessRules, Duty, Whom
from rules.access.ledger import Entry
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.schedule.following import next_boundary
from rules.sentence import plain
from tests.fakes.clock import FakeClock
from tests.fakes.groups import MemoryGroups
from tests.stories.story import Story, _EveryKind, rulebook

ANA, BO, CY, DEE = "ana@example.com", "bo@example.com", "cy@example.com", "dee@example.com"
PRIMARY = Duty("data", "primary")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def group(name: str = "prod", **changes: Any) -> AccessGroup:
    """Return the usual group: who is on call may ask, bo approves, dee after him."""
    usual = AccessGroup(
        name=name,
        may_ask=Whom(on_call=(Duty("data"),), people=(CY,)),
        approvers=Whom(people=(BO, DEE)),
        owners=(DEE,),
    )
    return replace(usual, **changes)


def free(**changes: Any) -> AccessGroup:
    """Return a group that needs no approval."""
    return group(**{"approvers": Whom(), **changes})


def book_of(*groups: AccessGroup, on_call: OnCall) -> RuleBook:
    rules = AccessRules(groups={one.name: one for one in groups})
    return rulebook(on_call=on_call, access=rules, fallback=(DEE,))


class Elevated(Story):
    """A story with elevated groups; `groups` is where they live, each under its own name.

    `every` is how often a group is gone over; stories of weeks take longer.
    """

    every = RECONCILE

    def __init__(self, opened: OpenedStore, clock: FakeClock, book: RuleBook) -> None:
        self.groups = MemoryGroups(clock)
        self.roster_read_at: datetime | None = None
        self.place = "here"
        """Names where the groups live; another name is another place, which `groups` is then."""
        self._ids = count(1)
        super().__init__(opened, clock, book)

    def _build(self) -> None:
        super()._build()
        rules = self.rules
        self.keeper = Keeper(
            KeeperParts(
                book=rules.book,
                store=self.store.store,
                reads=self.store.access,
                reader=self.store.reader,
                clock=self.clock,
                new_id=lambda: f"r{next(self._ids)}",
                roster_read_at=lambda: self.roster_read_at or self.clock.now(),
                places=dict.fromkeys(rules.book().access.groups, self.place),
            )
        )
        places = {name: Place(self.groups, name, self.place) for name in rules.book().access.groups}
        sync = Sync(
            SyncParts(
                places=places,
                book=rules.book,
                store=self.store.store,
                clock=self.clock,
                every=self.every,
            )
        )
        kinds = _EveryKind(self.slack)
        kinds[ACCESS_TELL] = self.slack
        self.outbox = Outbox(
            queue=self.store.queue,
            store=self.store.store,
            deliverers={**kinds, ACCESS_SYNC: sync},
            clock=self.clock,
            on_finished=self.engine.job_finished,
            settings=OutboxSettings(random=lambda: 0.5),
        )

    async def settle(self) -> None:
        for _ in range(100):
            await self.keeper.tick()
            await super().settle()
            await self.keeper.tick()  # what was asked for, and what came of a look at a group
            if all(at > self.clock.now() for at in await self._dues()):
                return
        raise AssertionError("it never settles")

    async def _dues(self) -> list[datetime]:
        now = self.clock.now()
        more = await self.store.access.next_wake(), next_boundary(self.rules.book().on_call, now)
        return [*await super()._dues(), *(at for at in more if at is not None)]

    def changes_rules(self, **changes: Any) -> None:
        self.rules.the_book = replace(self.rules.the_book, **changes)

    async def bars(self, person: str, why: str) -> None:
        access = self.rules.the_book.access
        self.changes_rules(access=replace(access, barred={**access.barred, person: why}))
        await self.after(seconds=2)

    # what happens

    async def asks(self, *acts: Act) -> None:
        """Ask, and let the two seconds pass in which the group's lane lets it through."""
        await super().asks(*acts)
        await self.after(seconds=2)

    async def asks_for(self, who: str, group: str = "prod", hours: float = 1, **more: Any) -> None:
        why = more.pop("why", "the load hangs")
        act = AskAccess(by=who, group=group, length=hours * HOUR, why=why, **more)
        await self.asks(act)

    # what is seen

    async def grant(self, at: int = -1) -> Grant:
        grants = sorted(await self._all(), key=lambda one: (one.requested_at, one.id))
        return grants[at]

    async def state_of(self, at: int = -1) -> str:
        return (await self.grant(at)).state.value

    async def _all(self) -> Sequence[Grant]:
        return await self.store.access.grants(self.clock.now() - timedelta(days=400), 1_000)

    async def ledger(self) -> Sequence[Entry]:
        far = timedelta(days=400)
        now = self.clock.now()
        return await self.store.access.ledger(now - far, now + far)

    async def happened(self) -> list[str]:
        return [line.what.value for line in await self.ledger()]

    async def told(self) -> list[str]:
        """Return who was told what about access since the last look: `person what`."""
        await self.after(seconds=3)  # one lane lets through one message a second
        new = [s for s in self.slack.sent[self._told :] if s.kind == ACCESS_TELL]
        self._told = len(self.slack.sent)
        return [f"{s.person.split('@')[0] or 'channel'} {s.job.payload['what']}" for s in new]

    def words(self) -> list[str]:
        sent = [s for s in self.slack.sent if s.kind == ACCESS_TELL]
        return [sentence_from_json(s.job.payload["sentence"]).render(plain) for s in sent]

    def answers(self) -> list[str]:
        sent = [s for s in self.slack.sent if s.kind == "answer"]
        return [sentence_from_json(s.job.payload["sentence"]).render(plain) for s in sent]
