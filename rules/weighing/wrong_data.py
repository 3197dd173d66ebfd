"""How urgent wrong data is that readers may already see: it rises and falls with their hours."""

from dataclasses import dataclass
from datetime import datetime

from rules.decision import Reason
from rules.hours import Hours
from rules.priority import Urgency
from rules.sentence import say
from rules.sla import (
    Effort,
    UrgencyThresholds,
    next_change_of_wrong_data,
    slack,
    wrong_data_deadline,
)


@dataclass(frozen=True, slots=True)
class Exposure:
    """`deadline` is now while readers are there, else when they come back."""

    urgency: Urgency
    deadline: datetime
    changes_at: datetime | None
    why: Reason


def exposure(
    consumers: Hours, now: datetime, effort: Effort, thresholds: UrgencyThresholds
) -> Exposure:
    """Return how urgent wrong data is for readers with these hours."""
    deadline = wrong_data_deadline(consumers, now)
    left = slack(deadline, now, effort)
    level = thresholds.of(left)
    closes = consumers.closes_after(now)
    if closes is not None:
        words = say(
            "{urgency}: the data is wrong, and its readers are there until {closes}.",
            urgency=level.capitalize(),
            closes=closes,
        )
    elif left.total_seconds() <= 0:
        words = say(
            "{urgency}: the data is wrong; its readers come back at {back}, and a repair takes "
            "{effort}.",
            urgency=level.capitalize(),
            back=deadline,
            effort=effort.total,
        )
    else:
        words = say(
            "{urgency}: the data is wrong; its readers come back at {back}, which leaves {slack} "
            "to spare, as a repair takes {effort}.",
            urgency=level.capitalize(),
            back=deadline,
            slack=left,
            effort=effort.total,
        )
    changes_at = next_change_of_wrong_data(consumers, effort, thresholds, now)
    return Exposure(level, deadline, changes_at, Reason(f"urgency.{level}", words))
