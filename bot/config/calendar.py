"""What config.yaml may say of calendars."""

from datetime import timedelta

from pydantic import Field, SecretStr

from bot.config.types import Url
from rules.documents.spec import PositiveDuration, Spec, Text


class GoogleCalendarSpec(Spec):
    credentials: Text = Field(
        description="The service account's key, a .json file; share the calendars with its address."
    )
    calendars: dict[Text, Text] = Field(
        min_length=1, description="Rotation name to the id of its own Google calendar."
    )
    every: PositiveDuration = Field(
        default=timedelta(minutes=10),
        description="How often the calendars are compared, besides after each change.",
    )
    calls_per_minute: int = Field(
        default=400, ge=10, le=10_000, description="Requests a minute; Google allows 600."
    )
    api_url: Url = Field(
        default="https://www.googleapis.com/", description="Where the Google API is."
    )


class CalendarSpec(Spec):
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Keys of feed addresses are made from it; without one there are no feeds.",
    )
    history: PositiveDuration = Field(
        default=timedelta(days=30), le=timedelta(days=39), description="How far back feeds tell."
    )
    horizon: PositiveDuration = Field(
        default=timedelta(days=180),
        le=timedelta(days=395),
        description="How far ahead feeds and calendars tell.",
    )
    google: GoogleCalendarSpec | None = Field(
        default=None, description="Google calendars that follow the roster."
    )
