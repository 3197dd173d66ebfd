"""What follows an attempt that failed: the next method at once, or word that nothing is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.contacting.method import Method

PATIENT_TRIES = 2
"""So often a method other than Slack fails before the next one is not waited for any more."""
SHORT_WAIT = timedelta(seconds=15)
"""Being told to wait so long is no failure."""
PACED = timedelta(seconds=3)
"""What opens sooner is not shut, it only lets one after another through."""


class Fate(StrEnum):
    """How one step of a page stands."""

    AHEAD = "ahead"
    TRIED = "tried"
    DELIVERED = "delivered"
    FAILED = "failed"
    CALLED_OFF = "called_off"


@dataclass(frozen=True, slots=True)
class StepStanding:
    """A step of a page by its number, 0 for the direct message, and how it stands."""

    step: int
    method: Method
    fate: Fate


@dataclass(frozen=True, slots=True)
class Next:
    """What to do: `hasten` this step, or, when `lost`, say that the page reached nobody."""

    hasten: StepStanding | None = None
    lost: bool = False


def after_failure(standings: Sequence[StepStanding], failed: int, *, for_good: bool) -> Next:
    """Decide what follows when step `failed` failed `for_good`, or is in trouble and tried again.

    Trouble brings only the very next step forward: the others keep their waits.
    """
    if any(one.fate is Fate.CALLED_OFF for one in standings):
        return Next()
    ahead = [one for one in standings if one.fate is Fate.AHEAD and one.step > 0]
    if not for_good:
        return Next(hasten=next((one for one in ahead if one.step == failed + 1), None))
    if ahead:
        later = [one for one in ahead if one.step > failed]
        return Next(hasten=min(later or ahead, key=lambda one: one.step))
    return Next(lost=all(one.fate is Fate.FAILED for one in standings))


def is_trouble(
    method: Method,
    tries: int,
    *,
    told_to_wait: timedelta | None,
    waited: timedelta = timedelta(0),
) -> bool:
    """Tell whether a failed attempt that is tried again is reason to go on to the next method.

    `told_to_wait` is how long the other side asks us to wait, None when it did not; `waited` is
    for how long it has been due.
    """
    if told_to_wait is None:
        return tries >= (1 if method is Method.SLACK else PATIENT_TRIES)
    if method is Method.SLACK:
        return told_to_wait > SHORT_WAIT
    return _is_too_long(told_to_wait, waited)


def is_past_slack(shut: timedelta, *, fails: bool) -> bool:
    """Tell whether who is paged now is reached by the next method as well as by Slack's shut lane.

    `fails`: what waits there has failed; else Slack asked us to wait, and takes it then.
    """
    return shut > (PACED if fails else SHORT_WAIT)


def passed_at(due: datetime, opens: datetime, now: datetime) -> datetime | None:
    """Return when the next method goes because this one may send nothing before `opens`.

    None when that is soon enough: a step that is due at `due` then waits for it.
    """
    at = max(due, now)
    return at if _is_too_long(opens - at, at - due) else None


def _is_too_long(shut: timedelta, waited: timedelta) -> bool:
    return shut > PACED and waited + shut > SHORT_WAIT
