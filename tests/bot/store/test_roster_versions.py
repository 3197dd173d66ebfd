"""Versions of the roster in the store: kept once, read back for a time, confirmed."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from bot.ports.roster_versions import AcceptedPlan, Confirmation
from bot.store.opening import OpenedStore
from rules.hours import Hours
from rules.schedule.roster import (
    ALWAYS,
    Away,
    Holiday,
    Layer,
    OnHolidays,
    Override,
    OverrideKind,
    RotationPlan,
    Shift,
    Unit,
)

MON = datetime(2026, 11, 23, 9, tzinfo=UTC)
WEEK = timedelta(days=7)
SHIFT = Shift(
    rotation="data", role="primary", start=MON, end=MON + WEEK, people=("ana", "bö"), where="A!B2"
)
PLAN = RotationPlan(
    name="data",
    zone="Europe/Berlin",
    layers=(
        Layer(
            role="primary",
            order=(("ana",), (), ("bo", "cy")),
            unit=Unit.MONTH,
            starts=datetime(2026, 1, 31, 9),  # noqa: DTZ001 - a local time
            windows=(Hours(time(22), time(6), "UTC", ("fri", "sat")),),
            skip_dates=frozenset({date(2026, 12, 24), date(2026, 12, 31)}),
            on_holidays=OnHolidays.OFF,
            effective_until=MON + WEEK,
        ),
    ),
    shifts=(SHIFT,),
    roles=("secondary", "primary"),
    holidays=(Holiday(day=date(2026, 12, 25), name="Noël", place="FR"),),
    away=(Away(person="ana", start=MON, end=MON + WEEK, kind="leave"),),
    stand_ins={"primary": "secondary"},
    fallback=("lead",),
    overrides=(
        Override(
            id="o1",
            rotation="data",
            role="primary",
            person="cy",
            starts_at=MON,
            ends_at=MON + WEEK,
            by="",
            created_at=MON,
            kind=OverrideKind.REPLACE,
            instead_of="ana",
        ),
    ),
)


def accepted(plan: RotationPlan, at: datetime = MON, version: str = "v1") -> AcceptedPlan:
    return AcceptedPlan(plan=plan, version=version, accepted_at=at, source="r.xlsx", author="Bo")


def since(days: int, *plans: RotationPlan) -> list[RotationPlan]:
    return [replace(plan, valid_from=MON + timedelta(days=days)) for plan in plans]


async def test_a_plan_is_read_back_as_it_was(opened_store: OpenedStore) -> None:
    versions = opened_store.roster_versions
    before = await versions.roster_number()
    assert await versions.accept([accepted(PLAN)]) == 1
    assert await versions.accepted(MON) == [accepted(PLAN)]
    assert await versions.roster_number() > before


async def test_what_says_nothing_new_is_not_kept_again(opened_store: OpenedStore) -> None:
    versions = opened_store.roster_versions
    await versions.accept([accepted(PLAN)])
    number = await versions.roster_number()
    (later,) = since(1, PLAN)
    assert await versions.accept([accepted(later, MON + WEEK, "v2")]) == 0
    assert await versions.roster_number() == number
    assert await versions.accepted(MON + WEEK) == [accepted(PLAN)]


async def test_only_plans_that_answer_for_the_time_are_read(opened_store: OpenedStore) -> None:
    versions = opened_store.roster_versions
    other = RotationPlan(name="web", valid_from=ALWAYS)
    plans = [
        PLAN,
        *since(1, replace(PLAN, shifts=())),
        *since(5, replace(PLAN, layers=())),
        *since(9, PLAN),
    ]
    for plan in (*plans, other):
        assert await versions.accept([accepted(plan)]) == 1
    read = [one.plan for one in await versions.accepted(MON + timedelta(days=6))]
    assert read == [plans[2], plans[3], other]
    assert [one.plan for one in await versions.accepted(MON - WEEK)] == [*plans, other]


async def test_a_confirmation_is_found_by_its_version(opened_store: OpenedStore) -> None:
    versions = opened_store.roster_versions
    number = await versions.roster_number()
    assert await versions.confirmation("v7") is None
    await versions.confirm(Confirmation("v7", "bo", MON))
    await versions.confirm(Confirmation("v7", "cy", MON + WEEK))
    assert await versions.confirmation("v7") == Confirmation("v7", "cy", MON + WEEK)
    assert await versions.confirmation("v8") is None
    assert await versions.roster_number() > number
