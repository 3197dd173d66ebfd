"""Escalation policies as data: steps, whom each step reaches, and when it may run."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from rules.hours import Hours


@dataclass(frozen=True, slots=True)
class OnCallOf:
    """Whoever is on call for a role; of the route's rotation when none is named."""

    role: str
    rotation: str = ""
    kind: Literal["on_call"] = "on_call"


@dataclass(frozen=True, slots=True)
class NextOnCallOf:
    """Whoever takes the role over at the next hand-off."""

    role: str
    rotation: str = ""
    kind: Literal["next_on_call"] = "next_on_call"


@dataclass(frozen=True, slots=True)
class OnePerson:
    person: str
    kind: Literal["person"] = "person"


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A Slack user group by handle, without the @."""

    group: str
    kind: Literal["user_group"] = "user_group"


@dataclass(frozen=True, slots=True)
class Channel:
    """A Slack channel by name, without the #."""

    channel: str
    kind: Literal["channel"] = "channel"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook of the configuration, by its name there."""

    webhook: str
    kind: Literal["webhook"] = "webhook"


Target = OnCallOf | NextOnCallOf | OnePerson | UserGroup | Channel | Webhook


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Go on only when `alerts` came in within the last `within`."""

    alerts: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Step:
    """Reach `targets`, then wait.

    Outside `only_during` the step waits for the hours to open, or is left out when
    `outside` is `skip`. `repeat` starts the policy over, so many times.
    """

    targets: tuple[Target, ...] = ()
    wait: timedelta = timedelta(0)
    repeat: int = 0
    only_during: Hours | None = None
    outside: Literal["wait", "skip"] = "wait"
    only_if: AtLeast | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    steps: tuple[Step, ...]
