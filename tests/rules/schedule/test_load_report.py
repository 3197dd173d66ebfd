"""The load against a fair share, and a proposal that evens it out and explains itself."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.people import People, Person
from rules.rotation import OnCall
from rules.schedule.coverage import double_booked
from rules.schedule.evening_out import MIN_REST, proposal_rows, proposal_text, propose
from rules.schedule.fairness import Kind
from rules.schedule.load_report import (
    Facts,
    PersonLoad,
    nights_woken,
    only,
    report,
    report_json,
    report_text,
)
from rules.schedule.resolution import on_call
from rules.schedule.roster import (
    ALWAYS,
    Away,
    Holiday,
    Override,
    OverrideKind,
    RotationPlan,
    Schedule,
    Shift,
    plans_of,
)
from tests.stories.rota import monday, week, weekly

START, END = monday(-1), monday(12)
ZONED = People([Person("ana", "Ana", "ana@example.com", zone="America/New_York")])


def answered(schedule: Schedule) -> OnCall:
    return on_call(schedule, START, END, whole=True)


def weeks(*people: str) -> Schedule:
    """Return a week of primary for each, from week 0."""
    shifts = [
        Shift(rotation="data", role="primary", start=week(n).starts_at, end=week(n).ends_at,
              people=(who,), source=f"row {n + 2}")
        for n, who in enumerate(people)
    ]  # fmt: skip
    return Schedule(plans=tuple(plans_of(shifts)))


def test_an_even_rotation_is_even() -> None:
    schedule = weekly()
    shown = report(answered(schedule), Facts(schedule=schedule, people=People()), monday(),
                   monday(6))  # fmt: skip
    assert shown.evenness > 0.99
    assert [round(row.fair, 3) for row in shown.people] == [0.333] * 3
    assert sum(row.share for row in shown.people) == pytest.approx(1.0)


def test_who_is_away_or_part_time_owes_less() -> None:
    schedule = Schedule(
        plans=weeks("ana", "bo", "cy", "ana").plans,
        away=(Away(person="cy", start=monday(), end=monday(2)),),
        weights={"bo": 0.5},
    )
    facts = Facts(schedule=schedule, people=People())
    rows = {r.person: r for r in report(answered(schedule), facts, monday(), monday(4)).people}
    assert [rows[p].able for p in ("ana", "bo", "cy")] == [1.0, 0.5, 0.5]
    assert rows["ana"].fair == pytest.approx(0.5)


def test_nights_are_counted_once_and_by_the_persons_own_clock() -> None:
    def at(hour: int, day: int = 24) -> datetime:
        return datetime(2026, 11, day, hour, 30, tzinfo=UTC)

    pages = [("ana", at(4)), ("ana", at(5)), ("ana", at(14)), ("ana", at(3, 25)), ("bo", at(4))]
    facts = Facts(schedule=Schedule(), people=ZONED, pages=pages)
    assert nights_woken("ana", facts, {}) == {date(2026, 11, 23), date(2026, 11, 24)}


def test_a_time_of_no_length_has_nobody_owe_anything() -> None:
    schedule = weekly()
    shown = report(answered(schedule), Facts(schedule=schedule, people=People()), monday(),
                   monday())  # fmt: skip
    assert {(row.able, row.fair, row.load.hours) for row in shown.people} == {(0.0, 0.0, 0)}


def test_the_report_is_a_table_and_json() -> None:
    schedule = weeks("ana", "bo")
    facts = Facts(schedule=schedule, people=ZONED, pages=[("ana", monday())])
    shown = report(only(answered(schedule), "data"), facts, monday(), monday(2), rotation="data")
    text = report_text(shown, ZONED)
    assert text.splitlines()[0].split() == [
        "weekday", "night", "weekend", "holiday", "hours", "share", "fair", "pages", "woken",
    ]  # fmt: skip
    assert "Evenness 100%" in text
    ana = next(row for row in report_json(shown)["people"] if row["person"] == "ana")
    assert (ana["pages"], sum(ana["hours"].values()), ana["fair"]) == (1, 168.0, 0.5)
    nothing = report(OnCall(), facts, monday(), monday(2))
    assert report_text(nothing, ZONED) == "Nobody takes part in it."


def test_a_proposal_gives_the_overloaded_turns_to_who_has_rested() -> None:
    schedule = weeks("ana", "ana", "bo", "ana", "cy", "ana")
    found = propose(answered(schedule), schedule, (monday(), monday(3)), (monday(3), monday(6)))
    assert found.after > found.before
    assert found.moves
    assert all(move.giver == "ana" for move in found.moves)
    (said,) = [line for line in proposal_text(found, People()).splitlines() if "becomes" in line]
    assert "Nothing is changed by this." in said
    rows = proposal_rows(found, People()).splitlines()
    assert rows[0] == "Rotation,Role,Start,End,Person,Instead of,Why"
    assert rows[1].startswith("data,primary,2026-12-28T08:00Z,2027-01-04T08:00Z,bo,ana,")


def test_nobody_is_given_a_turn_who_is_on_call_elsewhere_then() -> None:
    mine = weeks("ana", "ana", "bo", "ana", "ana", "ana")
    others = [
        Shift(rotation="ml", role="primary", start=week(n).starts_at, end=week(n).ends_at,
              people=("bo",))
        for n in range(3, 6)
    ]  # fmt: skip
    both = answered(Schedule(plans=(*mine.plans, *plans_of(others))))
    alone, past, ahead = only(both, "data"), (monday(), monday(3)), (monday(3), monday(6))
    assert propose(alone, mine, past, ahead).moves, "as if the other rotation were not there"
    assert propose(alone, mine, past, ahead, everything=both).moves == ()


def test_what_people_settled_stays() -> None:
    schedule = weeks("ana", "ana", "ana", "bo")
    settled = Override(
        id="1", rotation="data", role="primary", person="ana", starts_at=week(2).starts_at,
        ends_at=week(2).ends_at, by="ana", created_at=monday(), kind=OverrideKind.COVER,
    )  # fmt: skip
    held = answered(schedule.with_changes([settled]))
    found = propose(held, schedule, (monday(), monday(2)), (monday(2), monday(4)))
    assert found.moves == ()
    assert "cannot be made much more even" in proposal_text(found, People())


@given(
    st.lists(st.sampled_from(["ana", "bo", "cy", "dee"]), min_size=4, max_size=10),
    st.integers(1, 8),
    st.sampled_from(["ana", "bo", "cy"]),
    st.integers(0, 9),
)
def test_a_proposal_is_the_same_again_and_respects_everybody(
    order: list[str], now: int, gone: str, when: int
) -> None:
    away = Away(person=gone, start=monday(when), end=monday(when + 1))
    schedule = Schedule(plans=weeks(*order).plans, away=(away,))
    held = answered(schedule)
    ahead = (monday(now), monday(now + 4))
    found = propose(held, schedule, (monday(), monday(now)), ahead)
    assert propose(held, schedule, (monday(), monday(now)), ahead) == found
    assert found.after >= found.before
    laid = [
        Override(
            id=str(n), rotation="data", role="primary", person=move.taker,
            instead_of=move.giver, starts_at=move.slot.starts_at, ends_at=move.slot.ends_at,
            by="lead", created_at=monday(), kind=OverrideKind.REPLACE,
        )
        for n, move in enumerate(found.moves)
    ]  # fmt: skip
    after = answered(schedule.with_changes(laid))
    assert double_booked(after, START, END) == double_booked(held, START, END)
    for move in found.moves:
        assert move.slot.starts_at >= ahead[0]
        assert not (move.taker == gone and move.slot.starts_at == away.start)
        turns = [s for s in after.spans("data", "primary") if move.taker in s.people]
        near = [s for s in turns if s.start != move.slot.starts_at]
        rest = MIN_REST - timedelta(seconds=1)
        assert all(
            s.end <= move.slot.starts_at - rest or s.start >= move.slot.ends_at + rest for s in near
        )


def turns_of(*people: str, since: datetime = ALWAYS) -> RotationPlan:
    """Return a version of weekly turns, in force from `since`."""
    plan = weekly().plans[0]
    layer = replace(plan.layers[0], order=tuple((who,) for who in people))
    return replace(plan, layers=(layer,), valid_from=since)


def shown_by(schedule: Schedule) -> dict[str, PersonLoad]:
    facts = Facts(schedule=schedule, people=People())
    return {r.person: r for r in report(answered(schedule), facts, monday(), monday(4)).people}


def proposed_by(schedule: Schedule) -> set[str]:
    """Return who would be given turns in weeks 4 to 7, to even out weeks 0 to 7."""
    found = propose(answered(schedule), schedule, (monday(), monday(4)), (monday(4), monday(8)))
    return {move.taker for move in found.moves}


def test_who_left_owes_for_their_time_only_and_is_given_nothing() -> None:
    schedule = Schedule(plans=(turns_of("ana", "bo", "cy"), turns_of("ana", "bo", since=monday(3))))
    rows = shown_by(schedule)
    assert rows["cy"].able == 0.75
    assert rows["cy"].fair == pytest.approx(0.75 / 2.75)
    assert "cy" not in proposed_by(schedule)


def test_who_joined_makes_up_for_no_time_before_that() -> None:
    crew = ("ana", "bo", "cy")
    joined = turns_of(*crew, "dee", since=monday(4))
    schedule = Schedule(plans=(turns_of(*crew), joined))
    assert {who: row.able for who, row in shown_by(schedule).items()} == {
        "ana": 1.0, "bo": 1.0, "cy": 1.0, "dee": 0.0,
    }  # fmt: skip
    assert "dee" not in proposed_by(schedule)


def test_who_helped_out_once_owes_nothing() -> None:
    helped = Override(
        id="1", rotation="data", role="primary", person="lead", starts_at=monday(2),
        ends_at=monday(2) + timedelta(hours=2), by="lead", created_at=monday(2),
    )  # fmt: skip
    schedule = Schedule(plans=(turns_of("ana", "bo", "cy"),)).with_changes([helped])
    rows = shown_by(schedule)
    assert (rows["lead"].load.hours, rows["lead"].fair) == (2, 0)
    assert rows["ana"].fair == pytest.approx(1 / 3)
    assert proposed_by(schedule) == set()


def test_rows_that_are_cleared_away_take_nobody_out() -> None:
    whole = weeks("ana", "bo", "cy", "ana", "bo", "cy").plans[0]
    rest = replace(whole, shifts=whole.shifts[4:], valid_from=monday(3))
    rows = shown_by(Schedule(plans=(whole, rest)))
    assert {row.able for row in rows.values()} == {1.0}


def test_a_holiday_that_has_passed_stays_one_in_the_next_years_list() -> None:
    first = (Holiday(day=date(2026, 11, 26)), Holiday(day=date(2026, 12, 10)))
    old = replace(turns_of("ana", "bo"), holidays=first)
    new = replace(old, holidays=(Holiday(day=date(2027, 1, 1)),), valid_from=monday(2))
    rows = shown_by(Schedule(plans=(old, new)))
    assert sum(row.load.time[Kind.HOLIDAY] / timedelta(hours=1) for row in rows.values()) == 24


@pytest.mark.parametrize(("zone", "woken"), [("UTC", 1), ("America/New_York", 0)])
def test_who_has_no_zone_is_woken_where_their_shifts_are(zone: str, woken: int) -> None:
    plan = turns_of("ana", "bo")
    layer = replace(plan.layers[0], zone="Pacific/Auckland")
    schedule = Schedule(plans=(replace(plan, layers=(layer,)),))
    pages = [("ana", datetime(2026, 11, 24, 13, tzinfo=UTC))]  # 02:00 in Auckland
    facts = Facts(schedule=schedule, people=People([Person("ana", "Ana", zone=zone)]), pages=pages)
    rows = report(answered(schedule), facts, monday(), monday(4)).people
    assert {row.person: row.woken for row in rows} == {"ana": woken, "bo": 0}


def test_holidays_of_other_places_are_none_where_the_rotation_says_of_which_it_has() -> None:
    days = (
        Holiday(day=date(2026, 11, 26), place="Berlin"),
        Holiday(day=date(2026, 11, 27), place="London"),
    )
    plan = replace(turns_of("ana", "bo"), holidays=days)
    placed = replace(plan.layers[0], place="Berlin")

    def holiday_hours(plan: RotationPlan) -> float:
        rows = shown_by(Schedule(plans=(plan,))).values()
        return sum(row.load.time[Kind.HOLIDAY] / timedelta(hours=1) for row in rows)

    assert holiday_hours(plan) == 48
    assert holiday_hours(replace(plan, layers=(placed,))) == 24


def test_an_absence_that_was_taken_back_is_none() -> None:
    trip = Away(person="cy", start=monday(1), end=monday(5))
    old = replace(turns_of("ana", "bo", "cy"), away=(trip,))
    new = replace(old, away=(), valid_from=monday(2))
    schedule = Schedule(plans=(old, new))
    assert schedule.absences == (replace(trip, end=monday(2)),)
    assert shown_by(schedule)["cy"].able == 0.75
    longer = replace(new, away=(replace(trip, end=monday(6)),))
    assert Schedule(plans=(old, longer)).absences == (replace(trip, end=monday(6)),)
