"""The rulebook's own tables of categories, and small alerts to ask them about."""

from collections.abc import Iterator
from pathlib import Path

import rules
from rules.alert import Alert
from rules.category import Classified
from rules.documents.category_parts import category_rules
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.strict_yaml import read
from rules.weighing.categorise import CategoryRules, categorise
from tests.rules.build import make_alert

PAYLOADS = Path(__file__).parents[2] / "payloads" / "categories"


def tables(*documents: str) -> CategoryRules:
    """Return the shipped tables with documents laid over them."""
    shipped = (Path(rules.__file__).parent / "packs" / "categories.yaml").read_text()
    read_ones = [read(text, RulebookSpec, "categories.yaml") for text in (shipped, *documents)]
    assert [faults for _, faults in read_ones if faults] == []
    return category_rules([spec.categories for spec, _ in read_ones if spec])


SHIPPED = tables()


def alert(title: str = "It broke", description: str = "", **labels: str) -> Alert:
    return make_alert(title=title, description=description, labels=labels)


def ask(one: Alert, by: CategoryRules = SHIPPED) -> Classified:
    return categorise(one, by)


def rows(name: str) -> Iterator[tuple[str, str, str]]:
    """Yield what is told, the category and the alternative, from one of the lists."""
    for line in (PAYLOADS / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            told, category, alternative = (part.strip() for part in line.rsplit("|", 2))
            yield told, category, alternative
