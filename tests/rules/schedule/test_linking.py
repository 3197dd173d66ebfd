"""Who a person is in Slack."""

import pytest

from rules.people import Person
from rules.schedule.linking import Member, link

MEMBERS = (
    Member(user="U001", handle="ana", names=("Ana Ruiz", "Ani"), email="Ana@Example.com"),
    Member(user="U002", handle="bo", names=("Bo Chen",)),
    Member(user="U003", handle="bo2", names=("Bo  chen",)),
    Member(user="U004", handle="zoe", names=("Zoë Müller",)),
    Member(
        user="U005", handle="gone", names=("Gone Girl",), email="gone@example.com", deleted=True
    ),
    Member(user="U006", handle="robot", names=("Robot",), email="robot@example.com", bot=True),
    Member(user="U007", handle="cy", names=("Cy Haddad",)),
    Member(user="U008", handle="cy.old", names=("Cy Haddad",), deleted=True),
    Member(user="U009", handle="cy", names=("Cy Haddad",), email="ana@example.com", foreign=True),
    Member(user="U010", handle="far", names=("Far Away",), email="far@example.com", foreign=True),
)


def person(name: str, email: str = "", slack: str = "") -> Person:
    return Person(email or f"slack:{slack}", name, email, slack)


@pytest.mark.parametrize(
    ("who", "user", "how"),
    [
        (person("Somebody", "ana@example.com"), "U001", "e-mail"),
        (Person("ana@example.com", "ana@example.com"), "U001", "e-mail"),
        (person("Bo", slack="U002"), "U002", "Slack id"),
        (person("Far", slack="U010"), "U010", "Slack id"),
        (person("Bo", slack="@BO"), "U002", "handle"),
        (person("zoe muller", "zoe@elsewhere.example"), "U004", "name"),
        (person("Cy Haddad", "cy@example.com"), "U007", "name"),
        (Person("slack:U004", "U004"), "U004", "Slack id"),
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
        (person("X", "far@example.com"), "somebody of another workspace", "`slack:`"),
        (person("Far Away", "fa@example.com"), "no Slack account", "`slack:`"),
    ],
)
def test_who_is_not_linked_is_told_why_and_what_to_do(who: Person, why: str, to_do: str) -> None:
    found = link(who, MEMBERS)
    assert found.user == ""
    assert why in found.why
    assert to_do in found.to_do
