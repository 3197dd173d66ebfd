"""The People tab: who there is, beside those of the configuration."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from bot.roster.cells import CellError
from bot.roster.columns import Meanings, Row, read_rows
from bot.roster.settings import sentence
from bot.roster.table import Problem, Severity, Table, quoted
from rules.contacting.contacts import checked_order, ntfy_topic, phone_number, pushover_key
from rules.people import People, Person
from rules.zones import checked_zone

MEANINGS: Meanings = {
    "name": ("name", "person", "who", "nom", "nombre", "display name"),
    "e-mail": ("e-mail", "email", "mail", "e-mail address", "correo", "courriel"),
    "slack": ("slack", "slack id", "handle", "slack handle", "member id"),
    "zone": ("time zone", "timezone", "zone", "zeitzone", "fuseau horaire", "zona horaria"),
    "phone": ("phone", "mobile", "telephone", "phone number", "telefon", "handy", "téléphone"),
    "pushover": ("pushover", "pushover key"),
    "ntfy": ("ntfy", "ntfy topic"),
    "webhook": ("webhook",),
    "contact": ("contact", "contact order", "contact methods"),
    "weight": ("weight", "share", "gewicht", "poids", "peso"),
    "active": ("active", "aktiv", "actif", "activo"),
    "notes": ("notes", "note", "comment", "comments", "team", "notizen", "remarques", "notas"),
}  # fmt: skip
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NO = {"no", "n", "false", "0", "-", "nein", "non", "left", "inactive", "falsch", "faux"}
_YES = {"", "yes", "y", "true", "1", "x", "ja", "oui", "si", "active", "wahr", "vrai", "✓", "✔"}
_LONGEST_NAME = 100
_NAMESAKE = (
    "somebody of this name stands in row {row} already, so this row is left out. Two people need "
    "an e-mail each; for one person, write the e-mail in both rows."
)
_ADDRESSES: Mapping[str, Callable[[str], str]] = {
    "phone": phone_number,
    "pushover": pushover_key,
    "ntfy": ntfy_topic,
    "webhook": str,
    "contact": checked_order,
}


@dataclass(slots=True)
class PeopleTab:
    """`people` are everybody, those of the configuration first; `weights` by key, where not 1."""

    people: People
    weights: dict[str, float] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_people_tab(table: Table, tab: str, configured: Iterable[Person]) -> PeopleTab:
    """Read the tab. Raises HeaderError when there is no header that can be used."""
    found = read_rows(table, tab, MEANINGS, ("name",))
    known = {person.key: person for person in configured}
    read = PeopleTab(People(), problems=list(found.problems))
    gone: set[str] = set()
    rows: dict[str, int] = {}
    for row in found.rows:
        try:
            person = _person(row, known.values())
            if person is None:
                continue
            if person.key in rows and not _is_surely(row, known[person.key]):
                raise CellError(row.cell("name"), _NAMESAKE.format(row=rows[person.key]))
            rows.setdefault(person.key, row.number)
            known[person.key] = person = _reached(person, row, read.problems)
            if not _active(row):
                gone.add(person.key)
            weight = _weight(row)
            if weight != 1.0:
                read.weights[person.key] = weight
        except CellError as error:
            read.problems.append(error.problem())
    read.people = People(
        (person for person in known.values() if person.key not in gone),
        left=(person for person in known.values() if person.key in gone),
    )
    return read


def _person(row: Row, known: Iterable[Person]) -> Person | None:
    name = " ".join(row.text("name").split())
    email, slack = row.text("e-mail").lower(), row.text("slack").strip("<@> ")
    if not (name or email or slack):
        return None
    if email and not _EMAIL.fullmatch(email):
        raise CellError(row.cell("e-mail"), f"{quoted(email)} is not an e-mail address.")
    if len(name) > _LONGEST_NAME:
        raise CellError(row.cell("name"), f"a name has at most {_LONGEST_NAME} letters.")
    before = _before(name, email, slack, known)
    if before is None and not (email or slack):
        text = f"{name} has neither an e-mail nor a Slack id, so nobody can page them. Write one."
        raise CellError(row.cell("e-mail"), text)
    key = before.key if before else email or f"slack:{slack}"
    person = before or Person(key, name or email or slack)
    return replace(
        person,
        name=name or person.name,
        email=email or person.email,
        slack=slack or person.slack,
        zone=_zone(row) or person.zone,
    )


def _reached(person: Person, row: Row, problems: list[Problem]) -> Person:
    """Add how else the person is reached; what cannot be read is left out, and said."""
    found: dict[str, str] = {}
    for name, check in _ADDRESSES.items():
        try:
            if text := check(row.text(name)):
                found[name] = text
        except CellError as error:
            problems.append(error.problem(severity=Severity.WARNING))
        except ValueError as error:
            told = CellError(row.cell(name), sentence(str(error)))
            problems.append(told.problem(severity=Severity.WARNING))
    return replace(person, **found)


def _before(name: str, email: str, slack: str, known: Iterable[Person]) -> Person | None:
    """Return the one who is already known by the e-mail, else by the Slack id or the name."""
    for person in known:
        if email and person.email:
            if person.email == email:
                return person
        elif slack and person.slack:
            if person.slack.lstrip("@") == slack:
                return person
        elif name and person.name.casefold() == name.casefold():
            return person
    return None


def _is_surely(row: Row, person: Person) -> bool:
    """Whether a row is of this person, and not of somebody who has only their name."""
    email, slack = row.text("e-mail").lower(), row.text("slack").strip("<@> ")
    known = {email, slack} & {person.email, person.slack.lstrip("@")} - {""}
    return bool(known) or not (email or slack)


def _zone(row: Row) -> str:
    text = row.text("zone")
    if not text:
        return ""
    try:
        return checked_zone(text)
    except ValueError as error:
        raise CellError(row.cell("zone"), sentence(str(error)), "E09") from None


def _active(row: Row) -> bool:
    text = row.text("active").casefold()
    if text in _NO:
        return False
    if text in _YES:
        return True
    raise CellError(row.cell("active"), f'{quoted(text)} is neither "yes" nor "no".')


def _weight(row: Row) -> float:
    text = row.text("weight").replace(",", ".")
    try:
        percent = text.endswith("%")
        weight = float(text.rstrip("% ") or 1) / (100 if percent else 1)
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= 10:
        text = f"{quoted(text)} is no weight. Write 1 for a full share, 0.5 for half of one."
        raise CellError(row.cell("weight"), text)
    return weight
