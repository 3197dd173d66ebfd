"""Carries out what people ask about the rotation: one after another, written down with an audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from bot.acts.roster import (
    ApplyProposal,
    AskCover,
    AskSwap,
    DrawLoad,
    EndOverride,
    MakeOverride,
    OnCover,
    OnSwap,
    RosterAct,
)
from bot.engine.answer import Answer
from bot.engine.rota import jobs
from bot.engine.rota.swaps import ask_swap, on_swap
from bot.engine.rota.telling import said, tell_of_end, tell_others, undone
from bot.engine.rota.turning import SLACK, Turning, turning
from bot.engine.work import Work
from rules.schedule import covering, overriding
from rules.schedule.covering import CoverRequest, CoverState
from rules.schedule.held import Slot, holders
from rules.schedule.overriding import slot_of
from rules.schedule.roster import Override, OverrideKind
from rules.sentence import Sentence, Who, counted, say, together

_MOST_ROWS = 50


async def change_roster(work: Work, act: RosterAct) -> Answer:
    """Do one act on the rotation in the open transaction."""
    if isinstance(act, DrawLoad):
        work.tx.enqueue(jobs.draw_load(act, work.new_id(), work.now))
        return Answer(say("The picture comes as a direct message."))
    await work.tx.roster.hold_roster()
    turn = await turning(work)
    match act:
        case MakeOverride():
            return _make_override(turn, act)
        case EndOverride():
            return await _end_override(turn, act)
        case AskCover():
            return await _ask_cover(turn, act)
        case OnCover():
            return await _on_cover(turn, act)
        case AskSwap():
            return await ask_swap(turn, act)
        case OnSwap():
            return await on_swap(turn, act)
        case ApplyProposal():
            return _apply(turn, act)
        case _:
            assert_never(act)


def _make_override(turn: Turning, act: MakeOverride) -> Answer:
    wanted = Override(
        id=turn.work.new_id(),
        rotation=act.rotation,
        role=act.role,
        person=act.person,
        starts_at=act.starts_at,
        ends_at=act.ends_at,
        by=act.by,
        created_at=turn.now,
        kind=act.how,
        instead_of=act.instead_of,
        why=act.why,
        origin=SLACK,
    )
    made = overriding.make(turn.on_call, wanted, turn.now)
    if isinstance(made, Sentence):
        return Answer(made, refused=True)
    told = _laid(turn, made, "override")
    tell_others(turn, made, told.before)
    sentence = together(said(made), *told.cautions)
    return Answer(sentence, undo=made.id, back_to=told.before)


async def _end_override(turn: Turning, act: EndOverride) -> Answer:
    found = await turn.work.tx.roster.override(act.override_id)
    if found is None:
        return Answer(say("There is no such override any more."), refused=True)
    ended = overriding.end(found, act.by, turn.now)
    if isinstance(ended, Sentence):
        return Answer(ended, refused=True)
    slot = Slot(
        rotation=found.rotation,
        role=found.role,
        starts_at=max(found.starts_at, turn.now),
        ends_at=found.ends_at,
    )
    before = turn.on_call
    turn.lay(ended)
    turn.work.tx.roster.save_override(ended)
    turn.note("override ended", act.by, ended.id, slot, before)
    await _give_back(turn, found)
    tell_of_end(turn, found, slot, act.by, holders(before, slot))
    return Answer(together(undone(slot, holders(turn.on_call, slot)), *turn.cautions(before, slot)))


async def _give_back(turn: Turning, ended: Override) -> None:
    """Let a cover request show that its cover is over."""
    kind, _, its_id = ended.origin.partition(":")
    request = await turn.work.tx.roster.cover_request(its_id) if kind == "cover" else None
    if request is None or request.state is not CoverState.TAKEN:
        return
    given_back = covering.returned(request, turn.now)
    turn.work.tx.roster.save_cover_request(given_back)
    turn.work.tx.enqueue(jobs.show_cover(given_back, turn.now))


async def _ask_cover(turn: Turning, act: AskCover) -> Answer:
    others = await turn.work.tx.roster.cover_requests(turn.now)
    wanted = CoverRequest(
        id=turn.work.new_id(),
        slot=act.slot,
        person=act.by,
        asked_at=turn.now,
        expires_at=act.slot.ends_at,
        channel=_channel(turn, act.slot.rotation),
        why=act.why,
    )
    asked = covering.ask(turn.on_call, wanted, others, turn.now)
    if isinstance(asked, Sentence):
        return Answer(asked, refused=True)
    turn.work.tx.roster.save_cover_request(asked)
    turn.note("cover asked", act.by, asked.id, asked.slot, turn.on_call, act.why)
    turn.work.tx.enqueue(jobs.show_cover(asked, turn.now))
    turn.work.tx.enqueue(jobs.expire_cover(asked))
    return Answer(
        say(
            "Asked in #{channel}. Until somebody accepts, you stay {role} of {rotation}.",
            channel=asked.channel,
            role=asked.slot.role,
            rotation=asked.slot.rotation,
        )
    )


async def _on_cover(turn: Turning, act: OnCover) -> Answer:
    request = await turn.work.tx.roster.cover_request(act.request_id)
    if request is None:
        return Answer(say("There is no such request any more."), refused=True)
    if act.what == "accept":
        return _accept_cover(turn, act, request)
    decided = covering.ask_again if act.what == "again" else covering.withdraw
    after = decided(request, act.by, turn.now)
    if isinstance(after, Sentence):
        return Answer(after, refused=True)
    turn.work.tx.roster.save_cover_request(after)
    word = "cover asked again" if act.what == "again" else "cover withdrawn"
    turn.note(word, act.by, request.id, request.slot, turn.on_call)
    turn.work.tx.enqueue(jobs.show_cover(after, turn.now))
    if act.what == "again":
        turn.work.tx.enqueue(jobs.repeat_cover(after, turn.now))
        return Answer(say("Asked again."))
    return Answer(say("Withdrawn. You keep the shift."))


def _accept_cover(turn: Turning, act: OnCover, request: CoverRequest) -> Answer:
    taken = covering.accept(request, act.by, turn.on_call, turn.now, turn.work.new_id())
    if isinstance(taken, Sentence):
        return Answer(taken, refused=True)
    told = _laid(turn, taken.override, "cover")
    turn.work.tx.roster.save_cover_request(taken.request)
    turn.work.tx.enqueue(jobs.show_cover(taken.request, turn.now))
    thanks = say(
        "{who} covers {role} of {rotation} for you from {start} to {end}.",
        who=Who(act.by),
        role=taken.override.role,
        rotation=taken.override.rotation,
        start=taken.override.starts_at,
        end=taken.override.ends_at,
    )
    turn.tell(request.person, thanks, undo=taken.override.id, back_to=told.before)
    sentence = together(said(taken.override), *told.cautions)
    return Answer(sentence, undo=taken.override.id, back_to=told.before)


def _apply(turn: Turning, act: ApplyProposal) -> Answer:
    """Make overrides of all rows, or of none: a proposal of yesterday may not fit any more."""
    made: list[Override] = []
    for row in act.rows[:_MOST_ROWS]:
        wanted = Override(
            id=turn.work.new_id(),
            rotation=row.slot.rotation,
            role=row.slot.role,
            person=row.person,
            starts_at=row.slot.starts_at,
            ends_at=row.slot.ends_at,
            by=act.by,
            created_at=turn.now,
            kind=OverrideKind.REPLACE,
            instead_of=row.instead_of,
            why="to even out the load",
            origin="proposal",
        )
        checked = overriding.make(turn.on_call, wanted, turn.now)
        if isinstance(checked, Sentence):
            stale = say("Nothing was changed: the rotation is not what it was.")
            return Answer(together(stale, checked), refused=True)
        made.append(checked)
    if not made:
        return Answer(say("There is nothing to change."), refused=True)
    before = turn.on_call
    for one in made:
        told = _laid(turn, one, "proposal applied")
        tell_others(turn, one, told.before)
    warned = turn.cautions(before, *map(slot_of, made))
    applied = say("Applied: {count}.", count=counted(len(made), "change"))
    return Answer(together(applied, *warned))


@dataclass(frozen=True, slots=True)
class _Laid:
    before: tuple[str, ...]
    cautions: Sequence[Sentence]


def _laid(turn: Turning, made: Override, what: str) -> _Laid:
    """Put an override in force, with its line in the audit; tell who was on call before."""
    slot, before = slot_of(made), turn.on_call
    turn.lay(made)
    turn.work.tx.roster.save_override(made)
    turn.note(what, made.by, made.id, slot, before, made.why)
    return _Laid(holders(before, slot), turn.cautions(before, slot))


def _channel(turn: Turning, rotation: str) -> str:
    routes = turn.work.book.routes
    own = next((route.channel for route in routes if route.rotation == rotation), "")
    return own or routes[-1].channel
