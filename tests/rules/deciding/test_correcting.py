"""Corrections by a person: put right at once, and not undone by what comes later."""

from dataclasses import replace
from datetime import time, timedelta

import pytest

from rules.alert import Severity
from rules.catalogue import Catalogue, Product, Promises
from rules.category import Category
from rules.decision import Decision
from rules.effects import Page, ShowIncident, ShowPage
from rules.events import (
    Acked,
    AlertReceived,
    Corrected,
    Escalated,
    PageFailed,
    Resolved,
    Woken,
)
from rules.hours import Hours
from rules.incident import State
from rules.matching.label_rules import LabelRule, LabelRules
from rules.matching.matcher import parse_matchers
from rules.priority import Impact, Priority
from rules.rulebook import RuleBook
from rules.sentence import plain
from rules.sla import FreshBy
from rules.weighing.overruling import Taught
from tests.rules.build import ANA, BO, HOUR, MINUTE, NOW, Night, make_alert, make_book, pages

ORDERS = Catalogue(
    [
        Product(
            id="orders",
            name="Orders",
            tier=2,
            promises=Promises(fresh_by=FreshBy(time(9), "UTC")),
        )
    ]
)
ABOUT_ORDERS = {"product": "orders", "test": "not_null", "model": "orders"}


def book(**more: object) -> RuleBook:
    return make_book(**more)


def said(decision: Decision) -> str:
    return decision.reasons[0].sentence.render(plain)


def test_a_wrong_category_is_put_right_with_its_reason() -> None:
    night = Night(book(), make_alert(description="late"))
    decision = night.happens(Corrected(ANA, category=Category.COMPLETENESS, why="rows miss"))
    at = decision.incident
    assert (at.category, at.category_alt, at.confidence) == (Category.COMPLETENESS, None, 1.0)
    assert "corrected it: the category is completeness, not" in said(decision)
    assert said(decision).endswith("rows miss")
    assert ShowIncident(at_once=True) in decision.effects
    assert ShowPage(ANA) in decision.effects
    assert pages(decision) == []


def test_no_later_alert_takes_a_corrected_category_back() -> None:
    night = Night(book(), make_alert(severity=Severity.ERROR))
    night.happens(Corrected(ANA, category=Category.COMPLETENESS))
    night.fires("users", severity=Severity.CRITICAL, title="connection refused: could not connect")
    assert night.incident.category is Category.COMPLETENESS
    assert night.incident.priority is Priority.P1


def test_wrong_data_weighs_more_than_late_data() -> None:
    alert = make_alert(severity=Severity.ERROR, labels=ABOUT_ORDERS)
    night = Night(book(catalogue=ORDERS), alert)
    night.happens(Corrected(ANA, category=Category.FRESHNESS))
    late = night.incident.stakes
    night.happens(Corrected(ANA, category=Category.COMPLETENESS))
    wrong = night.incident.stakes
    assert late is not None
    assert wrong is not None
    assert (late.impact, wrong.impact) == (Impact.SIGNIFICANT, Impact.EXTENSIVE)
    assert any(rule.startswith("priority_matrix.extensive.") for rule in night.why())


def test_what_is_late_has_a_promise_and_what_is_wrong_has_readers() -> None:
    readers = Hours(time(8), time(18), "UTC")
    product = replace(ORDERS.products[0], consumer_hours=readers)
    alert = make_alert(severity=Severity.ERROR, labels=ABOUT_ORDERS)
    night = Night(book(catalogue=Catalogue([product])), alert)
    for _ in range(2):
        late = night.happens(Corrected(ANA, category=Category.FRESHNESS)).incident.stakes
        assert late is not None
        assert late.consumers is None
        assert late.deadline is not None
        assert late.deadline.time() == time(9)
        wrong = night.happens(Corrected(ANA, category=Category.COMPLETENESS)).incident.stakes
        assert wrong is not None
        assert wrong.consumers == readers
        assert wrong.deadline != late.deadline


def test_an_impact_by_hand_gives_the_priority_by_the_matrix_and_stays() -> None:
    alert = make_alert(severity=Severity.ERROR, labels=ABOUT_ORDERS)
    night = Night(book(catalogue=ORDERS), alert)
    night.happens(Corrected(ANA, impact=Impact.MINOR))
    at = night.incident
    assert at.stakes is not None
    assert at.stakes.impact is Impact.MINOR
    before = at.priority
    night.fires("more", severity=Severity.CRITICAL, labels=ABOUT_ORDERS)
    assert night.incident.stakes == at.stakes
    assert night.incident.priority is before


def test_an_impact_that_pages_nobody_stops_paging() -> None:
    night = Night(book(), make_alert(severity=Severity.ERROR))
    assert pages(night.last) == [ANA]
    decision = night.happens(Corrected(ANA, impact=Impact.MINOR))
    at = decision.incident
    assert (at.priority, at.pages, at.wake_at) == (Priority.P4, False, None)
    assert "pages nobody" in decision.reasons[-1].sentence.render(plain)
    assert pages(night.happens(Woken(), after=HOUR)) == []


def test_an_impact_that_pages_begins_to_page() -> None:
    night = Night(book(), make_alert(severity=Severity.WARNING))
    assert pages(night.last) == []
    decision = night.happens(Corrected(BO, impact=Impact.EXTENSIVE))
    assert decision.incident.priority is Priority.P2
    assert pages(decision) == [ANA]


def test_what_is_not_actionable_pages_nobody_any_more_and_says_so() -> None:
    night = Night(book())
    decision = night.happens(Corrected(ANA, actionable=False, why="known"))
    assert not decision.incident.pages
    assert "it is not actionable: known" in said(decision)
    night.fires("users", severity=Severity.CRITICAL)
    assert pages(night.last) == []
    key = f"inc-1:0.0.0:{ANA}"
    assert pages(night.happens(PageFailed(ANA, key, "gone"))) == []
    assert pages(night.happens(Woken(), after=5 * HOUR)) == []
    assert night.incident.wake_at is None


def test_a_second_thought_pages_again_with_new_keys() -> None:
    night = Night(book())
    first = {e.key for e in night.last.effects if isinstance(e, Page)}
    night.happens(Corrected(ANA, actionable=False))
    decision = night.happens(Corrected(BO, actionable=True), after=MINUTE)
    assert pages(decision) == [ANA]
    again = {e.key for e in decision.effects if isinstance(e, Page)}
    assert first.isdisjoint(again)


def test_who_escalates_is_heard_all_the_same() -> None:
    night = Night(book())
    night.happens(Corrected(ANA, actionable=False))
    assert pages(night.happens(Escalated(BO))) != []


def test_a_correction_leaves_an_acknowledgement_alone() -> None:
    night = Night(book(), make_alert(severity=Severity.WARNING))
    night.happens(Acked(BO))
    decision = night.happens(Corrected(ANA, impact=Impact.EXTENSIVE))
    assert decision.incident.state is State.ACKNOWLEDGED
    assert decision.incident.acked_by == BO
    assert pages(decision) == []
    assert decision.incident.ack_expires_at is not None


def test_what_is_resolved_can_be_put_right_for_the_record() -> None:
    night = Night(book())
    night.happens(Resolved(ANA))
    decision = night.happens(Corrected(ANA, category=Category.ACCESS, impact=Impact.EXTENSIVE))
    assert decision.incident.category is Category.ACCESS
    assert decision.incident.state is State.RESOLVED
    assert pages(decision) == []
    assert decision.incident.wake_at is None


def test_an_empty_correction_is_refused() -> None:
    night = Night(book())
    assert night.happens(Corrected(ANA)).refusal is not None


def quiet_book(matchers: str, until: timedelta | None = None) -> RuleBook:
    ends = None if until is None else NOW + until
    rule = LabelRule("known noise", parse_matchers(matchers)[0], Taught(ends, BO))
    return make_book(not_actionable=LabelRules([rule]))


def test_a_rule_lets_alerts_show_and_never_page() -> None:
    night = Night(quiet_book("dedup_key=orders"))
    assert pages(night.last) == []
    assert ShowIncident(at_once=True) in night.last.effects
    told = [r.sentence.render(plain) for r in night.last.reasons]
    assert f"Not actionable, so it pages nobody: learned rule known noise, by {BO}." in told


@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.ERROR])
def test_an_actionable_alert_that_joins_pages_whatever_its_priority(severity: Severity) -> None:
    night = Night(quiet_book("dedup_key=orders"))
    assert pages(night.fires("users", severity=severity)) == [ANA]
    assert night.incident.quiet_rule == ""


def test_a_rule_ends_at_its_instant() -> None:
    assert pages(Night(quiet_book("dedup_key=orders", 0 * HOUR)).last) == [ANA]
    assert pages(Night(quiet_book("dedup_key=orders", HOUR)).last) == []


def test_what_a_person_opened_is_always_for_somebody() -> None:
    alert = replace(make_alert(), source="@person")
    assert pages(Night(quiet_book("dedup_key=orders"), alert).last) == [ANA]


def test_a_rule_gives_the_impact() -> None:
    rule = LabelRule("small", parse_matchers("dedup_key=orders")[0], Taught(Impact.MINOR))
    night = Night(make_book(impact_rules=LabelRules([rule])), make_alert(severity=Severity.ERROR))
    assert night.incident.priority is Priority.P4
    assert pages(night.last) == []
    stakes = Night(
        make_book(impact_rules=LabelRules([rule]), catalogue=ORDERS),
        make_alert(severity=Severity.ERROR, labels=ABOUT_ORDERS),
    ).incident.stakes
    assert stakes is not None
    assert stakes.impact is Impact.MINOR


def test_a_refiring_alert_stays_not_actionable() -> None:
    night = Night(book())
    night.happens(Corrected(ANA, actionable=False))
    alert = make_alert()
    night.resolves()
    assert pages(night.happens(AlertReceived(alert, None), after=MINUTE)) == []
