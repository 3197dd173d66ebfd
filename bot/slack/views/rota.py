"""Cover requests and swaps as messages and forms, and the button that undoes an override."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import (
    Mrkdwn,
    Names,
    at,
    join,
    lasting,
    md,
    one_line,
    outside,
    plain_at,
    spoken,
)
from rules.schedule.covering import CoverRequest, CoverState
from rules.schedule.held import Slot
from rules.schedule.swapping import SwapRequest, SwapState
from rules.schedule.who import Turn
from rules.sentence import Sentence

UNDO = "override_undo"
COVER_ACTIONS = {"cover_accept": "accept", "cover_again": "again", "cover_withdraw": "withdraw"}
SWAP_ACTIONS = {
    "swap_accept": "accept",
    "swap_decline": "decline",
    "swap_approve": "approve",
    "swap_refuse": "refuse",
    "swap_withdraw": "withdraw",
}
HOME_COVER, HOME_SWAP = "home_cover", "home_swap"
_MOST_OFFERED = 90
_TIMES = 'Such as "18:00", "fri 18:00", "tomorrow 9am", "2026-12-01 09:00". In your own zone.'


def cover_message(request: CoverRequest, names: Names, now: datetime) -> Json:
    """The request in the channel as it is now, with the button that takes it while it is open."""
    who, slot = _who(request.person, names), request.slot
    lead = md(
        "*{who}* asks for cover: {role} of {rotation}, {start} – {end} ({lasts})",
        who=who,
        role=slot.role,
        rotation=slot.rotation,
        start=at(slot.starts_at, now),
        end=at(slot.ends_at, now),
        lasts=lasting(slot.ends_at - slot.starts_at),
    )
    state = request.state_at(now)
    told = md(_COVER_TOLD[state], who=who, taker=_who(request.taken_by, names),
              expires=at(request.expires_at, now))  # fmt: skip
    blocks = [kit.section(join("\n", [lead, _why(request.why), told]))]
    if state is CoverState.OPEN:
        blocks.append(
            kit.actions(
                f"cover:{request.id}",
                kit.button("I take it", "cover_accept", request.id, style="primary"),
                kit.button("Ask again", "cover_again", request.id),
                kit.button("Withdraw", "cover_withdraw", request.id),
            )
        )
    if state is CoverState.TAKEN and now < slot.ends_at:
        blocks.append(
            kit.actions(
                f"cover:{request.id}", _undo(request.override_id, names.name(request.person))
            )
        )
    return kit.message(join(" ", [lead, told]), blocks)


_COVER_TOLD = {
    CoverState.OPEN: "The first to accept has it. Open until {expires}; until then {who} keeps it.",
    CoverState.TAKEN: "✅ {taker} takes it. Thank you!",
    CoverState.WITHDRAWN: "Withdrawn: {who} keeps it.",
    CoverState.EXPIRED: "Nobody took it: {who} keeps it.",
    CoverState.RETURNED: "{taker} had taken it; {who} has it back.",
}


def cover_again(request: CoverRequest, names: Names, now: datetime) -> Json:
    text = md(
        "{who} still looks for cover: {role} of {rotation} from {start}. The button is above.",
        who=_who(request.person, names),
        role=request.slot.role,
        rotation=request.slot.rotation,
        start=at(request.slot.starts_at, now),
    )
    return kit.message(text, [kit.section(text)])


def nobody_took_it(request: CoverRequest, now: datetime) -> Json:
    text = md(
        "Nobody took your cover request, so you stay {role} of {rotation} from {start}."
        " Ask a colleague, or use `/oncall override`.",
        role=request.slot.role,
        rotation=request.slot.rotation,
        start=at(request.slot.starts_at, now),
    )
    return kit.message(text, [kit.section(text)])


def decides(swap: SwapRequest, person: str, now: datetime) -> bool:
    """Whether the swap waits for this person: for the other one, then for an approver."""
    state = swap.state_at(now)
    if state is SwapState.ACCEPTED:
        return person not in {swap.asker, swap.other}
    return state is SwapState.ASKED and person == swap.other


def swap_message(
    swap: SwapRequest,
    person: str,
    names: Names,
    now: datetime,
    *,
    lead: str = "",
    cautions: Sequence[Sentence] = (),
) -> Json:
    """The swap as one person sees it: with the buttons that are theirs to press."""
    asker, other = _who(swap.asker, names), _who(swap.other, names)
    legs = join(
        "\n",
        [
            md("• {who} takes over from {giver}: {leg}", who=other, giver=asker,
               leg=_leg(swap.mine, now)),
            md("• {who} takes over from {giver}: {leg}", who=asker, giver=other,
               leg=_leg(swap.theirs, now)),
        ],
    )  # fmt: skip
    head = md("*{asker} asks {other} to swap shifts*", asker=asker, other=other)
    state = swap.state_at(now)
    told = md(
        _SWAP_TOLD[state],
        asker=asker,
        other=other,
        by=_who(swap.approved_by or swap.closed_by, names),
        expires=at(swap.expires_at, now),
    )
    warned = [spoken(one, names, now) for one in cautions]
    parts = [Mrkdwn(lead) if lead else Mrkdwn(), head, legs, _why(swap.why), *warned, told]
    buttons = _swap_buttons(swap, person, state, now)
    actions = [kit.actions(f"swap:{swap.id}", *buttons)] if buttons else []
    phone = join(" ", [Mrkdwn(lead) if lead else Mrkdwn(), head, told])
    return kit.message(phone, [kit.section(join("\n", parts)), *actions])


_SWAP_TOLD = {
    SwapState.ASKED: "Waits for {other}'s answer until {expires}. Until then nothing changes.",
    SwapState.ACCEPTED: "{other} accepts. Waits for approval until {expires}.",
    SwapState.APPLIED: "✅ Agreed and in force.",
    SwapState.DECLINED: "{other} declined. Nothing changes.",
    SwapState.REFUSED: "{by} did not approve it. Nothing changes.",
    SwapState.WITHDRAWN: "{asker} withdrew it. Nothing changes.",
    SwapState.EXPIRED: "Nobody decided before the first shift began. Nothing changes.",
    SwapState.UNDONE: "{by} undid it. Everybody has their own shift back.",
}


def _swap_buttons(swap: SwapRequest, person: str, state: SwapState, now: datetime) -> list[Json]:
    both = {swap.asker, swap.other}
    if state is SwapState.ASKED and decides(swap, person, now):
        return [
            kit.button("Accept", "swap_accept", swap.id, style="primary"),
            kit.button("Decline", "swap_decline", swap.id),
        ]
    if state is SwapState.ACCEPTED and decides(swap, person, now):
        return [
            kit.button("Approve", "swap_approve", swap.id, style="primary"),
            kit.button("Refuse", "swap_refuse", swap.id),
        ]
    if state in {SwapState.ASKED, SwapState.ACCEPTED} and person == swap.asker:
        return [kit.button("Withdraw", "swap_withdraw", swap.id)]
    if state is SwapState.APPLIED and person in both and now < swap.expires_at:
        return [kit.button("Undo the swap", "swap_withdraw", swap.id)]
    return []


def undo_button(undo: Json | None, names: Names) -> list[Json]:
    """The button that ends an override, as a job carries it; nothing where there is none."""
    if not undo or not undo.get("override"):
        return []
    people = " and ".join(names.name(str(key)) for key in undo.get("back_to") or ())
    return [kit.actions("undo", _undo(str(undo["override"]), people))]


def _undo(override_id: str, back_to: str) -> Json:
    label = f"Back to {one_line(back_to)}" if back_to else "Undo"
    return kit.button(label, UNDO, override_id)


def slot_value(slot: Slot) -> str:
    """Write a slot into a button."""
    return json.dumps([slot.rotation, slot.role, int(slot.starts_at.timestamp()),
                       int(slot.ends_at.timestamp())])  # fmt: skip


def slot_of_value(value: object) -> Slot | None:
    """Read what `slot_value` wrote; None for anything else."""
    try:
        rotation, role, start, end = json.loads(str(value))
        begins, ends = (datetime.fromtimestamp(int(at_), UTC) for at_ in (start, end))
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return Slot(rotation=str(rotation), role=str(role), starts_at=begins, ends_at=ends)


def cover_modal(slot: Slot, local: tuple[str, str], metadata: str) -> Json:
    """Ask for cover of a shift or of a part of it; `local` are its ends as the person types them."""
    head = md("Your shift: {role} of {rotation}", role=slot.role, rotation=slot.rotation)
    return kit.modal(
        "cover",
        "Ask for cover",
        [
            kit.section(head),
            kit.input_block("from", "From", kit.text_input("from", initial=local[0], longest=60)),
            kit.input_block(
                "to", "Until", kit.text_input("to", initial=local[1], longest=60), hint=_TIMES
            ),
            _why_input(),
        ],
        submit="Ask",
        metadata=metadata,
    )


def swap_modal(
    slot: Slot, offered: Sequence[Turn], names: Names, now: datetime, metadata: str
) -> Json:
    """Choose whose shift to have instead of one's own."""
    head = md("Your shift: {leg}", leg=_leg(slot, now))
    if not offered:
        text = md("{head}\nNobody else has a shift ahead to swap it with.", head=head)
        return kit.modal("swap", "Swap a shift", [kit.section(text)])
    choices = [(_offer(turn, names, now), str(n)) for n, turn in enumerate(offered)]
    return kit.modal(
        "swap",
        "Swap a shift",
        [
            kit.section(head),
            kit.input_block("theirs", "For", kit.select("theirs", choices)),
            _why_input(),
        ],
        submit="Ask",
        metadata=metadata,
    )


def offers(turns: Sequence[Turn], person: str, slot: Slot) -> list[Turn]:
    """Return the shifts of others that may be had for a slot: of its rotation, one person each."""
    return [
        turn
        for turn in turns
        if turn.rotation == slot.rotation
        and turn.end is not None
        and len(turn.people) == 1
        and turn.people[0].key != person
    ][:_MOST_OFFERED]


def _offer(turn: Turn, names: Names, now: datetime) -> str:
    who, end = one_line(names.name(turn.people[0].key)), turn.end or turn.start
    return f"{who}, {turn.role}: {plain_at(turn.start, now)} – {plain_at(end, now)}"


def _why_input() -> Json:
    box = kit.text_input("why", placeholder="Optional: why", longest=300)
    return kit.input_block("why", "Why", box, optional=True)


def _why(text: str) -> Mrkdwn:
    return md("_{why}_", why=outside(one_line(text), 300)) if text else Mrkdwn()


def _leg(slot: Slot, now: datetime) -> Mrkdwn:
    return md(
        "{role} of {rotation}, {start} – {end}",
        role=slot.role,
        rotation=slot.rotation,
        start=at(slot.starts_at, now),
        end=at(slot.ends_at, now),
    )


def _who(key: str, names: Names) -> Mrkdwn:
    return outside(names.name(key), 80) if key else Mrkdwn()
