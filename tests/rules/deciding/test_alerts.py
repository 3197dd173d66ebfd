"""What alerts do to an incident: open, join, raise, resolve, fire again, flap."""

import pytest

from rules.alert import AlertStatus, Severity
from rules.decide import decide
from rules.effects import ShowIncident, ShowPage
from rules.events import Acked, AlertReceived, Resolved, Snoozed, Woken
from rules.grouping import open_storm
from rules.incident import State
from rules.matching.matcher import Matcher, Operator
from rules.priority import Priority
from rules.rulebook import FlappingRule
from rules.shown_alert import SHOWN_ALERTS
from rules.silence import Silence
from tests.rules.build import (
    ANA,
    BO,
    HOUR,
    MINUTE,
    NOW,
    Night,
    make_alert,
    make_book,
    opened,
    pages,
)


def silence_of(key: str) -> Silence:
    matchers = (Matcher("dedup_key", Operator.EQUAL, key),)
    return Silence("s1", matchers, NOW, NOW + HOUR, BO, "deploy")


def test_the_first_alert_shows_the_incident_and_pages_who_is_on_call() -> None:
    decision = opened()
    assert decision.effects[0] == ShowIncident(at_once=True)
    assert pages(decision) == [ANA]
    assert decision.incident.step_due_at == NOW + 5 * MINUTE
    rules = [reason.rule for reason in decision.reasons]
    steps = ["routes.all", "categories.fallback", "priorities.critical"]
    assert rules == [*steps, "escalation_policies.default[1]"]


@pytest.mark.parametrize(
    ("severity", "priority", "paged"),
    [
        (Severity.CRITICAL, Priority.P1, [ANA]),
        (Severity.ERROR, Priority.P2, [ANA]),
        (Severity.UNKNOWN, Priority.P3, [ANA]),
        (Severity.WARNING, Priority.P4, []),
        (Severity.INFO, Priority.P5, []),
    ],
)
def test_severity_gives_the_priority_and_whether_it_pages(
    severity: Severity, priority: Priority, paged: list[str]
) -> None:
    decision = opened(alert=make_alert(severity=severity))
    assert decision.incident.priority is priority
    assert pages(decision) == paged
    assert decision.incident.pages is bool(paged)


def test_what_pages_nobody_says_so_and_is_shown() -> None:
    decision = opened(alert=make_alert(severity=Severity.WARNING))
    assert decision.reasons[-1].rule == "pages.P4"
    assert decision.effects == (ShowIncident(at_once=True),)
    assert decision.incident.wake_at is None


def test_the_same_alert_again_pages_nobody_again() -> None:
    night = Night()
    decision = night.fires(before=AlertStatus.FIRING)
    assert decision.effects == (ShowIncident(),)
    assert (night.incident.alert_count, night.incident.firing_count) == (1, 1)
    assert night.incident.alerts[0].count == 2


def test_another_alert_joins_without_a_page() -> None:
    night = Night()
    assert pages(night.fires("users")) == []
    assert (night.incident.alert_count, night.incident.firing_count) == (2, 2)
    assert night.why() == ["grouping"]


def test_it_resolves_when_its_last_alert_does() -> None:
    night = Night()
    night.fires("users")
    assert night.resolves("users").incident.state is State.TRIGGERED
    decision = night.resolves("orders")
    assert decision.incident.state is State.RESOLVED
    assert decision.incident.resolved_by == ""
    assert decision.incident.wake_at is None
    assert ShowPage(ANA) in decision.effects
    assert {one.count for one in decision.incident.alerts} == {1}, "an end is no repeat"


def test_a_resolved_incident_that_fires_again_starts_over() -> None:
    night = Night()
    night.resolves()
    decision = night.fires(before=AlertStatus.RESOLVED)
    assert decision.incident.state is State.TRIGGERED
    assert decision.incident.generation == 1
    assert pages(decision) == [ANA]
    assert decision.incident.resolved_at is None


def test_an_alert_for_information_only_shows() -> None:
    night = Night()
    info = make_alert("note", status=AlertStatus.INFO)
    decision = night.happens(AlertReceived(info))
    assert decision.effects == (ShowIncident(),)
    assert night.incident.firing_count == 1


@pytest.mark.parametrize("before", [AlertStatus.FIRING, AlertStatus.RESOLVED])
def test_a_remark_changes_nothing_of_the_thing_it_is_about(before: AlertStatus) -> None:
    night = Night()
    night.fires("users")
    if before is AlertStatus.RESOLVED:
        night.resolves("users")
    known = night.incident.alerts[-1]
    remark = make_alert(
        "users", status=AlertStatus.INFO, title="It will be tried again", severity=Severity.INFO
    )
    night.happens(AlertReceived(remark, before))
    after = night.incident.alerts[-1]
    assert night.incident.firing_count == 1 + (before is AlertStatus.FIRING)
    assert (after.status, after.title, after.severity) == (before, known.title, known.severity)
    assert night.why() == ["alert.info"]
    again = night.resolves("orders").incident.state
    assert again is (State.TRIGGERED if before is AlertStatus.FIRING else State.RESOLVED)


def test_an_unreadable_alert_stays_open_until_a_person_resolves_it() -> None:
    night = Night(alert=make_alert(unreadable=True))
    assert night.resolves().incident.is_open
    assert night.happens(Resolved(ANA)).incident.state is State.RESOLVED


def test_a_worse_alert_raises_the_priority_and_starts_paging() -> None:
    night = Night(alert=make_alert(severity=Severity.WARNING))
    decision = night.fires("users", severity=Severity.CRITICAL)
    assert decision.incident.priority is Priority.P1
    assert pages(decision) == [ANA]


def test_a_worse_alert_ends_an_ack_of_something_milder() -> None:
    night = Night(alert=make_alert(severity=Severity.WARNING))
    night.happens(Acked(BO))
    decision = night.fires("users", severity=Severity.ERROR)
    assert decision.incident.state is State.TRIGGERED
    assert pages(decision) == [ANA]


def test_a_worse_alert_does_not_page_twice_while_paging() -> None:
    night = Night(alert=make_alert(severity=Severity.ERROR))
    decision = night.fires("users", severity=Severity.CRITICAL)
    assert decision.incident.priority is Priority.P1
    assert pages(decision) == []
    assert decision.incident.step_due_at == NOW + 5 * MINUTE


def test_a_milder_alert_leaves_the_priority() -> None:
    night = Night()
    night.fires("users", severity=Severity.INFO)
    assert night.incident.priority is Priority.P1


def test_a_silenced_alert_raises_nothing() -> None:
    book = make_book(silences=(silence_of("users"),))
    night = Night(book, make_alert(severity=Severity.WARNING))
    decision = night.fires("users", severity=Severity.CRITICAL)
    assert decision.incident.priority is Priority.P4
    assert pages(decision) == []


def test_opened_under_a_silence_it_is_recorded_and_shown_nowhere() -> None:
    night = Night(make_book(silences=(silence_of("orders"),)))
    assert night.last.effects == ()
    assert night.incident.wake_at == NOW + HOUR
    assert night.fires(before=AlertStatus.FIRING).effects == ()
    assert night.resolves().effects == ()
    assert night.incident.state is State.RESOLVED


def test_an_alert_the_silence_does_not_cover_pages_by_its_own_priority() -> None:
    book = make_book(silences=(silence_of("orders"),))
    night = Night(book, make_alert(severity=Severity.WARNING))
    decision = night.fires("users", severity=Severity.CRITICAL)
    assert decision.incident.muted is None
    assert decision.incident.priority is Priority.P1
    assert pages(decision) == [ANA]


def test_a_covered_worse_alert_pages_when_the_silence_ends() -> None:
    night = Night(make_book(silences=(silence_of("orders"),)), make_alert(severity=Severity.INFO))
    assert pages(night.fires(before=AlertStatus.FIRING)) == []
    assert pages(night.happens(Woken(), after=HOUR)) == [ANA]


def test_shown_alerts_are_bounded_and_keep_what_fires() -> None:
    night = Night()
    night.fires("quiet")
    night.resolves("quiet")
    for number in range(SHOWN_ALERTS - 1):
        night.fires(f"table {number}")
    kept = [alert.dedup_key for alert in night.incident.alerts]
    assert kept == ["orders", *(f"table {number}" for number in range(SHOWN_ALERTS - 1))]
    night.fires("one more")
    kept = [alert.dedup_key for alert in night.incident.alerts]
    assert len(kept) == SHOWN_ALERTS
    assert (kept[0], kept[-1]) == ("table 0", "one more")
    assert night.incident.alert_count == SHOWN_ALERTS + 2


def test_what_a_silence_hid_is_shown_from_its_end_on() -> None:
    night = Night(make_book(silences=(silence_of("orders"),)))
    assert ShowIncident(at_once=True) in night.happens(Woken(), after=HOUR).effects
    assert night.fires(before=AlertStatus.FIRING).effects == (ShowIncident(),)
    assert ShowIncident(at_once=True) in night.resolves().effects


def flapping() -> Night:
    rule = FlappingRule(openings=3, quiet=15 * MINUTE)
    return Night(make_book(flapping=rule), recent_openings=2)


def test_the_third_opening_is_said_to_flap() -> None:
    night = flapping()
    assert night.incident.flapping
    assert night.incident.openings == 3
    assert "flapping" in night.why()


def test_what_flaps_is_held_open_until_it_was_quiet_long_enough() -> None:
    night = flapping()
    night.resolves()
    assert night.incident.settles_at == NOW + 15 * MINUTE
    assert night.happens(Woken(), after=15 * MINUTE).incident.state is State.RESOLVED


def test_firing_again_while_held_open_starts_the_quiet_anew() -> None:
    night = flapping()
    night.resolves()
    assert night.fires(before=AlertStatus.RESOLVED).incident.settles_at is None
    assert night.incident.openings == 4
    night.now += MINUTE
    night.resolves()
    assert night.incident.settles_at == NOW + 16 * MINUTE


def test_what_a_person_resolves_while_it_is_held_open_has_no_timer_left() -> None:
    night = flapping()
    night.resolves()
    assert night.happens(Resolved(ANA)).incident.wake_at is None


@pytest.mark.parametrize("event", [Acked(ANA), Snoozed(ANA, NOW + HOUR)])
def test_what_is_held_open_still_ends_when_somebody_has_it(event: Acked | Snoozed) -> None:
    night = flapping()
    night.resolves()
    night.happens(event)
    assert night.happens(Woken(), after=15 * MINUTE).incident.state is State.RESOLVED


def test_a_silence_that_ends_while_held_open_pages_nobody_for_the_quiet() -> None:
    matchers = (Matcher("dedup_key", Operator.EQUAL, "orders"),)
    short = Silence("s1", matchers, NOW, NOW + 5 * MINUTE, BO, "deploy")
    rule = FlappingRule(openings=2, quiet=15 * MINUTE)
    night = Night(make_book(flapping=rule, silences=(short,)), recent_openings=1)
    night.resolves()
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == []
    assert pages(night.fires(before=AlertStatus.RESOLVED)) == [ANA]


def test_a_storm_never_flaps() -> None:
    book = make_book(flapping=FlappingRule(openings=2))
    storm = open_storm(make_alert(), book, incident_id="inc-1", number=1, now=NOW)
    decision = decide(storm, AlertReceived(make_alert(), None, 5), book, NOW)
    assert not decision.incident.flapping
    assert decision.incident.openings == 6
