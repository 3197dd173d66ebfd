"""Who can be reached by what: a person's addresses, and the steps that a page of theirs takes."""

import re
from dataclasses import dataclass, field

from rules.contacting.method import USUAL, ContactOrder, ContactStep, Method, read_order
from rules.people import People, Person
from rules.plain_line import seen
from rules.priority import Urgency

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_EMAIL = re.compile(r"""[^\s@,;:<>()\[\]\\"]+@[^\s@,;:<>()\[\]\\"]+""")
"""One plain address: what has more in it is a list, a group or a comment to mail programs."""
_PUSHOVER = re.compile(r"[A-Za-z0-9]{30}")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FILLING = re.compile(r"[\s().\-/\u2010-\u2015]")
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")
"""The zero of a call inside the country, as in +44 (0)20: whoever calls from abroad leaves it out."""
_ITALY = "+39"


@dataclass(frozen=True, slots=True)
class Contacts:
    """The configured methods, the order of most people, and everybody's addresses.

    `webhooks` are the names that a person's webhook can have.
    """

    available: frozenset[Method] = frozenset()
    order: ContactOrder = USUAL
    people: People = field(default_factory=People)
    webhooks: frozenset[str] = frozenset()

    @property
    def configured(self) -> bool:
        """Whether people are to be reached besides Slack; webhooks may be there for policies alone."""
        if self.available - {Method.WEBHOOK}:
            return True
        return any(person.webhook in self.webhooks for person in self.people)

    def steps(self, key: str, urgency: Urgency) -> tuple[ContactStep, ...]:
        """Return the steps that can be taken for a person, beside the direct message."""
        if not self.available:
            return ()
        person = self.people.by_key(key)
        return tuple(step for step in self._order(person).of(urgency) if self.usable(person, step))

    def usable(self, person: Person, step: ContactStep) -> bool:
        if step.method is Method.WEBHOOK and person.webhook not in self.webhooks:
            return False
        return step.method in self.available and bool(address_of(person, step.method))

    def methods(self, key: str) -> tuple[Method, ...]:
        """Return by what, beside Slack, a person is reached at any urgency, in order."""
        found = [step.method for urgency in Urgency for step in self.steps(key, urgency)]
        return tuple(dict.fromkeys(found))

    def when_critical(self, key: str) -> tuple[Method, ...]:
        """Return by what, beside Slack, a person is reached when it matters most."""
        return tuple(dict.fromkeys(step.method for step in self.steps(key, Urgency.CRITICAL)))

    def _order(self, person: Person) -> ContactOrder:
        return read_order(person.contact) if person.contact else self.order


def address_of(person: Person, method: Method) -> str:
    """Return where a method reaches a person, "" where it does not."""
    match method:
        case Method.EMAIL:
            return _mailbox(person.email or person.key)
        case Method.SMS | Method.VOICE:
            return person.phone
        case Method.PUSHOVER:
            return person.pushover
        case Method.NTFY:
            return person.ntfy
        case Method.WEBHOOK:
            return person.webhook
        case Method.SLACK:
            return person.slack or person.email or person.key


def _mailbox(text: str) -> str:
    return text if _EMAIL.fullmatch(text) and text.isprintable() else ""


def phone_number(text: str) -> str:
    """Return a number as `+491701234567`, "" for none. Raises ValueError, in words."""
    plain, cut = _TRUNK_ZERO.subn("", seen(text))
    bare = _FILLING.sub("", plain)
    number = f"+{bare[2:]}" if bare.startswith("00") else bare
    if cut and number.startswith(_ITALY):  # the one that keeps its zero
        number = f"{_ITALY}0{number.removeprefix(_ITALY)}"
    if number and not _PHONE.fullmatch(number):
        raise ValueError(
            f'"{text}" is no phone number; write it with its country, like +49 170 1234567'
        )
    return number


def pushover_key(text: str) -> str:
    """Return a user key of Pushover, "" for none. Raises ValueError, in words."""
    key = text.strip()
    if key and not _PUSHOVER.fullmatch(key):
        raise ValueError("a Pushover user key has 30 letters and digits; it stands on pushover.net")
    return key


def ntfy_topic(text: str) -> str:
    """Return a topic of ntfy, "" for none. Raises ValueError, in words."""
    topic = text.strip()
    if topic and not _TOPIC.fullmatch(topic):
        raise ValueError(
            f'"{text}" is no ntfy topic; write its name alone: up to 64 letters, digits, - and _'
        )
    return topic


def checked_order(text: str) -> str:
    """Return an order as it was written. Raises ValueError, in words."""
    read_order(text.strip())
    return text.strip()
