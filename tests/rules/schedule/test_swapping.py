"""Swaps and cover as properties: hours are conserved, and nothing outside the interval changes."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.rotation import OnCall, Span
from rules.schedule import covering, swapping
from rules.schedule.covering import Covered, CoverRequest
from rules.schedule.held import Slot, has_all, held_text, holders
from rules.schedule.resolution import on_call, resolve
from rules.schedule.roster import Schedule
from rules.schedule.swapping import SwapRequest, SwapState
from rules.sentence import Sentence
from tests.stories.rota import PEOPLE, hours, monday, week, weekly

START, END = monday(-1), monday(12)
NOW = monday() + timedelta(hours=1)


def answered(schedule: Schedule) -> OnCall:
    return on_call(schedule, START, END, whole=True)


def request(mine: Slot, theirs: Slot, asker: str, other: str) -> SwapRequest:
    return SwapRequest(id="s", asker=asker, other=other, mine=mine, theirs=theirs, asked_at=NOW)


slots = st.builds(
    week, st.integers(0, 9), st.sampled_from(["primary", "secondary"]), st.just("data")
)


@given(slots, slots, st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))
def test_a_swap_conserves_hours_and_changes_nothing_else(
    mine: Slot, theirs: Slot, asker: str, other: str
) -> None:
    before = answered(weekly())
    asked = swapping.ask(before, request(mine, theirs, asker, other), (), NOW)
    if isinstance(asked, Sentence):
        return
    agreed = swapping.answer(asked, other, before, NOW, accepted=True)
    assert isinstance(agreed, SwapRequest)
    after = answered(weekly().with_changes(agreed.legs()))
    assert sum(hours(after, START, END).values()) == sum(hours(before, START, END).values())
    for person in PEOPLE:
        if person not in {asker, other}:
            assert hours(after, START, END).get(person) == hours(before, START, END).get(person)
    assert has_all(after, other, mine)
    assert has_all(after, asker, theirs)
    _same_outside(before, after, (mine, theirs))


def _same_outside(before: OnCall, after: OnCall, inside: tuple[Slot, ...]) -> None:
    for role in ("primary", "secondary"):
        at = START
        while at < END:
            touched = any(s.role == role and s.starts_at <= at < s.ends_at for s in inside)
            if not touched:
                assert after.at("data", role, at) == before.at("data", role, at), (role, at)
            at += timedelta(hours=12)


@given(st.integers(0, 9), st.integers(0, 160), st.integers(1, 168), st.sampled_from(PEOPLE))
def test_cover_changes_the_slot_and_nothing_else(
    number: int, begins: int, lasts: int, taker: str
) -> None:
    whole = week(number)
    start = whole.starts_at + timedelta(hours=begins)
    slot = replace(whole, starts_at=start, ends_at=start + timedelta(hours=lasts))
    before = answered(weekly())
    asker = before.at("data", "primary", max(slot.starts_at, NOW))[0]
    wanted = CoverRequest(id="c", slot=slot, person=asker, asked_at=NOW, expires_at=slot.ends_at)
    asked = covering.ask(before, wanted, (), NOW)
    if isinstance(asked, Sentence):
        return
    taken = covering.accept(asked, taker, before, NOW, "o")
    if isinstance(taken, Sentence):
        assert taker == asker
        return
    after = answered(weekly().with_changes([taken.override]))
    _same_outside(before, after, (slot,))
    assert asker not in holders(after, asked.slot)
    assert sum(hours(after, START, END).values()) == sum(hours(before, START, END).values())


@given(st.lists(st.sampled_from(["accept", "again", "withdraw"]), max_size=8),
       st.lists(st.sampled_from(PEOPLE), min_size=8, max_size=8),
       st.lists(st.integers(0, 200), min_size=8, max_size=8))  # fmt: skip
def test_a_request_is_taken_at_most_once_and_never_after_its_end(
    acts: list[str], people: list[str], pauses: list[int]
) -> None:
    before = answered(weekly())
    wanted = CoverRequest(
        id="c", slot=week(1), person="bo", asked_at=NOW, expires_at=week(1).ends_at
    )
    current = covering.ask(before, wanted, (), NOW)
    assert isinstance(current, CoverRequest)
    now, taken = NOW, 0
    for act, who, pause in zip(acts, people, pauses, strict=False):
        now += timedelta(hours=pause)
        after = _acted(act, current, who, before, now)
        if isinstance(after, Covered):
            taken += 1
            assert now < current.expires_at
            current = after.request
        elif isinstance(after, CoverRequest):
            current = after
    assert taken <= 1


def _acted(
    act: str, current: CoverRequest, who: str, before: OnCall, now: datetime
) -> CoverRequest | Covered | Sentence:
    if act == "accept":
        return covering.accept(current, who, before, now, "o")
    if act == "again":
        return covering.ask_again(current, who, now)
    return covering.withdraw(current, who, now)


def test_nobody_can_swap_a_shift_they_share() -> None:
    together = OnCall([Span(monday(1), monday(2), "data", "primary", ("ana", "bo"))])
    refused = swapping.ask(together, request(week(1), week(1), "ana", "bo"), (), NOW)
    assert isinstance(refused, Sentence)
    assert "together" in refused.template


def test_reminders_leave_the_first_hours_and_the_end_alone() -> None:
    asked = request(week(1), week(2), "bo", "cy")
    due = swapping.reminders(asked, NOW)
    assert due == sorted(due)
    assert all(NOW + timedelta(hours=2) <= when < asked.expires_at for when in due)
    assert swapping.reminders(asked, monday(1) - timedelta(hours=3)) == []


def test_an_expired_swap_is_in_no_way_in_force() -> None:
    asked = request(week(1), week(2), "bo", "cy")
    assert asked.state_at(monday(1)) is SwapState.EXPIRED
    assert asked.legs() == ()
    assert resolve(weekly().with_changes(asked.legs()), START, END) == resolve(weekly(), START, END)


def test_who_had_it_is_said_in_order_with_gaps() -> None:
    day = timedelta(days=1)
    spans = [
        Span(monday(), monday() + day, "data", "primary", ("ana",)),
        Span(monday() + 2 * day, monday() + 3 * day, "data", "primary", ("bo", "cy")),
    ]
    assert held_text(OnCall(spans), week(0)) == "ana, then nobody, then bo and cy, then nobody"
