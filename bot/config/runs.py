"""The parts of config.yaml about runs that are expected, and the days on which none is."""

from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from rules.cron import GRACE, checked_cron
from rules.documents.spec import PositiveDuration, Spec, Text, Zone

_ICS = ".ics"


def _day(written: object) -> object:
    if isinstance(written, date) and not isinstance(written, datetime):
        return written
    try:
        return date.fromisoformat(str(written).strip())
    except ValueError:
        raise ValueError(f'"{str(written)[:40]}" is not a day; write it like 2026-12-25') from None


def _calendar(written: object) -> object:
    if isinstance(written, str) and not written.endswith(_ICS):
        raise ValueError("write a list of days like [2026-12-25], or the path of an .ics file")
    return written


Day = Annotated[date, BeforeValidator(_day)]
CalendarDays = Annotated[
    Annotated[tuple[Day, ...], Tag("days")] | Annotated[Text, Tag("file")],
    Discriminator(lambda written: "file" if isinstance(written, str) else "days"),
    BeforeValidator(_calendar),
]
Cron = Annotated[Text, AfterValidator(checked_cron)]


class ExpectedRunSpec(Spec):
    """A run that must start by each due time plus the grace, or somebody is paged."""

    name: Text = Field(description="Unique; what the alert calls it.")
    source: Text = Field(description="The source that tells of its runs, by its name.")
    pipeline: Text | None = Field(
        default=None,
        description="What runs, as the source names it; `watchbill runs list` shows the names.",
    )
    heartbeat: Text | None = Field(
        default=None, description="Instead of `pipeline`: the name of a heartbeat."
    )
    schedule: Cron = Field(description="When it is due: a cron expression, in `timezone`.")
    timezone: Zone = Field(default="UTC", description="IANA time zone, like `Europe/Berlin`.")
    grace: PositiveDuration = Field(
        default=GRACE, description="It must have started so soon after it is due."
    )
    holidays: Text | None = Field(
        default=None, description="A calendar of `holidays`: days on which it is not due."
    )
    product: Text | None = Field(
        default=None, description="The data product it is a run of; then it stands for it."
    )

    @model_validator(mode="after")
    def _one(self) -> "ExpectedRunSpec":
        if (self.pipeline is None) is (self.heartbeat is None):
            raise ValueError("name either `pipeline` or `heartbeat`")
        if self.grace > timedelta(days=31):
            raise ValueError("`grace` is longer than a month")
        return self

    @property
    def runs(self) -> str:
        """Return the pipeline key that its runs carry."""
        return self.pipeline or f"heartbeat:{self.heartbeat}"
