"""What config.yaml may say of the canary and of the outside watchdog."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bot.config.types import Url
from rules.documents.spec import PositiveDuration, Spec


def _channel(name: str) -> str:
    bare = name.strip().lstrip("#")
    if not bare or any(char.isspace() for char in bare):
        raise ValueError(f'"{name}" is no channel; write it without the #')
    return bare


class AlarmSpec(Spec):
    webhook: str = Field(default="", description="Name of an entry of `webhooks`; or `person`.")
    person: str = Field(
        default="", description="Somebody of `people`, reached by all their methods but Slack."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.webhook) == bool(self.person):
            raise ValueError("name either a `webhook` or a `person`")
        return self


class CanarySpec(Spec):
    channel: Annotated[str, AfterValidator(_channel)] = Field(
        description="Channel in which the canary is posted and at once deleted; one of its own, "
        "where it bothers nobody."
    )
    every: PositiveDuration = Field(
        default=timedelta(minutes=15), ge=timedelta(minutes=1), description="How often it flies."
    )
    within: PositiveDuration = Field(
        default=timedelta(minutes=2),
        ge=timedelta(seconds=10),
        le=timedelta(hours=1),
        description="How soon it must be back.",
    )
    alarm: tuple[AlarmSpec, ...] = Field(
        min_length=1, description="Who is called, past Slack and the database, when it is not."
    )


class WatchdogSpec(Spec):
    url: Url = Field(
        repr=False,
        description="Fetched by GET while all is well; whoever misses it raises the alarm.",
    )
    every: PositiveDuration = Field(
        default=timedelta(minutes=1), ge=timedelta(seconds=10), description="How often."
    )
