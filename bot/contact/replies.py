"""What people reply to text messages: finds whose number it is and which page the code is of."""

import hmac
import re
from collections.abc import Sequence

from bot.contact.answering import Answered, Answering, Standing
from bot.contact.links import Links
from bot.ports.contact import ContactReads
from bot.ports.store import Reader
from rules.contacting.contacts import phone_number
from rules.contacting.method import Method
from rules.incident import State
from rules.people import People, Person

MOST = 200
"""Incidents that a reply is looked for in, the newest first: of those open, then of those over."""
_OPEN, _OVER = (State.TRIGGERED, State.ACKNOWLEDGED), (State.RESOLVED,)
_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
_UNKNOWN = "That code is not known, or too old. Open Slack to see what is open."
_STRANGER = "This number is nobody's here. Add it to the roster."
_HOW = "Reply with the six digits of the message to acknowledge it, or open Slack."


class Replies:
    """Reads replies; a code counts only from the number it was sent to."""

    def __init__(
        self,
        links: Links,
        answering: Answering,
        people: People,
        reader: Reader,
        contacts: ContactReads,
    ) -> None:
        self._links = links
        self._answering = answering
        self._people = people
        self._reader = reader
        self._contacts = contacts

    async def hear(self, sender: str, text: str) -> str:
        """Acknowledge what a reply means; return what to answer. Raises NotStoredError."""
        people = self._whose(sender)
        if not people:
            return _STRANGER
        # phones write the digits of their own script
        codes = [f"{int(code):06d}" for code in _CODE.findall(text[:500])]
        if not codes:
            return _HOW
        told = [found for code in codes[:5] if (found := await self._meant(people, code))]
        return " ".join(map(said, told)) or _UNKNOWN

    def _whose(self, sender: str) -> list[Person]:
        try:
            number = phone_number(sender)
        except ValueError:
            return []
        return [person for person in self._people if number and person.phone == number]

    async def _meant(self, people: list[Person], code: str) -> Answered | None:
        return await self._acknowledged(people, code, _OPEN) or await self._acknowledged(
            people, code, _OVER
        )

    async def _acknowledged(
        self, people: list[Person], code: str, states: Sequence[State]
    ) -> Answered | None:
        for incident in await self._reader.incidents(states=states, limit=MOST):
            theirs = [person for person in people if person.key in incident.paged]
            attempts = await self._contacts.attempts(incident.id) if theirs else ()
            for person in theirs:
                pages = {
                    one.page
                    for one in attempts
                    if one.person == person.key and one.method is Method.SMS
                }
                if page := next((p for p in pages if self._fits(person.key, p, code)), ""):
                    return await self._answering.acknowledge(
                        incident.id, person.key, Method.SMS, page
                    )
        return None

    def _fits(self, person: str, page: str, code: str) -> bool:
        wanted = self._links.code(person, page)
        return bool(wanted) and hmac.compare_digest(wanted, code)


def said(found: Answered) -> str:
    """Return in one sentence how an incident stands for the one who acknowledged it."""
    match found.standing:
        case Standing.YOURS:
            return f"#{found.number} is yours. Nobody else is called."
        case Standing.TAKEN:
            return f"{found.by} already has #{found.number}. You need not do anything."
        case Standing.ASKED:
            return f"{found.by} has #{found.number}, and you are asked to help. No more calls."
        case Standing.RESOLVED:
            return f"#{found.number} is already resolved. You need not do anything."
        case Standing.KEPT:
            return f"Your acknowledgement of #{found.number} is stored and takes effect soon."
        case Standing.GONE:
            return "There is no such incident any more."
