"""Rules that match labels: the first that holds decides, and a thousand cost as ten."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rules.matching.label_index import LabelIndex
from rules.matching.matcher import Condition, all_hold

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LabelRule(Generic[T]):
    """All matchers hold: this is the outcome. Without matchers it always applies."""

    name: str
    matchers: tuple[Condition, ...]
    outcome: T


class LabelRules(Generic[T]):
    """Rules in order; the first that holds decides. Only those that may hold are tried."""

    def __init__(self, rules: Sequence[LabelRule[T]] = ()) -> None:
        self._rules = tuple(rules)
        self._index = LabelIndex(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __iter__(self) -> Iterator[LabelRule[T]]:
        return iter(self._rules)

    def first(self, labels: Mapping[str, str]) -> LabelRule[T] | None:
        for rule in self._index.candidates(labels):
            if all_hold(rule.matchers, labels):
                return rule
        return None

    def fitting(self, labels: Mapping[str, str]) -> Iterator[LabelRule[T]]:
        """Yield the rules that hold, in order."""
        for rule in self.candidates(labels):
            if all_hold(rule.matchers, labels):
                yield rule

    def candidates(self, labels: Mapping[str, str]) -> Sequence[LabelRule[T]]:
        """Return the rules that are tried on these labels, in order."""
        return self._index.candidates(labels)
