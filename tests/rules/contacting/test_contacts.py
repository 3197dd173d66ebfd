"""Who can be reached by what."""

from dataclasses import replace

import pytest

from rules.contacting.contacts import Contacts, address_of, ntfy_topic, phone_number, pushover_key
from rules.contacting.method import Method, read_order
from rules.people import People, Person
from rules.priority import Urgency

ANA = Person("ana@example.com", "Ana", "ana@example.com", phone="+4917012345678")
BO = Person("slack:U1", "Bo", slack="U1", ntfy="bo-pages")
CY = Person("cy@example.com", "Cy", "cy@example.com", phone="+44201234567", contact="call 1m")
EVERYBODY = People([ANA, BO, CY])
EVERYTHING = frozenset(Method) - {Method.SLACK}


def methods(contacts: Contacts, key: str, urgency: Urgency = Urgency.HIGH) -> list[Method]:
    return [step.method for step in contacts.steps(key, urgency)]


def test_a_step_needs_an_address_and_a_configured_method() -> None:
    contacts = Contacts(EVERYTHING, people=EVERYBODY)
    assert methods(contacts, ANA.key) == [Method.EMAIL, Method.VOICE]
    assert methods(contacts, ANA.key, Urgency.LOW) == [Method.EMAIL, Method.SMS]
    assert methods(contacts, BO.key) == [Method.NTFY]
    without_phones = Contacts(frozenset({Method.EMAIL}), people=EVERYBODY)
    assert methods(without_phones, ANA.key) == [Method.EMAIL]
    assert methods(without_phones, BO.key) == []
    assert methods(Contacts(people=EVERYBODY), ANA.key) == []


def test_a_person_may_have_an_order_of_their_own() -> None:
    contacts = Contacts(EVERYTHING, people=EVERYBODY, order=read_order("email 1m"))
    assert methods(contacts, CY.key) == [Method.VOICE]
    assert methods(contacts, ANA.key) == [Method.EMAIL]
    assert contacts.methods(ANA.key) == (Method.EMAIL,)


def test_somebody_known_by_their_address_alone_can_be_written_to() -> None:
    contacts = Contacts(EVERYTHING, people=EVERYBODY)
    assert methods(contacts, "new@example.com") == [Method.EMAIL]
    assert methods(contacts, "slack:U99") == []


@pytest.mark.parametrize(("named", "found"), [("pager", (Method.WEBHOOK,)), ("pagr", ()), ("", ())])
def test_a_webhook_that_nobody_configured_reaches_nobody(
    named: str, found: tuple[Method, ...]
) -> None:
    people = People([replace(BO, ntfy="", webhook=named)])
    contacts = Contacts(EVERYTHING, people=people, webhooks=frozenset({"pager"}))
    assert contacts.methods(BO.key) == found


@pytest.mark.parametrize(
    ("available", "named", "configured"),
    [
        (frozenset(), "pager", False),
        (frozenset({Method.EMAIL}), "", True),
        (frozenset({Method.WEBHOOK}), "pager", True),
        (frozenset({Method.WEBHOOK}), "", False),
    ],
)
def test_webhooks_of_policies_are_no_way_to_reach_people(
    available: frozenset[Method], named: str, *, configured: bool
) -> None:
    hooks = frozenset({"pager"}) if Method.WEBHOOK in available else frozenset()
    contacts = Contacts(available, people=People([replace(ANA, webhook=named)]), webhooks=hooks)
    assert contacts.configured is configured


def test_a_phone_that_nothing_calls_is_no_way_to_reach_somebody_at_the_worst() -> None:
    texts_alone = Contacts(frozenset({Method.SMS}), people=People([replace(ANA, email="")]))
    assert texts_alone.methods(ANA.key) == (Method.SMS,)
    assert texts_alone.when_critical(ANA.key) == ()
    assert Contacts(EVERYTHING, people=EVERYBODY).when_critical(ANA.key) == (
        Method.EMAIL,
        Method.VOICE,
    )


def test_all_methods_of_a_person_are_those_of_any_urgency() -> None:
    contacts = Contacts(EVERYTHING, people=EVERYBODY)
    assert contacts.methods(ANA.key) == (Method.EMAIL, Method.VOICE, Method.SMS)


def test_addresses_are_not_shown_by_accident() -> None:
    assert "4917012345678" not in repr(ANA)
    assert address_of(ANA, Method.SMS) == "+4917012345678"


@pytest.mark.parametrize(
    "written",
    ["ana,eve@example.com", "<ana@example.com>", "team:ana@example.com", 'a"b@example.com',
     "(x)ana@example.com", "ana@[.com", "ana\0@example.com", "ana\u202e@example.com", "ana", "@"],
)  # fmt: skip
def test_what_is_no_single_plain_address_gets_no_mail(written: str) -> None:
    for odd in (replace(ANA, email=written), Person(written, "Odd")):
        assert address_of(odd, Method.EMAIL) == ""
    contacts = Contacts(frozenset({Method.EMAIL}), people=People([replace(ANA, email=written)]))
    assert contacts.methods(ANA.key) == (), "told before the shift, not found out at night"


@pytest.mark.parametrize("written", ["o'brien+oncall@sub.example.com", "zoë@bücher.example"])
def test_a_plain_address_gets_mail(written: str) -> None:
    assert address_of(replace(ANA, email=written), Method.EMAIL) == written


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+49 170 1234-5678", "+4917012345678"),
        ("0049 (170) 1234567", "+491701234567"),
        ("+49 (0)170 1234567", "+491701234567"),
        ("0049(0)170 1234567", "+491701234567"),
        ("+44 (0) 20 7946 0958", "+442079460958"),
        ("+39 (0)6 1234 5678", "+390612345678"),
        ("\u202a+49 170\u20111234567\u202c", "+491701234567"),
        ("", ""),
    ],
)
def test_a_phone_number_is_kept_as_twilio_wants_it(written: str, number: str) -> None:
    assert phone_number(written) == number


@pytest.mark.parametrize(
    "written",
    ["0170 1234567", "(0) 170 1234567", "491701234567", "+0123456789", "+49x", "+1", "+49١٧٠١٢٣٤٥"],
)
def test_a_number_without_its_country_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="with its country"):
        phone_number(written)


def test_keys_and_topics_are_checked() -> None:
    assert pushover_key(" " + "u" * 30) == "u" * 30
    assert ntfy_topic("bo-pages_1") == "bo-pages_1"
    with pytest.raises(ValueError, match="30 letters and digits"):
        pushover_key("short")
    with pytest.raises(ValueError, match="write its name alone"):
        ntfy_topic("https://ntfy.sh/bo")
