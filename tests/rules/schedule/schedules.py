"""Schedules for tests: written as data, or short to build."""

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from rules.hours import DAYS, Hours, to_instant
from rules.schedule.roster import (
    Away,
    Layer,
    Override,
    OverrideKind,
    RotationPlan,
    Schedule,
    Shift,
    Swap,
    Unit,
)

CASES = json.loads(
    (Path(__file__).parents[2] / "payloads/schedule/cases.json").read_text(encoding="utf-8")
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def cases(kind: str) -> list[dict[str, Any]]:
    return [case for case in CASES if case["kind"] == kind]


def instant(text: str, zone: str) -> datetime:
    """Read an instant, or a local time of a zone."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else to_instant(at.date(), at.time(), zone)


def schedule_of(plan: dict[str, Any]) -> Schedule:
    zone = plan["zone"]

    def times(entry: dict[str, Any], *keys: str) -> dict[str, Any]:
        return {key: instant(entry[key], zone) for key in keys if entry.get(key)}

    changed = ("starts_at", "ends_at", "created_at", "approved_at")
    overrides = tuple(
        Override(
            id=str(n),
            rotation="data",
            role=entry["role"],
            person=entry["person"],
            by=entry["person"],
            kind=OverrideKind(entry["kind"]),
            **times(entry, *changed),
        )
        for n, entry in enumerate(plan.get("overrides", ()))
    )
    swaps = tuple(
        Swap(
            id=str(n),
            rotation="data",
            role=entry["role"],
            giver=entry["giver"],
            taker=entry["taker"],
            **times(entry, *changed),
        )
        for n, entry in enumerate(plan.get("swaps", ()))
    )
    own = RotationPlan(
        name="data",
        zone=zone,
        layers=tuple(_layer(n, entry, times) for n, entry in enumerate(plan.get("layers", ()), 2)),
        shifts=tuple(
            Shift(
                rotation="data",
                role=entry["role"],
                people=tuple(entry["people"]),
                source=f"row {n}",
                where=f"C{n}",
                **times(entry, "start", "end"),
            )
            for n, entry in enumerate(plan.get("shifts", ()), 2)
        ),
        roles=tuple(plan.get("roles", ())),
        stand_ins=plan.get("stand_ins", {}),
        fallback=tuple(plan.get("fallback", ())),
        away=tuple(
            Away(person=entry["person"], where="Away!A2", **times(entry, "start", "end"))
            for entry in plan.get("away", ())
        ),
    )
    return Schedule(plans=(own,), overrides=overrides, swaps=swaps)


def _layer(number: int, entry: dict[str, Any], times: Any) -> Layer:
    windows = tuple(
        Hours(
            time.fromisoformat(window["opens"]),
            time.fromisoformat(window["closes"]),
            entry["zone"],
            tuple(window.get("days", DAYS)),
        )
        for window in entry.get("windows", ())
    )
    return Layer(
        role=entry["role"],
        order=tuple((person,) for person in entry["order"]),
        unit=Unit(entry["unit"]),
        every=entry["every"],
        starts=datetime.fromisoformat(entry["starts"]),
        zone=entry["zone"],
        priority=entry["priority"],
        windows=windows,
        source=f"rotation in row {number}",
        where=f"Rotations!C{number}",
        **times(entry, "effective_from", "effective_until"),
    )


def layer(
    *people: str,
    unit: Unit = Unit.WEEK,
    starts: str = "2026-11-16T09:00",
    role: str = "primary",
    **more: Any,
) -> Layer:
    order = tuple(tuple(person.split("+")) if person else () for person in people)
    local = datetime.fromisoformat(starts)
    return Layer(role=role, order=order, unit=unit, starts=local, **more)


def plan(*layers: Layer, **more: Any) -> RotationPlan:
    return RotationPlan(name="data", layers=layers, **more)


def shift(start: str, end: str, *people: str, role: str = "primary", row: int = 14) -> Shift:
    return Shift(
        rotation="data",
        role=role,
        start=utc(start),
        end=utc(end),
        people=people,
        source=f"row {row}",
        where=f"Shifts!C{row}",
    )


def override(
    person: str,
    start: str,
    end: str,
    *,
    kind: OverrideKind = OverrideKind.COVER,
    instead_of: str = "",
    role: str = "primary",
    made: int = 0,
) -> Override:
    return Override(
        id=f"o{made}",
        rotation="data",
        role=role,
        person=person,
        starts_at=utc(start),
        ends_at=utc(end),
        by="bo",
        created_at=utc("2026-11-16T10:07Z") + timedelta(seconds=made),
        kind=kind,
        instead_of=instead_of,
        where=f"Overrides!A{made + 2}",
    )


def away(person: str, start: str, end: str) -> Away:
    return Away(person=person, start=utc(start), end=utc(end), where="Away!A4")


def swap(giver: str, taker: str, start: str, end: str, approved: str | None) -> Swap:
    return Swap(
        id=f"{giver}-{taker}",
        rotation="data",
        role="primary",
        giver=giver,
        taker=taker,
        starts_at=utc(start),
        ends_at=utc(end),
        approved_at=utc(approved) if approved else None,
        where="Overrides!A9",
    )
