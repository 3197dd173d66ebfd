"""What everybody carries of a rotation: hours, pages, nights without sleep, against a fair share."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rules.people import People
from rules.rotation import OnCall
from rules.schedule.coverage import within
from rules.schedule.fairness import Calendar, Kind, Load, evenness, loads, shares
from rules.schedule.resolution import plan_at, roles_of, versions_within
from rules.schedule.roster import Away, Schedule
from rules.schedule.taking_part import homes_of, taking_part

NIGHT_BEGINS, NIGHT_ENDS = time(22), time(6)
_NONE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLoad:
    """What one person carries. `able` is how much of a full share they should, 0 to 1 and more.

    `woken` counts nights, by the person's own clock, in which at least one page came. `rested`
    is when their last turn within sight ended, None when they have had none.
    """

    person: str
    load: Load
    weighted: float
    able: float
    share: float
    fair: float
    pages: int = 0
    woken: int = 0
    rested: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """The load of [start, end), who carries most of it for their share first.

    `evenness` is 1.0 when everybody carries just their fair share.
    """

    start: datetime
    end: datetime
    people: tuple[PersonLoad, ...]
    evenness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a report is made of beside the rotation; `pages` are who was paged, and when."""

    schedule: Schedule
    people: People
    pages: Sequence[tuple[str, datetime]] = ()


def report(
    on_call: OnCall, facts: Facts, start: datetime, end: datetime, *, rotation: str = ""
) -> LoadReport:
    """Weigh what everybody who takes part carries in [start, end), of one rotation or of all."""
    chosen = only(on_call, rotation)
    carried = loads(chosen, start, end, calendars=calendars(facts.schedule, start, end))
    members = members_of(facts.schedule, chosen, start, end)
    able = availability(members, facts.schedule, start, end)
    weights = {person: carried.get(person, Load()).weighted() for person in members}
    found, homes = shares(weights, able), homes_of(facts.schedule, start, end)
    rows = [
        PersonLoad(
            person=person,
            load=carried.get(person, Load()),
            weighted=weights[person],
            able=able[person],
            share=found[person][0],
            fair=found[person][1],
            pages=sum(who == person for who, _ in facts.pages),
            woken=len(nights_woken(person, facts, homes)),
            rested=_last_turn(chosen, person, end),
        )
        for person in members
    ]
    rows.sort(key=lambda row: (row.fair - row.share, row.person))
    return LoadReport(start=start, end=end, people=tuple(rows), evenness=even(weights, able))


def only(on_call: OnCall, rotation: str) -> OnCall:
    """Return the answer for one rotation, for all by ""."""
    if not rotation:
        return on_call
    spans = [span for span in on_call.all_spans() if span.rotation == rotation]
    return OnCall(spans, roles={rotation: on_call.roles(rotation)})


def calendars(schedule: Schedule, start: datetime, end: datetime) -> dict[str, Calendar]:
    """Return by whose clock and holidays each rotation's hours of [start, end) are weighed.

    A holiday that has passed stays one when a later version does not list it any more; of a
    rotation that says of which places its holidays are, those of others are none.
    """
    found = {}
    for name in dict.fromkeys(plan.name for plan in schedule.plans):
        versions = versions_within(schedule, name, start, end)
        zone = versions[-1][0].zone if versions else "UTC"
        places = {layer.place for plan, _, _ in versions for layer in plan.layers} - {""}
        days = {
            holiday.day
            for plan, _, until in versions
            for holiday in plan.holidays
            if (until == end or holiday.day < until.astimezone(ZoneInfo(zone)).date())
            and any(map(holiday.is_of, places or {""}))
        }
        found[name] = Calendar(zone=zone, holidays=frozenset(days))
    return found


def members_of(
    schedule: Schedule, on_call: OnCall, start: datetime, end: datetime
) -> tuple[str, ...]:
    """Return who takes part: whoever has a turn in the time, or stands in an order now."""
    named = {
        person
        for name in on_call.ever
        for role in on_call.roles(name)
        for span in within(on_call, name, role, start, end)
        for person in span.people
    }
    for name in on_call.rotations:
        plan = plan_at(schedule, name, end)
        if plan is not None and roles_of(plan):
            named |= {p for layer in plan.layers for turn in layer.order for p in turn}
    return tuple(sorted(named))


def availability(
    members: Iterable[str], schedule: Schedule, start: datetime, end: datetime
) -> dict[str, float]:
    """Return how much of a full share each should carry: their weight, for when they are there.

    They are not while they are away, and before they joined or after they left; who only helps
    out, by an override or a swap, owes nothing.
    """
    away = schedule.absences
    taking = taking_part(schedule, start, end)
    found = {}
    for person in members:
        there = sum(
            (
                (ends - begins) * (1.0 - _away_part(away, person, begins, ends))
                for begins, ends in taking.get(person, ())
            ),
            _NONE,
        )
        part = there / (end - start) if end > start else 0.0
        found[person] = schedule.weights.get(person, 1.0) * part
    return found


def even(weights: Mapping[str, float], able: Mapping[str, float]) -> float:
    """Return Jain's index of what each carries for what each should."""
    return evenness([weights.get(p, 0.0) / part for p, part in able.items() if part > 0])


def nights_woken(person: str, facts: Facts, homes: Mapping[str, str]) -> Collection[date]:
    """Return the nights, by their evenings, in which a person was paged.

    Who has no zone of their own is where their shifts are: `homes`, by person.
    """
    own = facts.people.by_key(person).zone
    zone = ZoneInfo(own if own != "UTC" else homes.get(person, own))
    nights = set()
    for who, at in facts.pages:
        local = at.astimezone(zone)
        if who == person and (local.time() >= NIGHT_BEGINS or local.time() < NIGHT_ENDS):
            evening = local if local.time() >= NIGHT_BEGINS else local - timedelta(days=1)
            nights.add(evening.date())
    return nights


def report_text(shown: LoadReport, people: People) -> str:
    """Render for a terminal: a line for each person, then how even it is."""
    head = ("", *(kind.value for kind in Kind), "hours", "share", "fair", "pages", "woken")
    lines = [head] + [
        (
            people.by_key(row.person).name,
            *(f"{row.load.time[kind] / timedelta(hours=1):.0f}" for kind in Kind),
            f"{row.load.hours:.0f}",
            f"{row.share:.0%}",
            f"{row.fair:.0%}",
            str(row.pages),
            str(row.woken),
        )
        for row in shown.people
    ]
    widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
    told = [
        "  ".join(
            cell.ljust(widths[n]) if n == 0 else cell.rjust(widths[n])
            for n, cell in enumerate(line)
        ).rstrip()
        for line in lines
    ]
    if not shown.people:
        return "Nobody takes part in it."
    return "\n".join([*told, f"Evenness {shown.evenness:.0%}: 100% is everybody's fair share."])


def report_json(shown: LoadReport) -> dict[str, Any]:
    """Return the report as JSON values; instants are ISO 8601 in UTC."""
    return {
        "from": shown.start.isoformat(),
        "to": shown.end.isoformat(),
        "evenness": round(shown.evenness, 4),
        "people": [
            {
                "person": row.person,
                "hours": {k.value: row.load.time[k] / timedelta(hours=1) for k in Kind},
                "turns": row.load.turns,
                "weighted": round(row.weighted, 2),
                "available": round(row.able, 4),
                "share": round(row.share, 4),
                "fair": round(row.fair, 4),
                "pages": row.pages,
                "nights_woken": row.woken,
                "last_turn_ended": row.rested.isoformat() if row.rested else None,
            }
            for row in shown.people
        ],
    }


def _last_turn(on_call: OnCall, person: str, before: datetime) -> datetime | None:
    ended = (
        min(span.end, before)
        for span in on_call.all_spans()
        if person in span.people and span.start < before
    )
    return max(ended, default=None)


def _away_part(away: Iterable[Away], person: str, start: datetime, end: datetime) -> float:
    if end <= start:
        return 0.0
    cut = sorted(
        (max(one.start, start), min(one.end, end))
        for one in away
        if one.person == person and one.start < end and one.end > start
    )
    gone, covered = _NONE, start
    for begins, ends in cut:
        gone += max(_NONE, ends - max(begins, covered))
        covered = max(covered, ends)
    return gone / (end - start)
