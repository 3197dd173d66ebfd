"""Keeps overrides and the roster's rows of them the same, whichever side changes."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from bot.app.roster.row_jobs import Ours, Tellings, row_job
from bot.clock import Clock
from bot.ports.changes import RosterChange
from bot.ports.inbox import ConflictError
from bot.ports.roster_rows import RowBase, RowReads
from bot.ports.store import Store, Transaction
from bot.roster.roster import Roster, SeenRows
from bot.roster.table import Problem, Severity
from rules.schedule.merging import Base, Facts, Merged, RowState, differences, facts_of, merge
from rules.schedule.overriding import slot_of
from rules.schedule.roster import Override, OverrideState

log = structlog.get_logger(__name__)

PAST = timedelta(days=1)
"""So long after its end a row is still looked at."""
EDITOR = "the roster"
"""Who is named for what was changed in a row."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_FIELD_WORDS = {
    "starts_at": "start",
    "ends_at": "end",
    "instead_of": "instead of",
    "active": "state",
}


class _NothingNewError(Exception):
    """Ends a transaction that has nothing to keep."""


class RosterRows:
    """Merges what was read with what is stored, and enqueues what rows are to be told.

    One look costs a small query; the rest happens when something changed on either side. Several
    processes may look: they do so one after another, and older reads never count.
    """

    def __init__(
        self,
        roster: Roster,
        store: Store,
        reads: RowReads,
        clock: Clock,
        *,
        kick: Callable[[], None] = lambda: None,
    ) -> None:
        self._roster = roster
        self._store = store
        self._reads = reads
        self._clock = clock
        self._kick = kick
        self._one_at_a_time = asyncio.Lock()
        self._known: tuple[object, ...] = ()
        self._waits_for = _NEVER
        self._ordered: frozenset[str] = frozenset()

    async def tick(self) -> bool:
        """Look at both sides; tell whether the rotation changed. Raises NotStoredError."""
        async with self._one_at_a_time:
            return await self._tick()

    async def _tick(self) -> bool:
        seen = self._roster.file.seen
        number = await self._reads.changes_number()
        known = (number, seen.version, seen.unsure, seen.as_of > self._waits_for)
        if known == self._known:
            return False
        merging = _Merging(self._roster, seen, self._clock, self._ordered)
        try:
            async with self._store.begin() as tx:
                await merging.run(tx)
                number = await tx.rows.changes_number()
                if not merging.has_news:
                    raise _NothingNewError
        except _NothingNewError:
            number -= 1  # what the lock counted was not kept
        except ConflictError as error:
            log.warning("database was busy", action="merge_rows", error=str(error))
            return False
        self._waits_for = merging.waits_for
        self._ordered = frozenset(merging.ordered)
        self._known = (number, seen.version, seen.unsure, seen.as_of > self._waits_for)
        self._roster.told = merging.problems()
        self._roster.file.tracked = frozenset(merging.tracked)
        if merging.has_news:
            self._kick()
        return merging.changed


class _Merging:
    """One look at both sides in one transaction."""

    def __init__(
        self, roster: Roster, seen: SeenRows, clock: Clock, ordered: frozenset[str]
    ) -> None:
        self._roster = roster
        self._seen = seen
        self._now = clock.now()
        self._bases: dict[str, RowBase] = {}
        self._ordered = ordered
        self.ordered: set[str] = set()
        self.waits_for = _NEVER
        self.tracked: set[str] = set()
        self.has_news = False
        self.changed = False

    async def run(self, tx: Transaction) -> None:
        await tx.roster.hold_roster()
        ours = await Ours.read(tx, self._now - PAST)
        self._bases = {row.id: row for row in await tx.rows.rows(self._now - PAST)}
        self.tracked = set(self._bases) | set(ours.all)
        tell = Tellings(tx, self._roster.file.people, self._now)
        for mine in ours.all.values():
            await self._one(tx, mine, tell)

    def problems(self) -> list[Problem]:
        """Return what both sides changed and somebody should look at."""
        return conflicts_of(self._bases.values())

    async def _one(self, tx: Transaction, mine: Override, tell: Tellings) -> None:
        kept = self._bases.get(mine.id)
        if not self._is_read(mine, kept):
            base = kept.base if kept else None
            if _is_owed(base, mine):
                self._order(tx, mine, kept)
            return
        row = self._row(mine, kept)
        found = merge(kept.base if kept else None, mine, row, self._now, EDITOR)
        self._keep_changes(tx, found, mine)
        if found.changed:
            await tell.changed(mine, found)
        conflict = self._conflict(mine, found, kept)
        if conflict and conflict != (kept.conflict if kept else ""):
            tell.conflict(mine, json.loads(conflict)[1])
        await self._keep_base(tx, found, kept, conflict)
        if found.write:
            self._order(tx, found.ours, self._bases.get(mine.id))

    def _is_read(self, mine: Override, kept: RowBase | None) -> bool:
        """Whether what was read says anything about this row."""
        seen = self._seen
        if seen.rows is None or {mine.id, mine.rotation} & seen.unsure:
            return False
        if kept is not None and seen.as_of <= kept.at:
            # it began before the row became what it is
            self.waits_for = max(self.waits_for, kept.at)
            return False
        return True

    def _row(self, mine: Override, kept: RowBase | None) -> Facts | None:
        rows = self._seen.rows or {}
        if mine.id not in rows:
            return None
        row = rows[mine.id]
        if row is None:
            return replace(kept.base.facts if kept else facts_of(mine), active=False)
        return facts_of(row)

    def _keep_changes(self, tx: Transaction, found: Merged, mine: Override) -> None:
        if found.past is not None:
            tx.roster.save_override(found.past)
        if found.ours != mine:
            tx.roster.save_override(found.ours)
            tx.roster.note_change(_audited(found, mine, self._now))
            self.changed = self.has_news = True

    async def _keep_base(
        self, tx: Transaction, found: Merged, kept: RowBase | None, conflict: str
    ) -> None:
        if found.base is None:
            if kept is not None:
                await tx.rows.forget(kept.id)
                self._bases.pop(kept.id)
                self.has_news = True
            return
        if kept is not None and (kept.base, kept.conflict) == (found.base, conflict):
            return
        row = RowBase(
            id=found.ours.id,
            base=found.base,
            at=max(self._seen.as_of, kept.at) if kept else self._seen.as_of,
            over_at=max(found.ours.ends_at, found.base.facts.ends_at),
            conflict=conflict,
        )
        await tx.rows.save(row)
        self._bases[row.id] = row
        self.has_news = True

    def _order(self, tx: Transaction, mine: Override, kept: RowBase | None) -> None:
        job = row_job(mine, kept, self._now)
        self.ordered.add(job.key)
        if job.key not in self._ordered:
            tx.enqueue(job)
            self.has_news = True

    def _conflict(self, mine: Override, found: Merged, kept: RowBase | None) -> str:
        if not found.clashes:
            return "" if found.changed or kept is None else kept.conflict
        zone = self._roster.zone(mine.rotation)
        rows = self._seen.rows or {}
        row = rows.get(mine.id)
        where = row.where if row is not None else ""
        here = ", ".join(f"{_word(c.field)} {_said(c.row, zone)}" for c in found.clashes)
        there = ", ".join(f"{_word(c.field)} {_said(c.slack, zone)}" for c in found.clashes)
        kept_here = all(clash.row_kept for clash in found.clashes)
        ending = (
            "What the row says is kept."
            if kept_here
            else "It is running: who is on call now stays, and the row is written again."
        )
        text = f"{mine.id} was changed both here ({here}) and in Slack ({there}). {ending}"
        return json.dumps([where, text, mine.rotation])


def conflicts_of(rows: Iterable[RowBase]) -> list[Problem]:
    """Return what was told of rows that both sides changed."""
    found = [json.loads(row.conflict) for row in rows if row.conflict]
    return [
        Problem(where, text, Severity.WARNING, rotation, "E17") for where, text, rotation in found
    ]


def _audited(found: Merged, before: Override, now: datetime) -> RosterChange:
    after = found.ours
    return RosterChange(
        id=f"row-{after.id}-{now.timestamp():.6f}",
        at=now,
        by=EDITOR,
        origin="roster",
        what="row deleted" if found.deleted else "row changed",
        subject=after.id,
        slot=slot_of(before),
        before=before.person,
        after="" if after.state is OverrideState.ENDED else after.person,
    )


def _is_owed(base: Base | None, mine: Override) -> bool:
    """Whether the row is to be told something, as far as that is known without reading it."""
    facts = facts_of(mine)
    if base is None:
        return facts.active
    return base.state is RowState.SENT or (
        base.state is RowState.SEEN and bool(differences(base.facts, facts))
    )


def _word(field: str) -> str:
    return _FIELD_WORDS.get(field, field)


def _said(value: object, zone: str) -> str:
    if isinstance(value, bool):
        return "active" if value else "cancelled"
    if isinstance(value, datetime):
        return f"{value.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"
    return str(value) or "nobody"
