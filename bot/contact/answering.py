"""Takes an acknowledgement that came by another way, as the same act that a click in Slack is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.acts.act import SLACK, ActPayload, AnswerTo, OnIncident, act_to_json
from bot.clock import Clock
from bot.ports.inbox import Inbox, NewDelivery
from bot.ports.store import Reader
from rules.contacting.method import TITLES, Method
from rules.effects import BY_HAND
from rules.incident import Incident, State

PATIENCE = timedelta(seconds=2)
MOST = 200
"""Incidents that are looked through, the newest first."""
_LOOK = timedelta(milliseconds=40)


class Standing(StrEnum):
    """How an incident stands for one who acknowledges it; `asked` is to help who has it."""

    YOURS = "yours"
    TAKEN = "taken"
    ASKED = "asked"
    RESOLVED = "resolved"
    KEPT = "kept"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an acknowledgement; `by` has the incident where somebody else does."""

    standing: Standing
    number: int = 0
    title: str = ""
    by: str = ""


class Answering:
    """Accepts acknowledgements: stored before they are answered, carried out once."""

    def __init__(
        self, inbox: Inbox, reader: Reader, clock: Clock, name_of: Callable[[str], str]
    ) -> None:
        self._inbox = inbox
        self._reader = reader
        self._clock = clock
        self._name_of = name_of

    async def look(self, incident_id: str, person: str, page: str) -> Answered:
        """Say how the incident of a page stands, and change nothing. Raises NotStoredError."""
        incident = await self._reader.incident(incident_id)
        return Answered(Standing.GONE) if incident is None else self._told(incident, person, page)

    async def acknowledge(
        self, incident_id: str, person: str, method: Method, page: str = ""
    ) -> Answered:
        """Acknowledge as a person, and wait a moment for the decision. Raises NotStoredError.

        Doing it again is harmless. Whoever is not needed any more is not called further either.
        """
        incident = await self._reader.incident(incident_id)
        if incident is None:
            return Answered(Standing.GONE)
        before = self._told(incident, person, page)
        if before.standing in {Standing.RESOLVED, Standing.YOURS}:
            return before
        # whoever comes late must not take it from the one who snoozed it, only end their own calls
        event = "acked" if before.standing is Standing.KEPT else "ack_confirmed"
        await self._accept(incident, event, person, method)
        if before.standing in {Standing.TAKEN, Standing.ASKED}:
            return before
        return await self._decided(incident, person)

    async def others(self, person: str, but: str = "") -> Sequence[Incident]:
        """Return what else waits for somebody and paged this person. Raises NotStoredError."""
        found = await self._reader.incidents(states=[State.TRIGGERED], limit=MOST)
        return [
            one
            for one in found
            if person in one.paged and one.muted is None and one.pages and one.id != but
        ]

    async def acknowledge_all(self, person: str, method: Method, but: str = "") -> int:
        """Acknowledge all that a person is paged for, `but` one incident; return how much that was.

        Raises NotStoredError. Whoever pressed a key hears of a storm as soon as of one incident.
        """
        found = await self.others(person, but)
        for incident in found:
            await self._accept(incident, "acked", person, method)
        if found:
            await self._decided(found[-1], person)
        return len(found)

    async def _accept(self, incident: Incident, event: str, person: str, method: Method) -> None:
        act = OnIncident(number=incident.number, event=event, by=person, via=TITLES[method])
        body = act_to_json(ActPayload(act=act, answer_to=AnswerTo(user="")))
        minute = int(self._clock.now().timestamp()) // 60
        key = f"ack:{incident.id}:{incident.version}:{minute}:{person}"
        await self._inbox.accept(NewDelivery(source=SLACK, key=key, body=body))

    async def _decided(self, incident: Incident, person: str) -> Answered:
        until = self._clock.now() + PATIENCE
        while self._clock.now() < until:
            now = await self._reader.incident(incident.id)
            if now is not None and now.state is not State.TRIGGERED:
                return self._told(now, person)
            await self._clock.sleep_until(self._clock.now() + _LOOK)
        return self._told(incident, person)

    def _told(self, incident: Incident, person: str, page: str = "") -> Answered:
        number, title = incident.number, incident.title
        if incident.state is State.RESOLVED:
            return Answered(Standing.RESOLVED, number, title)
        if incident.state is State.TRIGGERED:
            return Answered(Standing.KEPT, number, title)
        if incident.acked_by == person:
            return Answered(Standing.YOURS, number, title)
        by_hand = page.startswith(f"{incident.id}{BY_HAND}")
        standing = Standing.ASKED if by_hand else Standing.TAKEN
        return Answered(standing, number, title, self._name_of(incident.acked_by))
