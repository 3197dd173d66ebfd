"""What every YAML section is made of: how values are written, and a model that takes no other."""

from datetime import datetime, time, timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)

from rules.documents import written
from rules.hours import DAYS, Hours
from rules.matching import match_map
from rules.matching.expression import LONGEST_EXPRESSION
from rules.matching.matcher import Condition, conditions_of
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
_MATCH_MAP: TypeAdapter[dict[str, object]] = TypeAdapter(
    dict[
        Annotated[str, AfterValidator(match_map.label_of)],
        Annotated[object, AfterValidator(match_map.checked_value)],
    ]
)


def in_a_row(asked: object) -> object:
    """Read the map form as the texts of the other form; its faults keep their places."""
    if isinstance(asked, dict):
        return match_map.written_of(_MATCH_MAP.validate_python(asked))
    return written.as_list(asked)


Matchers = Annotated[
    tuple[Annotated[str, AfterValidator(written.matchers)], ...], BeforeValidator(in_a_row)
]
When = Annotated[str, AfterValidator(written.expression), Field(max_length=LONGEST_EXPRESSION)]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class Spec(BaseModel):
    """A part of a YAML document: unknown keys are faults, and it never changes."""

    # a part is built with the document that holds it, not once more on its own
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )


class ConditionsSpec(Spec):
    """What an entry asks of an alert: matchers, an expression, or both."""

    match: Matchers = Field(
        default=(),
        description='All must hold: like `team=finance` or `dag_id=~"daily.*"`, or a map like '
        "`{team: [finance, risk], dag_id: daily_*}`. None: every alert.",
    )
    when: When = Field(
        default="", description="An expression in CEL that must hold too, like `alert.tier == 1`."
    )

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return conditions_of(self.match, self.when)


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


class WorkingHoursSpec(HoursSpec):
    zone: Zone = Field(
        default="",
        description="IANA time zone; that of the first of `rotations` when left out, else UTC.",
    )


def hours_of(spec: HoursSpec, zone: str = "") -> Hours:
    """Return the hours; `zone` is where a spec may leave its own out."""
    return Hours(spec.opens, spec.closes, spec.zone or zone, spec.days)
