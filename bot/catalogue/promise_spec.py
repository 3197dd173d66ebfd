"""Promises as people write them in a catalogue file: deadlines, hours, and how often they hold."""

import re
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from rules.budget import Objective
from rules.catalogue import Promises
from rules.documents.spec import ClosingTime, Days, PositiveDuration, Spec, TimeOfDay, Zone
from rules.hours import DAYS, Hours
from rules.sla import FreshBy

DEFAULT_OVER = 60
"""Due days over which an objective counts when nobody says."""
_MOST_OVER = 1_000
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?) ?%?")
_DUE_DAYS = re.compile(r"(\d{1,4}) ?(?:due ?)?days?", re.IGNORECASE)
_SPAN = re.compile(r"(\d{1,2}:\d{2}) ?[-–] ?(\d{1,2}:\d{2})")


def percent(written: object) -> object:
    """Read 95, "95%" or "99.5 %"; raises ValueError."""
    if not isinstance(written, str):
        return written
    hit = _PERCENT.fullmatch(written.strip())
    if hit is None:
        raise ValueError(f'"{written[:40]}" is no percentage; write it like 95%')
    return float(hit[1])


def due_days(written: object) -> object:
    """Read 60 or "60 due days"; raises ValueError."""
    if not isinstance(written, str):
        return written
    hit = _DUE_DAYS.fullmatch(written.strip())
    if hit is None:
        raise ValueError(f'"{written[:40]}" counts no days; write it like `60 due days`')
    return int(hit[1])


def _fresh_by(written: object) -> object:
    return {"at": written} if isinstance(written, str) else written


def _availability(written: object) -> object:
    return written if isinstance(written, dict) else {"objective": written}


def _hours(written: object) -> object:
    if not isinstance(written, str):
        return written
    hit = _SPAN.fullmatch(written.strip())
    if hit is None:
        raise ValueError(f'"{written[:40]}" are no hours; write them like "09:00-18:00"')
    return {"from": hit[1], "to": hit[2]}


Percent = Annotated[float, BeforeValidator(percent), Field(gt=0, le=100)]
DueDays = Annotated[int, BeforeValidator(due_days), Field(ge=1, le=_MOST_OVER)]


class ObjectiveSpec(Spec):
    """How many of the deliveries due must be right."""

    objective: Percent = Field(description="Percent of the due days, like `95%`.")
    over: DueDays = Field(
        default=DEFAULT_OVER, description="Counted over so many of them, like `60 due days`."
    )

    def made(self) -> Objective:
        return Objective(self.objective, self.over)


class AvailabilitySpec(Spec):
    """A percentage, or a map when it counts over something other than 30 days."""

    objective: Percent = Field(description="Percent of the time, like `99.5%`.")
    over: PositiveDuration = Field(
        default=timedelta(days=30), description="Counted over so long, like `30d`."
    )


class FreshBySpec(Spec):
    """A time of day, or a map when days or zone differ from the product's."""

    at: TimeOfDay = Field(description='Local time of day, like `"09:00"`.')
    days: Days = Field(default=DAYS, description="`mon-fri`, or a list; every day when left out.")
    timezone: Zone | None = Field(default=None, description="The product's when left out.")
    holidays: tuple[date, ...] = Field(
        default=(), max_length=1_000, description="Days on which nothing is due: `2026-12-25`."
    )
    objective: Percent | None = Field(
        default=None, description="Percent of the due days on which it must hold, like `95%`."
    )
    over: DueDays | None = Field(
        default=None, description="Counted over so many of them; 60 when left out."
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> "FreshBySpec":
        if not self.days:
            raise ValueError("`days` names no day, so nothing is promised")
        if self.over is not None and self.objective is None:
            raise ValueError("`over` counts for an `objective`; give one, like `objective: 95%`")
        return self

    def promise(self, timezone: str) -> FreshBy:
        zone = self.timezone or timezone
        return FreshBy(self.at, zone, tuple(self.days), frozenset(self.holidays))

    def made_objective(self) -> Objective | None:
        if self.objective is None:
            return None
        return Objective(self.objective, self.over or DEFAULT_OVER)


class ConsumerHoursSpec(Spec):
    """`"09:00-18:00"`, or a map when days or zone differ."""

    opens: TimeOfDay = Field(alias="from", description='Local time of day, like `"09:00"`.')
    closes: ClosingTime = Field(
        alias="to", description="Local time of day; at or before `from` means the next day."
    )
    days: Days = Field(default=DAYS, description="`mon-fri`, or a list; every day when left out.")
    timezone: Zone | None = Field(default=None, description="The product's when left out.")

    @model_validator(mode="after")
    def _some_day(self) -> "ConsumerHoursSpec":
        if not self.days:
            raise ValueError("`days` names no day, so nobody ever reads it")
        return self

    def hours(self, timezone: str) -> Hours:
        return Hours(self.opens, self.closes, self.timezone or timezone, tuple(self.days))


ConsumerHours = Annotated[ConsumerHoursSpec, BeforeValidator(_hours)]


class PromisesSpec(Spec):
    fresh_by: Annotated[FreshBySpec, BeforeValidator(_fresh_by)] | None = Field(
        default=None, description="Complete by this time of day."
    )
    quality: ObjectiveSpec | None = Field(
        default=None, description="On how many of the due days the data must be right."
    )
    max_age: PositiveDuration | None = Field(default=None, description="Never older than this.")
    availability: Annotated[AvailabilitySpec, BeforeValidator(_availability)] | None = Field(
        default=None, description="Percent of the time, like 99.5."
    )
    time_to_detect: PositiveDuration | None = Field(default=None, description="From bad to known.")
    time_to_notify: PositiveDuration | None = Field(default=None, description="To readers told.")
    time_to_repair: PositiveDuration | None = Field(default=None, description="To good again.")

    @model_validator(mode="after")
    def _quality_needs_days(self) -> "PromisesSpec":
        if self.quality is not None and self.fresh_by is None:
            raise ValueError("`quality` counts due days; give `fresh_by` as well")
        return self

    def promises(self, timezone: str) -> Promises:
        by = self.fresh_by
        over: dict[str, Any] = (
            {"availability_over": self.availability.over} if self.availability else {}
        )
        return Promises(
            fresh_by=by.promise(timezone) if by else None,
            fresh_objective=by.made_objective() if by else None,
            quality=self.quality.made() if self.quality else None,
            max_age=self.max_age,
            availability=self.availability.objective if self.availability else None,
            time_to_detect=self.time_to_detect,
            time_to_notify=self.time_to_notify,
            time_to_repair=self.time_to_repair,
            **over,
        )
