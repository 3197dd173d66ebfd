"""Who is on call at an instant: resolved spans, and the look-ups every reader shares."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time, [start, end) in UTC, in which a role of a rotation is one set of people.

    `people` are persons' keys; empty means that nobody is. `source` says where the answer
    comes from, in words: "row 14", "override by bo, 10:07".
    """

    start: datetime
    end: datetime
    rotation: str
    role: str
    people: tuple[str, ...]
    source: str = ""

    def __contains__(self, when: datetime) -> bool:
        return self.start <= when < self.end


class OnCall:
    """The one answer to "who is on call": spans by rotation and role, found by bisection."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._spans: dict[tuple[str, str], list[Span]] = {}
        for span in sorted(spans):
            self._spans.setdefault((span.rotation, span.role), []).append(span)
        self._starts: Mapping[tuple[str, str], list[datetime]] = {
            key: [span.start for span in spans] for key, spans in self._spans.items()
        }

    @property
    def rotations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rotation for rotation, _ in sorted(self._spans)))

    def roles(self, rotation: str) -> tuple[str, ...]:
        """Return the rotation's roles, `primary` and `secondary` first, then by name."""
        known = ("primary", "secondary")
        roles = [role for name, role in self._spans if name == rotation]
        return tuple(sorted(roles, key=lambda r: (known.index(r) if r in known else 2, r)))

    def span_at(self, rotation: str, role: str, when: datetime) -> Span | None:
        """Return the span that holds `when`, or None where there is no cover."""
        at = bisect_right(self._starts.get((rotation, role), []), when) - 1
        if at < 0:
            return None
        span = self._spans[rotation, role][at]
        return span if when in span else None

    def at(self, rotation: str, role: str, when: datetime) -> tuple[str, ...]:
        """Return the keys of the people on call, empty when nobody is."""
        span = self.span_at(rotation, role, when)
        return span.people if span else ()

    def next_after(self, rotation: str, role: str, when: datetime) -> Span | None:
        """Return the next span whose people differ from those on call at `when`."""
        present = self.at(rotation, role, when)
        starts = self._starts.get((rotation, role), [])
        for span in self._spans.get((rotation, role), [])[bisect_right(starts, when) :]:
            if span.people and span.people != present:
                return span
        return None

    def spans(self, rotation: str, role: str) -> tuple[Span, ...]:
        return tuple(self._spans.get((rotation, role), ()))
