"""What every YAML section is made of: how values are written, and a model that takes no other."""

from datetime import datetime, time, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rules import written
from rules.hours import DAYS, Hours
from rules.zones import checked_zone

Duration = Annotated[timedelta, BeforeValidator(written.duration)]
PositiveDuration = Annotated[Duration, AfterValidator(written.positive)]
DurationOrNever = Annotated[
    timedelta, BeforeValidator(written.duration_or_never), AfterValidator(written.positive)
]
Instant = Annotated[datetime, BeforeValidator(written.instant)]
TimeOfDay = Annotated[time, BeforeValidator(written.time_of_day)]
ClosingTime = Annotated[time, BeforeValidator(written.closing_time)]
Zone = Annotated[str, AfterValidator(checked_zone)]
Days = Annotated[
    tuple[Annotated[str, AfterValidator(written.day)], ...], BeforeValidator(written.days)
]
Matchers = Annotated[
    tuple[Annotated[str, AfterValidator(written.matchers)], ...], BeforeValidator(written.as_list)
]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class Spec(BaseModel):
    """A part of a YAML document: unknown keys are faults, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class HoursSpec(Spec):
    opens: TimeOfDay = Field(alias="from", description='Local time of day, like `"09:00"`.')
    closes: ClosingTime = Field(
        alias="to", description="Local time of day; at or before `from` means the next day."
    )
    zone: Zone = Field(description="IANA time zone, like `Europe/Berlin`.")
    days: Days = Field(
        default=DAYS, description="`mon-fri`, or a list of mon, tue, wed, thu, fri, sat, sun."
    )

    @model_validator(mode="after")
    def _some_day(self) -> "HoursSpec":
        if not self.days:
            raise ValueError("`days` names no day, so these hours never come")
        return self


def hours_of(spec: HoursSpec) -> Hours:
    return Hours(spec.opens, spec.closes, spec.zone, spec.days)
