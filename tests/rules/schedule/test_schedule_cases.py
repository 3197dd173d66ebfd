"""Worked cases of who is on call, from tests/payloads/schedule/cases.json."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from rules.rotation import OnCall
from rules.schedule.coverage import covers, gaps, overlaps
from rules.schedule.resolution import on_call
from rules.schedule.roster import LOOK_AHEAD, RotationPlan, Schedule, Shift
from tests.rules.schedule.schedules import cases, schedule_of, utc


def names(found: Sequence[dict[str, Any]]) -> list[str]:
    return [case["name"] for case in found]


def having(part: str) -> pytest.MarkDecorator:
    found = [case for case in cases("resolve") if part in case]
    return pytest.mark.parametrize("case", found, ids=names(found))


def answered(case: dict[str, Any]) -> OnCall:
    start, end = map(utc, case["window"])
    return on_call(schedule_of(case["plan"]), start, end)


@having("asks")
@pytest.mark.parametrize("whole", [False, True])
def test_the_right_person_is_on_call(case: dict[str, Any], whole: bool) -> None:
    start, end = map(utc, case["window"])
    found = on_call(schedule_of(case["plan"]), start, end, whole=whole)
    for at, role, people in case["asks"]:
        assert found.at("data", role, utc(at)) == tuple(people), at


@having("asks")
def test_the_same_person_is_on_call_however_short_the_window(case: dict[str, Any]) -> None:
    for at, role, people in case["asks"]:
        tick = on_call(schedule_of(case["plan"]), utc(at), utc(at) + timedelta.resolution)
        assert tick.at("data", role, utc(at)) == tuple(people), at


@having("gaps")
def test_the_gaps_are_these(case: dict[str, Any]) -> None:
    for told in case["gaps"]:
        start, end = map(utc, told["window"])
        found = [g for g in gaps(answered(case), start, end) if g.role == told["role"]]
        assert [(g.start, g.end) for g in found] == [(utc(a), utc(b)) for a, b in told["gaps"]]


@having("hours")
def test_the_hours_are_these(case: dict[str, Any]) -> None:
    for told in case["hours"]:
        start, end = map(utc, told["window"])
        found = on_call(schedule_of(case["plan"]), start, end)
        spent: dict[str, float] = {}
        for span in found.spans("data", told["role"]):
            for person in span.people:
                hours = (span.end - span.start) / timedelta(hours=1)
                spent[person] = spent.get(person, 0) + hours
        assert spent == told["hours"]


@having("overlaps")
def test_the_overlaps_are_these(case: dict[str, Any]) -> None:
    (plan,) = schedule_of(case["plan"]).plans
    found = [(overlap.start, overlap.end) for overlap in overlaps(plan.shifts)]
    assert found == [(utc(a), utc(b)) for a, b in case["overlaps"]["primary"]]


@having("paged")
def test_these_are_paged_in_this_order(case: dict[str, Any]) -> None:
    for at, people in case["paged"]:
        assert answered(case).paging_order("data", utc(at)) == tuple(people)


@pytest.mark.parametrize("case", cases("versions"), ids=names(cases("versions")))
def test_versions_answer_from_when_they_are_accepted(case: dict[str, Any]) -> None:
    accepted: list[RotationPlan] = []
    for version in case["versions"]:
        seen = utc(version["seen_at"])
        shifts = tuple(
            Shift(rotation="data", role="primary", start=utc(a), end=utc(b), people=(who,))
            for a, b, who in version["shifts"]
        )
        plan = RotationPlan(name="data", zone=case["zone"], shifts=shifts, valid_from=seen)
        if version["valid"] and covers(plan.shifts, seen, seen + LOOK_AHEAD):
            accepted.append(plan)
    found = on_call(Schedule(plans=accepted), utc("2026-11-01T00:00Z"), utc("2026-12-31T00:00Z"))
    for at, role, people in case["asks"]:
        assert found.at("data", role, utc(at)) == tuple(people), at
