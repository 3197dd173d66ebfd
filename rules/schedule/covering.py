"""Asking for somebody to cover a shift: the first to accept has it, until it expires."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rules.rotation import OnCall
from rules.schedule.coverage import within
from rules.schedule.held import Slot, holders
from rules.schedule.roster import Override, OverrideKind
from rules.sentence import Sentence, Who, say

AGAIN_AFTER = timedelta(minutes=10)
"""So long nobody is asked the same again."""
SHORT_NOTICE = timedelta(hours=1)


class CoverState(StrEnum):
    """OPEN until somebody takes it, it is withdrawn or it expires; RETURNED to the asker later."""

    OPEN = "open"
    TAKEN = "taken"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverRequest:
    """`person` asks for somebody to have the slot instead; `override_id` once `taken_by` has it."""

    id: str
    slot: Slot
    person: str
    asked_at: datetime
    expires_at: datetime
    channel: str = ""
    why: str = ""
    state: CoverState = CoverState.OPEN
    asked_again_at: datetime | None = None
    taken_by: str = ""
    override_id: str = ""
    closed_at: datetime | None = None

    def state_at(self, now: datetime) -> CoverState:
        if self.state is CoverState.OPEN and now >= self.expires_at:
            return CoverState.EXPIRED
        return self.state


@dataclass(frozen=True, slots=True)
class Covered:
    """The request as taken, and the override that makes it so."""

    request: CoverRequest
    override: Override


def ask(
    on_call: OnCall, wanted: CoverRequest, others: Iterable[CoverRequest], now: datetime
) -> CoverRequest | Sentence:
    """Return the request as it is asked, or say why there is nothing to ask.

    Time before and after the asker's own shifts is left out: nobody would take that over. It
    expires when the shift begins; at short notice or during the shift, when the shift ends.
    """
    slot = replace(wanted.slot, starts_at=max(wanted.slot.starts_at, now))
    if slot.ends_at <= slot.starts_at:
        return say("That is over already, or ends before it starts.")
    spans = within(on_call, slot.rotation, slot.role, slot.starts_at, slot.ends_at)
    held = [span for span in spans if wanted.person in span.people]
    if not held:
        return say(
            "You are not {role} of {rotation} then. `/oncall next` shows who is.",
            role=slot.role,
            rotation=slot.rotation,
        )
    slot = replace(
        slot,
        starts_at=max(slot.starts_at, held[0].start),
        ends_at=min(slot.ends_at, held[-1].end),
    )
    if any(_same(one, wanted.person, slot, now) for one in others):
        return say("You have asked for that already; the message in the channel can ask again.")
    ahead = slot.starts_at - now > SHORT_NOTICE
    return replace(wanted, slot=slot, expires_at=slot.starts_at if ahead else slot.ends_at)


def accept(
    request: CoverRequest, by: str, on_call: OnCall, now: datetime, override_id: str
) -> Covered | Sentence:
    """Return the cover that `by` gives from now or the beginning on, or say why it is refused."""
    if refusal := _closed(request, by, now):
        return refusal
    if by == request.person:
        return say("It is your own shift.")
    slot = replace(request.slot, starts_at=max(request.slot.starts_at, now))
    if request.person not in holders(on_call, slot):
        return say("{who} is not on call then any more.", who=Who(request.person))
    override = Override(
        id=override_id,
        rotation=slot.rotation,
        role=slot.role,
        person=by,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        by=by,
        created_at=now,
        kind=OverrideKind.REPLACE,
        instead_of=request.person,
        why=request.why,
        origin=f"cover:{request.id}",
    )
    taken = replace(
        request, state=CoverState.TAKEN, taken_by=by, override_id=override_id, closed_at=now
    )
    return Covered(taken, override)


def ask_again(request: CoverRequest, by: str, now: datetime) -> CoverRequest | Sentence:
    """Return the request asked once more by its asker, or say why not."""
    if refusal := _closed(request, by, now):
        return refusal
    if by != request.person:
        return say("Only {who} can ask again.", who=Who(request.person))
    last = request.asked_again_at or request.asked_at
    if now - last < AGAIN_AFTER:
        return say("That was asked {ago} ago; wait a little.", ago=now - last)
    return replace(request, asked_again_at=now)


def withdraw(request: CoverRequest, by: str, now: datetime) -> CoverRequest | Sentence:
    """Return the request withdrawn by its asker, or say why not."""
    if refusal := _closed(request, by, now):
        return refusal
    if by != request.person:
        return say("Only {who} can withdraw it.", who=Who(request.person))
    return replace(request, state=CoverState.WITHDRAWN, closed_at=now)


def returned(request: CoverRequest, now: datetime) -> CoverRequest:
    """Return the request after its override was ended: the asker is on call again."""
    return replace(request, state=CoverState.RETURNED, closed_at=now)


def _same(one: CoverRequest, person: str, slot: Slot, now: datetime) -> bool:
    return (
        one.person == person
        and one.state_at(now) is CoverState.OPEN
        and (one.slot.rotation, one.slot.role) == (slot.rotation, slot.role)
        and one.slot.starts_at < slot.ends_at
        and slot.starts_at < one.slot.ends_at
    )


def _closed(request: CoverRequest, by: str, now: datetime) -> Sentence | None:
    match request.state_at(now):
        case CoverState.TAKEN if request.taken_by == by:
            return say("You have it already.")
        case CoverState.TAKEN:
            return say("{who} was faster and has it.", who=Who(request.taken_by))
        case CoverState.WITHDRAWN:
            return say("{who} has withdrawn the request.", who=Who(request.person))
        case CoverState.RETURNED:
            return say("{who} has the shift back.", who=Who(request.person))
        case CoverState.EXPIRED:
            return say("The request expired {at}.", at=request.expires_at)
        case CoverState.OPEN:
            return None
