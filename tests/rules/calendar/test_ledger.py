"""What subscribers are told: sequences rise with changes only, history stays, the gone is told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.calendar.event import CalendarEvent, events_of
from rules.calendar.ledger import CANCELLED_FOR, Published, of_person, of_rotation, publish
from rules.rotation import Span

MON = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = 7 * DAY
SINCE = MON - 30 * DAY


def weeks(*people: str, start: datetime = MON) -> tuple[CalendarEvent, ...]:
    spans = [
        Span(start + n * WEEK, start + (n + 1) * WEEK, "data", "primary", (person,) * bool(person))
        for n, person in enumerate(people)
    ]
    return events_of(spans, start, start + 52 * WEEK)


def told(
    before: Sequence[Published], events: Sequence[CalendarEvent], now: datetime
) -> tuple[Published, ...]:
    return publish(before, events, now, now - 30 * DAY).published


def test_nothing_changed_changes_nothing() -> None:
    first = publish((), weeks("ana", "bo"), MON, SINCE)
    again = publish(first.published, weeks("ana", "bo"), MON + DAY, SINCE)
    assert again.published == first.published
    assert (again.changed, again.forgotten) == ((), ())
    assert {one.sequence for one in first.published} == {0}


def test_a_change_keeps_the_id_and_counts_up() -> None:
    first = told((), weeks("ana", "bo"), MON)
    second = publish(first, weeks("ana", "cy"), MON + DAY, SINCE)
    assert [one.event.id for one in second.published] == [one.event.id for one in first]
    (changed,) = second.changed
    assert (changed.sequence, changed.changed_at, changed.event.people) == (1, MON + DAY, ("cy",))


def test_who_lost_a_shift_is_told_for_thirty_days() -> None:
    first = told((), weeks("ana", "bo", "bo"), MON)
    second = told(first, weeks("ana", "bo", "cy"), MON + DAY)
    lost = of_person(second, "bo")
    assert [(one.cancelled, one.sequence) for one in lost] == [(False, 0), (True, 1)]
    assert [one.event.people for one in of_person(second, "cy")] == [("cy",)]
    assert len(of_rotation(second, "data")) == 3
    assert of_rotation(second, "other") == []
    late = told(second, weeks("ana", "bo", "cy"), MON + DAY + CANCELLED_FOR)
    assert [one.cancelled for one in of_person(late, "bo")] == [False]


def test_who_gets_a_shift_back_has_it() -> None:
    first = told((), weeks("ana", "bo"), MON)
    taken = told(first, weeks("ana", "cy"), MON + DAY)
    back = told(taken, weeks("ana", "bo"), MON + 2 * DAY)
    assert [(one.cancelled, one.sequence) for one in of_person(back, "bo")] == [(False, 2)]
    assert [one.cancelled for one in of_person(back, "cy")] == [True]


def test_what_is_gone_is_cancelled_then_forgotten_and_may_come_back() -> None:
    first = told((), weeks("ana", "bo"), MON)
    second = told(first, weeks("ana"), MON + DAY)
    assert [(one.cancelled, one.sequence) for one in second] == [(False, 0), (True, 1)]
    assert told(second, weeks("ana"), MON + 2 * DAY) == second
    again = told(second, weeks("ana", "bo"), MON + 2 * DAY)
    assert [(one.cancelled, one.sequence) for one in again] == [(False, 0), (False, 2)]
    later = publish(second, weeks("ana"), MON + DAY + CANCELLED_FOR, SINCE)
    assert later.forgotten == (second[1].event.id,)


def test_history_stays_though_the_roster_forgets_it() -> None:
    now = MON + WEEK
    first = told((), weeks("ana", "bo"), MON)
    second = publish(first, weeks("bo", start=MON + WEEK), now, now - 30 * DAY)
    assert second.published == first
    rewritten = told(first, weeks("cy", "bo"), now)
    assert rewritten == first
    end = MON + WEEK + 30 * DAY
    gone = publish(first, weeks("", "bo"), end, end - 30 * DAY)
    assert gone.forgotten == (first[0].event.id,)


def test_a_take_over_shortens_the_running_event() -> None:
    first = told((), weeks("ana"), MON)
    cut = MON + 2 * DAY
    spans = [
        Span(MON, cut, "data", "primary", ("ana",)),
        Span(cut, MON + WEEK, "data", "primary", ("bo",)),
    ]
    second = told(first, events_of(spans, MON, MON + WEEK), cut)
    assert [(o.event.end, o.event.people, o.sequence) for o in second] == [
        (cut, ("ana",), 1),
        (MON + WEEK, ("bo",), 0),
    ]
    after = told(second, weeks("ana"), MON + 8 * DAY)
    assert [one.event for one in after] == [one.event for one in second]


plans = st.lists(st.lists(st.sampled_from(["", "ana", "bo"]), min_size=3, max_size=3), max_size=6)


@given(plans)
def test_sequences_only_rise_and_the_living_are_the_plan(changes: list[list[str]]) -> None:
    published: tuple[Published, ...] = ()
    seen: dict[str, int] = {}
    now = MON - DAY
    for people in changes:
        events = weeks(*people)
        published = told(published, events, now)
        now += timedelta(hours=1)
        assert {one.event for one in published if not one.cancelled} == set(events)
        for one in published:
            assert one.sequence >= seen.get(one.event.id, 0)
            seen[one.event.id] = one.sequence
