"""What people do to an incident, and how they are refused."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from rules.effects import Page, ShowIncident, ShowPage
from rules.events import (
    AckConfirmed,
    Acked,
    Escalated,
    LoopedIn,
    PageDelivered,
    PageFailed,
    PersonEvent,
    Reassigned,
    Reopened,
    Resolved,
    Snoozed,
    Unacked,
    Unsnoozed,
    Woken,
)
from rules.incident import State
from rules.matching.matcher import Matcher, Operator
from rules.policy import AtLeast
from rules.sentence import plain
from rules.silence import Silence
from tests.rules.build import (
    ANA,
    BO,
    CY,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECONDARY,
    Night,
    make_book,
    page,
    pages,
)


def refusal(night: Night, event: PersonEvent) -> str:
    """Return the refusal in words, after checking that nothing else has happened."""
    before = night.incident
    decision = night.happens(event)
    assert decision.effects == ()
    assert decision.reasons == ()
    assert replace(decision.incident, version=before.version) == before
    assert decision.refusal is not None
    return decision.refusal.render(plain)


def test_an_ack_stops_the_pages_and_shows_who_has_it() -> None:
    night = Night()
    decision = night.happens(Acked(ANA))
    assert decision.incident.state is State.ACKNOWLEDGED
    assert decision.incident.acked_by == decision.incident.assigned_to == ANA
    assert decision.incident.step_due_at is None
    assert decision.effects == (ShowIncident(at_once=True), ShowPage(ANA))
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == []


def test_an_ack_one_second_before_a_step_is_due_stops_it() -> None:
    night = Night()
    night.happens(Acked(ANA), after=5 * MINUTE - timedelta(seconds=1))
    late = night.happens(Woken(), after=timedelta(seconds=1))
    assert late.effects == ()
    assert late.incident.state is State.ACKNOWLEDGED


def test_two_people_click_at_once_and_the_second_hears_who_has_it() -> None:
    night = Night()
    night.happens(Acked(ANA))
    assert refusal(night, Acked(BO)) == f"{ANA} already has #1. Reassign it to take it over."
    assert refusal(night, Acked(ANA)) == "You already have #1."
    assert night.incident.acked_by == ANA


def test_handing_back_pages_from_the_first_step() -> None:
    night = Night()
    night.happens(Acked(ANA))
    decision = night.happens(Unacked(ANA))
    assert decision.incident.state is State.TRIGGERED
    assert pages(decision) == [ANA]
    assert refusal(night, Unacked(ANA)) == "Nobody has acknowledged #1."


def test_who_is_asked_too_late_hands_back_nothing_of_another_s() -> None:
    night = Night()
    night.happens(Acked(BO))
    assert refusal(night, Unacked(ANA, of=ANA)) == f"{BO} has #1 now."
    assert night.happens(Unacked(BO, of=BO)).incident.state is State.TRIGGERED
    night.happens(Acked(BO))
    assert night.happens(Unacked(ANA)).incident.state is State.TRIGGERED


def test_resolving_keeps_the_note_and_stops_everything() -> None:
    night = Night()
    decision = night.happens(Resolved(BO, "reran it"))
    assert (decision.incident.resolved_by, decision.incident.note) == (BO, "reran it")
    assert decision.incident.wake_at is None
    assert decision.reasons[0].sentence.render(plain) == f"{BO} resolved it: reran it"


@pytest.mark.parametrize(
    "event",
    [
        Acked(ANA),
        AckConfirmed(ANA),
        Unacked(ANA),
        Resolved(ANA),
        Snoozed(ANA, NOW + HOUR),
        Unsnoozed(ANA),
        Reassigned(ANA, BO),
        Escalated(ANA),
        LoopedIn(ANA, BO),
    ],
)
def test_nothing_but_reopening_is_done_to_a_resolved_incident(event: PersonEvent) -> None:
    night = Night()
    night.happens(Resolved(BO))
    assert refusal(night, event) == f"#1 is already resolved by {BO}."


def test_reopening_triggers_and_pages_again() -> None:
    night = Night()
    assert refusal(night, Reopened(ANA)) == "#1 is still open."
    night.happens(Resolved(BO))
    decision = night.happens(Reopened(ANA, "still wrong"))
    assert decision.incident.state is State.TRIGGERED
    assert decision.incident.resolved_by == ""
    assert pages(decision) == [ANA]


def test_a_snooze_is_quiet_until_it_ends_and_then_pages_the_snoozer_too() -> None:
    night = Night()
    night.happens(Snoozed(BO, NOW + 2 * HOUR))
    assert night.incident.wake_at == NOW + 2 * HOUR
    assert pages(night.happens(Woken(), after=HOUR)) == []
    ended = night.happens(Woken(), after=HOUR)
    assert pages(ended) == [ANA, BO]
    assert ended.incident.snoozed_by == ""


@pytest.mark.parametrize("until", [NOW, NOW - MINUTE, NOW + 31 * DAY])
def test_a_snooze_ends_in_the_future_and_within_a_month(until: datetime) -> None:
    assert "within 30 days" in refusal(Night(), Snoozed(ANA, until))


def test_a_snooze_can_be_ended_early_and_the_ender_has_it() -> None:
    night = Night()
    assert refusal(night, Unsnoozed(ANA)) == "#1 is not snoozed."
    night.happens(Snoozed(BO, NOW + HOUR))
    night.happens(Unsnoozed(ANA))
    assert night.incident.acked_by == ANA
    assert night.incident.snoozed_until is None


def test_an_answer_to_an_old_question_does_not_shorten_a_snooze() -> None:
    night = Night()
    night.happens(Snoozed(ANA, NOW + 8 * HOUR))
    night.happens(AckConfirmed(ANA))
    assert night.incident.wake_at == NOW + 8 * HOUR


def test_somebody_else_may_ack_a_snoozed_incident() -> None:
    night = Night()
    night.happens(Snoozed(ANA, NOW + HOUR))
    assert night.happens(Acked(BO)).incident.acked_by == BO


def test_only_the_acker_can_confirm() -> None:
    night = Night()
    assert refusal(night, AckConfirmed(ANA)) == "Only the one who has #1 can confirm that."
    night.happens(Acked(ANA))
    assert refusal(night, AckConfirmed(BO)) == "Only the one who has #1 can confirm that."
    assert night.happens(AckConfirmed(ANA)).refusal is None


def test_reassigning_pages_the_new_one_and_then_the_policy() -> None:
    night = Night()
    night.happens(Acked(ANA))
    decision = night.happens(Reassigned(ANA, CY))
    assert decision.incident.assigned_to == CY
    assert decision.incident.state is State.TRIGGERED
    assert pages(decision) == [CY]
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == [ANA]


def test_a_page_to_the_new_one_that_fails_goes_on_at_once() -> None:
    night = Night()
    decision = night.happens(Reassigned(ANA, CY))
    (sent,) = [e for e in decision.effects if isinstance(e, Page)]
    assert pages(night.happens(PageFailed(CY, sent.key, "account_inactive"))) == [ANA]


def test_reassigning_to_oneself_is_an_ack() -> None:
    night = Night()
    night.happens(Acked(ANA))
    assert night.happens(Reassigned(BO, BO)).incident.acked_by == BO


def test_escalating_runs_the_next_step_now_and_ends_an_ack() -> None:
    night = Night()
    night.happens(Acked(ANA))
    decision = night.happens(Escalated(ANA))
    assert decision.incident.state is State.TRIGGERED
    assert pages(decision) == [BO]


def test_escalating_does_not_wait_for_a_threshold() -> None:
    night = Night(make_book(page(ANA), page(SECONDARY, only_if=AtLeast(50, HOUR))))
    assert pages(night.happens(Escalated(ANA))) == [BO]


def test_escalating_starts_a_policy_that_did_not_page() -> None:
    night = Night(make_book(pages=frozenset()))
    assert pages(night.happens(Escalated(BO))) == [ANA]
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == [BO]


def test_handing_what_paged_nobody_to_somebody_starts_the_policy_behind_them() -> None:
    night = Night(make_book(pages=frozenset()))
    assert pages(night.happens(Reassigned(ANA, CY))) == [CY]
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == [ANA]


def test_starting_over_forgets_where_the_policy_stood() -> None:
    night = Night(make_book(page(ANA)))
    night.happens(Woken(), after=5 * MINUTE)
    assert night.incident.exhausted
    night.happens(Acked(CY))
    again = night.happens(Unacked(CY)).incident
    assert pages(night.last) == [ANA]
    assert (again.exhausted, again.round, again.step, again.awaiting) == (False, 0, 1, (ANA,))


def test_looping_in_pages_one_more_even_after_an_ack() -> None:
    night = Night()
    night.happens(Acked(ANA))
    decision = night.happens(LoopedIn(ANA, CY))
    (sent,) = [e for e in decision.effects if isinstance(e, Page)]
    assert (sent.person, sent.force) == (CY, True)
    assert decision.incident.state is State.ACKNOWLEDGED
    again = night.happens(LoopedIn(ANA, CY))
    assert sent not in again.effects
    assert pages(again) == [CY]


@pytest.mark.parametrize("event", [Unacked(ANA), Reopened(ANA)])
def test_what_comes_back_under_a_silence_stays_silent(event: PersonEvent) -> None:
    matchers = (Matcher("dedup_key", Operator.EQUAL, "orders"),)
    night = Night()
    night.happens(Acked(ANA) if isinstance(event, Unacked) else Resolved(ANA))
    silence = Silence("s", matchers, NOW, NOW + HOUR, BO, "deploy")
    night.book = make_book(silences=(silence,))
    decision = night.happens(event)
    assert pages(decision) == []
    assert decision.incident.muted
    assert pages(night.happens(Woken(), after=HOUR)) == [ANA]


def test_a_delivered_page_is_noted_and_at_most_shown() -> None:
    night = Night()
    before = night.incident
    decision = night.happens(PageDelivered(ANA, "inc-1:0.0.0:" + ANA))
    assert set(decision.effects) <= {ShowIncident()}
    assert [reason.rule for reason in decision.reasons] == ["page.delivered"]
    assert replace(decision.incident, version=before.version) == before
