"""What each part of a schedule does to who is on call."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from rules.hours import DAYS, Hours
from rules.people import People, Person
from rules.schedule.coverage import gaps
from rules.schedule.resolution import on_call, plan_at, resolve
from rules.schedule.roster import (
    AdvanceOn,
    Holiday,
    Layer,
    OnHolidays,
    OverrideKind,
    RotationPlan,
    Schedule,
    Unit,
    first_hand_off,
)
from rules.schedule.who import who
from tests.rules.schedule.schedules import away, layer, override, plan, shift, swap, utc

START, END = utc("2026-11-01T00:00Z"), utc("2027-01-31T00:00Z")
NINE_TO_FIVE = Hours(time(9), time(17), "UTC", DAYS[:5])


def asked(schedule: Schedule, at: str, role: str = "primary") -> tuple[str, ...]:
    return on_call(schedule, START, END).at("data", role, utc(at))


def only(*layers: Layer, **more: Any) -> Schedule:
    return Schedule(plans=(plan(*layers, **more),))


def sources(schedule: Schedule, start: str, end: str) -> list[tuple[str, str]]:
    found = resolve(schedule, utc(start), utc(end))
    return [(" ".join(span.people), span.source) for span in found]


# turns


@pytest.mark.parametrize(
    ("unit", "every", "second", "third"),
    [
        (Unit.HOUR, 8, "2026-11-16T17:00Z", "2026-11-17T01:00Z"),
        (Unit.DAY, 1, "2026-11-17T09:00Z", "2026-11-18T09:00Z"),
        (Unit.DAY, 3, "2026-11-19T09:00Z", "2026-11-22T09:00Z"),
        (Unit.WEEK, 2, "2026-11-30T09:00Z", "2026-12-14T09:00Z"),
        (Unit.MONTH, 1, "2026-12-16T09:00Z", "2027-01-16T09:00Z"),
    ],
)
def test_turns_are_as_long_as_they_are_said_to_be(
    unit: Unit, every: int, second: str, third: str
) -> None:
    spans = resolve(only(layer("ana", "bo", "cy", unit=unit, every=every)), START, END)
    assert [span.people for span in spans[:3]] == [("ana",), ("bo",), ("cy",)]
    assert [span.start for span in spans[:3]] == [
        utc("2026-11-16T09:00Z"),
        utc(second),
        utc(third),
    ]


def test_hours_are_elapsed_time_and_days_follow_the_clock() -> None:
    zone = "America/New_York"
    hours = layer("ana", "bo", unit=Unit.HOUR, every=12, starts="2026-10-31T20:00", zone=zone)
    days = layer("cy", "di", unit=Unit.DAY, starts="2026-10-31T20:00", zone=zone, role="secondary")
    spans = on_call(only(hours, days), utc("2026-10-31T00:00Z"), utc("2026-11-03T00:00Z"))
    assert [s.start for s in spans.spans("data", "primary")][:3] == [
        utc("2026-11-01T00:00Z"),
        utc("2026-11-01T12:00Z"),
        utc("2026-11-02T00:00Z"),
    ]
    # The day on which New York's clocks go back has 25 hours.
    assert [s.start for s in spans.spans("data", "secondary")] == [
        utc("2026-11-01T00:00Z"),
        utc("2026-11-02T01:00Z"),
    ]


def test_a_day_that_the_clocks_skip_takes_a_turn_of_no_length() -> None:
    days = layer("ana", "bo", "cy", unit=Unit.DAY, starts="2011-12-28T09:00", zone="Pacific/Apia")
    spans = resolve(only(days), utc("2011-12-28T00:00Z"), utc("2012-01-02T00:00Z"))
    assert [span.people[0] for span in spans] == ["ana", "bo", "ana", "bo", "cy"]
    assert [s.start.isoformat()[:13] for s in spans] == [
        "2011-12-28T19",
        "2011-12-29T19",
        "2011-12-30T19",
        "2011-12-31T19",
        "2012-01-01T19",
    ]


def test_every_other_month_from_the_last_day_never_drifts() -> None:
    starts = "2026-12-31T09:00"
    months = layer("ana", "bo", unit=Unit.MONTH, every=2, starts=starts)
    spans = resolve(only(months), utc("2026-12-01T00:00Z"), utc("2027-09-01T00:00Z"))
    days = [span.start.date().isoformat() for span in spans]
    assert days == ["2026-12-31", "2027-02-28", "2027-04-30", "2027-06-30", "2027-08-31"]


def test_a_turn_may_be_two_people_or_nobody() -> None:
    schedule = only(layer("ana+bo", "", "cy"))
    assert asked(schedule, "2026-11-17T00:00Z") == ("ana", "bo")
    assert asked(schedule, "2026-11-24T00:00Z") == ()
    assert asked(schedule, "2026-12-01T00:00Z") == ("cy",)


def test_an_empty_or_backward_window_has_nobody() -> None:
    assert resolve(only(layer("ana")), END, END) == resolve(only(layer("ana")), END, START) == []
    assert resolve(only(layer("ana")), END, END, whole=True) == []
    assert resolve(Schedule(), START, END) == []


def test_turns_far_beyond_the_calendar_do_not_end_it() -> None:
    schedule = only(layer("ana", "bo", every=10**9))
    assert asked(schedule, "2027-01-01T00:00Z") == ("ana",)
    (span,) = resolve(schedule, START, END, whole=True)
    assert span.end == utc("2029-01-01T00:00Z")


def test_a_row_of_many_years_is_the_same_stretch_on_the_next_day() -> None:
    schedule = only(shifts=(shift("2020-01-01T00:00Z", "2035-01-01T00:00Z", "ana"),))
    found = {
        (span.start, span.end)
        for day in (timedelta(days=n) for n in range(60))
        for span in resolve(schedule, START + day, END + day, whole=True)
    }
    assert found == {(utc("2025-01-01T00:00Z"), utc("2029-01-01T00:00Z"))}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"every": 0}, "a turn lasts at least one week, not 0"),
        ({"order": ()}, "a layer needs somebody"),
        ({"starts": utc("2026-11-16T09:00Z")}, "without a zone of its own"),
        ({"starts": datetime.fromisoformat("0026-11-16T09:00")}, "in 1970 or later, not in 26"),
    ],
)
def test_a_layer_that_means_nothing_is_refused(facts: dict[str, Any], words: str) -> None:
    good = {"role": "primary", "order": (("ana",),), "unit": Unit.WEEK}
    local = datetime.fromisoformat("2026-11-16T09:00")
    with pytest.raises(ValueError, match=words):
        Layer(**({"starts": local} | good | facts))


@pytest.mark.parametrize(
    ("start", "weekday", "first"),
    [
        ("2026-11-18", "", "2026-11-18T09:00"),
        ("2026-11-18", "mon", "2026-11-16T09:00"),
        ("2026-11-16", "mon", "2026-11-16T09:00"),
        ("2026-11-18", "thu", "2026-11-12T09:00"),
    ],
)
def test_the_first_hand_off_is_on_the_weekday_before(start: str, weekday: str, first: str) -> None:
    found = first_hand_off(date.fromisoformat(start), time(9), weekday)
    assert found == datetime.fromisoformat(first)


# hours


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    friday = Hours(time(22), time(6), "UTC", ("fri",))
    schedule = only(layer("ana", windows=(friday,)))
    assert asked(schedule, "2026-11-20T21:59Z") == ()
    assert asked(schedule, "2026-11-20T22:00Z") == ("ana",)
    assert asked(schedule, "2026-11-21T05:59Z") == ("ana",)
    assert asked(schedule, "2026-11-21T06:00Z") == ()
    assert asked(schedule, "2026-11-21T22:30Z") == ()
    early = resolve(schedule, utc("2026-11-21T05:00Z"), utc("2026-11-21T12:00Z"))
    assert [(s.start, s.end) for s in early] == [
        (utc("2026-11-21T05:00Z"), utc("2026-11-21T06:00Z"))
    ]


def test_windows_that_meet_or_overlap_are_one_stretch() -> None:
    windows = (NINE_TO_FIVE, Hours(time(16), time(20), "UTC"), Hours(time(20), time(22), "UTC"))
    schedule = only(layer("ana", windows=windows))
    spans = resolve(schedule, utc("2026-11-17T00:00Z"), utc("2026-11-18T00:00Z"))
    stretches = [(span.start, span.end) for span in spans]
    assert stretches == [(utc("2026-11-17T09:00Z"), utc("2026-11-17T22:00Z"))]


def test_hours_that_the_clocks_skip_do_not_open() -> None:
    window = Hours(time(2), time(3), "America/New_York")
    schedule = only(layer("ana", starts="2027-03-01T00:00", windows=(window,)))
    spans = resolve(schedule, utc("2027-03-13T00:00Z"), utc("2027-03-16T00:00Z"))
    assert [span.start for span in spans] == [utc("2027-03-13T07:00Z"), utc("2027-03-15T06:00Z")]


@pytest.mark.parametrize(
    ("advance_on", "monday"), [(AdvanceOn.CALENDAR, ("cy",)), (AdvanceOn.ACTIVE, ("ana",))]
)
def test_a_weekend_off_counts_as_turns_unless_only_active_days_do(
    advance_on: AdvanceOn, monday: tuple[str, ...]
) -> None:
    # From Monday 16th by day: Monday 23rd is the eighth calendar day, the sixth working day.
    days = layer(
        *("ana", "bo", "cy", "di", "eve"),
        unit=Unit.DAY,
        starts="2026-11-16T00:00",
        windows=(NINE_TO_FIVE,),
        advance_on=advance_on,
    )
    assert asked(only(days), "2026-11-20T10:00Z") == ("eve",)
    assert asked(only(days), "2026-11-21T10:00Z") == ()
    assert asked(only(days), "2026-11-23T10:00Z") == monday


HOLIDAYS = (Holiday(day=date(2026, 11, 18)), Holiday(day=date(2026, 11, 19), place="Spain"))
TUE, WED, THU, SAT = (f"2026-11-{day}T10:00Z" for day in (17, 18, 19, 21))


@pytest.mark.parametrize(
    ("rule", "place", "days", "on"),
    [
        (OnHolidays.AS_USUAL, "", DAYS[:5], {TUE, WED, THU}),
        (OnHolidays.OFF, "", DAYS[:5], {TUE}),
        (OnHolidays.OFF, "Spain", DAYS[:5], {TUE}),
        (OnHolidays.OFF, "France", DAYS[:5], {TUE, THU}),
        (OnHolidays.ALSO, "", DAYS[5:], {WED, THU, SAT}),
        (OnHolidays.ONLY, "France", DAYS, {WED}),
    ],
)
def test_holidays_shut_or_open_the_hours(
    rule: OnHolidays, place: str, days: tuple[str, ...], on: set[str]
) -> None:
    window = Hours(time(9), time(17), "UTC", days)
    own = layer("ana", windows=(window,), on_holidays=rule, place=place)
    schedule = only(own, holidays=HOLIDAYS)
    assert {at for at in (TUE, WED, THU, SAT) if asked(schedule, at)} == on


def test_dates_that_are_skipped_shut_whole_days_where_there_are_no_hours() -> None:
    schedule = only(layer("ana", skip_dates=frozenset({date(2026, 11, 18)})))
    assert asked(schedule, "2026-11-17T23:59Z") == ("ana",)
    assert asked(schedule, "2026-11-18T00:00Z") == ()
    assert asked(schedule, "2026-11-19T00:00Z") == ("ana",)


# layers


def test_the_later_layer_lies_on_top_and_lets_the_lower_one_through() -> None:
    schedule = only(layer("ana"), layer("bo", windows=(NINE_TO_FIVE,)))
    assert asked(schedule, "2026-11-17T10:00Z") == ("bo",)
    assert asked(schedule, "2026-11-17T17:00Z") == ("ana",)


def test_priority_comes_before_the_order_of_layers() -> None:
    schedule = only(layer("ana", priority=2), layer("bo", priority=1))
    assert asked(schedule, "2026-11-17T10:00Z") == ("ana",)


def test_shifts_lie_over_layers_but_for_those_above_ten() -> None:
    rows = (shift("2026-11-17T09:00Z", "2026-11-18T09:00Z", "cy"),)
    low = only(layer("ana"), shifts=rows)
    high = only(layer("ana", priority=11), shifts=rows)
    assert asked(low, "2026-11-17T10:00Z") == ("cy",)
    assert asked(low, "2026-11-18T10:00Z") == ("ana",)
    assert asked(high, "2026-11-17T10:00Z") == ("ana",)


def test_a_shift_of_nobody_lets_the_rotation_through() -> None:
    schedule = only(layer("ana"), shifts=(shift("2026-11-17T09:00Z", "2026-11-18T09:00Z"),))
    assert asked(schedule, "2026-11-17T10:00Z") == ("ana",)


def test_people_nobody_knows_are_passed_over_everywhere() -> None:
    schedule = Schedule(
        plans=(plan(layer("ana"), layer("zed", priority=1)),),
        overrides=(override("zoe", "2026-11-18T09:00Z", "2026-11-18T10:00Z"),),
        swaps=(swap("ana", "zac", "2026-11-17T00:00Z", "2026-11-20T00:00Z", "2026-11-16T09:00Z"),),
        known=frozenset({"ana"}),
    )
    assert asked(schedule, "2026-11-18T09:30Z") == ("ana",)


# changes

NINE, TEN, FIVE = "2026-11-18T09:00Z", "2026-11-18T10:00Z", "2026-11-18T17:00Z"


def changed(*overrides: Any, people: tuple[str, ...] = ("ana+bo",)) -> Schedule:
    return Schedule(plans=(plan(layer(*people)),), overrides=overrides)


@pytest.mark.parametrize(
    ("kind", "person", "instead_of", "people"),
    [
        (OverrideKind.COVER, "cy", "", ("cy",)),
        (OverrideKind.REPLACE, "cy", "ana", ("cy", "bo")),
        (OverrideKind.REPLACE, "cy", "di", ("ana", "bo")),
        (OverrideKind.REPLACE, "bo", "ana", ("bo",)),
        (OverrideKind.ADD, "cy", "", ("ana", "bo", "cy")),
        (OverrideKind.ADD, "bo", "", ("ana", "bo")),
        (OverrideKind.REMOVE, "ana", "", ("bo",)),
        (OverrideKind.REMOVE, "di", "", ("ana", "bo")),
    ],
)
def test_an_override_does_as_its_kind_says(
    kind: OverrideKind, person: str, instead_of: str, people: tuple[str, ...]
) -> None:
    one = override(person, NINE, FIVE, kind=kind, instead_of=instead_of)
    assert asked(changed(one), TEN) == people
    assert asked(changed(one), FIVE) == ("ana", "bo")


def test_a_replacement_acts_only_in_the_part_where_its_target_is_on_call() -> None:
    week = override(
        "cy", "2026-11-20T00:00Z", "2026-11-26T00:00Z", kind=OverrideKind.REPLACE, instead_of="bo"
    )
    schedule = changed(week, people=("ana", "bo"))
    assert asked(schedule, "2026-11-22T00:00Z") == ("ana",)
    assert asked(schedule, "2026-11-24T00:00Z") == ("cy",)


def test_overrides_take_effect_in_the_order_they_were_made() -> None:
    first = override("cy", NINE, FIVE, made=1)
    then = override("di", NINE, FIVE, kind=OverrideKind.REPLACE, instead_of="cy", made=2)
    last = override("bo", NINE, FIVE, kind=OverrideKind.ADD, made=3)
    assert asked(changed(last, then, first), TEN) == ("di", "bo")


def test_somebody_may_be_added_where_nobody_was_and_removed_to_leave_nobody() -> None:
    early = override("cy", "2026-11-10T00:00Z", "2026-11-11T00:00Z", kind=OverrideKind.ADD)
    gone = override("ana", NINE, FIVE, kind=OverrideKind.REMOVE, made=1)
    schedule = changed(early, gone, people=("ana",))
    assert asked(schedule, "2026-11-10T12:00Z") == ("cy",)
    assert asked(schedule, TEN) == ()


def test_spans_say_what_made_them() -> None:
    people = People([Person("bo", "Bo"), Person("ana", "Ana")])
    schedule = Schedule(
        plans=(plan(layer("ana", source="row 3"), zone="Europe/Berlin"),),
        overrides=(
            override("cy", "2026-11-16T12:00Z", "2026-11-16T13:00Z"),
            override("di", "2026-11-18T12:00Z", "2026-11-18T13:00Z", kind=OverrideKind.ADD, made=1),
        ),
        swaps=(swap("ana", "bo", "2026-11-20T00:00Z", "2026-11-21T00:00Z", "2026-11-16T09:00Z"),),
        people=people,
    )
    assert sources(schedule, "2026-11-16T09:00Z", "2026-11-23T09:00Z") == [
        ("ana", "row 3"),
        ("cy", "override by Bo, 11:07"),
        ("ana", "row 3"),
        ("ana di", "row 3 and override by Bo, 2026-11-16 11:07"),
        ("ana", "row 3"),
        ("bo", "swap: Bo for Ana"),
        ("ana", "row 3"),
    ]


def test_a_swap_counts_once_approved_and_lies_below_overrides() -> None:
    leg = ("2026-11-17T00:00Z", "2026-11-19T00:00Z")
    schedule = Schedule(
        plans=(plan(layer("ana")),),
        swaps=(swap("ana", "bo", *leg, "2026-11-16T09:00Z"), swap("bo", "di", *leg, None)),
        overrides=(override("cy", NINE, FIVE, kind=OverrideKind.REPLACE, instead_of="bo"),),
    )
    assert asked(schedule, "2026-11-18T00:00Z") == ("bo",)
    assert asked(schedule, TEN) == ("cy",)


# absences

GONE = away("ana", "2026-11-17T00:00Z", "2026-11-20T00:00Z")


@pytest.mark.parametrize(
    ("kind", "people"),
    [(OverrideKind.COVER, ("ana",)), (OverrideKind.ADD, ("bo", "ana")), (None, ("bo",))],
)
def test_who_is_away_is_off_call_unless_an_override_names_them(
    kind: OverrideKind | None, people: tuple[str, ...]
) -> None:
    overrides = (override("ana", NINE, FIVE, kind=kind),) if kind else ()
    rows = (layer("bo"),) if kind is OverrideKind.ADD else (layer("ana+bo"),)
    schedule = Schedule(plans=(plan(*rows, away=(GONE,)),), overrides=overrides)
    assert asked(schedule, TEN) == people


def test_who_swapped_across_rotations_is_away_there_too() -> None:
    """The absence stands in the rotation that names them, and the night is in the other one."""
    gone = (away("bo", "2026-11-18T00:00Z", "2026-11-19T00:00Z"),)
    web = RotationPlan(name="web", layers=(layer("bo"),), away=gone)
    leg = swap("ana", "bo", "2026-11-17T00:00Z", "2026-11-20T00:00Z", "2026-11-16T10:00Z")
    schedule = Schedule(plans=(plan(layer("ana")), web), swaps=(leg,))
    days = range(16, 21)
    told = [asked(schedule, f"2026-11-{day}T12:00Z") for day in days]
    assert told == [("ana",), ("bo",), (), ("bo",), ("ana",)]


def test_an_override_that_removes_somebody_who_is_away_does_not_bring_them_back() -> None:
    off = override("ana", NINE, FIVE, kind=OverrideKind.REMOVE)
    then = override("ana", NINE, FIVE, kind=OverrideKind.REPLACE, instead_of="bo", made=1)
    schedule = Schedule(plans=(plan(layer("bo"), away=(GONE,)),), overrides=(off,))
    assert asked(schedule, TEN) == ("bo",)
    assert asked(replace(schedule, overrides=(off, then)), TEN) == ("ana",)


LAYERS = (layer("ana"), layer("bo", role="secondary"), layer("cy", role="tertiary"))
CHAIN = {"primary": "secondary", "secondary": "tertiary"}


def moved(stand_ins: Mapping[str, str], *absent: str) -> dict[str, str]:
    off = tuple(away(person, "2026-11-17T00:00Z", "2026-11-20T00:00Z") for person in absent)
    schedule = Schedule(plans=(plan(*LAYERS, stand_ins=stand_ins),), away=off)
    return {r: "".join(asked(schedule, TEN, r)) for r in ("primary", "secondary", "tertiary")}


@pytest.mark.parametrize(
    ("stand_ins", "absent", "primary", "secondary", "tertiary"),
    [
        ({}, ["ana"], "", "bo", "cy"),
        ({"primary": "secondary"}, ["ana"], "bo", "", "cy"),
        (CHAIN, ["ana"], "bo", "cy", ""),
        (CHAIN, ["bo"], "ana", "cy", ""),
        (CHAIN, ["ana", "bo"], "cy", "", ""),
        (CHAIN, ["ana", "bo", "cy"], "", "", ""),
        ({"primary": "secondary", "secondary": "primary"}, ["ana"], "bo", "", "cy"),
        ({"primary": "primary"}, ["ana"], "", "bo", "cy"),
        ({"primary": "lead"}, ["ana"], "", "bo", "cy"),
    ],
)
def test_others_move_up_for_those_who_are_away(
    stand_ins: dict[str, str], absent: list[str], primary: str, secondary: str, tertiary: str
) -> None:
    found = moved(stand_ins, *absent)
    assert found == {"primary": primary, "secondary": secondary, "tertiary": tertiary}


def test_a_stand_in_who_left_is_replaced_before_others_are_served() -> None:
    off = [away(who, "2026-11-17T00:00Z", "2026-11-20T00:00Z") for who in ("ana", "di")]
    chain = CHAIN | {"weekend": "tertiary"}
    own = plan(*LAYERS, layer("di", role="weekend"), stand_ins=chain)
    schedule = Schedule(plans=(own,), away=off)
    assert asked(schedule, TEN) == ("bo",)
    assert asked(schedule, TEN, "secondary") == ("cy",)
    assert asked(schedule, TEN, "weekend") == ()


def test_moving_up_leaves_no_seams_but_where_it_begins_and_ends() -> None:
    daily = layer("di", unit=Unit.DAY, role="shadow")
    own = plan(*LAYERS, daily, stand_ins={"primary": "secondary"})
    schedule = Schedule(plans=(own,), away=(GONE,))
    found = on_call(schedule, utc("2026-11-16T09:00Z"), utc("2026-11-23T09:00Z"))
    assert [len(found.spans("data", role)) for role in ("primary", "secondary", "tertiary")] == [
        3,
        2,
        1,
    ]
    # The secondary moves up and is then nobody, so its week is in two parts.
    up = found.span_at("data", "primary", utc(TEN))
    assert up is not None
    assert up.source == "moved up from secondary (rotation)"


# versions and answers


def test_the_past_is_answered_by_the_version_then_in_force() -> None:
    week = layer("ana", "bo")
    changed_at = utc("2026-11-25T12:00Z")
    versions = (
        plan(week),
        plan(layer("cy"), valid_from=changed_at),
        plan(valid_from=utc("2026-12-01T00:00Z")),
    )
    schedule = Schedule(plans=versions[::-1])
    assert asked(schedule, "2026-11-17T00:00Z") == ("ana",)
    assert asked(schedule, "2026-11-25T11:59Z") == ("bo",)
    assert asked(schedule, "2026-11-25T12:00Z") == ("cy",)
    assert asked(schedule, "2026-12-02T00:00Z") == ()
    assert plan_at(schedule, "data", changed_at) == versions[1]
    assert plan_at(schedule, "nowhere", changed_at) is None


def test_a_new_version_does_not_cut_a_span_that_it_leaves_alone() -> None:
    versions = (
        plan(layer("ana", source="row 3")),
        plan(layer("ana", source="row 4"), valid_from=utc("2026-11-18T12:00Z")),
    )
    spans = resolve(Schedule(plans=versions), START, END)
    assert (spans[0].start, spans[0].end) == (utc("2026-11-16T09:00Z"), utc("2026-11-23T09:00Z"))
    now = resolve(Schedule(plans=versions), utc(NINE), utc(TEN), whole=True)
    assert now == spans[:1]


def test_a_role_that_was_given_up_is_no_gap() -> None:
    both = plan(layer("ana"), layer("bo", role="secondary"))
    fewer = plan(layer("ana"), valid_from=utc("2026-11-25T12:00Z"))
    extra = override("cy", "2026-11-26T12:00Z", "2026-11-26T14:00Z", role="helper")
    schedule = Schedule(plans=(both, fewer), overrides=(extra,))
    found = on_call(schedule, START, END, whole=True)
    now = utc("2026-11-27T12:00Z")
    assert {gap.role for gap in gaps(found, now, END)} == set()
    assert [duty.role for duty in who(found, People(), now)] == ["primary"]
    before = who(found, People(), utc("2026-11-25T11:00Z"))
    assert [duty.role for duty in before] == ["primary", "secondary", "helper"]
    beyond = END + timedelta(days=10)
    assert [gap.role for gap in gaps(found, beyond, beyond + timedelta(days=1))] == ["primary"]


def test_a_span_that_goes_through_versions_is_found_whole_from_its_end() -> None:
    versions = (
        plan(layer("ana", starts="2026-11-12T09:00")),
        plan(layer("ana"), valid_from=utc("2026-11-18T12:00Z")),
    )
    schedule = Schedule(plans=versions)
    (late,) = resolve(schedule, utc("2026-11-22T00:00Z"), utc("2026-11-22T01:00Z"), whole=True)
    assert (late.start, late.end) == (utc("2026-11-12T09:00Z"), utc("2026-11-23T09:00Z"))


def test_roles_are_paged_in_the_order_they_are_named_then_the_fallback() -> None:
    own = plan(
        layer("ana", role="shadow"),
        layer("bo", role="lead"),
        layer("cy"),
        roles=("lead", "primary", "backup"),
        fallback=("mgr", "cy"),
    )
    found = on_call(Schedule(plans=(own,)), START, END)
    assert found.rotations == ("data",)
    assert found.roles("data") == ("lead", "primary", "backup", "shadow")
    assert found.paging_order("data", utc(TEN)) == ("bo", "cy", "ana", "mgr")
    assert found.paging_order("data", START) == ("mgr", "cy")
    assert found.fallback("nowhere") == ()


def test_plans_survive_being_written_as_json() -> None:
    window = Hours(time(22), time(6), "Europe/Berlin", ("fri",))
    full = plan(
        layer("ana+bo", "cy", windows=(window,), skip_dates=frozenset({date(2026, 12, 24)})),
        shifts=(shift(NINE, FIVE, "cy"),),
        holidays=HOLIDAYS,
        away=(GONE,),
        stand_ins=CHAIN,
        roles=("primary",),
        valid_from=START,
    )
    adapter = TypeAdapter(RotationPlan)
    assert adapter.validate_json(adapter.dump_json(full)) == full
