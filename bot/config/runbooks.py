"""What config.yaml may say of runbooks: where they are, and what their buttons may do."""

import re
from datetime import timedelta
from pathlib import PurePath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from rules.documents.spec import PositiveDuration, Spec, Text
from rules.runbooks.gaps import REVIEW_AFTER

LONGEST_RUN = timedelta(seconds=45)
_HOLE = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LABEL = re.compile(r"[A-Za-z_][\w.-]{0,63}")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")


def holes(argument: str) -> list[str]:
    """Return the names that stand in braces in one argument of a command."""
    return _HOLE.findall(argument)


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f'"{name}" cannot be a name here; use lower-case letters, digits, - and _')
    return name


def _label(name: str) -> str:
    if not _LABEL.fullmatch(name):
        raise ValueError(f'"{name}" is no label of an incident')
    return name


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f'"{name}" is no name of a variable, like AIRFLOW_HOME')
    return name


class ActionSpec(Spec):
    """Something safe to do by a button: a command without a shell, or a webhook."""

    command: Annotated[tuple[Text, ...], Field(max_length=50)] = Field(
        default=(),
        description="The program by its whole path, and its arguments, each by itself; no shell "
        "reads them. An argument may hold {a_label} of the incident.",
    )
    webhook: str = Field(default="", description="Or a webhook, by its name in `webhooks`.")
    placeholders: tuple[Annotated[Text, AfterValidator(_label)], ...] = Field(
        default=(),
        description="Labels whose values arguments may hold; also `number`, `product`, `asset`.",
    )
    env: dict[Annotated[str, AfterValidator(_variable)], SecretStr] = Field(
        default_factory=dict,
        description="The command's environment, beside PATH, HOME and LANG; nothing else.",
    )
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=30), le=LONGEST_RUN, description="It is stopped after so long."
    )
    confirm: Annotated[str, Field(max_length=300)] = Field(
        default="", description="What the person is asked before it runs."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.command) == bool(self.webhook):
            raise ValueError("give it either `command` or `webhook`")
        if self.command and not PurePath(self.command[0]).is_absolute():
            raise ValueError(
                f'"{self.command[0]}" is no whole path; write it like /usr/bin/airflow'
            )
        if self.command and holes(self.command[0]):
            raise ValueError("the program itself cannot hold a placeholder")
        for argument in self.command:
            for name in holes(argument):
                if name not in self.placeholders:
                    words = "{" + name + "} is not among its `placeholders`"
                    raise ValueError(words)
        return self


class RunbooksSpec(Spec):
    folders: tuple[Text, ...] = Field(
        default=(),
        description="Folders or git checkouts of Markdown files with front matter; watched.",
    )
    review_after: PositiveDuration = Field(
        default=REVIEW_AFTER, description="A runbook that nobody reviewed for so long is stale."
    )
    link: str = Field(
        default="",
        description="Address of the folder where people read it; the file's path is added.",
    )
    nudges: bool = Field(
        default=True, description="Remind the owner of a missing or stale runbook, weekly at most."
    )
    actions: dict[Annotated[str, AfterValidator(_name)], ActionSpec] = Field(
        default_factory=dict, description="What steps of runbooks may do, by name."
    )
