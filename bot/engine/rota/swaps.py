"""Carries out what people do about swaps: ask, answer, approve, withdraw, undo."""

from collections.abc import Sequence

from bot.acts.roster import AskSwap, OnSwap
from bot.engine.answer import Answer
from bot.engine.rota import jobs
from bot.engine.rota.telling import tell_bystanders
from bot.engine.rota.turning import Turning
from rules.rotation import OnCall
from rules.schedule import swapping
from rules.schedule.swapping import SwapRequest, SwapState
from rules.sentence import Sentence, Who, say, together

_WHAT = {
    SwapState.APPLIED: "swap applied",
    SwapState.ACCEPTED: "swap accepted",
    SwapState.DECLINED: "swap declined",
    SwapState.REFUSED: "swap refused",
    SwapState.WITHDRAWN: "swap withdrawn",
    SwapState.UNDONE: "swap undone",
}


async def ask_swap(turn: Turning, act: AskSwap) -> Answer:
    others = await turn.work.tx.roster.swaps(turn.now)
    wanted = SwapRequest(
        id=turn.work.new_id(),
        asker=act.by,
        other=act.other,
        mine=act.mine,
        theirs=act.theirs,
        asked_at=turn.now,
        why=act.why,
    )
    asked = swapping.ask(turn.on_call, wanted, others, turn.now)
    if isinstance(asked, Sentence):
        return Answer(asked, refused=True)
    turn.work.tx.roster.save_swap(asked)
    _note(turn, asked, "swap asked", act.by, turn.on_call)
    _show(turn, asked)
    for person in (asked.asker, asked.other):
        job = jobs.show_swap(asked, person, asked.expires_at, why="expires")
        turn.work.tx.enqueue(job)
    _remind(turn, asked, (asked.other,))
    told = say("{who} has been asked. Until it is decided, nothing changes.", who=Who(asked.other))
    return Answer(together(told, *_cautions(turn, asked)))


async def on_swap(turn: Turning, act: OnSwap) -> Answer:
    swap = await turn.work.tx.roster.swap(act.swap_id)
    if swap is None:
        return Answer(say("There is no such swap any more."), refused=True)
    after = _decided(turn, swap, act, await turn.work.tx.roster.swaps(turn.now))
    if isinstance(after, Sentence):
        return Answer(after, refused=True)
    before = turn.on_call
    warned = _cautions(turn, after) if after.state is SwapState.APPLIED else []
    turn.lay(*after.legs(), without=[leg.id for leg in swap.legs()])
    turn.work.tx.roster.save_swap(after)
    _note(turn, after, _WHAT[after.state], act.by, before)
    _show(turn, after)
    if after.state is SwapState.ACCEPTED:
        _remind(turn, after, _approvers(turn, after))
    told = _told(after)
    for person in (after.asker, after.other):
        if person != act.by and _concerns(after, person):
            turn.tell(person, told)
    if after.state is SwapState.UNDONE:
        for slot in (after.mine, after.theirs):
            tell_bystanders(turn, slot, act.by, before, {after.asker, after.other})
    return Answer(together(told, *warned))


def _decided(
    turn: Turning, swap: SwapRequest, act: OnSwap, others: Sequence[SwapRequest]
) -> SwapRequest | Sentence:
    approvers = _approvers(turn, swap)
    match act.what:
        case "withdraw":
            return swapping.withdraw(swap, act.by, turn.now, others)
        case "approve" | "refuse":
            return swapping.decide(
                swap,
                act.by,
                turn.on_call,
                turn.now,
                approved=act.what == "approve",
                approvers=approvers,
            )
        case "accept" | "decline":
            return swapping.answer(
                swap,
                act.by,
                turn.on_call,
                turn.now,
                accepted=act.what == "accept",
                approvers=approvers,
            )


def _approvers(turn: Turning, swap: SwapRequest) -> tuple[str, ...]:
    """Return who must approve: those of either rotation; somebody's own swap needs another's."""
    known = turn.work.book.swap_approvers
    named = (*known.get(swap.mine.rotation, ()), *known.get(swap.theirs.rotation, ()))
    others = dict.fromkeys(p for p in named if p not in {swap.asker, swap.other})
    return tuple(others)


def _show(turn: Turning, swap: SwapRequest) -> None:
    involved = [swap.asker, swap.other]
    if swap.accepted_at is not None:
        involved += _approvers(turn, swap)
    for person in dict.fromkeys(involved):
        turn.work.tx.enqueue(jobs.show_swap(swap, person, turn.now))


def _remind(turn: Turning, swap: SwapRequest, people: Sequence[str]) -> None:
    for person in people:
        for when in swapping.reminders(swap, turn.now):
            turn.work.tx.enqueue(jobs.remind_of_swap(swap, person, when))


def _cautions(turn: Turning, swap: SwapRequest) -> Sequence[Sentence]:
    after = turn.would_be(*swap.would_be(turn.now))
    return swapping.cautions_of(swap, turn.on_call, after, turn.away)


def _note(turn: Turning, swap: SwapRequest, what: str, by: str, before: OnCall) -> None:
    for slot in (swap.mine, swap.theirs):
        turn.note(what, by, swap.id, slot, before, swap.why)


def _concerns(swap: SwapRequest, person: str) -> bool:
    """Tell whether it is news: the other need not hear of what was never put to them."""
    return not (swap.state is SwapState.ACCEPTED and person == swap.other)


def _told(swap: SwapRequest) -> Sentence:
    both = {"asker": Who(swap.asker), "other": Who(swap.other), "by": Who(swap.closed_by)}
    words = {
        SwapState.APPLIED: "Swapped: {other} has {role} of {rotation} from {start} to {end},"
        " {asker} has {their_role} of {their_rotation} from {their_start} to {their_end}.",
        SwapState.ACCEPTED: "{other} accepts the swap. It takes effect once it is approved.",
        SwapState.DECLINED: "{other} declined the swap. Nothing changes.",
        SwapState.REFUSED: "{by} did not approve the swap. Nothing changes.",
        SwapState.WITHDRAWN: "{asker} withdrew the swap. Nothing changes.",
        SwapState.UNDONE: "{by} undid the swap. Everybody has their own shift back.",
    }[swap.state]
    return say(
        words,
        **both,
        role=swap.mine.role,
        rotation=swap.mine.rotation,
        start=swap.mine.starts_at,
        end=swap.mine.ends_at,
        their_role=swap.theirs.role,
        their_rotation=swap.theirs.rotation,
        their_start=swap.theirs.starts_at,
        their_end=swap.theirs.ends_at,
    )
