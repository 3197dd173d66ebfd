"""What the auditor makes of facts: each fault by its name, and nothing of what is legal."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from rules.audit import (
    BusyLane,
    Facts,
    Fault,
    GivenUpPage,
    HastenDeliveries,
    LapsedLease,
    OpenLane,
    ReleaseJob,
    Resume,
    Undecided,
    Watched,
    audit,
)
from rules.decide import decide
from rules.effects import Page
from rules.events import AlertReceived, Resumed
from rules.grouping import open_incident
from rules.incident import Incident, Mutedness, State
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.sentence import plain, say
from tests.rules.build import ANA, CY, HOUR, MINUTE, NOW, make_alert, make_book, make_span

BOOK: RuleBook = make_book(on_call=OnCall([make_span(ANA)]), fallback=(CY,))


def paged() -> tuple[Incident, frozenset[str]]:
    """Return an incident whose first step has paged Ana, and the key of her page."""
    made = open_incident(make_alert(), BOOK, incident_id="i1", number=7, now=NOW)
    decision = decide(made, AlertReceived(make_alert()), BOOK, NOW)
    keys = frozenset(e.key for e in decision.effects if isinstance(e, Page))
    assert keys
    return replace(decision.incident, version=1), keys


def faults(facts: Facts, now: datetime = NOW) -> list[Fault]:
    return [one.fault for one in audit(facts, now)]


def of(incident: Incident, keys: frozenset[str], **more: object) -> Facts:
    usual: dict[str, object] = {"wake_at": incident.wake_at, "pages": keys, **more}
    return Facts(incidents=(Watched(incident=incident, **usual),))  # type: ignore[arg-type]


def test_nothing_is_wrong_with_nothing() -> None:
    assert audit(Facts(), NOW) == ()


def test_an_incident_that_waits_for_its_next_step_is_well() -> None:
    assert faults(of(*paged())) == []


@pytest.mark.parametrize(
    "change",
    [
        {"state": State.ACKNOWLEDGED, "step_due_at": None, "acked_by": ANA},
        {"state": State.RESOLVED, "step_due_at": None},
        {"muted": Mutedness(NOW + HOUR, ANA, "deploy"), "step_due_at": None},
        {"pages": False, "step_due_at": None},
        {"state": State.ACKNOWLEDGED, "step_due_at": None, "snoozed_until": NOW + HOUR},
        {"step_due_at": NOW + HOUR, "held_until": NOW + HOUR, "awaiting": ()},
    ],
    ids=["acked", "resolved", "silenced", "pages nobody", "snoozed", "held"],
)
def test_who_need_not_be_told_is_left_alone(change: dict[str, object]) -> None:
    incident, _ = paged()
    assert faults(of(incident.but(**change), frozenset())) == []


def test_an_incident_without_a_next_step_is_resumed() -> None:
    incident, keys = paged()
    (found,) = audit(of(incident.but(step_due_at=None), keys), NOW)
    assert found.fault is Fault.UNWATCHED
    assert found.sentence.render(plain) == "#7 orders failed: nothing was due and nobody had it."
    assert isinstance(found.remedy, Resume)
    after = decide(incident.but(step_due_at=None), found.remedy.event, BOOK, NOW).incident
    assert after.wake_at == NOW
    assert faults(of(after, keys)) == []


@pytest.mark.parametrize("wrong", [None, NOW + 9 * HOUR])
def test_a_timer_that_differs_from_the_incidents_own_is_set_again(wrong: datetime | None) -> None:
    incident, keys = paged()
    (found,) = audit(of(incident, keys, wake_at=wrong), NOW)
    assert found.fault is Fault.TIMER_LOST
    assert isinstance(found.remedy, Resume)
    decision = decide(incident, found.remedy.event, BOOK, NOW)
    assert decision.incident is not incident, "so that it is written down again"
    assert decision.incident.wake_at == incident.wake_at


def test_a_page_that_is_nowhere_is_sent_again_once() -> None:
    incident, _ = paged()
    (found,) = audit(of(incident, frozenset()), NOW)
    assert found.fault is Fault.PAGE_LOST
    assert isinstance(found.remedy, Resume)
    decision = decide(incident, found.remedy.event, BOOK, NOW)
    (again,) = [e for e in decision.effects if isinstance(e, Page)]
    assert again.person == ANA
    assert faults(of(decision.incident, frozenset({again.key}))) == []


def test_an_older_page_does_not_stand_for_one_of_a_later_round_of_the_fallback() -> None:
    incident, _ = paged()
    at = incident.but(exhausted=True, round=2, awaiting=(CY,))
    assert faults(of(at, frozenset({f"i1:0.1.fallback:{CY}"}))) == [Fault.PAGE_LOST]
    assert faults(of(at, frozenset({f"i1:0.2.fallback:{CY}"}))) == []


def test_a_wake_up_is_overdue_after_two_minutes_and_faulty_when_it_was_tried() -> None:
    incident, keys = paged()
    due = incident.wake_at
    assert due is not None
    assert faults(of(incident, keys), due + MINUTE) == []
    (late,) = audit(of(incident, keys), due + 2 * MINUTE)
    assert (late.fault, late.remedy) == (Fault.WAKE_UP_OVERDUE, None)
    (faulty,) = audit(of(incident, keys, faulty=True), due + 2 * MINUTE)
    assert isinstance(faulty.remedy, Resume)
    after = decide(incident, faulty.remedy.event, BOOK, due + 2 * MINUTE)
    assert [e.person for e in after.effects if isinstance(e, Page)] == [CY]
    assert after.incident.wake_at is not None
    assert after.incident.wake_at > due + 2 * MINUTE


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"state": State.ACKNOWLEDGED, "snoozed_until": NOW, "step_due_at": None}, "triggered"),
        ({"state": State.ACKNOWLEDGED, "ack_expires_at": NOW, "step_due_at": None}, "triggered"),
        ({"state": State.ACKNOWLEDGED, "ack_confirm_by": NOW, "step_due_at": None}, "triggered"),
        ({"muted": Mutedness(NOW, ANA, "x"), "step_due_at": None}, "triggered"),
        ({"state": State.RESOLVED, "step_due_at": NOW}, "resolved"),
    ],
)
def test_what_cannot_be_decided_ends_with_the_fallback(
    change: dict[str, object], state: str
) -> None:
    incident, _ = paged()
    decision = decide(
        incident.but(**change), Resumed(say("It stopped."), undecidable=True), BOOK, NOW + MINUTE
    )
    paged_now = [e.person for e in decision.effects if isinstance(e, Page)]
    assert paged_now == ([] if state == "resolved" else [CY])
    assert decision.incident.state == state


def test_undecidable_timers_that_page_nobody_are_dropped() -> None:
    incident, _ = paged()
    quiet = incident.but(pages=False, step_due_at=NOW, settles_at=NOW)
    after = decide(quiet, Resumed(say("It stopped."), undecidable=True), BOOK, NOW).incident
    assert after.wake_at is None


LANE = BusyLane(
    name="slack:C1", waiting=3, due=NOW - 6 * MINUTE, opens_at=NOW, blocked_until=NOW - HOUR
)


@pytest.mark.parametrize(
    ("lane", "fault"),
    [
        (LANE, None),
        (replace(LANE, page_due=NOW - 6 * MINUTE), Fault.EFFECT_LATE),
        (replace(LANE, page_due=NOW - 4 * MINUTE), None),
        (replace(LANE, due=NOW - 15 * MINUTE), Fault.EFFECT_LATE),
        (replace(LANE, due=NOW - HOUR, blocked_until=NOW + 50 * MINUTE), None),
        (replace(LANE, blocked_until=NOW + 2 * HOUR), Fault.LANE_FROZEN),
        (replace(LANE, opens_at=NOW + 2 * MINUTE), Fault.LANE_FROZEN),
        (replace(LANE, known=False, opens_at=None), Fault.LANE_FROZEN),
    ],
    ids=["busy", "late page", "young page", "late", "told to wait", "too long", "held", "unknown"],
)
def test_a_lane_is_frozen_late_or_well(lane: BusyLane, fault: Fault | None) -> None:
    found = audit(Facts(lanes=(lane,)), NOW)
    assert [one.fault for one in found] == ([fault] if fault else [])
    for one in found:
        assert (one.remedy == OpenLane("slack:C1")) is (fault is Fault.LANE_FROZEN)


def test_leases_dead_pages_and_deliveries_are_told_of() -> None:
    facts = Facts(
        unreadable=(9,),
        leases=(LapsedLease(job_id="j1", lease=4, kind="page", lapsed_at=NOW - HOUR),),
        given_up=(GivenUpPage(job_id="j2", kind="webhook", number=7, title="{a} <b>", why="404"),),
        undecided=Undecided(count=2, oldest=NOW - 3 * MINUTE),
    )
    found = audit(facts, NOW)
    assert [(one.fault, one.remedy) for one in found] == [
        (Fault.UNREADABLE, None),
        (Fault.LEASE_LAPSED, ReleaseJob("j1", 4)),
        (Fault.PAGE_GIVEN_UP, None),
        (Fault.DELIVERY_UNDECIDED, HastenDeliveries(NOW - 3 * MINUTE)),
    ]
    assert found[2].sentence.render(plain) == "#7 {a} <b>: a page (webhook) was given up: 404"
    assert len({one.key for one in found}) == len(found)
    young = replace(facts, undecided=Undecided(count=2, oldest=NOW - timedelta(minutes=2)))
    assert len(audit(young, NOW)) == 3
