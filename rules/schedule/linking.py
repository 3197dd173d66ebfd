"""Who a person is in Slack: found by id, e-mail, handle or name, or why not and what to do."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rules.people import Person

_USER_ID = re.compile(r"[UW][A-Z0-9]{2,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of the workspace; `names` is what others see of them."""

    user: str
    handle: str = ""
    names: tuple[str, ...] = ()
    email: str = ""
    deleted: bool = False
    bot: bool = False
    foreign: bool = False
    """Of another workspace, which says what they are called there, and what their e-mail is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A person's place in Slack: `user` and `how` it was found, or `why` not and what `to_do`."""

    key: str
    name: str
    user: str = ""
    how: str = ""
    why: str = ""
    to_do: str = ""

    @property
    def trouble(self) -> str:
        """Return why the person is not linked and what to do, "" when they are."""
        return f"{self.why}: {self.to_do}" if self.why else ""


def link(person: Person, members: Iterable[Member]) -> Link:
    """Find a person among the members of the workspace."""
    everyone = list(members)
    for how, found in _ways(person, everyone):
        if found:
            return _judged(person, how, found)
    return Link(
        key=person.key,
        name=person.name,
        why=f"{person.key} has no Slack account here",
        to_do="correct the e-mail, or add `slack:` to the person",
    )


def _ways(person: Person, members: Sequence[Member]) -> Iterable[tuple[str, list[Member]]]:
    slack = person.slack or person.key.removeprefix("slack:")
    email = person.email or (person.key if "@" in person.key else "")
    if _USER_ID.fullmatch(slack):
        yield "Slack id", [m for m in members if m.user == slack]
    if email:
        found = [m for m in members if m.email.lower() == email.lower()]
        yield "e-mail", [m for m in found if not m.foreign] or found
    handle = person.slack.lstrip("@").casefold()
    if handle and not _USER_ID.fullmatch(person.slack):
        yield "handle", _of_people(m for m in members if m.handle.casefold() == handle)
    if "@" not in person.name:
        name = _fold(person.name)
        yield "name", _of_people(m for m in members if name in map(_fold, m.names))


def _of_people(found: Iterable[Member]) -> list[Member]:
    return [member for member in found if not (member.deleted or member.bot or member.foreign)]


def _judged(person: Person, how: str, found: Sequence[Member]) -> Link:
    member = next(iter(_of_people(found)), found[0])
    why, to_do = "", ""
    if len(found) > 1:
        why = f"{len(found)} members of the workspace are called {person.name}"
        to_do = "add the e-mail to the person, or `slack:` with their member id"
    elif member.bot:
        why, to_do = f"{person.name} is an app in Slack", "name a person"
    elif member.foreign and how != "Slack id":
        why = f"{person.name} is in Slack only as somebody of another workspace"
        to_do = "add `slack:` with their member id if it is they"
    elif member.deleted:
        why = f"the Slack account of {person.name} is closed"
        to_do = "take them off the roster, or correct the e-mail"
    if why:
        return Link(key=person.key, name=person.name, why=why, to_do=to_do)
    return Link(key=person.key, name=person.name, user=member.user, how=how)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", " ".join(text.casefold().split()))
    return "".join(c for c in decomposed if not unicodedata.combining(c))
