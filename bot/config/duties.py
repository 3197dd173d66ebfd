"""What config.yaml may say of followers in Slack, and of what people are told of their shifts."""

from datetime import time, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from rules.documents.spec import ClosingTime, PositiveDuration, Spec, Text, TimeOfDay
from rules.schedule.following import Follower, FollowerKind
from rules.schedule.handoff import ASK_BEFORE
from rules.schedule.reminders import BEFORE


def _place(name: str) -> str:
    bare = name.strip().lstrip("#@")
    if not bare or any(char.isspace() for char in bare):
        raise ValueError(f'"{name}" is no channel or user group; write it without # or @')
    return bare


Place = Annotated[str, AfterValidator(_place)]


class FollowSpec(Spec):
    rotations: tuple[Text, ...] = Field(
        default=(), description="Rotations that count; all when left out."
    )
    roles: tuple[Text, ...] = Field(
        default=(),
        description="Roles that count; all when left out (for a topic or bookmark, `primary`).",
    )


class FollowersSpec(Spec):
    user_groups: dict[Place, FollowSpec] = Field(
        default_factory=dict,
        description="User group, by its handle, to who is in it: always exactly who is on call.",
    )
    topic: dict[Place, FollowSpec] = Field(
        default_factory=dict,
        description="Channel to who its topic names, in brackets after your own text.",
    )
    bookmark: dict[Place, FollowSpec] = Field(
        default_factory=dict, description="Channel to who a bookmark at its top names."
    )
    repair_every: PositiveDuration = Field(
        default=timedelta(minutes=3),
        ge=timedelta(minutes=1),
        description="How often is looked whether others changed something.",
    )

    def all(self) -> tuple[Follower, ...]:
        """Return every follower."""
        kinds = (
            (FollowerKind.USER_GROUP, self.user_groups, ()),
            (FollowerKind.TOPIC, self.topic, ("primary",)),
            (FollowerKind.BOOKMARK, self.bookmark, ("primary",)),
        )
        return tuple(
            Follower(
                kind=kind, place=place, rotations=spec.rotations, roles=spec.roles or usual_roles
            )
            for kind, places, usual_roles in kinds
            for place, spec in places.items()
        )


class QuietHoursSpec(Spec):
    opens: TimeOfDay = Field(
        default=time(22), alias="from", description='Local time of the person, like `"22:00"`.'
    )
    closes: ClosingTime = Field(
        default=time(8), alias="to", description="Local time; at or before `from`: the next day."
    )

    @model_validator(mode="after")
    def _some_time_left(self) -> "QuietHoursSpec":
        if self.opens == self.closes:
            raise ValueError(
                "these are all hours of the day. To remind nobody, write `reminders: []`"
            )
        return self


class NoticesSpec(Spec):
    channel: str | None = Field(
        default=None,
        description="Where hand-offs and warnings are told; `slack.alerts_channel` when left out.",
    )
    roster_editors: tuple[Text, ...] = Field(
        default=(),
        description="Who hears of the roster's faults, gaps and double bookings, by direct message; "
        "of the latter two the channel when left out.",
    )
    reminders: tuple[PositiveDuration, ...] = Field(
        default=BEFORE,
        description="How long before a shift the person is reminded; 7d, 1d and 1h when left out, `[]`: never.",
    )
    quiet_hours: QuietHoursSpec | None = Field(
        default=QuietHoursSpec(),
        description="Nobody is reminded, corrected or asked then; `null`: at any time.",
    )
    handoffs: bool = Field(default=True, description="Tell the channel of each hand-off.")
    ask_before: PositiveDuration | None = Field(
        default=ASK_BEFORE,
        le=timedelta(hours=12),
        description="How long before a hand-off the outgoing person is asked for a note; `null`: "
        "never.",
    )
    gaps: bool = Field(default=True, description="Warn of hours in which nobody has a role.")
    reach: bool = Field(
        default=True,
        description="Warn of who comes on call and can be reached by Slack alone, or not at all.",
    )
    double_bookings: bool = Field(
        default=True, description="Warn when one person has two roles at once."
    )
