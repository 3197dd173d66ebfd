"""What kind of trouble an alert reports: the categories, and one alert's with its reason."""

from dataclasses import dataclass
from enum import StrEnum

from rules.sentence import Sentence

SURE = 0.7
"""Below this confidence people read "probably"."""


class Category(StrEnum):
    """The pillars of data quality, then what else breaks a data product."""

    VOLUME = "volume"
    SCHEMA = "schema"
    LINEAGE = "lineage"
    AVAILABILITY = "availability"
    FRESHNESS = "freshness"
    COMPLETENESS = "completeness"
    DUPLICATES = "duplicates"
    DISTRIBUTION = "distribution"
    FORMAT = "format"
    RELATIONSHIP = "relationship"
    PIPELINE_FAILURE = "pipeline_failure"
    INFRASTRUCTURE_FAILURE = "infrastructure_failure"
    DATA_TEST_FAILURE = "data_test_failure"
    ACCESS = "access"
    ADHOC_REQUEST = "adhoc_request"

    @property
    def words(self) -> str:
        """Return it as people read it: "pipeline failure"."""
        return self.value.replace("_", " ")


WRONG: frozenset[Category] = frozenset(
    {
        Category.COMPLETENESS,
        Category.DUPLICATES,
        Category.DISTRIBUTION,
        Category.FORMAT,
        Category.RELATIONSHIP,
        Category.VOLUME,
    }
)
"""Categories in which readers see wrong values, not only late ones."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule says: the category, what else it may be, and how sure it is, 0 to 1."""

    category: Category
    alternative: Category | None = None
    confidence: float = 0.9


@dataclass(frozen=True, slots=True)
class Classified:
    """An alert's category; `rule` names the place in the rulebook, `why` says it in words."""

    category: Category
    alternative: Category | None
    confidence: float
    rule: str
    why: Sentence
