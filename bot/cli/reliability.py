"""How objectives stand, for the command line: in words, as a bar, as JSON."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.text import Text

from rules.budget import TimeBudget, unreachable
from rules.reliability.slo import DayOutcome, DueDay, Reliability, Tally
from rules.reliability.slo_words import RECENT, available_words, tally_words
from rules.sentence import plain

_BAR = 60
_DRAWN = {
    DayOutcome.KEPT: ("█", "green"),
    DayOutcome.MISSED: ("█", "red"),
    DayOutcome.EXCUSED: ("░", "blue"),
    DayOutcome.PENDING: ("·", "yellow"),
}
_LEGEND = "green kept, red missed, ░ maintenance, · still open; oldest first"


def reliability_text(shown: Iterable[Reliability]) -> Iterator[Text]:
    """Yield every product, those with the least left first, and what the bars mean."""
    for one in sorted(shown, key=lambda one: (one.worst_left, one.product)):
        yield from reliability_lines(one)
    yield Text(_LEGEND, style="dim")


def reliability_lines(one: Reliability) -> Iterator[Text]:
    """Yield a product's objectives: words, and for due days a bar of the latest sixty."""
    yield Text(f"{one.name} ({one.product})", style="bold")
    for what, tally in (("Delivered in time", one.fresh), ("Right data", one.quality)):
        if tally is None:
            continue
        for sentence in tally_words(what, tally):
            yield Text(f"  {sentence.render(plain)}")
        yield bar(tally.days)
    if one.available:
        yield Text(f"  {available_words(one.available).render(plain)}")
    yield Text(f"  Watched since {one.since:%Y-%m-%d}.", style="dim")


def bar(days: Iterable[DueDay]) -> Text:
    """Return the latest due days as a bar, oldest first; * marks a miss from upstream."""
    latest = list(days)[-_BAR:]
    drawn = Text("  ")
    for one in latest:
        sign, style = _DRAWN[one.outcome]
        drawn.append("*" if one.upstream else sign, style)
    if latest:
        drawn.append(f"  {latest[0].day:%d %b} to {latest[-1].day:%d %b}", "dim")
    return drawn


def reliability_map(one: Reliability) -> dict[str, Any]:
    """Return a product's objectives as JSON; what it does not promise is null."""
    return {
        "product": one.product,
        "name": one.name,
        "watched_since": one.since.isoformat(),
        "in_time": _tally_map(one.fresh),
        "quality": _tally_map(one.quality),
        "availability": _budget_map(one.available),
    }


def _tally_map(tally: Tally | None) -> dict[str, Any] | None:
    if tally is None:
        return None
    record, said = tally.record, unreachable(tally.objective)
    return {
        "objective_percent": tally.objective.percent,
        "over_due_days": tally.objective.due_days,
        "counted_due_days": len(record.counted),
        "achieved_percent": round(record.achieved, 4),
        "achieved_percent_without_upstream": round(tally.ours.achieved, 4),
        "misses": record.misses,
        "misses_from_upstream": tally.upstream_misses,
        "allowed_misses": tally.objective.allowed_misses,
        "budget": float(tally.objective.budget),
        "used_share": _finite(record.used),
        "left_misses": tally.left,
        "burn": _finite(record.burn(RECENT)),
        "unreachable": said.render(plain) if said else None,
        "days": [
            {
                "day": day.day.isoformat(),
                "deadline": day.deadline.isoformat(),
                "outcome": day.outcome.value,
                "cause": "upstream" if day.upstream else None,
                "incidents": list(day.incidents),
            }
            for day in tally.days
        ],
    }


def _budget_map(budget: TimeBudget | None) -> dict[str, Any] | None:
    if budget is None:
        return None
    return {
        "objective_percent": budget.percent,
        "over_seconds": budget.total.total_seconds(),
        "achieved_percent": round(budget.achieved, 4),
        "down_seconds": budget.bad.total_seconds(),
        "allowed_seconds": budget.allowed.total_seconds(),
        "left_seconds": budget.left.total_seconds(),
        "used_share": _finite(budget.used),
    }


def _finite(share: float) -> float | None:
    """JSON has no infinity: all of nothing is null."""
    return None if share == float("inf") else round(share, 4)
