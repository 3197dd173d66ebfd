"""Swapping two shifts: asked, accepted by the other, approved where that is needed, applied."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rules.rotation import OnCall
from rules.schedule.held import Slot, cautions, has_all, holders
from rules.schedule.roster import Away, Swap
from rules.sentence import Sentence, Who, say

REMIND_BEFORE = (
    timedelta(days=7),
    timedelta(days=3),
    timedelta(days=1),
    timedelta(hours=12),
    timedelta(hours=2),
)
"""How long before a request expires whoever must decide is reminded."""
_LEAVE_ALONE = timedelta(hours=2)


class SwapState(StrEnum):
    """ASKED waits for the other, ACCEPTED for an approver; APPLIED is in force."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    DECLINED = "declined"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNDONE = "undone"


WAITING = (SwapState.ASKED, SwapState.ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapRequest:
    """`asker` gives `mine` to `other` for `theirs`; `closed_by` is who ended it otherwise."""

    id: str
    asker: str
    other: str
    mine: Slot
    theirs: Slot
    asked_at: datetime
    why: str = ""
    state: SwapState = SwapState.ASKED
    accepted_at: datetime | None = None
    approved_at: datetime | None = None
    approved_by: str = ""
    closed_by: str = ""
    closed_at: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        """Return when the earlier shift begins: until then it must be decided."""
        return min(self.mine.starts_at, self.theirs.starts_at)

    def state_at(self, now: datetime) -> SwapState:
        return SwapState.EXPIRED if self.state in WAITING and now >= self.expires_at else self.state

    def legs(self) -> tuple[Swap, ...]:
        """Return both legs as they resolve; none before it is applied."""
        if self.state is not SwapState.APPLIED:
            return ()
        return self._legs(self.approved_at)

    def would_be(self, now: datetime) -> tuple[Swap, ...]:
        """Return both legs as if they were approved now."""
        return self._legs(now)

    def _legs(self, at: datetime | None) -> tuple[Swap, ...]:
        return (
            _leg(f"{self.id}-1", self.mine, self.asker, self.other, at),
            _leg(f"{self.id}-2", self.theirs, self.other, self.asker, at),
        )


def ask(
    on_call: OnCall, wanted: SwapRequest, others: Iterable[SwapRequest], now: datetime
) -> SwapRequest | Sentence:
    """Return the request, or say why it cannot be asked."""
    if wanted.asker == wanted.other:
        return say("Both shifts are yours. Choose a shift of somebody else.")
    if refusal := _unfit(on_call, wanted, now):
        return refusal
    if any(_same(one, wanted, now) for one in others):
        return say("One of these shifts is in another swap that waits; withdraw that one first.")
    return wanted


def answer(
    swap: SwapRequest,
    by: str,
    on_call: OnCall,
    now: datetime,
    *,
    accepted: bool,
    approvers: Collection[str] = (),
) -> SwapRequest | Sentence:
    """Return the request as the other answered it; without approvers an accepted one applies."""
    if refusal := _decided(swap, SwapState.ASKED, now):
        return refusal
    if by != swap.other:
        return say("Only {who} can answer that.", who=Who(swap.other))
    if not accepted:
        return replace(swap, state=SwapState.DECLINED, closed_by=by, closed_at=now)
    if refusal := _unfit(on_call, swap, now):
        return refusal
    if approvers:
        return replace(swap, state=SwapState.ACCEPTED, accepted_at=now)
    return replace(swap, state=SwapState.APPLIED, accepted_at=now, approved_at=now)


def decide(
    swap: SwapRequest,
    by: str,
    on_call: OnCall,
    now: datetime,
    *,
    approved: bool,
    approvers: Collection[str],
) -> SwapRequest | Sentence:
    """Return the request as an approver decided it."""
    if refusal := _decided(swap, SwapState.ACCEPTED, now):
        return refusal
    if by not in approvers:
        return say("You are not among those who approve swaps of {of}.", of=swap.mine.rotation)
    if not approved:
        return replace(swap, state=SwapState.REFUSED, closed_by=by, closed_at=now)
    if refusal := _unfit(on_call, swap, now):
        return refusal
    return replace(swap, state=SwapState.APPLIED, approved_at=now, approved_by=by)


def withdraw(
    swap: SwapRequest, by: str, now: datetime, others: Iterable[SwapRequest] = ()
) -> SwapRequest | Sentence:
    """Return the request withdrawn by its asker, or an applied swap undone before it begins.

    One that another swap builds on is not undone: of that, one half would stay in force.
    """
    state = swap.state_at(now)
    if state is SwapState.APPLIED:
        if by not in {swap.asker, swap.other}:
            return say(
                "Only {asker} or {other} can undo it.", asker=Who(swap.asker), other=Who(swap.other)
            )
        if now >= swap.expires_at:
            return say("It has begun. Use `/oncall override` for what is left.")
        if holder := next((found for one in others if (found := _passed_on(swap, one))), ""):
            return say(
                "{who} has that shift by a later swap. Undo that one first.", who=Who(holder)
            )
        return replace(swap, state=SwapState.UNDONE, closed_by=by, closed_at=now)
    if state not in WAITING:
        return _over(swap, state)
    if by != swap.asker:
        return say("Only {who} can withdraw it.", who=Who(swap.asker))
    return replace(swap, state=SwapState.WITHDRAWN, closed_by=by, closed_at=now)


def cautions_of(
    swap: SwapRequest, before: OnCall, after: OnCall, away: Sequence[Away]
) -> tuple[Sentence, ...]:
    """Say what the swap brings about that people may not want, of those who take shifts by it.

    `after` is who would be on call once it is in force; who is away is not among them.
    """
    legs = ((swap.mine, swap.other), (swap.theirs, swap.asker))
    found = [one for slot, taker in legs for one in cautions(before, after, slot, away, {taker})]
    return tuple(one for at, one in enumerate(found) if one not in found[:at])


def _passed_on(swap: SwapRequest, later: SwapRequest) -> str:
    """Return who has what this swap gave by a later one, "" when nobody has."""
    for ours in swap.legs():
        for theirs in later.legs():
            given = (ours.rotation, ours.role, ours.taker)
            if (
                (theirs.rotation, theirs.role, theirs.giver) == given
                and theirs.starts_at < ours.ends_at
                and ours.starts_at < theirs.ends_at
                and (theirs.approved_at, theirs.id) > (ours.approved_at, ours.id)
            ):
                return theirs.taker
    return ""


def reminders(swap: SwapRequest, now: datetime) -> list[datetime]:
    """Return when whoever must decide is reminded, soonest first; never within two hours."""
    return [
        when for before in REMIND_BEFORE if (when := swap.expires_at - before) >= now + _LEAVE_ALONE
    ]


def _leg(id_: str, slot: Slot, giver: str, taker: str, at: datetime | None) -> Swap:
    return Swap(
        id=id_,
        rotation=slot.rotation,
        role=slot.role,
        giver=giver,
        taker=taker,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        approved_at=at,
    )


def _unfit(on_call: OnCall, swap: SwapRequest, now: datetime) -> Sentence | None:
    sides = ((swap.asker, swap.other, swap.mine), (swap.other, swap.asker, swap.theirs))
    if _overlap(swap.mine, swap.theirs) and _place(swap.mine) == _place(swap.theirs):
        return say("You have that shift together: there is nothing to swap.")
    for giver, taker, slot in sides:
        if slot.ends_at <= slot.starts_at:
            return say("A shift must end after it starts.")
        if slot.starts_at <= now:
            return say("That shift has begun. `/oncall cover` asks for somebody to take it over.")
        if not has_all(on_call, giver, slot):
            return say(
                "{who} is not {role} of {rotation} all of that time. `/oncall next` shows who is.",
                who=Who(giver),
                role=slot.role,
                rotation=slot.rotation,
            )
        if taker in holders(on_call, slot):
            return say(
                "{who} is {role} of {rotation} for some of that time already.",
                who=Who(taker),
                role=slot.role,
                rotation=slot.rotation,
            )
    return None


def _decided(swap: SwapRequest, waits_for: SwapState, now: datetime) -> Sentence | None:
    state = swap.state_at(now)
    if state is waits_for:
        return None
    if state is SwapState.ACCEPTED:
        return say("It is accepted and waits for approval.")
    if state is SwapState.ASKED:
        return say("{who} has not answered yet.", who=Who(swap.other))
    return _over(swap, state)


def _over(swap: SwapRequest, state: SwapState) -> Sentence:
    if state is SwapState.APPLIED:
        return say("The swap is in force already.")
    if state is SwapState.EXPIRED:
        return say("The request expired {at}.", at=swap.expires_at)
    return say("{who} has ended it: {state}.", who=Who(swap.closed_by), state=str(state))


def _same(one: SwapRequest, wanted: SwapRequest, now: datetime) -> bool:
    return one.state_at(now) in WAITING and any(
        _place(first) == _place(second) and giver == taker and _overlap(first, second)
        for first, giver in ((one.mine, one.asker), (one.theirs, one.other))
        for second, taker in ((wanted.mine, wanted.asker), (wanted.theirs, wanted.other))
    )


def _place(slot: Slot) -> tuple[str, str]:
    return slot.rotation, slot.role


def _overlap(first: Slot, second: Slot) -> bool:
    return first.starts_at < second.ends_at and second.starts_at < first.ends_at
