"""Objectives that nobody can reach, with the place where they stand."""

from collections.abc import Iterable, Iterator

from bot.catalogue.reading import Placed
from rules.budget import unreachable
from rules.documents.yaml_document import Fault
from rules.sentence import plain


def unreachable_objectives(placed: Iterable[Placed]) -> Iterator[Fault]:
    """Yield a warning for each objective whose budget is less than one miss."""
    for one in placed:
        promises = one.product.promises
        for name, objective in (
            ("fresh_by", promises.fresh_objective),
            ("quality", promises.quality),
        ):
            words = unreachable(objective) if objective else None
            if words:
                # in a contract objectives are properties of our own
                where = ("promises", name, "objective") if one.path else ("customProperties",)
                yield one.fault(words.render(plain), *where)
