"""Events out of spans: stable ids without the person, whole seconds, gaps."""

import re
from datetime import UTC, datetime, timedelta

from rules.calendar.event import event_id, events_of, gaps_of, is_ours, summary_of
from rules.people import People, Person
from rules.rotation import OnCall, Span

MON = datetime(2026, 11, 23, 9, tzinfo=UTC)
WEEK = timedelta(days=7)


def span(at: datetime, *people: str, role: str = "primary", long: timedelta = WEEK) -> Span:
    return Span(at, at + long, "data", role, people)


def test_an_id_names_the_slot_and_not_the_person() -> None:
    ana = events_of([span(MON, "ana")], MON, MON + WEEK)[0]
    bo = events_of([span(MON, "bo")], MON, MON + WEEK)[0]
    other = events_of([span(MON, "ana", role="secondary")], MON, MON + WEEK)[0]
    assert ana.id == bo.id != other.id
    assert re.fullmatch(r"[a-v0-9]{5,1024}", ana.id)
    assert is_ours(ana.id)
    assert not is_ours("0123456789abcdefghijklmnop")


def test_an_id_never_changes_between_versions() -> None:
    assert event_id("data", "primary", MON) == "ocip99d3fq5uu2mb6ce4jpci9cgg7lmhr6"


def test_events_are_whole_spans_that_touch_the_window() -> None:
    spans = [span(MON + WEEK * n, "ana") for n in range(-2, 4)]
    found = events_of(spans, MON + timedelta(hours=1), MON + WEEK)
    assert [(event.start, event.end) for event in found] == [(MON, MON + WEEK)]


def test_fractions_of_a_second_leave_no_hole_and_no_overlap() -> None:
    cut = MON + timedelta(hours=1, microseconds=400_000)
    spans = [
        Span(MON, cut, "data", "primary", ("ana",)),
        Span(cut, cut + timedelta(microseconds=10), "data", "primary", ("cy",)),
        Span(cut + timedelta(microseconds=10), MON + WEEK, "data", "primary", ("bo",)),
    ]
    first, second = events_of(spans, MON, MON + WEEK)
    assert first.end == second.start == MON + timedelta(hours=1)
    assert (first.people, second.people) == (("ana",), ("bo",))


def test_a_gap_has_no_event_and_is_found() -> None:
    spans = [span(MON, "ana", long=timedelta(days=1)), span(MON + timedelta(days=2), "bo")]
    on_call = OnCall([*spans, span(MON + timedelta(days=1), long=timedelta(days=1))])
    assert len(events_of(on_call.all_spans(), MON, MON + WEEK)) == 2
    gaps = list(gaps_of(on_call, "data", "primary", MON - timedelta(hours=1), MON + 2 * WEEK))
    day = timedelta(days=1)
    assert gaps == [
        (MON - timedelta(hours=1), MON),
        (MON + day, MON + 2 * day),
        (MON + 9 * day, MON + 14 * day),
    ]


def test_a_summary_is_one_line_and_names_the_role_where_there_are_several() -> None:
    people = People([Person("ana", "Ana\r\nBEGIN:VALARM\x00 Ruiz")])
    event = events_of([span(MON, "ana", "bo@example.com")], MON, MON + WEEK)[0]
    assert summary_of(event, people, ("primary",)) == "Ana BEGIN:VALARM Ruiz, bo@example.com · data"
    assert summary_of(event, people, ("primary", "secondary")).endswith("· data primary")
