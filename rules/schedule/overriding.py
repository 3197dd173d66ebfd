"""Making an override, and ending one before its time: what is allowed, and what is refused."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from rules.rotation import OnCall
from rules.schedule.held import Slot, has_all, holders
from rules.schedule.roster import Override, OverrideKind, OverrideState
from rules.sentence import Sentence, Who, say


def slot_of(override: Override) -> Slot:
    return Slot(
        rotation=override.rotation,
        role=override.role,
        starts_at=override.starts_at,
        ends_at=override.ends_at,
    )


def make(on_call: OnCall, wanted: Override, now: datetime) -> Override | Sentence:
    """Return the override as it takes effect, or say why it has none."""
    if wanted.ends_at <= wanted.starts_at:
        return say("It must end after it starts.")
    if wanted.ends_at <= now:
        return say("That is over already.")
    if wanted.rotation not in on_call.rotations:
        return say("There is no rotation {rotation} any more.", rotation=wanted.rotation)
    # what has passed stays what it was
    wanted = replace(wanted, starts_at=max(wanted.starts_at, now))
    return _CHECKS[wanted.kind](on_call, wanted) or wanted


def end(override: Override, by: str, now: datetime) -> Override | Sentence:
    """Return the override ended now; the part that has passed stays in force."""
    if override.state is OverrideState.ENDED:
        return say("{who} has ended it already.", who=Who(override.changed_by))
    if override.ends_at <= now:
        return say("It ended by itself, {at}.", at=override.ends_at)
    ends_at = max(override.starts_at, now)
    return replace(
        override, ends_at=ends_at, state=OverrideState.ENDED, changed_by=by, changed_at=now
    )


def _cover(on_call: OnCall, wanted: Override) -> Sentence | None:
    slot = slot_of(wanted)
    if holders(on_call, slot) == (wanted.person,) and has_all(on_call, wanted.person, slot):
        return _has_it(wanted)
    return None


def _replace(on_call: OnCall, wanted: Override) -> Sentence | None:
    if wanted.person == wanted.instead_of:
        return say("Name two people: one instead of the other.")
    return (
        None if _present(on_call, wanted, wanted.instead_of) else _absent(wanted, wanted.instead_of)
    )


def _add(on_call: OnCall, wanted: Override) -> Sentence | None:
    return _has_it(wanted) if has_all(on_call, wanted.person, slot_of(wanted)) else None


def _remove(on_call: OnCall, wanted: Override) -> Sentence | None:
    return None if _present(on_call, wanted, wanted.person) else _absent(wanted, wanted.person)


_CHECKS: Mapping[OverrideKind, Callable[[OnCall, Override], Sentence | None]] = {
    OverrideKind.COVER: _cover,
    OverrideKind.REPLACE: _replace,
    OverrideKind.ADD: _add,
    OverrideKind.REMOVE: _remove,
}


def _present(on_call: OnCall, wanted: Override, person: str) -> bool:
    return person in holders(on_call, slot_of(wanted))


def _has_it(wanted: Override) -> Sentence:
    return say(
        "{who} is {role} of {rotation} then already.",
        who=Who(wanted.person),
        role=wanted.role,
        rotation=wanted.rotation,
    )


def _absent(wanted: Override, person: str) -> Sentence:
    return say(
        "{who} is not {role} of {rotation} then. `/oncall next` shows who is.",
        who=Who(person),
        role=wanted.role,
        rotation=wanted.rotation,
    )
