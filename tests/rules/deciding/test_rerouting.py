"""When time or a worse alert raises an incident, the route is looked up again."""

from dataclasses import replace

import pytest

from rules.alert import AlertStatus, Severity
from rules.catalogue import Catalogue, Product, Promises
from rules.decision import Decision
from rules.effects import Page
from rules.events import Acked, Muted, Unacked, Woken
from rules.incident import State
from rules.matching.matcher import parse_matchers
from rules.policy import OnCallOf, Policy
from rules.priority import Priority
from rules.rotation import OnCall, Span
from rules.rulebook import Route, RuleBook
from rules.sentence import plain
from rules.sla import FreshBy
from tests.rules.build import ANA, BO, DAY, HOUR, MINUTE, NOW, Night, make_alert, make_book, page
from tests.rules.build import pages as paged

DEE = "dee@example.com"
NINE = Catalogue(
    [Product(id="orders", name="Orders", tier=2,
             promises=Promises(fresh_by=FreshBy((NOW + 9 * HOUR).time(), "UTC")))]
)  # fmt: skip
"""Promised nine hours from now: low, then medium, high and critical as the hours pass."""

LABELS = {"product": "orders"}


def book_of(match: str = "priority in [P1, P2]", **more: object) -> RuleBook:
    urgent = Route("urgent", "urgent", "other-channel", "night", parse_matchers(match)[0])
    policies = {
        "default": Policy("default", (page(ANA), page(BO, wait=10 * MINUTE))),
        "urgent": Policy("urgent", (page(OnCallOf("primary"), wait=7 * MINUTE), page(BO))),
    }
    nights = Span(NOW - DAY, NOW + 30 * DAY, "night", "primary", (DEE,))
    facts = {
        "routes": (urgent, Route("rest", "default", "data-alerts", "data")),
        "policies": policies,
        "on_call": OnCall([nights]),
    }
    return replace(make_book(), **(facts | more))  # type: ignore[arg-type]


def said(decision: Decision) -> list[str]:
    return [reason.sentence.render(plain) for reason in decision.reasons]


def waiting() -> Night:
    """Return an incident of P4, with no page, whose urgency rises as the hours pass."""
    night = Night(book_of(catalogue=NINE), make_alert(labels=LABELS))
    assert night.incident.priority is Priority.P4
    assert not night.incident.pages
    return night


def until_next(night: Night) -> Decision:
    assert night.incident.wake_at is not None
    return night.happens(Woken(), after=night.incident.wake_at - night.now)


def test_time_raises_it_and_the_new_route_pages_from_its_first_step() -> None:
    night = waiting()
    while night.incident.priority > Priority.P2:
        until_next(night)
    last = night.last
    assert paged(last) == [DEE]
    assert "Priority is P2 now: route urgent, policy urgent, rotation night." in said(last)
    at = night.incident
    assert (at.route, at.policy.name, at.rotation) == ("urgent", "urgent", "night")
    assert at.channel == "data-alerts"
    assert at.step_due_at == night.now + 7 * MINUTE
    assert paged(until_next(night)) == [BO]


def test_what_already_pages_begins_again_with_the_new_policy() -> None:
    night = Night(book_of(), make_alert(severity=Severity.UNKNOWN))
    assert paged(night.last) == [ANA]
    before = {e.key for e in night.last.effects if isinstance(e, Page)}
    worse = night.fires("orders", AlertStatus.FIRING, severity=Severity.ERROR)
    assert paged(worse) == [DEE]
    assert not before & {e.key for e in worse.effects if isinstance(e, Page)}
    assert night.incident.step_due_at == night.now + 7 * MINUTE
    assert "Priority is P2 now: route urgent, policy urgent, rotation night." in said(worse)


def test_the_same_route_leaves_the_policy_where_it_stands() -> None:
    night = Night(book_of("priority=P1"), make_alert(severity=Severity.UNKNOWN))
    until_next(night)
    assert night.incident.step == 2
    worse = night.fires("orders", AlertStatus.FIRING, severity=Severity.ERROR)
    assert paged(worse) == []
    assert (night.incident.step, night.incident.policy.name) == (2, "default")


def test_an_ack_holds_when_time_raises_it_and_its_end_pages_by_the_new_policy() -> None:
    night = waiting()
    night.happens(Acked(BO))
    while night.incident.priority > Priority.P2:
        assert paged(until_next(night)) == []
    assert (night.incident.state, night.incident.acked_by) == (State.ACKNOWLEDGED, BO)
    assert night.incident.policy.name == "urgent"
    assert paged(night.happens(Unacked(BO))) == [DEE]


def test_a_worse_alert_ends_the_ack_of_something_milder() -> None:
    night = Night(book_of(), make_alert(severity=Severity.UNKNOWN))
    night.happens(Acked(BO))
    worse = night.fires("orders", AlertStatus.FIRING, severity=Severity.CRITICAL)
    assert paged(worse) == [DEE]
    assert night.incident.state is State.TRIGGERED


def test_a_silence_keeps_it_quiet_and_its_end_pages_by_the_new_policy() -> None:
    night = waiting()
    night.happens(Muted(BO, NOW + 8 * HOUR + 30 * MINUTE, "deploy"))
    while night.incident.muted:
        assert paged(night.last) == []
        until_next(night)
    assert paged(night.last) == [DEE]
    assert night.incident.policy.name == "urgent"


def test_what_waits_for_the_morning_then_begins_by_the_new_policy() -> None:
    first = replace(NINE.products[0], tier=1)
    night = Night(book_of(catalogue=Catalogue([first])), make_alert(labels=LABELS))
    assert (night.incident.priority, night.incident.policy.name) == (Priority.P3, "default")
    assert night.incident.held_until == NOW + 6 * HOUR
    assert paged(until_next(night)) == []
    assert (night.incident.priority, night.incident.policy.name) == (Priority.P2, "urgent")
    assert night.incident.held_until == NOW + 6 * HOUR
    assert paged(until_next(night)) == [DEE]
    assert night.now == NOW + 6 * HOUR


def test_urgency_alone_changes_the_route_too() -> None:
    night = waiting()
    night.book = book_of("urgency=medium", catalogue=NINE)
    until_next(night)
    assert night.incident.policy.name == "urgent"
    assert any("now: route urgent" in text for text in said(night.last))


@pytest.mark.parametrize("fields", [{"storm": True}, {"source": "@person"}])
def test_a_storm_and_what_people_opened_keep_their_route(fields: dict[str, object]) -> None:
    night = Night(book_of(), make_alert(severity=Severity.UNKNOWN))
    night.last = replace(night.last, incident=replace(night.incident, **fields))  # type: ignore[arg-type]
    night.fires("orders", AlertStatus.FIRING, severity=Severity.CRITICAL)
    assert night.incident.policy.name == "default"


def test_a_rulebook_that_changed_meanwhile_moves_nothing_by_itself() -> None:
    night = Night(book_of("priority=P1"), make_alert(severity=Severity.UNKNOWN))
    everything = Route("new", "urgent", "x", "night")
    night.book = book_of(routes=(everything,))
    night.fires("orders", AlertStatus.FIRING, severity=Severity.ERROR)
    assert night.incident.policy.name == "default"


def test_routes_with_the_same_answer_only_change_their_name() -> None:
    rest = Route("rest", "default", "data-alerts", "data")
    twin = Route("twin", "default", "else", "data", parse_matchers("priority=P2")[0])
    night = Night(book_of(routes=(twin, rest)), make_alert(severity=Severity.UNKNOWN))
    worse = night.fires("orders", AlertStatus.FIRING, severity=Severity.ERROR)
    assert paged(worse) == []
    assert (night.incident.route, night.incident.step) == ("twin", 1)
