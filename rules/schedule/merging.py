"""An override that both Slack and a row of the roster tell: what counts when either changes.

Both sides are compared with the last common value, the base, field by field: what only one side
changed is taken; what both changed is the row's, but for an override that is running, whose
present stays as it is. What has passed is never changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum

from rules.schedule.roster import Override, OverrideKind, OverrideState

HISTORY = "history"
"""The origin of the part of an override that had passed when a row changed the rest."""


class RowState(StrEnum):
    """SENT may have been written, SEEN was read back, GONE was deleted by somebody."""

    SENT = "sent"
    SEEN = "seen"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a row says, in whole seconds; `active` is False once it was cancelled."""

    rotation: str
    role: str
    person: str
    instead_of: str
    kind: OverrideKind
    starts_at: datetime
    ends_at: datetime
    active: bool = True


@dataclass(frozen=True, slots=True)
class Base:
    """What both sides last had in common."""

    facts: Facts
    state: RowState = RowState.SEEN


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that both sides changed to different values; `row_kept` when the row's counts."""

    field: str
    row: object
    slack: object
    row_kept: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """What follows for both sides.

    `ours` is the override as it now is, `past` the part of it that is over and stays as it was,
    `base` the new common value (None: not written yet). `write` when the row must be told.
    `deleted` when the row was deleted; `changed` when the override is not what it was.
    """

    ours: Override
    base: Base | None
    write: bool = False
    past: Override | None = None
    clashes: tuple[Clash, ...] = ()
    deleted: bool = False
    changed: bool = False


def facts_of(override: Override) -> Facts:
    """Return what a row of the override says; the end of a cancelled one is when it was."""
    return Facts(
        rotation=override.rotation,
        role=override.role,
        person=override.person,
        instead_of=override.instead_of if override.kind is OverrideKind.REPLACE else "",
        kind=override.kind,
        starts_at=_second(override.starts_at),
        ends_at=_second(override.ends_at),
        active=override.state is OverrideState.ACTIVE,
    )


def merge(base: Base | None, ours: Override, row: Facts | None, now: datetime, by: str) -> Merged:
    """Return what follows from a row as it was read, None when there is none.

    `by` is who is named as the one who changed the roster.
    """
    if row is None:
        return _without_row(base, ours, now, by)
    common = _common(base)
    mine = facts_of(ours)
    if not mine.active:
        # where it was cut off is no change of its end
        mine = replace(mine, ends_at=(common or row).ends_at)
    if _settled(ours, row, now):
        return Merged(ours, Base(row))
    agreed, clashes = _agreed(common, mine, row, running=_running(ours, now))
    told = _applied(ours, mine, agreed, now, by)
    final = facts_of(told.ours)
    if not final.active:
        final = replace(final, ends_at=row.ends_at)
    write = final != row
    return replace(told, base=Base(row if write else final), write=write, clashes=clashes)


def differences(old: Facts, new: Facts) -> dict[str, object]:
    """Return the fields of `new` that `old` does not say; of a cancelled one only that it is."""
    if not new.active:
        return {"active": False} if old.active else {}
    return {name: value for name, value in _items(new) if getattr(old, name) != value}


def _without_row(base: Base | None, ours: Override, now: datetime, by: str) -> Merged:
    if base is None:
        # what was made and undone before it could be written needs no row
        return Merged(ours, None, write=ours.state is OverrideState.ACTIVE)
    if base.state is RowState.SENT:
        return Merged(ours, base, write=True)
    gone = replace(base, state=RowState.GONE)
    if base.state is RowState.GONE or not _coming(ours, now):
        return Merged(ours, gone)
    mine = facts_of(ours)
    both = mine != base.facts
    clash = Clash("row", "deleted", "changed", row_kept=not _running(ours, now))
    if both and not clash.row_kept:
        return Merged(ours, None, write=True, clashes=(clash,))
    clashes = (clash,) if both else ()
    return Merged(_ended(ours, now, by), gone, clashes=clashes, deleted=True, changed=True)


def _common(base: Base | None) -> Facts | None:
    if base is None or base.state is not RowState.GONE:
        return base.facts if base else None
    return replace(base.facts, active=False)  # a row that comes back is a change


def _settled(ours: Override, row: Facts, now: datetime) -> bool:
    """Whether it is over on both sides; the past is nobody's to change."""
    if ours.state is not OverrideState.ACTIVE and row.active:
        return False
    return not _coming(ours, now) and (not row.active or row.ends_at <= now)


def _agreed(
    common: Facts | None, mine: Facts, row: Facts, *, running: bool
) -> tuple[Facts, tuple[Clash, ...]]:
    values: dict[str, object] = {}
    clashes: list[Clash] = []
    for name, theirs in _items(row):
        own = getattr(mine, name)
        before = getattr(common, name) if common else None
        if theirs == own or (common and theirs == before):
            values[name] = own
        elif common and own == before:
            values[name] = theirs
        else:
            # an end that is ahead does not disturb who is on call now
            kept = not running or name == "ends_at"
            clashes.append(Clash(name, theirs, own, row_kept=kept))
            values[name] = theirs if kept else own
    return replace(row, **values), tuple(clashes)  # type: ignore[arg-type] # of the same fields


def _applied(ours: Override, mine: Facts, agreed: Facts, now: datetime, by: str) -> Merged:
    """Make the override say what was agreed, as far as that is not past."""
    if agreed == mine:
        return Merged(ours, None)
    if not agreed.active or agreed.ends_at <= agreed.starts_at or agreed.ends_at <= now:
        if ours.state is not OverrideState.ACTIVE or not _coming(ours, now):
            return Merged(ours, None)
        return Merged(_ended(ours, now, by), None, changed=True)
    starts_at = max(now, agreed.starts_at)
    if agreed.starts_at == mine.starts_at:
        starts_at = ours.starts_at
    past: Override | None = None
    begun_at, over_at = ours.starts_at, min(ours.ends_at, now)
    if begun_at < over_at:
        was_running = _running(ours, now)
        if was_running and agreed.starts_at <= now and _same_but_times(agreed, mine):
            starts_at = begun_at
        else:
            past = _history(ours, over_at, now, by)
            starts_at = max(agreed.starts_at, now)
    after = replace(
        ours,
        rotation=agreed.rotation,
        role=agreed.role,
        person=agreed.person,
        instead_of=agreed.instead_of,
        kind=agreed.kind,
        starts_at=starts_at,
        ends_at=max(agreed.ends_at, starts_at),
        state=OverrideState.ACTIVE,
        changed_by=by,
        changed_at=now,
    )
    return Merged(after, None, past=past, changed=True)


def _same_but_times(one: Facts, other: Facts) -> bool:
    return replace(one, starts_at=other.starts_at, ends_at=other.ends_at) == other


def _history(ours: Override, until: datetime, now: datetime, by: str) -> Override:
    return replace(
        ours,
        id=f"{ours.id}~{int(now.timestamp())}",
        ends_at=until,
        state=OverrideState.ENDED,
        origin=HISTORY,
        changed_by=by,
        changed_at=now,
    )


def _ended(ours: Override, now: datetime, by: str) -> Override:
    ends_at = max(ours.starts_at, now)
    return replace(
        ours, ends_at=ends_at, state=OverrideState.ENDED, changed_by=by, changed_at=now
    )  # fmt: skip


def _coming(ours: Override, now: datetime) -> bool:
    return ours.state is OverrideState.ACTIVE and now < ours.ends_at


def _running(ours: Override, now: datetime) -> bool:
    return _coming(ours, now) and ours.starts_at <= now


def _items(facts: Facts) -> Iterator[tuple[str, object]]:
    for field in fields(facts):
        yield field.name, getattr(facts, field.name)


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
