"""Overrides that stand both in the roster and in the store: which of the two counts."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from rules.schedule.roster import Override, RotationPlan


@dataclass(frozen=True, slots=True)
class Conflict:
    """One id with two meanings. `here` and `there` say what differs; `running` that it counts."""

    written: Override
    stored: Override
    here: str
    there: str
    running: bool


def merged(
    plans: Sequence[RotationPlan], stored: Iterable[Override], now: datetime
) -> tuple[tuple[RotationPlan, ...], tuple[Override, ...], tuple[Conflict, ...]]:
    """Return plans and stored overrides without what the other side says better, and conflicts.

    Of equal ones the roster's counts, for it has a cell. Of different ones the roster's counts
    as well, unless the stored one is running at `now`: that stays as it is.
    """
    kept = {override.id: override for override in stored}
    dropped: set[str] = set()
    conflicts: dict[str, Conflict] = {}
    for plan in _newest(plans):
        for written in plan.overrides:
            other = kept.get(written.id)
            if other is None:
                continue
            if conflict := _conflict(written, other, plan.zone, now):
                conflicts[written.id] = conflict
            if conflict and conflict.running:
                dropped.add(written.id)
            else:
                del kept[written.id]
    return without(plans, dropped), tuple(kept.values()), tuple(conflicts.values())


def without(plans: Sequence[RotationPlan], ids: Collection[str]) -> tuple[RotationPlan, ...]:
    """Return plans without the overrides that have one of these ids."""
    return tuple(_without(plan, ids) for plan in plans) if ids else tuple(plans)


def _newest(plans: Iterable[RotationPlan]) -> Iterator[RotationPlan]:
    by_name = {plan.name: plan for plan in sorted(plans, key=lambda plan: plan.valid_from)}
    yield from by_name.values()


def _without(plan: RotationPlan, ids: Collection[str]) -> RotationPlan:
    if not any(override.id in ids for override in plan.overrides):
        return plan
    return replace(plan, overrides=tuple(o for o in plan.overrides if o.id not in ids))


def _conflict(written: Override, stored: Override, zone: str, now: datetime) -> Conflict | None:
    differences = list(_differences(written, stored, zone))
    if not differences:
        return None
    here, there = (", ".join(side) for side in zip(*differences, strict=True))
    return Conflict(written, stored, here, there, stored.starts_at <= now < stored.ends_at)


def _differences(one: Override, other: Override, zone: str) -> Iterator[tuple[str, str]]:
    def local(at: datetime) -> str:
        return f"{at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"

    if one.rotation != other.rotation:
        yield f"rotation {one.rotation}", f"rotation {other.rotation}"
    if one.role != other.role:
        yield f"role {one.role}", f"role {other.role}"
    if one.person != other.person:
        yield f"person {one.person}", f"person {other.person}"
    if one.instead_of != other.instead_of:
        yield f"instead of {one.instead_of or 'nobody'}", f"of {other.instead_of or 'nobody'}"
    if one.starts_at != other.starts_at:
        yield f"start {local(one.starts_at)}", f"start {local(other.starts_at)}"
    if one.ends_at != other.ends_at:
        yield f"end {local(one.ends_at)}", f"end {local(other.ends_at)}"
