"""Jobs that write rows of overrides, what they are about, and who is told what came of it."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.clock import Clock
from bot.engine.rota import jobs
from bot.ports.delivering import Dead, Delivered, GiveUpError, Outcome, RetryLaterError
from bot.ports.jobs import Job, JobPriority, NewJob
from bot.ports.roster_rows import RowBase
from bot.ports.store import Store, Transaction
from bot.roster.google_faults import SheetFaultError
from bot.roster.overrides_place import cells_of, changed_cells
from bot.roster.roster import Roster
from bot.roster.row_orders import Put, RowOrder, RowWriter
from rules.people import People
from rules.schedule import covering
from rules.schedule.covering import CoverState
from rules.schedule.merging import HISTORY, Base, Merged, RowState, differences, facts_of
from rules.schedule.roster import Override, OverrideKind, OverrideState, Swap
from rules.schedule.swapping import SwapRequest, SwapState
from rules.sentence import Sentence, Who, say

ROSTER_ROW = "roster_row"
LANE = "roster rows"
_NOT_WRITTEN = "An override made in Slack is in force, but could not be written to {name}: {why}"
_NO_PLACE = (
    "{name} has no place for overrides that are made in Slack. They are in force and are kept in"
    " the database. A workbook (.xlsx), a folder of tabs or a Google sheet would show them."
)


def row_job(override: Override, kept: RowBase | None, now: datetime) -> NewJob:
    """Make the row say what the override says by then; `kept` is what it says now."""
    told = (facts_of(override), kept.base if kept else None, kept.at if kept else None)
    revision = hashlib.sha256(repr(told).encode()).hexdigest()[:12]
    return NewJob(
        key=f"{ROSTER_ROW}:{override.id}:{revision}",
        kind=ROSTER_ROW,
        lane=LANE,
        priority=JobPriority.MACHINE,
        due_at=now,
        payload={"override": override.id},
    )


@dataclass(frozen=True, slots=True)
class Ours:
    """Everything that has a row: overrides, and both legs of each swap that was applied."""

    all: dict[str, Override]

    @classmethod
    async def read(cls, tx: Transaction, since: datetime) -> "Ours":
        overrides = {one.id: one for one in await tx.overrides(since) if one.origin != HISTORY}
        for swap in await tx.roster.swaps(since):
            for leg in _legs(swap):
                known = overrides.get(leg.id) or await tx.roster.override(leg.id)
                overrides[leg.id] = _under(swap, known) if known else leg
        return cls(overrides)

    @classmethod
    async def one(cls, tx: Transaction, its_id: str) -> Override | None:
        swap = await tx.roster.swap(its_id.rpartition("-")[0]) if its_id[-2:-1] == "-" else None
        found = await tx.roster.override(its_id)
        if swap is None:
            return found
        leg = next((leg for leg in _legs(swap) if leg.id == its_id), None)
        return _under(swap, found) if found else leg


class Tellings:
    """Tells people of what rows have changed."""

    def __init__(self, tx: Transaction, people: People, now: datetime) -> None:
        self._tx = tx
        self._people = people
        self._now = now

    async def changed(self, before: Override, found: Merged) -> None:
        """Tell those concerned what an editor of the roster made of an override."""
        after = found.ours
        await self._give_back(before, after)
        ended = after.state is OverrideState.ENDED
        words = (
            "An editor of the roster ended the override that makes {who} {role} of {rotation}"
            " from {start} to {end}."
            if ended
            else "An editor of the roster changed an override: {who} is {role} of {rotation} from"
            " {start} to {end}."
        )
        shown = before if ended else after
        sentence = say(
            words,
            who=Who(shown.person),
            role=shown.role,
            rotation=shown.rotation,
            start=shown.starts_at,
            end=shown.ends_at,
        )
        concerned = (before.person, after.person, before.by, before.instead_of, after.instead_of)
        self._tell(concerned, sentence, f"{after.changed_at}")

    def conflict(self, mine: Override, text: str) -> None:
        """Tell both of Slack's side; the roster's editors hear of it with its address."""
        self._tell((mine.by, mine.person, mine.changed_by), say("{text}", text=text), text)

    def _tell(self, people: Sequence[str], sentence: Sentence, about: str) -> None:
        known = {person.key for person in self._people}
        for person in dict.fromkeys(people):
            if person in known or "@" in person or person.startswith("slack:"):
                about_it = f"{person} {about} {sentence.template}"
                its_id = hashlib.sha256(about_it.encode()).hexdigest()[:20]
                self._tx.enqueue(jobs.tell_person(f"row:{its_id}", person, sentence, self._now))

    async def _give_back(self, before: Override, after: Override) -> None:
        kind, _, its_id = before.origin.partition(":")
        if kind != "cover" or after.state is not OverrideState.ENDED:
            return
        request = await self._tx.roster.cover_request(its_id)
        if request is not None and request.state is CoverState.TAKEN:
            given_back = covering.returned(request, self._now)
            self._tx.roster.save_cover_request(given_back)
            self._tx.enqueue(jobs.show_cover(given_back, self._now))


@dataclass(frozen=True, slots=True)
class _Sent:
    """An order, and the fields of the base that change by it."""

    order: RowOrder
    changed: Mapping[str, object]


class RowDeliverer:
    """Writes rows; a row that says so already costs nothing, and none is written twice."""

    def __init__(
        self,
        roster: Roster,
        writer: RowWriter,
        store: Store,
        clock: Clock,
        *,
        editors: Callable[[], Sequence[str]],
    ) -> None:
        self._roster = roster
        self._writer = writer
        self._store = store
        self._clock = clock
        self._editors = editors
        self.written_at: datetime | None = None
        """When the roster last took a row."""

    async def deliver(self, job: Job) -> Delivered:
        its_id = str(job.payload["override"])
        sent = await self._order(its_id)
        if sent is None:
            return Delivered()
        try:
            put = await asyncio.to_thread(self._writer.put, sent.order)
        except SheetFaultError as fault:
            if fault.later or fault.tabs:
                raise RetryLaterError(str(fault), after=fault.after, whole_lane=True) from fault
            raise GiveUpError(str(fault)) from fault
        if put is Put.WRITTEN:
            self.written_at = self._clock.now()
        await self._done(sent, put)
        return Delivered()

    def gave_up(self, tx: Transaction, job: Job, outcome: Outcome, now: datetime) -> None:
        """Tell the roster's editors, once a day for the same reason."""
        if job.kind != ROSTER_ROW or not isinstance(outcome, Dead):
            return
        self._tell_editors(tx, _NOT_WRITTEN, f"{now:%Y%m%d}", outcome.why)

    def _tell_editors(self, tx: Transaction, words: str, *about: str) -> None:
        sentence = say(words, name=self._roster.file.name, why=about[-1])
        for person in self._editors():
            told = " ".join((person, words, *about))
            its_id = hashlib.sha256(told.encode()).hexdigest()[:20]
            tx.enqueue(jobs.tell_person(f"row:{its_id}", person, sentence, self._clock.now()))

    async def _order(self, its_id: str) -> _Sent | None:
        """Say what is to be written; what is new is noted before, lest it be taken for foreign."""
        now = self._clock.now()
        async with self._store.begin() as tx:
            await tx.roster.hold_roster()
            mine, kept = await Ours.one(tx, its_id), await tx.rows.row(its_id)
            if mine is None or (kept and kept.base.state is RowState.GONE):
                return None
            if kept is None:
                if mine.state is not OverrideState.ACTIVE:
                    return None
                kept = _base(mine, Base(facts_of(mine), RowState.SENT), now)
                await tx.rows.save(kept)
        changed = differences(kept.base.facts, facts_of(mine))
        seen = kept.base.state is RowState.SEEN
        if seen and not changed:
            return None
        zone, people = self._roster.zone(mine.rotation), self._roster.file.people
        whole = cells_of(mine, zone, people)
        if mine.state is not OverrideState.ACTIVE:
            whole |= changed_cells(
                {"active": False, "ends_at": kept.base.facts.ends_at}, zone, people
            )
        return _Sent(RowOrder(its_id, whole, changed_cells(changed, zone, people), seen), changed)

    async def _done(self, sent: _Sent, put: Put) -> None:
        its_id = sent.order.id
        if put is Put.MISSING:
            return  # the next read tells that somebody deleted it
        async with self._store.begin() as tx:
            await tx.roster.hold_roster()
            kept = await tx.rows.row(its_id)
            mine = await Ours.one(tx, its_id)
            if kept is None or mine is None:
                return
            if put is Put.NO_PLACE:
                await tx.rows.save(replace(kept, base=replace(kept.base, state=RowState.GONE)))
                self._tell_editors(tx, _NO_PLACE, self._roster.file.name)
                return
            facts = replace(kept.base.facts, **sent.changed)  # type: ignore[arg-type] # its fields
            await tx.rows.save(_base(mine, Base(facts), self._clock.now(), kept.conflict))


def _base(mine: Override, base: Base, now: datetime, conflict: str = "") -> RowBase:
    return RowBase(
        id=mine.id,
        base=base,
        at=now,
        over_at=max(mine.ends_at, base.facts.ends_at),
        conflict=conflict,
    )


def _legs(swap: SwapRequest) -> list[Override]:
    """Return both legs as the overrides that they are in the roster; none before approval."""
    if swap.approved_at is None:
        return []
    return [_under(swap, _as_override(leg, swap)) for leg in swap.would_be(swap.approved_at)]


def _as_override(leg: Swap, swap: SwapRequest) -> Override:
    return Override(
        id=leg.id,
        rotation=leg.rotation,
        role=leg.role,
        person=leg.taker,
        starts_at=leg.starts_at,
        ends_at=leg.ends_at,
        by=swap.asker,
        created_at=swap.approved_at or swap.asked_at,
        kind=OverrideKind.REPLACE,
        instead_of=leg.giver,
        why=swap.why,
        origin=f"swap:{swap.id}",
    )


def _under(swap: SwapRequest, leg: Override) -> Override:
    """Return a leg ended when its swap was undone."""
    if swap.state is SwapState.APPLIED or leg.state is not OverrideState.ACTIVE:
        return leg
    at = swap.closed_at or leg.starts_at
    return replace(
        leg,
        state=OverrideState.ENDED,
        ends_at=max(leg.starts_at, min(at, leg.ends_at)),
        changed_by=swap.closed_by,
        changed_at=at,
    )
