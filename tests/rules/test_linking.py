"""Who a person is in Slack."""

import pytest

from rules.linking import Member, link
from rules.people import Person

MEMBERS = (
    Member(user="U1", handle="ana", names=("Ana Ruiz", "Ani"), email="Ana@Example.com"),
    Member(user="U2", handle="bo", names=("Bo Chen",)),
    Member(user="U3", handle="bo2", names=("Bo  chen",)),
    Member(user="U4", handle="zoe", names=("Zoë Müller",)),
    Member(user="U5", handle="gone", names=("Gone Girl",), email="gone@example.com", deleted=True),
    Member(user="U6", handle="robot", names=("Robot",), email="robot@example.com", bot=True),
    Member(user="U7", handle="cy", names=("Cy Haddad",)),
    Member(user="U8", handle="cy.old", names=("Cy Haddad",), deleted=True),
)


def person(name: str, email: str = "", slack: str = "") -> Person:
    return Person(email or f"slack:{slack}", name, email, slack)


@pytest.mark.parametrize(
    ("who", "user", "how"),
    [
        (person("Somebody", "ana@example.com"), "U1", "e-mail"),
        (Person("ana@example.com", "ana@example.com"), "U1", "e-mail"),
        (person("Bo", slack="U2"), "U2", "Slack id"),
        (person("Bo", slack="@BO"), "U2", "handle"),
        (person("zoe muller", "zoe@elsewhere.example"), "U4", "name"),
        (person("Cy Haddad", "cy@example.com"), "U7", "name"),
        (Person("slack:U4", "U4"), "U4", "Slack id"),
    ],
)
def test_people_are_found_by_id_email_handle_or_name(who: Person, user: str, how: str) -> None:
    found = link(who, MEMBERS)
    assert (found.user, found.how, found.trouble) == (user, how, "")


@pytest.mark.parametrize(
    ("who", "why", "to_do"),
    [
        (
            person("Nobody", "no@example.com"),
            "no@example.com has no Slack account here",
            "`slack:`",
        ),
        (person("Bo Chen", "bo@example.com"), "2 members", "add the e-mail"),
        (person("X", "gone@example.com"), "is closed", "take them off"),
        (person("X", "robot@example.com"), "is an app", "name a person"),
        (person("X", slack="U999"), "no Slack account", "`slack:`"),
    ],
)
def test_who_is_not_linked_is_told_why_and_what_to_do(who: Person, why: str, to_do: str) -> None:
    found = link(who, MEMBERS)
    assert found.user == ""
    assert why in found.why
    assert to_do in found.to_do
