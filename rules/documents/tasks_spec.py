"""The section of a rulebook document that says what is left to do after an incident."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from rules.documents.spec import ConditionsSpec, PositiveDuration
from rules.nearest import did_you_mean
from rules.tasks.planning import PLACEHOLDERS
from rules.tasks.task import MOST_NUDGES, AssignTo

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HOLE = re.compile(r"\{([^{}]*)\}")


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f'"{name}" cannot be a name here; use lower-case letters, digits, - and _')
    return name


def _title(title: str) -> str:
    for name in _HOLE.findall(title):
        if name not in PLACEHOLDERS:
            known = did_you_mean(name, PLACEHOLDERS)
            raise ValueError("there is no {" + name + "} here" + known)
    return title


class TaskRuleSpec(ConditionsSpec):
    """Incidents that match get this task when they are resolved."""

    name: Annotated[str, AfterValidator(_name)] = Field(
        description="Unique; a later document's task of the same name replaces this one."
    )
    title: Annotated[str, AfterValidator(_title), Field(max_length=200)] = Field(
        default="", description="What to do; may hold {interval}, {product} and {asset}."
    )
    due: PositiveDuration = Field(
        default=timedelta(days=2), description="How long after the incident was resolved."
    )
    assign: AssignTo = Field(
        default=AssignTo.RESOLVER,
        description="Who gets it: `resolver`, `owner` of the data product, or `nobody`.",
    )
    blocks: bool = Field(
        default=False, description="The incident is not closed before this is done or dropped."
    )
    nudges: int = Field(
        default=MOST_NUDGES, ge=0, le=20, description="How often the person is reminded at most."
    )
    off: bool = Field(default=False, description="Drop the task of this name.")
