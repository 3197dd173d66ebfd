"""Who is on call at an instant: resolved spans, and the look-ups every reader shares."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import attrgetter


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
    """The one answer to "who is on call": spans by rotation and role, found by bisection.

    `roles` names roles in the order they are paged, also those that have nobody; `fallbacks`
    the people to page when nobody has any role of a rotation. Turns go on after `known_until`,
    where looking ahead ended (None: the spans are all there is). `gone` are rotations that left
    the roster, and when: what they were is known, and nobody is to have them now.
    """

    def __init__(
        self,
        spans: Iterable[Span] = (),
        *,
        roles: Mapping[str, Sequence[str]] | None = None,
        fallbacks: Mapping[str, Sequence[str]] | None = None,
        known_until: datetime | None = None,
        gone: Mapping[str, datetime] | None = None,
    ) -> None:
        found: dict[tuple[str, str], list[Span]] = {}
        for span in sorted(spans, key=attrgetter("start", "end")):
            found.setdefault((span.rotation, span.role), []).append(span)
        self._spans = {slot: tuple(own) for slot, own in found.items()}
        self._starts = {slot: [span.start for span in own] for slot, own in found.items()}
        self._roles = _roles(found, roles or {})
        self._planned = {name: frozenset(own) for name, own in (roles or {}).items()}
        self._fallbacks = {name: tuple(people) for name, people in (fallbacks or {}).items()}
        self.known_until = known_until
        self.gone = dict(gone or {})

    @property
    def rotations(self) -> tuple[str, ...]:
        """Return the rotations there are."""
        return tuple(name for name in self._roles if name not in self.gone)

    @property
    def ever(self) -> tuple[str, ...]:
        """Return those that are gone as well."""
        return tuple(self._roles)

    def rotations_at(self, when: datetime) -> tuple[str, ...]:
        """Return the rotations there were at an instant."""
        return tuple(n for n in self._roles if n not in self.gone or when < self.gone[n])

    def roles(self, rotation: str) -> tuple[str, ...]:
        """Return the rotation's roles as they are paged; `primary` and `secondary` first."""
        return self._roles.get(rotation, ())

    def expects(self, rotation: str, role: str) -> bool:
        """Whether somebody is meant to have the role; not one that only is history, or an extra."""
        return role in self._planned.get(rotation, (role,))

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
        spans = self._spans.get((rotation, role), ())
        first = bisect_right(self._starts.get((rotation, role), []), when)
        following = (spans[n] for n in range(first, len(spans)))
        return next((s for s in following if s.people and s.people != present), None)

    def changes_after(self, rotation: str, role: str, when: datetime) -> datetime | None:
        """Return when the role's people next change, None when they never do."""
        spans = self._spans.get((rotation, role), ())
        at = bisect_right(self._starts.get((rotation, role), []), when)
        if at == 0 or when not in spans[at - 1]:
            return spans[at].start if at < len(spans) else None
        run = spans[at - 1]
        for span in islice(spans, at, None):
            if span.start != run.end or span.people != run.people:
                break
            run = span
        return run.end

    def known(self, when: datetime | None) -> datetime | None:
        """Return an end as it is, None for one that only looking no further made."""
        ahead = self.known_until
        return when if when is None or ahead is None or when < ahead else None

    def spans(self, rotation: str, role: str) -> tuple[Span, ...]:
        return self._spans.get((rotation, role), ())

    def all_spans(self) -> tuple[Span, ...]:
        """Return every span, in order of time."""
        spans = (span for own in self._spans.values() for span in own)
        return tuple(sorted(spans, key=attrgetter("start", "end", "rotation", "role")))

    def fallback(self, rotation: str) -> tuple[str, ...]:
        """Return whom the rotation names for when no role has anybody."""
        return self._fallbacks.get(rotation, ())

    def paging_order(self, rotation: str, when: datetime) -> tuple[str, ...]:
        """Return everybody to page, role after role, empty roles passed over, then the fallback."""
        people = [p for role in self.roles(rotation) for p in self.at(rotation, role, when)]
        return tuple(dict.fromkeys((*people, *self.fallback(rotation))))


def _roles(
    found: Iterable[tuple[str, str]], named: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    own: dict[str, list[str]] = {}
    for rotation, role in found:
        own.setdefault(rotation, []).append(role)
    names = sorted({*own, *named})
    return {name: in_order(own.get(name, ()), named.get(name, ())) for name in names}


def in_order(roles: Iterable[str], first: Sequence[str] = ()) -> tuple[str, ...]:
    """Return roles in the order they are paged: `first`, primary and secondary, then by name."""
    ranked = (*first, "primary", "secondary")
    own = dict.fromkeys((*first, *roles))
    return tuple(sorted(own, key=lambda r: (ranked.index(r) if r in ranked else len(ranked), r)))
