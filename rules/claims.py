"""Which data product claims an asset: exact names and patterns with `*`, found by index."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rules.relation import relation_key

CLAIM_KINDS = ("model", "source", "exposure", "dag", "task", "relation")
"""What a product may claim: dbt nodes by name or unique_id, Airflow's, and tables."""


@dataclass(frozen=True, slots=True, order=True)
class AssetPattern:
    """A claim: `kind` is one of CLAIM_KINDS, `pattern` a name in which `*` is any text."""

    kind: str
    pattern: str

    @property
    def exact(self) -> bool:
        return "*" not in self.pattern

    @property
    def name(self) -> str:
        """Return the pattern as names are compared: relations without quotes and case."""
        return relation_key(self.pattern) if self.kind == "relation" else self.pattern

    def fits(self, name: str) -> bool:
        """Say whether the whole name fits; never slower than one pass for each part."""
        if self.exact:
            return name == self.name
        first, *middle, last = self.name.split("*")
        at, end = len(first), len(name) - len(last)
        if at > end or not (name.startswith(first) and name.endswith(last)):
            return False
        for part in middle:
            found = name.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True


class ClaimIndex:
    """Claims by exact name, and patterns by the text they begin or end with.

    A look-up costs as much as the name is long, however many claims there are. The claim with
    the most text that is not `*` wins; of equals, the product whose id sorts first.
    """

    def __init__(self, claims: Iterable[tuple[AssetPattern, str]]) -> None:
        self._exact: dict[tuple[str, str], list[str]] = {}
        self._by_start: dict[tuple[str, str], list[tuple[AssetPattern, str]]] = {}
        self._by_end: dict[tuple[str, str], list[tuple[AssetPattern, str]]] = {}
        for pattern, product in sorted(claims):
            if pattern.exact:
                self._exact.setdefault((pattern.kind, pattern.name), []).append(product)
                continue
            first, *_, last = pattern.name.split("*")
            index, key = (self._by_start, first) if first else (self._by_end, last)
            index.setdefault((pattern.kind, key), []).append((pattern, product))
        self._starts = _lengths(self._by_start)
        self._ends = _lengths(self._by_end)

    def product(self, kind: str, name: str) -> str | None:
        """Return the id of the product that claims this name most exactly."""
        if exact := self._exact.get((kind, name)):
            return exact[0]
        best, weight = None, -1
        for pattern, product in self._candidates(kind, name):
            literal = len(pattern.name) - pattern.name.count("*")
            if literal > weight and pattern.fits(name):
                best, weight = product, literal
        return best

    def products(self, kind: str, name: str) -> Iterator[str]:
        """Yield the id of every product that claims this name."""
        yield from self._exact.get((kind, name), ())
        for pattern, product in self._candidates(kind, name):
            if pattern.fits(name):
                yield product

    def _candidates(self, kind: str, name: str) -> Iterable[tuple[AssetPattern, str]]:
        for length in self._starts.get(kind, ()):
            if length <= len(name):
                yield from self._by_start.get((kind, name[:length]), ())
        for length in self._ends.get(kind, ()):
            if length <= len(name):
                yield from self._by_end.get((kind, name[len(name) - length :]), ())


def _lengths(index: Iterable[tuple[str, str]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for kind, key in index:
        found.setdefault(kind, set()).add(len(key))
    return {kind: tuple(sorted(lengths, reverse=True)) for kind, lengths in found.items()}
