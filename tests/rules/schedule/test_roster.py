from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.people import People, Person
from rules.rotation import OnCall, Span
from rules.schedule.coverage import Gap, covers, gaps, overlaps
from rules.schedule.resolution import resolve_shifts
from rules.schedule.roster import Override, Shift

T0 = datetime(2026, 11, 16, 9, tzinfo=UTC)


def hours(n: float) -> datetime:
    return T0 + timedelta(hours=n)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def row(start: datetime, end: datetime, *people: str, role: str = "primary", n: int = 1) -> Shift:
    return Shift(
        rotation="data",
        role=role,
        start=start,
        end=end,
        people=people,
        source=f"row {n}",
        where=f"C{n}",
    )


def override(
    start: datetime, end: datetime, person: str, *, made: int = 0, role: str = "primary"
) -> Override:
    return Override(
        id=f"o{99 - made}",
        rotation="data",
        role=role,
        person=person,
        starts_at=start,
        ends_at=end,
        by=person,
        created_at=T0 + timedelta(seconds=made),
    )


def asked(on_call: OnCall, at: str) -> tuple[str, ...]:
    return on_call.at("data", "primary", utc(at))


def test_overlapping_rows_put_everybody_on_call_and_touching_rows_leave_no_gap() -> None:
    rows = [
        row(utc("2026-11-16T09:00Z"), utc("2026-11-18T09:00Z"), "ana", n=2),
        row(utc("2026-11-18T07:00Z"), utc("2026-11-20T09:00Z"), "bo", n=3),
        row(utc("2026-11-20T09:00Z"), utc("2026-11-21T09:00Z"), "cy", n=4),
    ]
    on_call = OnCall(resolve_shifts(rows))
    assert asked(on_call, "2026-11-18T06:59:59Z") == ("ana",)
    assert asked(on_call, "2026-11-18T07:00:00Z") == ("ana", "bo")
    assert asked(on_call, "2026-11-18T09:00:00Z") == ("bo",)
    assert asked(on_call, "2026-11-20T08:59:59Z") == ("bo",)
    assert asked(on_call, "2026-11-20T09:00:00Z") == ("cy",)
    assert asked(on_call, "2026-11-21T09:00:00Z") == ()
    assert gaps(on_call, rows[0].start, rows[2].end) == []
    (found,) = overlaps(rows)
    assert (found.start, found.end) == (utc("2026-11-18T07:00Z"), utc("2026-11-18T09:00Z"))
    both = on_call.span_at("data", "primary", found.start)
    assert both is not None
    assert both.source == "row 2 and row 3"


def test_people_of_overlapping_rows_are_ordered_by_start_then_end_then_row() -> None:
    rows = [
        row(hours(0), hours(10), "cy", n=2),
        row(hours(0), hours(8), "bo", n=3),
        row(hours(-1), hours(5), "ana", n=4),
        row(hours(0), hours(8), "di", n=5),
    ]
    assert OnCall(resolve_shifts(rows)).at("data", "primary", hours(1)) == ("ana", "bo", "di", "cy")


def test_an_override_splits_a_shift_in_three() -> None:
    rows = [row(utc("2026-11-16T08:00Z"), utc("2026-11-23T08:00Z"), "ana")]
    cover = override(utc("2026-11-18T09:15Z"), utc("2026-11-18T10:45Z"), "bo")
    on_call = OnCall(resolve_shifts(rows, [cover]))
    assert asked(on_call, "2026-11-18T09:14:59Z") == ("ana",)
    assert asked(on_call, "2026-11-18T09:15:00Z") == ("bo",)
    assert asked(on_call, "2026-11-18T10:44:59Z") == ("bo",)
    assert asked(on_call, "2026-11-18T10:45:00Z") == ("ana",)
    assert len(on_call.spans("data", "primary")) == 3


def test_a_take_over_begins_in_its_second_and_ends_with_the_shift() -> None:
    monday = utc("2026-11-23T08:00Z")
    rows = [
        row(utc("2026-11-16T08:00Z"), monday, "ana"),
        row(monday, utc("2026-11-30T08:00Z"), "bo"),
        row(utc("2026-11-30T08:00Z"), utc("2026-12-07T08:00Z"), "cy"),
    ]
    taken = override(utc("2026-11-18T10:07:33Z"), monday, "cy")
    on_call = OnCall(resolve_shifts(rows, [taken]))
    assert asked(on_call, "2026-11-18T10:07:32Z") == ("ana",)
    assert asked(on_call, "2026-11-18T10:07:33Z") == ("cy",)
    assert asked(on_call, "2026-11-23T07:59:59Z") == ("cy",)
    assert asked(on_call, "2026-11-23T08:00:00Z") == ("bo",)
    assert asked(on_call, "2026-11-30T08:00:00Z") == ("cy",)


def test_before_the_first_row_and_after_the_last_there_is_nobody() -> None:
    on_call = OnCall(
        resolve_shifts([row(utc("2026-11-16T08:00Z"), utc("2026-11-23T08:00Z"), "ana")])
    )
    assert asked(on_call, "2026-11-16T07:59:59Z") == ()
    assert asked(on_call, "2026-11-16T08:00:00Z") == ("ana",)
    assert asked(on_call, "2026-11-23T07:59:59Z") == ("ana",)
    assert asked(on_call, "2026-11-23T08:00:00Z") == ()


def test_of_two_overrides_the_one_made_last_holds() -> None:
    early = override(hours(0), hours(8), "bo", made=1)
    late = override(hours(4), hours(12), "cy", made=2)
    on_call = OnCall(resolve_shifts([row(hours(0), hours(24), "ana")], [late, early]))
    assert on_call.at("data", "primary", hours(3)) == ("bo",)
    assert on_call.at("data", "primary", hours(5)) == ("cy",)
    assert on_call.at("data", "primary", hours(13)) == ("ana",)


def test_an_override_covers_a_time_that_nobody_had() -> None:
    on_call = OnCall(resolve_shifts([], [override(hours(0), hours(1), "bo")]))
    assert on_call.at("data", "primary", hours(0)) == ("bo",)
    assert on_call.at("data", "primary", hours(1)) == ()


def test_an_override_of_one_role_leaves_the_other_alone() -> None:
    rows = [row(hours(0), hours(9), "ana"), row(hours(0), hours(9), "bo", role="secondary")]
    on_call = OnCall(resolve_shifts(rows, [override(hours(0), hours(9), "cy", role="secondary")]))
    assert on_call.at("data", "primary", hours(1)) == ("ana",)
    assert on_call.at("data", "secondary", hours(1)) == ("cy",)


@pytest.mark.parametrize(
    ("starts", "words"),
    [
        ("2026-11-18T10:00Z", "override by Bo Chen, 11:07"),
        ("2026-11-19T10:00Z", "override by Bo Chen, 2026-11-18 11:07"),
    ],
)
def test_an_override_says_who_made_it_and_when_in_local_time(starts: str, words: str) -> None:
    made = Override(
        id="1",
        rotation="data",
        role="primary",
        person="ana",
        starts_at=utc(starts),
        ends_at=utc(starts) + timedelta(hours=1),
        by="bo@example.com",
        created_at=utc("2026-11-18T10:07Z"),
    )
    people = People([Person("bo@example.com", "Bo Chen", "bo@example.com")])
    (span,) = resolve_shifts([], [made], people=people, zones={"data": "Europe/Berlin"})
    assert span.source == words


def test_rows_and_overrides_without_length_change_nothing() -> None:
    rows = [row(hours(0), hours(5), "ana"), row(hours(2), hours(2), "bo")]
    backwards = override(hours(4), hours(1), "cy")
    assert resolve_shifts(rows, [backwards]) == resolve_shifts(rows[:1])


def test_gaps_are_found_before_between_and_after() -> None:
    spans = [
        Span(hours(2), hours(4), "data", "primary", ("ana",)),
        Span(hours(4), hours(5), "data", "primary", ()),
        Span(hours(6), hours(8), "data", "primary", ("bo",)),
    ]
    found = gaps(OnCall(spans), hours(0), hours(10))
    assert found == [
        Gap("data", "primary", hours(0), hours(2)),
        Gap("data", "primary", hours(4), hours(6)),
        Gap("data", "primary", hours(8), hours(10)),
    ]


def test_one_person_in_two_roles_at_once_is_found() -> None:
    rows = [row(hours(0), hours(4), "ana"), row(hours(2), hours(6), "ana", role="secondary", n=2)]
    (found,) = overlaps(rows)
    assert (found.first.role, found.second.role) == ("primary", "secondary")
    assert (found.start, found.end) == (hours(2), hours(4))


def test_overlaps_of_a_hostile_roster_are_bounded() -> None:
    assert len(list(overlaps([row(hours(0), hours(9), "ana") for _ in range(500)]))) == 100


def test_cover_counts_only_rows_that_have_somebody() -> None:
    assert covers([row(hours(0), hours(2), "ana")], hours(1), hours(3))
    assert not covers([row(hours(0), hours(2), "ana")], hours(2), hours(3))
    assert not covers([row(hours(0), hours(2))], hours(0), hours(3))


INSTANTS = st.integers(0, 60)
PEOPLE = st.sampled_from(["ana", "bo", "cy", "di"])
STRETCHES = st.tuples(INSTANTS, st.integers(0, 20), PEOPLE, st.sampled_from(["primary", "backup"]))


def rows_of(stretches: list[tuple[int, int, str, str]]) -> list[Shift]:
    return [
        row(hours(start), hours(start + length), person, role=role, n=n)
        for n, (start, length, person, role) in enumerate(stretches)
    ]


def overrides_of(stretches: list[tuple[int, int, str, str]]) -> list[Override]:
    return [
        override(hours(start), hours(start + length), person, made=n, role=role)
        for n, (start, length, person, role) in enumerate(stretches)
    ]


def by_hand(
    rows: list[Shift], overrides: list[Override], role: str, at: datetime
) -> tuple[str, ...]:
    laid = [o for o in overrides if o.role == role and o.starts_at <= at < o.ends_at]
    if laid:
        return (max(laid, key=lambda o: o.created_at).person,)
    holding = [r for r in rows if r.role == role and r.start <= at < r.end]
    ordered = sorted(holding, key=lambda r: (r.start, r.end))
    return tuple(dict.fromkeys(person for r in ordered for person in r.people))


@given(st.lists(STRETCHES, max_size=8), st.lists(STRETCHES, max_size=5))
def test_resolving_equals_asking_row_by_row_at_every_instant(
    rows_drawn: list[tuple[int, int, str, str]], overrides_drawn: list[tuple[int, int, str, str]]
) -> None:
    rows, laid = rows_of(rows_drawn), overrides_of(overrides_drawn)
    on_call = OnCall(resolve_shifts(rows, laid))
    for quarter in range(-2, 170):
        at = hours(quarter / 2)
        for role in ("primary", "backup"):
            assert on_call.at("data", role, at) == by_hand(rows, laid, role, at)


@given(st.lists(STRETCHES, max_size=8), st.lists(STRETCHES, max_size=5))
def test_spans_of_a_role_never_overlap_and_always_have_length_and_source(
    rows_drawn: list[tuple[int, int, str, str]], overrides_drawn: list[tuple[int, int, str, str]]
) -> None:
    spans = resolve_shifts(rows_of(rows_drawn), overrides_of(overrides_drawn))
    for role in ("primary", "backup"):
        own = [span for span in spans if span.role == role]
        assert all(a.end <= b.start for a, b in pairwise(own))
        assert all(span.start < span.end and span.source and span.people for span in own)


@given(st.lists(STRETCHES, max_size=8), st.lists(STRETCHES, min_size=1, max_size=5))
def test_outside_every_override_the_answer_is_the_one_without_them(
    rows_drawn: list[tuple[int, int, str, str]], overrides_drawn: list[tuple[int, int, str, str]]
) -> None:
    rows, laid = rows_of(rows_drawn), overrides_of(overrides_drawn)
    plain, covered = OnCall(resolve_shifts(rows)), OnCall(resolve_shifts(rows, laid))
    for quarter in range(170):
        at = hours(quarter / 2)
        if not any(o.starts_at <= at < o.ends_at for o in laid):
            assert plain.at("data", "primary", at) == covered.at("data", "primary", at)
