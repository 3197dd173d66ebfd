"""Rules that match labels, found by one label they need instead of one by one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from rules.matcher import Matcher, Operator, all_hold

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LabelRule(Generic[T]):
    """All matchers hold: this is the outcome. Without matchers it always applies."""

    name: str
    matchers: tuple[Matcher, ...]
    outcome: T


class LabelRules(Generic[T]):
    """Rules in order; the first that holds decides.

    A rule is tried only on alerts that have the one value, or the beginning of a value, that
    its first telling matcher needs.
    """

    def __init__(self, rules: Sequence[LabelRule[T]] = ()) -> None:
        self._rules = tuple(rules)
        self._always: list[int] = []
        self._values: dict[str, dict[str, list[int]]] = {}
        self._begins: dict[str, dict[str, list[int]]] = {}
        for at, rule in enumerate(self._rules):
            self._file(at, rule)

    def __len__(self) -> int:
        return len(self._rules)

    def first(self, labels: Mapping[str, str]) -> LabelRule[T] | None:
        return next(self.fitting(labels), None)

    def fitting(self, labels: Mapping[str, str]) -> Iterator[LabelRule[T]]:
        """Yield the rules that hold, in order."""
        for rule in self.candidates(labels):
            if all_hold(rule.matchers, labels):
                yield rule

    def candidates(self, labels: Mapping[str, str]) -> Iterator[LabelRule[T]]:
        """Yield the rules that are tried on these labels, in order."""
        by_value = (
            self._values[label].get(labels[label], ())
            for label in self._values.keys() & labels.keys()
        )
        by_begin = (
            found
            for label in self._begins.keys() & labels.keys()
            for found in _beginning(self._begins[label], labels[label])
        )
        for at in sorted(chain(self._always, *by_value, *by_begin)):
            yield self._rules[at]

    def _file(self, at: int, rule: LabelRule[T]) -> None:
        for one in rule.matchers:
            if one.operator is Operator.EQUAL and one.value:
                self._values.setdefault(one.label, {}).setdefault(one.value, []).append(at)
                return
        for one in rule.matchers:
            if one.operator is Operator.MATCHES and not one.holds({}):
                begin = _literal(one.value)
                self._begins.setdefault(one.label, {}).setdefault(begin, []).append(at)
                return
        self._always.append(at)


def _beginning(rules: Mapping[str, list[int]], value: str) -> Iterator[list[int]]:
    longest = min(len(value), _LONGEST)
    yield from (rules[value[:n]] for n in range(longest + 1) if value[:n] in rules)


_LONGEST = 64
_PLAIN = re.compile(rf"[\w \-/:]{{0,{_LONGEST}}}")


def _literal(pattern: str) -> str:
    """Return the letters that every value must begin with, "" when they cannot be told."""
    if "|" in pattern:
        return ""
    begin = _PLAIN.match(pattern)
    assert begin is not None
    more = pattern[begin.end() : begin.end() + 1]
    return begin[0][:-1] if more and more in "*?{" else begin[0]
