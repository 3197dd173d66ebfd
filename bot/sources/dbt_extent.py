"""How much of its history a dbt command loaded again, as labels of what it tells."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bot.sources.json_body import JsonValue, text_of

Section = Mapping[str, JsonValue]
Stretch = tuple[str, str]
NAMES = ("full_refresh", "event_time_start", "event_time_end", "backfill")
_LOADED = frozenset({"model", "seed", "snapshot"})
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Result:
    """What counts of one result of a command."""

    kind: str
    whole: bool
    stretch: Stretch | None
    never_refreshed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much a command was asked to load, and what it loaded.

    `stretch` is what all its models loaded by batches of event time, None where some did not.
    """

    asked: Section = field(default_factory=dict)
    refreshed: bool = False
    stretch: Stretch | None = None


def stretch_of(result: Section, *, whole: bool) -> Stretch | None:
    """Return the event time that a microbatch model loaded, or failed to load."""
    told = result.get("batch_results")
    parts = told.get("successful" if whole else "failed") if isinstance(told, dict) else None
    pairs = [_pair(one) for one in parts] if isinstance(parts, list) else []
    known = [one for one in pairs if one is not None]
    return (min(s for s, _ in known), max(e for _, e in known)) if known else None


def extent_of(asked: Section, results: Iterable[Result]) -> Extent:
    models = [one for one in results if one.kind in _LOADED and one.whole]
    stretches = {one.stretch for one in models}
    refreshed = asked.get("full_refresh") is True and bool(models)
    return Extent(
        asked=asked,
        refreshed=refreshed and not any(one.never_refreshed for one in models),
        stretch=stretches.pop() if len(stretches) == 1 else None,
    )


def labels_of(extent: Extent, result: Result | None = None) -> Iterator[tuple[str, str]]:
    """Yield what a result loaded, or with None what all of the command did.

    Models without batches ignore `--event-time-start`, and those with `full_refresh: false` a full
    refresh; a check is as good as what was loaded before it.
    """
    whole, refreshed, stretch = True, extent.refreshed, extent.stretch
    if result is not None:
        whole = result.whole
    if result is not None and result.kind in _LOADED:
        refreshed = extent.asked.get("full_refresh") is True and not result.never_refreshed
        stretch = result.stretch
    if refreshed and whole:
        yield "full_refresh", "true"
    bounds = tuple(text_of(extent.asked.get(f"event_time_{end}")) for end in ("start", "end"))
    if stretch is None and not whole and all(bounds):
        stretch = bounds[0], bounds[1]
    if stretch is not None:
        yield "event_time_start", stretch[0]
        yield "event_time_end", stretch[1]
        if whole and all(bounds):
            yield "backfill", "true"


def _pair(told: JsonValue) -> Stretch | None:
    if not isinstance(told, list) or len(told) != len(("start", "end")):
        return None
    start, end = (text_of(one)[:_LONGEST] for one in told)
    return (start, end) if start and end else None
