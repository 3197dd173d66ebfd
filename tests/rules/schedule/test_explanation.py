"""Why somebody is on call, in the order in which things take effect."""

from datetime import time

from rules.hours import DAYS, Hours
from rules.people import People, Person
from rules.rotation import OnCall
from rules.schedule.explanation import Why, explain, why_json, why_text
from rules.schedule.resolution import on_call
from rules.schedule.roster import OverrideKind, Schedule
from tests.rules.schedule.schedules import (
    away,
    cases,
    layer,
    override,
    plan,
    schedule_of,
    shift,
    swap,
    utc,
)

PEOPLE = People([Person(key, key.title()) for key in ("ana", "bo", "cy", "di")])
NOON = "2026-11-18T12:00Z"
WEEK = layer("ana", "bo", source="rotation in row 2", where="Rotations!C2")
NIGHTS = layer(
    "di",
    windows=(Hours(time(22), time(6), "UTC", DAYS),),
    source="nights in row 3",
    where="Rotations!C3",
)


def told(schedule: Schedule, at: str = NOON, role: str = "primary") -> list[str]:
    (why,) = [why for why in explain(schedule, "data", utc(at)) if why.role == role]
    return why_text(why, PEOPLE).splitlines()


def test_the_layer_that_decides_names_the_turn_and_those_above_say_why_not() -> None:
    schedule = Schedule(plans=(plan(WEEK, NIGHTS),), people=PEOPLE)
    assert told(schedule) == [
        "data primary: Ana",
        "  nights in row 3: outside its hours (Rotations!C3)",
        (
            "  rotation in row 2: Ana, turn 1, from Mon 2026-11-16 09:00 UTC "
            "to Mon 2026-11-23 09:00 UTC (Rotations!C2)"
        ),
    ]


def test_every_change_is_told_in_order_with_its_cell() -> None:
    schedule = Schedule(
        plans=(
            plan(
                WEEK,
                shifts=(shift("2026-11-18T09:00Z", "2026-11-19T09:00Z", "bo"),),
                away=(away("di", "2026-11-18T00:00Z", "2026-11-19T00:00Z"),),
            ),
        ),
        swaps=(swap("bo", "cy", "2026-11-18T00:00Z", "2026-11-19T00:00Z", "2026-11-17T00:00Z"),),
        overrides=(
            override("di", NOON, "2026-11-18T13:00Z", kind=OverrideKind.REPLACE, instead_of="cy"),
            override("ana", NOON, "2026-11-18T13:00Z", kind=OverrideKind.ADD, made=1),
        ),
        people=PEOPLE,
    )
    assert told(schedule) == [
        "data primary: Di and Ana",
        "  row 14: Bo (Shifts!C14)",
        "  rotation in row 2: Ana, hidden by what lies above (Rotations!C2)",
        "  swap: Cy for Bo (Overrides!A9)",
        "  override by Bo, 2026-11-16 10:07 (Overrides!A2)",
        "  override by Bo, 2026-11-16 10:07 (Overrides!A3)",
    ]


def test_somebody_who_moved_up_is_explained_in_both_roles() -> None:
    second = layer("bo", role="secondary", source="rotation in row 5", where="Rotations!C5")
    gone = away("ana", "2026-11-17T00:00Z", "2026-11-20T00:00Z")
    schedule = Schedule(
        plans=(plan(WEEK, second, stand_ins={"primary": "secondary"}, away=(gone,)),),
        people=PEOPLE,
    )
    assert told(schedule)[-2:] == [
        "  Ana is away (Away!A4)",
        "  moved up from secondary (rotation in row 5)",
    ]
    assert told(schedule, role="secondary")[0] == "data secondary: nobody"
    assert told(schedule, role="secondary")[-2:] == [
        "  moved up to primary",
        "  so nobody has it",
    ]


def test_nobody_has_reasons_too() -> None:
    early = layer("ana", source="first", effective_until=utc("2026-11-17T09:00Z"))
    late = layer("bo", source="second", effective_from=utc("2026-12-01T09:00Z"))
    coming = layer("cy", source="third", starts="2027-01-04T09:00")
    empty = layer("", source="fourth")
    unknown = layer("zed", source="fifth")
    schedule = Schedule(
        plans=(plan(unknown, empty, coming, late, early),),
        people=PEOPLE,
        known=frozenset({"ana", "bo", "cy"}),
    )
    assert told(schedule) == [
        "data primary: nobody",
        "  first: ended Tue 2026-11-17 09:00 UTC",
        "  second: not before Tue 2026-12-01 09:00 UTC",
        "  third: has not begun",
        "  fourth: a turn of nobody",
        "  fifth: only people whom nobody knows",
        "  so nobody has it",
    ]


def test_an_older_version_of_the_roster_says_so() -> None:
    changed = utc("2026-11-17T12:00Z")
    versions = (plan(WEEK), plan(layer("cy", source="row 9"), valid_from=changed))
    schedule = Schedule(plans=versions, people=PEOPLE)
    assert told(schedule)[:2] == [
        "data primary: Cy",
        "  by the roster as of Tue 2026-11-17 12:00 UTC",
    ]
    assert "as of" not in " ".join(told(schedule, "2026-11-17T11:00Z"))


def test_the_explanation_is_of_the_same_answer_as_the_spans() -> None:
    for case in cases("resolve"):
        schedule = schedule_of(case["plan"])
        found: OnCall = on_call(schedule, *map(utc, case["window"]))
        for at, _, _ in case["asks"]:
            for why in explain(schedule, "data", utc(at)):
                span = found.span_at("data", why.role, utc(at))
                assert why.people == (span.people if span else ())
                assert why.source == (span.source if span else "")
                assert why.reasons


def test_an_unknown_rotation_has_no_reasons_and_json_has_them_all() -> None:
    schedule = Schedule(plans=(plan(WEEK),), people=PEOPLE)
    assert explain(schedule, "nowhere", utc(NOON)) == []
    (answer,) = why_json(explain(schedule, "data", utc(NOON)))
    assert answer["people"] == ["ana"]
    assert answer["reasons"][0]["where"] == "Rotations!C2"
    assert why_text(Why("data", "lead", (), "", ()), PEOPLE) == "data lead: nobody"
