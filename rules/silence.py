"""Is it muted, now: silences made by people, and maintenance windows of the rulebook."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from rules.hours import Hours
from rules.matching.label_index import indexed
from rules.matching.matcher import Condition, Matcher, all_hold


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that match page nobody in [starts_at, ends_at); by whom and why is kept."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    by: str
    why: str

    def mutes_until(self, labels: Mapping[str, str], now: datetime) -> datetime | None:
        """Return when the mute ends, or None when it does not apply now."""
        covered = self.starts_at <= now < self.ends_at and all_hold(self.matchers, labels)
        return self.ends_at if covered else None


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Announced work: once, in [starts_at, ends_at), or recurring in `hours` of a zone."""

    name: str
    matchers: tuple[Condition, ...]
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    hours: Hours | None = None

    def mutes_until(self, labels: Mapping[str, str], now: datetime) -> datetime | None:
        """Return when the window that holds `now` ends, or None when it does not apply."""
        if not all_hold(self.matchers, labels):
            return None
        if self.starts_at and now < self.starts_at:
            return None
        if self.ends_at and now >= self.ends_at:
            return None
        if self.hours is None:
            return self.ends_at
        closes = self.hours.closes_after(now)
        return min(closes, self.ends_at) if closes and self.ends_at else closes

    def within(
        self, labels: Mapping[str, str], start: datetime, end: datetime
    ) -> Iterator[tuple[datetime, datetime]]:
        """Yield the stretches from `start` to `end` in which it applies, in order."""
        if not all_hold(self.matchers, labels):
            return
        at = max(start, self.starts_at or start)
        last = min(end, self.ends_at or end)
        if self.hours is None:
            if at < last:
                yield at, last
            return
        while (at := self.hours.opens_after(at)) < last:
            closes = self.hours.closes_after(at)
            assert closes is not None, "hours hold when they open"
            yield at, min(closes, last)
            at = closes


@dataclass(frozen=True, slots=True)
class Mute:
    """Why and until when something is muted."""

    until: datetime
    by: str
    why: str


def mute(
    silences: Iterable[Silence],
    windows: Iterable[MaintenanceWindow],
    labels: Mapping[str, str],
    now: datetime,
) -> Mute | None:
    """Return the mute that lasts longest among those that apply now, or None."""
    found = [
        Mute(until, s.by, s.why)
        for s in indexed(silences).fitting(labels)
        if (until := s.mutes_until(labels, now))
    ] + [
        Mute(until, "", f"maintenance window {w.name}")
        for w in indexed(windows).fitting(labels)
        if (until := w.mutes_until(labels, now))
    ]
    return max(found, key=lambda m: m.until, default=None)
