"""Objectives and what is left of their budgets, in words."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from rules.budget import TimeBudget, unreachable
from rules.reliability.slo import Reliability, Tally
from rules.sentence import Sentence, say

RECENT = 5
"""Due days by which it is told how fast the budget goes."""
_HALF = 0.5


def reliability_words(reliability: Reliability) -> Iterator[Sentence]:
    """Yield everything there is to say of a product's objectives."""
    if reliability.fresh:
        yield from tally_words("Delivered in time", reliability.fresh)
    if reliability.quality:
        yield from tally_words("Right data", reliability.quality)
    if reliability.available:
        yield available_words(reliability.available)


def tally_words(what: str, tally: Tally) -> Iterator[Sentence]:
    """Yield how often it held, what is left, what is upstream's, and whether it can hold."""
    record, objective = tally.record, tally.objective
    counted = len(record.counted)
    if not counted:
        yield say("{what}: no due day has been watched yet.", what=what)
    else:
        yield say(
            "{what}: {achieved}% of {counted} due days; promised {percent}% over {over}.",
            what=what,
            achieved=_percent(record.achieved),
            counted=counted,
            percent=_percent(objective.percent),
            over=objective.due_days,
        )
    if words := unreachable(objective):
        yield words
        return
    yield used_words(tally)
    if counted and record.burn(RECENT) > 1:
        yield say(
            "The last {recent} due days used the budget {burn} times faster than allowed.",
            recent=min(RECENT, counted),
            burn=f"{record.burn(RECENT):.3g}",
        )
    if tally.upstream_misses:
        yield say(
            "{upstream} of {misses} misses came from upstream; without them it is {ours}%.",
            upstream=tally.upstream_misses,
            misses=record.misses,
            ours=_percent(tally.ours.achieved),
        )


def used_words(tally: Tally) -> Sentence:
    """Say how many of the allowed misses are used and left."""
    record = tally.record
    allowed = tally.objective.allowed_misses
    if tally.left < 0:
        return say(
            "{misses} misses where {allowed} are allowed: the objective is broken.",
            misses=record.misses,
            allowed=allowed,
        )
    return say(
        "{misses} of {allowed} allowed misses used ({used}% of the budget), {left} left.",
        misses=record.misses,
        allowed=allowed,
        used=f"{100 * record.used:.0f}",
        left=tally.left,
    )


def available_words(budget: TimeBudget) -> Sentence:
    """Say how much of the allowed downtime is used and left."""
    words = (
        "Available: {achieved}% over {over}; promised {percent}%. "
        "{bad} of {allowed} allowed downtime used ({used}%), "
    )
    over = budget.left < timedelta(0)
    words += "the objective is broken." if over else "{left} left."
    return say(
        words,
        achieved=_percent(budget.achieved, digits=3),
        over=budget.total,
        percent=_percent(budget.percent),
        bad=budget.bad,
        allowed=budget.allowed,
        used="all" if budget.used == float("inf") else f"{100 * budget.used:.0f}",
        left=budget.left,
    )


def at_stake(reliability: Reliability, now: datetime, *, wrong: bool) -> Sentence | None:
    """Say what an incident does to the budget; None where that does not matter now.

    It matters once half of it is used, or when one more miss uses the last.
    """
    tally = reliability.quality if wrong else reliability.fresh
    if tally is None or unreachable(tally.objective) or not tally.record.counted:
        return None
    misses, allowed, left = tally.record.misses, tally.objective.allowed_misses, tally.left
    if left > 1 and tally.record.used < _HALF:
        return None
    values = {"misses": misses, "allowed": allowed, "days": tally.objective.due_days}
    if left < 0:
        return say("{misses} misses in {days} due days, {allowed} allowed: broken", **values)
    template = "{misses} of {allowed} allowed misses used in {days} due days"
    pending = tally.pending
    if pending is None or (not wrong and pending.deadline <= now):
        return say(template, **values)
    if left == 0:
        return say(template + "; missing today breaks the objective", **values)
    return say(template + "; missing today leaves {left}", **values, left=left - 1)


def _percent(value: float, digits: int = 2) -> str:
    """Write a percentage without ever rounding up to 100."""
    text = f"{value:.{digits}f}"
    if value < 100 <= float(text):
        text = f"{100 - 10**-digits:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
