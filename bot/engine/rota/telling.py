"""What people are told when an override is made or ended."""

from collections.abc import Collection, Sequence

from bot.engine.rota.turning import Turning
from rules.rotation import OnCall
from rules.schedule.held import Slot, holders
from rules.schedule.overriding import slot_of
from rules.schedule.roster import Override, OverrideKind
from rules.sentence import Sentence, Who, say


def tell_others(turn: Turning, made: Override, before: Sequence[str]) -> None:
    """Tell those whose shifts changed and who did not do it themselves."""
    slot = slot_of(made)
    after = holders(turn.on_call, slot)
    changed = dict.fromkeys((*(p for p in before if p not in after), *after))
    for person in changed:
        if person == made.by or (person in before and person in after):
            continue
        told = say(
            "{by} changed who is {role} of {rotation} from {start} to {end}: "
            + _now(person, after),
            by=Who(made.by),
            role=made.role,
            rotation=made.rotation,
            start=made.starts_at,
            end=made.ends_at,
        )
        turn.tell(person, told, undo=made.id, back_to=tuple(before))


def _now(person: str, after: Sequence[str]) -> str:
    return "now it is you." if person in after else "you are not on call then any more."


def said(made: Override) -> Sentence:
    """Say what an override makes of whom."""
    verb = {
        OverrideKind.COVER: "is",
        OverrideKind.REPLACE: "is",
        OverrideKind.ADD: "is also",
        OverrideKind.REMOVE: "is not",
    }[made.kind]
    instead = " instead of {other}" if made.kind is OverrideKind.REPLACE else ""
    return say(
        "{who} " + verb + " {role} of {rotation}" + instead + " from {start} to {end}.",
        who=Who(made.person),
        role=made.role,
        rotation=made.rotation,
        start=made.starts_at,
        end=made.ends_at,
        other=Who(made.instead_of),
    )


def tell_of_end(turn: Turning, ended: Override, slot: Slot, by: str, before: Sequence[str]) -> None:
    """Tell whoever has a shift back, or has none any more, and did not end it themselves."""
    after = holders(turn.on_call, slot)
    for person in dict.fromkeys((ended.person, *before, *after)):
        if (person in before) != (person in after):
            words = "{by} ended an override: {role} of {rotation} from {start} to {end}, "
            words += _now(person, after)
        elif person == ended.person and ended.kind is not OverrideKind.REMOVE:
            words = "{by} ended your override: it no longer makes you {role} of {rotation} from"
            words += " {start} to {end}."
        else:
            continue
        told = say(
            words,
            by=Who(by),
            role=ended.role,
            rotation=ended.rotation,
            start=slot.starts_at,
            end=slot.ends_at,
        )
        if person != by:
            turn.tell(person, told)


def tell_bystanders(
    turn: Turning, slot: Slot, by: str, before: OnCall, concerned: Collection[str]
) -> None:
    """Tell whom an undone swap puts on or takes off call beside those whose swap it was."""
    was, is_now = holders(before, slot), holders(turn.on_call, slot)
    for person in dict.fromkeys((*was, *is_now)):
        if person in concerned or (person in was) == (person in is_now):
            continue
        told = say(
            "{by} undid a swap: {role} of {rotation} from {start} to {end}, "
            + _now(person, is_now),
            by=Who(by),
            role=slot.role,
            rotation=slot.rotation,
            start=slot.starts_at,
            end=slot.ends_at,
        )
        turn.tell(person, told)


def undone(slot: Slot, people: Sequence[str]) -> Sentence:
    """Say who has a shift back."""
    if not people:
        return say("Undone. Nobody is {role} of {rotation} then.",
                   role=slot.role, rotation=slot.rotation)  # fmt: skip
    first = say(
        "Undone. {who} is {role} of {rotation} again",
        who=Who(people[0]),
        role=slot.role,
        rotation=slot.rotation,
    )
    more = {f"and_{n}": Who(person) for n, person in enumerate(people[1:4])}
    words = "".join(f", then {{{name}}}" for name in more)
    return Sentence(first.template + words + ".", {**first.values, **more})
