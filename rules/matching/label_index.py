"""Things with conditions on labels, found by one label they need instead of one by one."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Generic, NamedTuple, Protocol, TypeVar

from rules.matching.expression import Expression, equalities
from rules.matching.matcher import Condition, Matcher, Operator, all_hold

_LONGEST = 64
_ASKED_BEFORE = 8
"""So often everything is tried before an index is made."""
_PLAIN = re.compile(rf"[\w \-/:]{{0,{_LONGEST}}}")


class Asking(Protocol):
    """A rule, a route, a silence, a window: all its conditions must hold."""

    @property
    def matchers(self) -> Sequence[Condition]: ...


T = TypeVar("T", bound=Asking)
T_co = TypeVar("T_co", bound=Asking, covariant=True)


class _Part(Enum):
    WHOLE = "whole"
    BEGIN = "begin"
    END = "end"


class _Key(NamedTuple):
    """A label, and what its value must be, begin or end with."""

    part: _Part
    label: str
    text: str


class LabelIndex(Generic[T]):
    """Which of many things to try on one alert's labels, in their order.

    A thing is tried only on labels that have one value, or the beginning or end of one, that
    it cannot do without; of several such values the one that fewest others need.
    """

    def __init__(self, things: Sequence[T]) -> None:
        self._things = tuple(things)
        self._always: list[int] = []
        self._tables: dict[str, _Table] = {}
        needs = [list(_needs(one.matchers)) for one in self._things]
        common = Counter(key for need in needs for keys in need for key in keys)
        for at, need in enumerate(needs):
            if not need:
                self._always.append(at)
                continue
            for key in min(need, key=lambda keys: sum(common[key] for key in keys)):
                self._tables.setdefault(key.label, _Table()).file(key, at)
        self._unconditional = tuple(self._things[at] for at in self._always)

    def candidates(self, labels: Mapping[str, str]) -> Sequence[T]:
        """Return the things that are tried on these labels, in order."""
        found: list[int] = []
        tables = self._tables
        if len(tables) < len(labels):
            for label, table in tables.items():
                if label in labels:
                    table.look_up(labels[label], found)
        else:
            for label, value in labels.items():
                if label in tables:
                    tables[label].look_up(value, found)
        if not found:
            return self._unconditional
        return [self._things[at] for at in sorted({*self._always, *found})]


class _Table:
    """The things that need something of one label, by what they need."""

    __slots__ = ("_begin_lengths", "_begins", "_end_lengths", "_ends", "_whole")

    def __init__(self) -> None:
        self._whole: dict[str, list[int]] = {}
        self._begins: dict[str, list[int]] = {}
        self._ends: dict[str, list[int]] = {}
        self._begin_lengths: list[int] = []
        self._end_lengths: list[int] = []

    def file(self, key: _Key, at: int) -> None:
        match key.part:
            case _Part.WHOLE:
                self._whole.setdefault(key.text, []).append(at)
            case _Part.BEGIN:
                self._begins.setdefault(key.text, []).append(at)
                self._begin_lengths = sorted({*self._begin_lengths, len(key.text)})
            case _Part.END:
                self._ends.setdefault(key.text, []).append(at)
                self._end_lengths = sorted({*self._end_lengths, len(key.text)})

    def look_up(self, value: str, found: list[int]) -> None:
        if hits := self._whole.get(value):
            found += hits
        for length in self._begin_lengths:
            if hits := self._begins.get(value[:length]):
                found += hits
        for length in self._end_lengths:
            if hits := self._ends.get(value[-length:]):
                found += hits


class Indexed(tuple[T_co, ...]):  # noqa: SLOT001  a tuple cannot have the slot it needs
    """A tuple that finds those of its things that hold.

    The index is made once it pays: silences are read anew for each transaction, and few alerts
    of one ask.
    """

    _asked = 0
    _index: "LabelIndex[T_co] | None" = None

    def fitting(self, labels: Mapping[str, str]) -> Iterator[T_co]:
        """Yield the things whose conditions all hold, in order."""
        return (one for one in self._candidates(labels) if all_hold(one.matchers, labels))

    def _candidates(self, labels: Mapping[str, str]) -> Sequence[T_co]:
        if self._index is None:
            self._asked += 1
            if self._asked <= _ASKED_BEFORE:
                return self
            self._index = LabelIndex(self)
        return self._index.candidates(labels)


def indexed(things: Iterable[T]) -> Indexed[T]:
    """Return the things as they are where they have an index already."""
    return things if isinstance(things, Indexed) else Indexed(things)


def _lengths(tables: Mapping[str, Mapping[str, object]]) -> dict[str, list[int]]:
    return {label: sorted({len(text) for text in table}) for label, table in tables.items()}


def _needs(conditions: Iterable[Condition]) -> Iterator[list[_Key]]:
    """Yield, for each telling condition, the keys of which one must be an alert's."""
    for one in conditions:
        if isinstance(one, Expression):
            yield from ([_Key(_Part.WHOLE, *pair)] for pair in equalities(one.source))
        elif keys := _keys(one):
            yield keys


def _keys(one: Matcher) -> list[_Key]:
    if one.operator not in _TELLING or one.holds({}):
        return []
    match one.operator:
        case Operator.EQUAL:
            return [_Key(_Part.WHOLE, one.label, one.value)]
        case Operator.IN:
            return [_Key(_Part.WHOLE, one.label, value) for value in one.values]
        case Operator.LIKE:
            return [_glob_key(one.label, value) for value in one.values]
        case _:
            return [_Key(_Part.BEGIN, one.label, _literal(one.value))]


_TELLING = frozenset({Operator.EQUAL, Operator.IN, Operator.LIKE, Operator.MATCHES})


def _glob_key(label: str, pattern: str) -> _Key:
    begin, star, rest = pattern.partition("*")
    if not star:
        return _Key(_Part.WHOLE, label, pattern)
    end = rest.rpartition("*")[2]
    if not begin and end:
        return _Key(_Part.END, label, end[-_LONGEST:])
    return _Key(_Part.BEGIN, label, begin[:_LONGEST])


def _literal(pattern: str) -> str:
    """Return the letters that every value must begin with, "" when they cannot be told."""
    if "|" in pattern:
        return ""
    begin = _PLAIN.match(pattern)
    assert begin is not None
    more = pattern[begin.end() : begin.end() + 1]
    return begin[0][:-1] if more and more in "*?{" else begin[0]
