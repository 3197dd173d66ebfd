"""Which runbook an incident gets: the most specific of those that match it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from rules.catalogue import Catalogue
from rules.incident import Incident
from rules.matching.glob_index import fits
from rules.matching.matcher import matchable
from rules.runbooks.runbook import Matches, Runbook

_LABELS = ("dag_id", "model", "unique_id", "table", "relation", "dataset", "job", "pipeline")
LINKS = ("runbook_url", "runbook")
NAMING = frozenset({*LINKS, "product", "asset"})
"""Labels without which nothing but a runbook's own words leads to one."""
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_EXACT, _PATTERN = 2, 1

Score = tuple[int, int, int, int]
"""How exactly a runbook names asset, product, category and source: 2 by name, 1 by a pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an incident is about, under every name that a runbook may use; `links` are those it has."""

    asset: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    owner: str = ""

    @property
    def name(self) -> str:
        """Return what people call it: its product, its asset, or where it came from."""
        return next((names[0] for names in (self.product, self.asset, self.source) if names), "")


def subject_of(incident: Incident, catalogue: Catalogue) -> Subject:
    """Return what an incident is about."""
    seen = matchable(incident)
    product = catalogue.product(seen.get("product", "")) if seen.get("product") else None
    asset = catalogue.asset(seen.get("asset", "")) if seen.get("asset") else None
    task = seen.get("dag_id") and seen.get("task_id") and f"{seen['dag_id']}.{seen['task_id']}"
    assets = [seen.get("asset", ""), *((asset.name, asset.relation) if asset else ())]
    assets += [task or "", *(seen.get(label, "") for label in _LABELS)]
    links = [seen.get(label, "") for label in LINKS]
    links += [asset.runbook if asset else "", product.runbook if product else ""]
    owner = (product.owner or product.team) if product else ""
    return Subject(
        asset=_names(assets),
        product=_names([product.id, product.name] if product else [seen.get("product", "")]),
        category=_names([incident.category.value if incident.category else ""]),
        source=_names([incident.source]),
        links=_names(links),
        owner=owner or (catalogue.owner_of(asset) if asset else "") or seen.get("owner", ""),
    )


def links_of(subject: Subject, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the runbooks that the catalogue names for a subject, the asset's first."""
    assets = [asset.runbook for name in subject.asset if (asset := catalogue.asset(name))]
    products = [one.runbook for name in subject.product if (one := catalogue.product(name))]
    return _names([*assets, *products])


def subject_facts(subject: Subject) -> dict[str, list[str]]:
    """Return a subject as JSON can hold it."""
    sides = ("asset", "product", "category", "source")
    return {side: list(getattr(subject, side)) for side in sides}


def subject_from(facts: Mapping[str, object]) -> Subject:
    """Read what `subject_facts` wrote; what is not of it is left out."""

    def names(side: str) -> tuple[str, ...]:
        found = facts.get(side)
        return tuple(map(str, found)) if isinstance(found, list) else ()

    return Subject(
        asset=names("asset"),
        product=names("product"),
        category=names("category"),
        source=names("source"),
    )


class Runbooks:
    """Every runbook that could be read; of two with one id the first stays."""

    def __init__(self, runbooks: Iterable[Runbook] = ()) -> None:
        self._by_id: dict[str, Runbook] = {}
        for one in runbooks:
            self._by_id.setdefault(one.id, one)

    def __iter__(self) -> Iterator[Runbook]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def named(self, written: str) -> Runbook | None:
        """Return the runbook of an id, or of the path of its file."""
        return self._by_id.get(written.removesuffix(".md").strip("/"))

    def of(self, subject: Subject) -> Runbook | None:
        """Return the runbook of a subject, None when it has none.

        One that is named by its id comes first, then the most specific that matches, then an
        address. What names a file that is not there (any more) names nothing.
        """
        named = next((one for link in subject.links if (one := self.named(link))), None)
        if named is not None:
            return named
        scored = [(score, one) for one in self._by_id.values() if (score := fit(one, subject))]
        if scored:
            return min(scored, key=lambda pair: (tuple(-part for part in pair[0]), pair[1].id))[1]
        address = next((link for link in subject.links if _ADDRESS.match(link)), "")
        return Runbook(id=address, title="Runbook", url=address) if address else None


def fit(runbook: Runbook, subject: Subject) -> Score | None:
    """Return how exactly a runbook matches, None when it does not."""
    asked = runbook.matches
    found = (
        _side(asked.asset, subject.asset),
        _side(asked.product, subject.product),
        _side(asked.category, subject.category),
        _side(asked.source, subject.source),
    )
    if None in found or asked == Matches():
        return None
    asset, product, category, source = (one or 0 for one in found)
    return asset, product, category, source


def _side(patterns: tuple[str, ...], names: tuple[str, ...]) -> int | None:
    """Return 0 where nothing is asked, None where what is asked does not hold."""
    if not patterns:
        return 0
    lowered = {name.casefold() for name in names}
    if any(pattern.casefold() in lowered for pattern in patterns):
        return _EXACT
    globs = [_parts(pattern.casefold()) for pattern in patterns if "*" in pattern]
    return _PATTERN if any(fits(glob, name) for glob in globs for name in lowered) else None


@lru_cache(maxsize=10_000)
def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("*"))


def _names(written: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in written if name))
