"""Who is on call at one instant, worked out slowly and by other means: a second opinion."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from whenever import PlainDateTime

from rules.hours import Hours
from rules.schedule.roster import (
    AdvanceOn,
    Away,
    Holiday,
    Layer,
    OnHolidays,
    Override,
    OverrideKind,
    RotationPlan,
    Schedule,
    Unit,
)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def answers(schedule: Schedule, rotation: str, at: datetime) -> dict[str, tuple[str, ...]]:
    """Return everybody on call by role; roles that nobody has are left out."""
    plan = in_force(schedule, rotation, at)
    if plan is None:
        return {}
    overrides = [
        o
        for o in sorted(schedule.overrides, key=lambda o: (o.created_at, o.id))
        if o.rotation == rotation and o.starts_at <= at < o.ends_at and known(schedule, o.person)
    ]
    roles = order_of_roles(plan, [o.role for o in schedule.overrides if o.rotation == rotation])
    absent = {a.person for a in (*plan.away, *schedule.away) if covers(a, at)}
    takers = {swap.taker for swap in schedule.swaps if swap.rotation == rotation}
    for name in {one.name for one in schedule.plans} - {rotation}:
        other = in_force(schedule, name, at)
        absent |= {a.person for a in (other.away if other else ()) if covers(a, at)} & takers
    now: dict[str, list[str]] = {}
    emptied: list[str] = []
    for role in roles:
        people = overridden(
            swapped(schedule, plan, role, scheduled(schedule, plan, role, at), at),
            [o for o in overrides if o.role == role],
        )
        protected = {
            o.person for o in overrides if o.role == role and o.kind is not OverrideKind.REMOVE
        }
        now[role] = [p for p in people if p not in absent or p in protected]
        if people and not now[role]:
            emptied.append(role)
    filled: set[str] = set()
    for role in emptied:
        if not now[role]:
            move_up(role, now, plan, filled)
    return {role: tuple(people) for role, people in now.items() if people}


def in_force(schedule: Schedule, rotation: str, at: datetime) -> RotationPlan | None:
    chosen = None
    for plan in schedule.plans:
        if plan.name != rotation or plan.valid_from > at:
            continue
        if chosen is None or plan.valid_from >= chosen.valid_from:
            chosen = plan
    if chosen is None and not any(plan.name == rotation for plan in schedule.plans):
        return RotationPlan(name=rotation)
    return chosen


def order_of_roles(plan: RotationPlan, others: Sequence[str]) -> list[str]:
    own = {layer.role for layer in plan.layers} | {shift.role for shift in plan.shifts}
    left = (own | set(others)) - set(plan.roles)
    known_first = [role for role in ("primary", "secondary") if role in left]
    return [*plan.roles, *known_first, *sorted(left - {"primary", "secondary"})]


def covers(away: Away, at: datetime) -> bool:
    return away.start <= at < away.end


def known(schedule: Schedule, person: str) -> bool:
    return schedule.known is None or person in schedule.known


def scheduled(schedule: Schedule, plan: RotationPlan, role: str, at: datetime) -> list[str]:
    by_level: list[tuple[tuple[int, int], list[str]]] = []
    for number, layer in enumerate(plan.layers):
        if layer.role == role:
            people = by_layer(layer, plan.holidays, at)
            by_level.append(((layer.priority, number), people))
    rows = [s for s in plan.shifts if s.role == role and s.start <= at < s.end]
    rows.sort(key=lambda s: (s.start, s.end))
    by_level.append(((10, 10**9), [p for row in rows for p in row.people]))
    for _, people in sorted(by_level, reverse=True):
        if there := [p for p in dict.fromkeys(people) if known(schedule, p)]:
            return there
    return []


def by_layer(layer: Layer, holidays: Sequence[Holiday], at: datetime) -> list[str]:
    if layer.effective_from and at < layer.effective_from:
        return []
    if layer.effective_until and at >= layer.effective_until:
        return []
    if at < boundary(layer, 0):
        return []
    number = 0
    while boundary(layer, number + 1) <= at:
        number += 1
    windows = layer.windows
    rule = layer.on_holidays
    if rule is not OnHolidays.AS_USUAL or layer.skip_dates:
        midnight = time(0)
        windows = windows or (Hours(midnight, midnight, layer.zone),)
    if windows:
        if not any(opens <= at < closes for opens, closes in around(layer, windows, holidays, at)):
            return []
        if layer.advance_on is AdvanceOn.ACTIVE:
            number = sum(active(layer, windows, holidays, n) for n in range(number))
    return list(layer.order[number % len(layer.order)])


def active(layer: Layer, windows: Sequence[Hours], holidays: Sequence[Holiday], n: int) -> bool:
    begins, ends = boundary(layer, n), boundary(layer, n + 1)
    look = begins
    while look < ends + timedelta(days=1):
        for opens, closes in around(layer, windows, holidays, look):
            if max(opens, begins) < min(closes, ends):
                return True
        look += timedelta(hours=20)
    return False


def around(
    layer: Layer, windows: Sequence[Hours], holidays: Sequence[Holiday], at: datetime
) -> Iterator[tuple[datetime, datetime]]:
    off = {h.day for h in holidays if not h.place or not layer.place or h.place == layer.place}
    for window in windows:
        for back in (-2, -1, 0, 1, 2):
            day = (at + timedelta(days=back)).date()
            if not opens_on(layer, window, day, day in off):
                continue
            later = day if window.closes > window.opens else day + timedelta(days=1)
            opens = local(datetime.combine(day, window.opens), window.zone)
            yield opens, local(datetime.combine(later, window.closes), window.zone)


def opens_on(layer: Layer, window: Hours, day: date, holiday: bool) -> bool:
    if day in layer.skip_dates:
        return False
    usual = DAYS[day.weekday()] in window.days
    return {
        OnHolidays.AS_USUAL: usual,
        OnHolidays.OFF: usual and not holiday,
        OnHolidays.ALSO: usual or holiday,
        OnHolidays.ONLY: usual and holiday,
    }[layer.on_holidays]


@cache
def boundary(layer: Layer, number: int) -> datetime:
    start = plain(layer.starts)
    steps = number * layer.every
    if layer.unit is Unit.HOUR:
        return local(layer.starts, layer.zone) + timedelta(hours=steps)
    if layer.unit is Unit.MONTH:
        found = zoned(start.add(months=steps), layer.zone)
    else:
        days = 7 if layer.unit is Unit.WEEK else 1
        found = zoned(start.add(days=days * steps), layer.zone)
    return max(found, boundary(layer, number - 1)) if number else found


def local(at: datetime, zone: str) -> datetime:
    return zoned(plain(at), zone)


@cache
def zoned(at: PlainDateTime, zone: str) -> datetime:
    instant = at.assume_tz(zone, disambiguation="compatible").to_instant()
    return instant.to_stdlib().astimezone(UTC)


def plain(at: datetime) -> PlainDateTime:
    return PlainDateTime(at.year, at.month, at.day, at.hour, at.minute, at.second)


def swapped(
    schedule: Schedule, plan: RotationPlan, role: str, people: list[str], at: datetime
) -> list[str]:
    approved = [
        (swap.approved_at, swap.id, swap) for swap in schedule.swaps if swap.approved_at is not None
    ]
    for _, _, swap in sorted(approved, key=lambda entry: entry[:2]):
        mine = (swap.rotation, swap.role) == (plan.name, role)
        if mine and swap.starts_at <= at < swap.ends_at and known(schedule, swap.taker):
            people = [swap.taker if p == swap.giver else p for p in people]
    return list(dict.fromkeys(people))


def overridden(people: list[str], overrides: Sequence[Override]) -> list[str]:
    for change in overrides:
        if change.kind is OverrideKind.COVER:
            people = [change.person]
        elif change.kind is OverrideKind.ADD:
            people = [*people, change.person]
        elif change.kind is OverrideKind.REMOVE:
            people = [p for p in people if p != change.person]
        else:
            people = [change.person if p == change.instead_of else p for p in people]
        people = list(dict.fromkeys(people))
    return people


def move_up(role: str, now: dict[str, list[str]], plan: RotationPlan, filled: set[str]) -> None:
    passed = {role}
    donor = plan.stand_ins.get(role)
    while donor is not None and donor not in passed:
        if now.get(donor) and donor not in filled:
            now[role], now[donor] = now[donor], []
            filled.add(role)
            move_up(donor, now, plan, filled)
            return
        passed.add(donor)
        donor = plan.stand_ins.get(donor)
