"""What follows who is on call: whom a group holds, what a topic says, what to do about drift."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.people import People
from rules.rotation import OnCall, Span
from rules.schedule.following import (
    REPAIR_WINDOW,
    TRUCE,
    Follower,
    FollowerKind,
    Memory,
    Step,
    duties,
    lines,
    members,
    next_boundary,
    next_step,
    part_of,
    plan_of,
    with_part,
    without_part,
)
from rules.schedule.resolution import on_call as resolved
from rules.schedule.roster import Layer, RotationPlan, Schedule, Unit
from rules.schedule.who import who
from tests.rules.build import ANA, BO, CY, DAY, HOUR, MINUTE, NOW

DEE = "dee@example.com"
GROUP = Follower(kind=FollowerKind.USER_GROUP, place="data-oncall")
TOPIC = Follower(kind=FollowerKind.TOPIC, place="data-alerts", roles=("primary",))


def span(rotation: str, role: str, start: datetime, end: datetime, *people: str) -> Span:
    return Span(start, end, rotation, role, people)


DATA = [
    span("data", "primary", NOW - HOUR, NOW + 6 * HOUR, ANA),
    span("data", "primary", NOW + 6 * HOUR, NOW + DAY, BO),
    span("data", "secondary", NOW - DAY, NOW + 7 * DAY, BO),
    span("ml", "primary", NOW - DAY, NOW + DAY, CY),
]
BOTH = OnCall(DATA)


def called(key: str) -> str:
    return key.split("@", maxsplit=1)[0].title()


def berlin(_rotation: str) -> str:
    return "Europe/Berlin"


def test_a_group_is_the_union_of_roles_and_rotations() -> None:
    assert members(BOTH, GROUP, NOW) == (ANA, BO, CY)
    only = Follower(kind=GROUP.kind, place="x", rotations=("data",), roles=("primary",))
    assert members(BOTH, only, NOW) == (ANA,)
    assert members(BOTH, only, NOW + 6 * HOUR) == (BO,)


def test_who_has_two_roles_is_in_the_group_once() -> None:
    assert members(BOTH, GROUP, NOW + 7 * HOUR) == (BO, CY)


def test_an_empty_group_gets_the_rotations_fallback_then_the_global_one() -> None:
    nobody = OnCall([span("data", "primary", NOW + DAY, NOW + 2 * DAY, ANA)])
    assert members(nobody, GROUP, NOW, (DEE,)) == (DEE,)
    own = OnCall(nobody.all_spans(), fallbacks={"data": (CY,)})
    assert members(own, GROUP, NOW, (DEE,)) == (CY,)
    assert members(nobody, GROUP, NOW) == ()
    assert members(OnCall(), GROUP, NOW, (DEE,)) == (DEE,)


def test_a_fallback_stays_out_while_another_rotation_has_somebody() -> None:
    half = OnCall([s for s in DATA if s.rotation == "ml"], roles={"data": ("primary",)})
    assert members(half, GROUP, NOW, (DEE,)) == (CY,)


def test_until_is_when_the_followed_people_change_not_when_a_span_ends() -> None:
    split = OnCall(
        [
            span("data", "primary", NOW - HOUR, NOW + HOUR, ANA),
            span("data", "primary", NOW + HOUR, NOW + 6 * HOUR, ANA),
            span("data", "primary", NOW + 6 * HOUR, NOW + DAY, BO),
        ]
    )
    (duty,) = duties(split, TOPIC, NOW)
    assert (duty.people, duty.until) == ((ANA,), NOW + 6 * HOUR)


@pytest.mark.parametrize("unit", [Unit.HOUR, Unit.DAY, Unit.WEEK])
def test_a_rotation_of_one_names_no_end_that_only_looking_no_further_made(unit: Unit) -> None:
    alone = Layer(
        role="primary",
        order=((ANA,),),
        unit=unit,
        starts=datetime.combine(date(2026, 1, 5), time(9)),
    )
    schedule = Schedule(plans=(RotationPlan(name="data", layers=(alone,)),))
    said = set()
    for day in range(3):
        now = NOW + day * DAY
        on_call = resolved(schedule, now - 40 * DAY, now + 400 * DAY, whole=True)
        (duty,) = who(on_call, People(), now)
        said |= {duty.until, *lines(duties(on_call, TOPIC, now), called, berlin)}
    assert said == {None, "On call: Ana"}


def test_many_short_turns_of_one_person_end_with_the_last_of_them() -> None:
    hours = [span("data", "primary", NOW + n * HOUR, NOW + (n + 1) * HOUR, ANA) for n in range(100)]
    (duty,) = duties(OnCall(hours), TOPIC, NOW)
    assert duty.until == NOW + 100 * HOUR


def test_the_line_names_the_time_in_the_rotations_zone() -> None:
    texts = lines(duties(OnCall(DATA[:2]), TOPIC, NOW), called, berlin)
    assert texts[0] == "On call: Ana until 10:00"
    assert texts[1] == "On call: Ana"


def test_a_long_turn_is_told_with_its_day() -> None:
    week = OnCall([span("data", "primary", NOW - DAY, NOW + 6 * DAY, ANA)])
    assert (
        lines(duties(week, TOPIC, NOW), called, berlin)[0] == "On call: Ana until Sun 29 Nov 04:00"
    )


def test_several_rotations_are_told_apart_and_shortened() -> None:
    texts = lines(duties(BOTH, TOPIC, NOW), called, berlin)
    assert texts == (
        "On call: data: Ana until 10:00; ml: Cy until Tue 24 Nov 04:00",
        "On call: data: Ana; ml: Cy",
        "On call: data: Ana and 1 more",
    )


def test_a_gap_names_the_fallback_as_what_it_is() -> None:
    gap = OnCall([span("data", "primary", NOW + HOUR, NOW + 2 * HOUR, ANA)])
    assert lines(duties(gap, TOPIC, NOW, (DEE,)), called, berlin)[0] == (
        "On call: Dee (fallback) until 05:00"
    )
    assert lines(duties(gap, TOPIC, NOW), called, berlin)[0] == "On call: nobody until 05:00"


def test_the_line_stays_the_same_until_somebody_else_is_on_call() -> None:
    said = {lines(duties(BOTH, TOPIC, NOW + n * 10 * MINUTE), called, berlin)[0] for n in range(36)}
    assert len(said) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[On call: Bo]"),
        ("Alerts of the data team", "Alerts of the data team [On call: Bo]"),
        ("[On call: Ana until 09:00] Be kind", "[On call: Bo] Be kind"),
        ("A [On call: Ana] b [On call: Cy] c", "A [On call: Bo] b  c"),
        (
            "Runbook <https://x.example|here> &amp; more",
            "Runbook <https://x.example|here> &amp; more [On call: Bo]",
        ),
        ("[on call: somebody wrote this]", "[on call: somebody wrote this] [On call: Bo]"),
    ],
)
def test_only_our_part_of_a_topic_is_replaced(before: str, after: str) -> None:
    assert with_part(before, "On call: Bo", 250) == after


def test_a_full_topic_is_left_alone() -> None:
    assert with_part("x" * 240, "On call: Bo", 250) is None
    assert with_part("x" * 236, "On call: Bo", 250) is not None


@given(
    st.text(st.sampled_from("ab []:Oncal"), max_size=40),
    st.sampled_from(["On call: Bo", "On call: Cy until 09:00"]),
)
def test_our_part_is_found_again_and_writing_it_twice_changes_nothing(
    topic: str, part: str
) -> None:
    once = with_part(topic, part, 250)
    assert once is not None
    assert part_of(once) == part
    assert with_part(once, part, 250) == once
    assert part_of(without_part(once)) == ""


def test_a_name_cannot_end_our_part_early() -> None:
    (text, *_) = lines(duties(OnCall(DATA[:1]), TOPIC, NOW), lambda _: "A] [B", berlin)
    assert text == "On call: A) (B until 10:00"


def test_the_next_boundary_is_the_first_of_any_role() -> None:
    assert next_boundary(BOTH, NOW) == NOW + 6 * HOUR
    assert next_boundary(BOTH, NOW + 6 * HOUR) == NOW + DAY
    assert next_boundary(BOTH, NOW - 2 * HOUR) == NOW - HOUR
    assert next_boundary(BOTH, NOW + 8 * DAY) is None


def test_a_plan_is_the_same_as_long_as_nothing_changes() -> None:
    assert plan_of(BOTH, TOPIC, NOW) == plan_of(BOTH, TOPIC, NOW + HOUR)
    assert plan_of(BOTH, TOPIC, NOW) != plan_of(BOTH, TOPIC, NOW + 6 * HOUR)
    assert plan_of(BOTH, GROUP, NOW) == f"{ANA}, {BO}, {CY}"


def test_what_is_right_is_left_alone() -> None:
    step, memory = next_step(("U1",), ("U1",), Memory(), NOW)
    assert (step, memory.wrote) == (Step.NOTHING, ("U1",))


def test_drift_is_repaired_once_then_people_win_for_an_hour() -> None:
    step, memory = next_step(("U1",), (), Memory(), NOW)
    assert step is Step.WRITE
    step, memory = next_step(("U1",), ("U9",), memory, NOW + HOUR)
    assert step is Step.REPAIR
    again = NOW + HOUR + REPAIR_WINDOW - timedelta(seconds=1)
    step, memory = next_step(("U1",), ("U9",), memory, again)
    assert step is Step.STOP
    assert memory.stopped_until == again + TRUCE
    step, memory = next_step(("U2",), ("U9",), memory, again + TRUCE - MINUTE)
    assert step is Step.WAIT
    step, memory = next_step(("U2",), ("U9",), memory, again + TRUCE)
    assert step is Step.WRITE


def test_drift_long_after_a_repair_is_repaired_again() -> None:
    _, memory = next_step(("U1",), (), Memory(), NOW)
    _, memory = next_step(("U1",), ("U9",), memory, NOW + HOUR)
    step, _ = next_step(("U1",), ("U9",), memory, NOW + HOUR + REPAIR_WINDOW)
    assert step is Step.REPAIR


def test_a_new_shift_is_no_drift() -> None:
    _, memory = next_step(("U1",), (), Memory(), NOW)
    for minute in range(5):
        step, memory = next_step((f"U{minute + 2}",), memory.wrote, memory, NOW + minute * MINUTE)
        assert step is Step.WRITE


def test_a_truce_ends_when_people_put_it_right_themselves() -> None:
    memory = Memory(wrote=("U1",), stopped_until=NOW + HOUR)
    step, memory = next_step(("U1",), ("U1",), memory, NOW)
    assert (step, memory.stopped_until) == (Step.NOTHING, None)
