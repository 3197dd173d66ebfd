"""From desired and present to writes: only what differs, only what is ours, never history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.calendar.event import events_of
from rules.calendar.plan import OWNER, TRANSPARENT, Act, CalendarPlan, Present, Wanted, wanted_of
from rules.calendar.plan import plan as planned
from rules.people import People, Person
from rules.rotation import OnCall, Span

MON = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = 7 * DAY
PEOPLE = People([Person("ana", "Ana Ruiz"), Person("bo", "Bo Chen")])


def weeks(*people: str) -> list[Wanted]:
    spans = [
        Span(MON + n * WEEK, MON + (n + 1) * WEEK, "data", "primary", (person,) * bool(person))
        for n, person in enumerate(people)
    ]
    events = events_of(spans, MON, MON + 99 * WEEK)
    return wanted_of(events, OnCall(spans), PEOPLE)


def shown(wanted: Wanted, **different: Any) -> Present:
    present = Present(
        id=wanted.id,
        etag=f'"{wanted.id[-4:]}"',
        owner=OWNER,
        rotation=wanted.rotation,
        fingerprint=wanted.fingerprint,
        start=wanted.start,
        end=wanted.end,
        summary=wanted.summary,
        description=wanted.description,
        transparency=TRANSPARENT,
    )
    return replace(present, **different)


def plan(wanted: list[Wanted], present: list[Present], now: datetime = MON) -> CalendarPlan:
    return planned(wanted, present, rotation="data", now=now)


def acts(found: CalendarPlan) -> list[Act]:
    return [one.act for one in found.operations]


def test_an_empty_calendar_gets_everything() -> None:
    found = plan(weeks("ana", "bo"), [])
    assert acts(found) == [Act.INSERT, Act.INSERT]
    assert found.operations[0].wanted is not None
    assert found.operations[0].wanted.summary == "Ana Ruiz · data"


def test_a_calendar_that_shows_the_plan_gets_nothing() -> None:
    wanted = weeks("ana", "bo")
    assert plan(wanted, [shown(one) for one in wanted]) == CalendarPlan()


def test_a_swap_of_two_weeks_is_two_updates() -> None:
    before, after = weeks("ana", "bo", "ana"), weeks("bo", "ana", "ana")
    found = plan(after, [shown(one) for one in before])
    assert acts(found) == [Act.UPDATE, Act.UPDATE]
    assert [one.etag for one in found.operations] == [shown(one).etag for one in before[:2]]


def test_a_span_that_is_gone_is_deleted() -> None:
    before = weeks("ana", "bo")
    found = plan(weeks("ana"), [shown(one) for one in before])
    assert [(one.act, one.id) for one in found.operations] == [(Act.DELETE, before[1].id)]


@pytest.mark.parametrize(
    "edit",
    [
        {"start": MON + timedelta(hours=1)},
        {"start": None, "end": None},
        {"summary": "mine now"},
        {"description": ""},
        {"transparency": ""},
        {"repeats": True},
    ],
    ids=lambda edit: next(iter(edit)),
)
def test_what_a_person_changed_of_ours_is_repaired(edit: dict[str, Any]) -> None:
    wanted = weeks("ana")
    assert acts(plan(wanted, [shown(wanted[0], **edit)])) == [Act.REPAIR]


def test_spaces_and_line_ends_are_no_edit() -> None:
    wanted = weeks("ana")
    text = wanted[0].description.replace("\n", "\r\n") + " \n"
    assert plan(wanted, [shown(wanted[0], description=text)]) == CalendarPlan()


def test_what_a_person_deleted_of_ours_comes_back() -> None:
    wanted = weeks("ana")
    assert acts(plan(wanted, [shown(wanted[0], cancelled=True)])) == [Act.REPAIR]
    assert acts(plan(wanted, [Present(id=wanted[0].id, cancelled=True)])) == [Act.UPDATE]


def test_peoples_own_events_are_never_touched() -> None:
    wanted = weeks("ana")
    mine = Present(id="0a1b2c", start=MON, end=MON + DAY, summary="Dentist")
    copied = shown(wanted[0], id="5tq0c8fg0sn3n2p5mfddf5v0ko")
    other_rotation = shown(wanted[0], id="oc" + "0" * 32, rotation="other")
    assert plan([], [mine, copied, other_rotation]) == CalendarPlan()
    assert acts(plan(wanted, [mine, copied, other_rotation])) == [Act.INSERT]


def test_an_id_that_somebody_else_holds_is_told_and_left() -> None:
    wanted = weeks("ana")
    untagged = shown(wanted[0], owner="", rotation="", fingerprint="")
    assert plan(wanted, [untagged]) == CalendarPlan(taken=(wanted[0].id,))


def test_history_stays_as_it_stands() -> None:
    wanted = weeks("ana", "bo")
    past = MON + WEEK
    edited = [shown(wanted[0], summary="we were all there"), shown(wanted[1])]
    assert plan(wanted, edited, past) == CalendarPlan()
    assert plan(wanted[1:], edited, past) == CalendarPlan()
    gone = [shown(wanted[0], cancelled=True), shown(wanted[1])]
    assert plan(wanted, gone, past) == CalendarPlan()
    assert acts(plan(wanted, [shown(wanted[1])], past)) == [Act.INSERT]


def test_a_take_over_now_shortens_what_still_runs() -> None:
    (before,) = weeks("ana")
    now = MON + 2 * DAY
    after = replace(before, end=now)
    assert acts(plan([after], [shown(before)], now)) == [Act.UPDATE]
