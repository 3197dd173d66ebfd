"""Things with conditions on labels, found by one label they need instead of one by one."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Generic, NamedTuple, Protocol, TypeVar

from rules.expression import Expression, equalities
from rules.matcher import Condition, Matcher, Operator, all_hold

_LONGEST = 64
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
        self._whole: dict[str, dict[str, list[int]]] = {}
        self._begins: dict[str, dict[str, list[int]]] = {}
        self._ends: dict[str, dict[str, list[int]]] = {}
        needs = [list(_needs(one.matchers)) for one in self._things]
        common = Counter(key for need in needs for keys in need for key in keys)
        for at, need in enumerate(needs):
            if need:
                self._file(at, min(need, key=lambda keys: sum(common[key] for key in keys)))
            else:
                self._always.append(at)
        self._begin_lengths = _lengths(self._begins)
        self._end_lengths = _lengths(self._ends)

    def candidates(self, labels: Mapping[str, str]) -> Iterator[T]:
        """Yield the things that are tried on these labels, in order."""
        found: list[int] = []
        for label in self._whole.keys() & labels.keys():
            found += self._whole[label].get(labels[label], ())
        for label in self._begin_lengths.keys() & labels.keys():
            value, table = labels[label], self._begins[label]
            for length in self._begin_lengths[label]:
                found += table.get(value[:length], ())
        for label in self._end_lengths.keys() & labels.keys():
            value, table = labels[label], self._ends[label]
            for length in self._end_lengths[label]:
                found += table.get(value[-length:], ())
        order = sorted({*self._always, *found}) if found else self._always
        for at in order:
            yield self._things[at]

    def _file(self, at: int, keys: Iterable[_Key]) -> None:
        tables = {_Part.WHOLE: self._whole, _Part.BEGIN: self._begins, _Part.END: self._ends}
        for part, label, text in keys:
            tables[part].setdefault(label, {}).setdefault(text, []).append(at)


class Indexed(tuple[T_co, ...]):  # noqa: SLOT001  a tuple cannot have the slot it needs
    """A tuple that finds those of its things that hold; the index is made when first asked."""

    _index: "LabelIndex[T_co] | None" = None

    def fitting(self, labels: Mapping[str, str]) -> Iterator[T_co]:
        """Yield the things whose conditions all hold, in order."""
        if self._index is None:
            self._index = LabelIndex(self)
        for one in self._index.candidates(labels):
            if all_hold(one.matchers, labels):
                yield one


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
