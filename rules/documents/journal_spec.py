"""The journal's section of a rulebook document."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from rules.documents.spec import ConditionsSpec, PositiveDuration, Spec, Text
from rules.priority import Priority

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f'"{name}" cannot be a name here; use lower-case letters, digits and _')
    return name


Words = Annotated[tuple[Text, ...], Field(min_length=2, max_length=40)]


class QuestionSpec(Spec):
    label: Annotated[str, Field(min_length=1, max_length=150)] = Field(
        description="What is asked, above the field."
    )
    hint: Annotated[str, Field(max_length=300)] = Field(
        default="", description="A few words below the field."
    )
    required: bool = Field(default=False, description="Whether the form needs it.")


class JournalTemplateSpec(ConditionsSpec):
    """The form of incidents that match; fields that are left out are not asked for."""

    name: Text = Field(description="Unique; a later document's template of this name replaces it.")
    symptom: QuestionSpec | None = Field(default=None, description="What users saw.")
    cause: QuestionSpec | None = Field(
        default=None, description="The root cause, beside the menu of its class."
    )
    fix: QuestionSpec | None = Field(default=None, description="How it was fixed.")
    needed: QuestionSpec | None = Field(
        default=None, description="Whether the page was needed, and why."
    )
    follow_up: QuestionSpec | None = Field(default=None, description="What is left to do.")

    @model_validator(mode="after")
    def _asks(self) -> "JournalTemplateSpec":
        if not (self.symptom or self.cause or self.fix or self.needed or self.follow_up):
            raise ValueError(
                "this template asks nothing; give it `symptom`, `cause`, `fix`, "
                "`needed` or `follow_up`"
            )
        return self


class SkippedSpec(ConditionsSpec):
    @model_validator(mode="after")
    def _some(self) -> "SkippedSpec":
        if not self.conditions:
            raise ValueError("`match` is empty, so nobody would ever be asked")
        return self


class JournalSpec(Spec):
    """What people are asked to write down after an incident."""

    ask: tuple[Priority, ...] = Field(
        default=(), description="The priorities after which an entry is asked for."
    )
    remind: Annotated[tuple[PositiveDuration, ...], Field(max_length=10)] = Field(
        default=(),
        description="The wait before each reminder, like `[20h, 3d]`; after the last it ends.",
    )
    skip: tuple[SkippedSpec, ...] = Field(
        default=(), description="Incidents about which nobody is asked."
    )
    causes: dict[Annotated[str, AfterValidator(_name)], Annotated[str, Field(max_length=70)]] = (
        Field(default_factory=dict, description="The classes of a root cause: name to words.")
    )
    templates: tuple[JournalTemplateSpec, ...] = Field(
        default=(), description="The forms; the first that matches is shown."
    )
    same_words: Annotated[tuple[Words, ...], Field(max_length=500)] = Field(
        default=(), description="Words that mean the same when incidents are compared."
    )

    @model_validator(mode="after")
    def _unique(self) -> "JournalSpec":
        names = [one.name for one in self.templates]
        twice = next((name for name in names if names.count(name) > 1), "")
        if twice:
            raise ValueError(f'there are two templates "{twice}"; names are unique')
        if len(self.causes) > 100:
            raise ValueError("at most 100 causes fit a menu")
        return self
