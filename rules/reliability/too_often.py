"""Promises that were broken too often: by which day that is known, and how people are told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rules.budget import Alarm, FewEventRules, TimeBudget, alarm, unreachable
from rules.reliability.slo import Burn, DayOutcome, DueDay, Reliability, Tally
from rules.sentence import Sentence, say

_SETTLED, _NEWS = timedelta(minutes=15), timedelta(days=4)
"""After the deadline: what came in time may be heard late; and a miss on Friday is news on Monday."""


@dataclass(frozen=True, slots=True)
class TooOften:
    """An objective of a product that the miss of `day` broke too often."""

    product: str
    objective: str
    day: date
    sentences: tuple[Sentence, ...]

    @property
    def key(self) -> str:
        """Return what is equal for the same news, whenever and wherever it is found."""
        return f"too_often:{self.product}:{self.objective}:{self.day}"


def too_often(stands: Reliability, rules: FewEventRules, now: datetime) -> Iterator[TooOften]:
    """Yield the product's objectives of which the newest day that counts was one miss too many.

    Of availability it is the outage by which the allowed downtime goes too fast. What came from upstream is told where it began: one outage must not be told by all it hit.
    """
    for name, what, tally in (
        ("fresh", "Delivered in time", stands.fresh),
        ("quality", "Right data", stands.quality),
    ):
        day = _newest(tally) if tally else None
        if tally and day and not day.upstream and _SETTLED <= now - day.deadline <= _NEWS:
            found = None if unreachable(tally.objective) else alarm(tally.record, rules)
            if found and found[0] is Alarm.PAGE:
                words = say(
                    "📉 {product} breaks its promise too often ({what}, {percent}% of {days} due "
                    "days): {why}",
                    product=stands.name,
                    what=what.lower(),
                    percent=f"{tally.objective.percent:.10g}",
                    days=tally.objective.due_days,
                    why=found[1].sentence.render(str),
                )
                yield TooOften(stands.product, name, day.day, (words, _what_to_do(stands)))
    if stands.burns and stands.available:
        yield _burnt(stands, stands.available, stands.burns)


def _burnt(stands: Reliability, budget: TimeBudget, burn: Burn) -> TooOften:
    words = say(
        "📉 {product} breaks its promise too often (available, {percent}% of {over}): more than "
        "{spends}% of the {allowed} that it may be away went within {within}.",
        product=stands.name,
        percent=f"{budget.percent:.10g}",
        over=budget.total,
        spends=f"{100 * burn.rule.spends:.0f}",
        allowed=budget.allowed,
        within=burn.rule.within,
    )
    day = burn.began_at.date()
    return TooOften(stands.product, "available", day, (words, _what_to_do(stands)))


def _newest(tally: Tally) -> DueDay | None:
    counted = {DayOutcome.KEPT, DayOutcome.MISSED}
    return next((one for one in reversed(tally.days) if one.outcome in counted), None)


def _what_to_do(stands: Reliability) -> Sentence:
    return say(
        "Agree with its owner what is mended first, or promise less. Day by day: "
        "`/oncall slo {product}`.",
        product=stands.product,
    )
