"""What a page brings along: the person's other methods, and what became of each."""

from dataclasses import replace
from datetime import timedelta

import pytest

from rules.contacting.contacts import Contacts
from rules.contacting.method import Method
from rules.decide import decide
from rules.deciding.contact import urgency_of
from rules.effects import Contact, Page, Tell
from rules.events import (
    Acked,
    ContactFailed,
    LoopedIn,
    PageDelivered,
    PageFailed,
)
from rules.incident import Stakes, State
from rules.people import People, Person
from rules.priority import Impact, Priority, Urgency
from rules.sentence import plain
from tests.rules.build import ANA, BO, NOW, make_book, make_incident, opened

PERSON = Person(ANA, "Ana", ANA, phone="+4917012345678")
CONTACTS = Contacts(frozenset({Method.EMAIL, Method.VOICE, Method.SMS}), people=People([PERSON]))


def told(reasons: object) -> list[str]:
    return [reason.sentence.render(plain) for reason in reasons]  # type: ignore[attr-defined]


def test_every_page_is_followed_by_the_persons_other_methods() -> None:
    decision = opened(make_book(contacts=CONTACTS))
    page = next(e for e in decision.effects if isinstance(e, Page))
    steps = [e for e in decision.effects if isinstance(e, Contact)]
    assert [(s.step, s.method, s.after) for s in steps] == [
        (1, Method.EMAIL, timedelta(minutes=2)),
        (2, Method.VOICE, timedelta(minutes=5)),
    ]
    assert {(s.person, s.key) for s in steps} == {(ANA, page.key)}
    assert f"Until {ANA} answers: Slack, e-mail after 2 min, phone call after 5 min." in told(
        decision.reasons
    )


def test_without_configured_methods_nothing_is_added() -> None:
    decision = opened()
    assert not any(isinstance(e, Contact) for e in decision.effects)


def test_a_page_that_a_person_asked_for_is_followed_as_well() -> None:
    taken = make_incident().ack(BO, NOW, None)
    decision = decide(taken, LoopedIn(BO, ANA), make_book(contacts=CONTACTS), NOW)
    assert [e.force for e in decision.effects if isinstance(e, Contact)] == [True, True]


@pytest.mark.parametrize(
    ("priority", "urgency"),
    [
        (Priority.P1, Urgency.CRITICAL),
        (Priority.P2, Urgency.HIGH),
        (Priority.P3, Urgency.MEDIUM),
        (Priority.P5, Urgency.LOW),
    ],
)
def test_the_urgency_is_the_weighed_one_else_that_of_the_priority(
    priority: Priority, urgency: Urgency
) -> None:
    assert urgency_of(make_incident(priority=priority)) is urgency
    stakes = Stakes(name="x", impact=Impact.MINOR, urgency=Urgency.LOW)
    assert urgency_of(make_incident(priority=priority, stakes=stakes)) is Urgency.LOW


def test_an_acknowledgement_says_by_what_it_came() -> None:
    decision = decide(make_incident(), Acked(ANA, "phone call"), make_book(), NOW)
    assert decision.incident.state is State.ACKNOWLEDGED
    assert told(decision.reasons) == [f"{ANA} acknowledged it by phone call."]
    again = decide(decision.incident, Acked(ANA, "e-mail"), make_book(), NOW)
    assert again.refusal is not None
    assert again.incident is decision.incident


def test_what_went_and_what_did_not_is_told() -> None:
    went = decide(make_incident(), PageDelivered(ANA, "k", "e-mail"), make_book(), NOW)
    assert told(went.reasons) == [f"The page went to {ANA} by e-mail."]
    down = ContactFailed(ANA, "k", "Slack", "it does not answer", "e-mail", for_now=True)
    failed = decide(make_incident(), down, make_book(), NOW)
    assert told(failed.reasons) == [
        f"Slack did not reach {ANA}: it does not answer. Now by e-mail."
    ]
    assert any(isinstance(e, Tell) and not e.loud for e in failed.effects)
    assert failed.incident.step == make_incident().step


def test_one_method_that_fails_moves_no_step_and_the_last_does() -> None:
    waiting = replace(make_incident(), awaiting=(ANA,), step=1)
    one = decide(waiting, ContactFailed(ANA, "k", "e-mail", "no such mailbox"), make_book(), NOW)
    assert one.incident.step == 1
    last = decide(waiting, PageFailed(ANA, "k", "no such number"), make_book(), NOW)
    assert last.incident.step > 1
