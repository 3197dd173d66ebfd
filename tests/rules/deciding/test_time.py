"""What the passing of time does: due steps, late wake-ups, expiring acks, silences that end."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from rules.effects import AskAcker, Page, ShowIncident
from rules.events import AckConfirmed, Acked, Muted, Resolved, Snoozed, Unmuted, Woken
from rules.hours import Hours
from rules.incident import State
from rules.matching.matcher import Matcher, Operator
from rules.silence import MaintenanceWindow, Silence
from tests.rules.build import (
    ANA,
    BO,
    CY,
    HOUR,
    MINUTE,
    NOW,
    Night,
    make_alert,
    make_book,
    make_incident,
    opened,
    pages,
)

ORDERS = (Matcher("dedup_key", Operator.EQUAL, "orders"),)


def silence(length: timedelta = HOUR, start: datetime = NOW) -> Silence:
    return Silence("s1", ORDERS, start, start + length, BO, "deploy")


def test_a_wake_up_before_its_time_changes_nothing() -> None:
    night = Night()
    early = night.happens(Woken(), after=5 * MINUTE - timedelta(microseconds=1))
    assert early.effects == ()
    assert early.reasons == ()


def test_a_due_step_runs_once_and_not_again_at_the_same_instant() -> None:
    night = Night()
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == [BO]
    before = night.incident
    assert night.happens(Woken()).effects == ()
    assert replace(night.incident, version=before.version) == before


def test_after_a_long_outage_one_step_runs_and_the_next_waits_its_time() -> None:
    night = Night()
    assert pages(night.happens(Woken(), after=9 * HOUR)) == [BO]
    assert night.incident.step_due_at == NOW + 9 * HOUR + 10 * MINUTE


def test_a_wake_up_of_a_resolved_incident_changes_nothing() -> None:
    night = Night()
    night.happens(Resolved(ANA))
    assert night.happens(Woken(), after=10 * HOUR).effects == ()


def acked() -> Night:
    night = Night(make_book(ack_timeout=2 * HOUR, ack_confirm=10 * MINUTE))
    night.happens(Acked(BO))
    return night


def test_an_ack_that_gets_old_is_asked_about() -> None:
    night = acked()
    decision = night.happens(Woken(), after=2 * HOUR)
    (ask,) = [e for e in decision.effects if isinstance(e, AskAcker)]
    assert ask.person == BO
    assert decision.incident.state is State.ACKNOWLEDGED
    assert decision.incident.wake_at == NOW + 2 * HOUR + 10 * MINUTE


def test_an_acker_who_answers_keeps_it_for_another_while() -> None:
    night = acked()
    night.happens(Woken(), after=2 * HOUR)
    night.happens(AckConfirmed(BO), after=5 * MINUTE)
    assert night.incident.wake_at == NOW + 4 * HOUR + 5 * MINUTE
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == []


def test_an_acker_who_does_not_answer_loses_it_and_is_paged_too() -> None:
    night = acked()
    night.happens(Woken(), after=2 * HOUR)
    decision = night.happens(Woken(), after=10 * MINUTE)
    assert decision.incident.state is State.TRIGGERED
    assert pages(decision) == [ANA, BO]


def test_the_acker_who_is_also_on_call_is_paged_once() -> None:
    night = Night(make_book(ack_timeout=2 * HOUR, ack_confirm=10 * MINUTE))
    night.happens(Acked(ANA))
    night.happens(Woken(), after=2 * HOUR)
    assert pages(night.happens(Woken(), after=10 * MINUTE)) == [ANA]


def test_an_ack_without_a_timeout_lasts() -> None:
    night = Night(make_book(ack_timeout=None))
    night.happens(Acked(ANA))
    assert night.incident.wake_at is None


def test_what_pages_nobody_has_no_expiring_ack() -> None:
    night = Night(make_book(pages=frozenset()))
    night.happens(Acked(ANA))
    assert night.incident.wake_at is None


def test_a_silence_made_later_stops_the_pages_and_ends_by_itself() -> None:
    night = Night()
    decision = night.happens(Muted(BO, NOW + HOUR, "deploy"))
    assert ShowIncident(at_once=True) in decision.effects
    assert night.incident.wake_at == NOW + HOUR
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == []
    ended = night.happens(Woken(), after=55 * MINUTE)
    assert pages(ended) == [ANA]
    assert ended.incident.muted is None


def test_a_silence_ended_by_hand_pages_at_once() -> None:
    night = Night()
    night.happens(Muted(BO, NOW + HOUR, "deploy"))
    assert pages(night.happens(Unmuted(CY), after=MINUTE)) == [ANA]


def test_a_silence_that_ends_under_a_longer_one_stays_silent() -> None:
    night = Night(make_book(silences=(silence(2 * HOUR),)))
    night.happens(Muted(BO, NOW + HOUR, "deploy"))
    assert pages(night.happens(Woken(), after=HOUR)) == []
    assert night.incident.wake_at == NOW + 2 * HOUR
    assert pages(night.happens(Woken(), after=HOUR)) == [ANA]


def test_resolved_under_a_silence_made_later_the_message_says_so() -> None:
    night = Night()
    night.happens(Muted(BO, NOW + HOUR, "deploy"))
    assert ShowIncident(at_once=True) in night.resolves().effects


@pytest.mark.parametrize("until", [NOW, NOW - MINUTE])
def test_a_silence_that_is_over_mutes_nothing(until: datetime) -> None:
    night = Night()
    assert night.happens(Muted(BO, until, "late")).incident.muted is None


def test_a_silence_leaves_what_somebody_has() -> None:
    night = Night()
    night.happens(Acked(ANA))
    assert night.happens(Muted(BO, NOW + HOUR, "deploy")).incident.muted is None


def test_who_takes_a_silenced_incident_keeps_it_when_the_silence_ends() -> None:
    night = Night(make_book(ack_timeout=None))
    night.happens(Muted(BO, NOW + HOUR, "deploy"))
    night.happens(Acked(CY))
    decision = night.happens(Woken(), after=HOUR)
    assert pages(decision) == []
    assert (decision.incident.state, decision.incident.acked_by) == (State.ACKNOWLEDGED, CY)
    assert decision.incident.wake_at is None


def test_a_snooze_that_ends_under_a_silence_pages_nobody_until_that_ends() -> None:
    night = Night(make_book(silences=(silence(3 * HOUR, NOW + MINUTE),)))
    night.happens(Snoozed(ANA, NOW + HOUR))
    assert pages(night.happens(Woken(), after=HOUR)) == []
    assert night.incident.wake_at == NOW + 3 * HOUR + MINUTE
    assert pages(night.happens(Woken(), after=2 * HOUR + MINUTE)) == [ANA]


def test_an_ack_that_expires_under_a_silence_pages_nobody() -> None:
    night = Night(make_book(silences=(silence(9 * HOUR, NOW + MINUTE),), ack_timeout=HOUR))
    night.happens(Acked(BO))
    night.happens(Woken(), after=HOUR)
    assert pages(night.happens(Woken(), after=HOUR)) == []
    assert night.incident.muted


def test_a_maintenance_window_across_midnight_mutes_until_it_closes() -> None:
    hours = Hours(time(22), time(6), "Europe/Berlin", ("sun",))
    window = MaintenanceWindow("cluster upgrade", ORDERS, hours=hours)
    night = Night(make_book(windows=(window,)))
    closes = datetime(2026, 11, 23, 5, tzinfo=UTC)
    assert night.incident.muted
    assert night.incident.muted.until == closes
    assert night.incident.muted.why == "maintenance window cluster upgrade"
    assert pages(night.happens(Woken(), after=closes - NOW)) == [ANA]


def test_several_overdue_timers_are_done_in_one_go_and_page_once() -> None:
    book = make_book(ack_timeout=HOUR)
    at = make_incident(book, step_due_at=NOW, ack_confirm_by=NOW, state=State.ACKNOWLEDGED)
    night = Night(book)
    night.last = replace(night.last, incident=replace(at, acked_by=ANA))
    decision = night.happens(Woken(), after=HOUR)
    keys = [e.key for e in decision.effects if isinstance(e, Page)]
    assert pages(decision) == [ANA]
    assert len(keys) == len(set(keys))
    assert night.happens(Woken()).effects == ()


def test_opening_is_decided_at_the_instant_given() -> None:
    later = NOW + 3 * HOUR
    decision = opened(alert=make_alert(), now=later)
    assert decision.incident.opened_at == later
    assert decision.incident.step_due_at == later + 5 * MINUTE
