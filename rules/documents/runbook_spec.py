"""What may stand in the front matter of a runbook."""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from rules.category import Category
from rules.documents import written
from rules.documents.spec import Spec, Text
from rules.matching.glob_index import LONGEST_PATTERN
from rules.nearest import did_you_mean
from rules.runbooks.runbook import MOST_STEPS

_CATEGORIES = tuple(one.value for one in Category)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_MOST_NAMES = 100


def _day(value: object) -> object:
    if isinstance(value, date):
        return value
    if not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError("is no day; write it like 2026-10-31")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("is no day of the calendar") from error


def _pattern(name: str) -> str:
    if not name.strip("* "):
        raise ValueError("fits everything; name something")
    if len(name) > LONGEST_PATTERN:
        raise ValueError(f"is longer than {LONGEST_PATTERN} characters")
    return name


def _category(name: str) -> str:
    if "*" not in name and name not in _CATEGORIES:
        raise ValueError(f'there is no category "{name}"{did_you_mean(name, _CATEGORIES)}')
    return name


def _slug(name: str) -> str:
    if name and not _SLUG.fullmatch(name):
        raise ValueError(f'"{name}" cannot be the name of an action')
    return name


def _step(value: object) -> object:
    return {"do": value} if isinstance(value, str) else value


Names = Annotated[
    tuple[Annotated[Text, AfterValidator(_pattern)], ...],
    BeforeValidator(written.as_list),
    Field(max_length=_MOST_NAMES),
]


class RunbookMatchesSpec(Spec):
    product: Names = Field(default=(), description="Data products, by id or name.")
    asset: Names = Field(
        default=(), description="Assets: a table, model, DAG, or `dag.task`; a `*` is anything."
    )
    category: Annotated[
        tuple[Annotated[Text, AfterValidator(_category)], ...], BeforeValidator(written.as_list)
    ] = Field(default=(), description="Categories of failures.")
    source: Names = Field(default=(), description="Names of `sources`.")

    @model_validator(mode="after")
    def _some(self) -> "RunbookMatchesSpec":
        if not (self.product or self.asset or self.category or self.source):
            raise ValueError("name a product, an asset, a category or a source")
        return self


class RunbookStepSpec(Spec):
    do: Text = Field(description="What to try, in a sentence.")
    action: Annotated[str, AfterValidator(_slug)] = Field(
        default="", description="A button for it: the name of one of `runbooks.actions`."
    )


class RunbookSpec(Spec):
    """The front matter of one runbook."""

    title: Annotated[str, Field(max_length=150)] = Field(
        default="", description="What people call it; its first heading when left out."
    )
    matches: RunbookMatchesSpec = Field(description="What it is for.")
    owner: Text = Field(description="Who keeps it right: an e-mail, or a name of `people`.")
    reviewed_on: Annotated[date, BeforeValidator(_day)] = Field(
        description="The day on which somebody last read it and found it right."
    )
    steps: tuple[Annotated[RunbookStepSpec, BeforeValidator(_step)], ...] = Field(
        min_length=1, max_length=MOST_STEPS, description="What to try, in order."
    )
    verify: Annotated[str, Field(max_length=500)] = Field(
        default="", description="What proves that it is solved."
    )
    url: Annotated[str, Field(max_length=1000)] = Field(
        default="", description="Where the whole text can be read."
    )
