"""The ways to reach a person, and an order of them as people write it: `email 2m, voice 5m`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

from rules.durations import format_duration, parse_duration
from rules.nearest import did_you_mean
from rules.priority import Urgency

MOST_STEPS = 8
LONGEST_WAIT = timedelta(hours=12)
_NOW = timedelta(0)


class Method(StrEnum):
    """A way to reach a person; `slack` is the direct message."""

    SLACK = "slack"
    EMAIL = "email"
    SMS = "sms"
    VOICE = "voice"
    PUSHOVER = "pushover"
    NTFY = "ntfy"
    WEBHOOK = "webhook"


TITLES: Mapping[Method, str] = {
    Method.SLACK: "Slack",
    Method.EMAIL: "e-mail",
    Method.SMS: "text message",
    Method.VOICE: "phone call",
    Method.PUSHOVER: "Pushover",
    Method.NTFY: "ntfy",
    Method.WEBHOOK: "webhook",
}

_ALSO: Mapping[str, Method] = {
    "e-mail": Method.EMAIL,
    "mail": Method.EMAIL,
    "text": Method.SMS,
    "call": Method.VOICE,
    "phone": Method.VOICE,
    "dm": Method.SLACK,
}


@dataclass(frozen=True, slots=True)
class ContactStep:
    """One method, and how long after the page it is used."""

    method: Method
    after: timedelta = _NOW


@dataclass(frozen=True, slots=True)
class ContactOrder:
    """The steps after the direct message, which always goes first; some urgencies have their own."""

    usual: tuple[ContactStep, ...] = ()
    by_urgency: Mapping[Urgency, tuple[ContactStep, ...]] = field(default_factory=dict)

    def of(self, urgency: Urgency) -> tuple[ContactStep, ...]:
        return self.by_urgency.get(urgency, self.usual)

    def methods(self) -> frozenset[Method]:
        """Return what it names for any urgency, the direct message apart."""
        return frozenset(
            s.method for steps in (self.usual, *self.by_urgency.values()) for s in steps
        )


@lru_cache(maxsize=1_024)
def read_order(text: str) -> ContactOrder:
    """Read `email 2m, voice 5m; low: email 1h`: methods and waits, for some urgencies others.

    Raises ValueError, in words for the one who wrote it.
    """
    usual: tuple[ContactStep, ...] | None = None
    by_urgency: dict[Urgency, tuple[ContactStep, ...]] = {}
    for part in (part for part in text.split(";") if part.strip()):
        names, colon, steps = part.rpartition(":")
        if colon:
            for name in names.split(","):
                by_urgency[_urgency(name)] = _steps(steps)
        elif usual is not None:
            raise ValueError(
                f'"{part.strip()}" comes after ";" without an urgency, like "low: email"'
            )
        else:
            usual = _steps(part)
    return ContactOrder(usual or (), by_urgency)


def write_order(steps: tuple[ContactStep, ...]) -> str:
    """Write steps the way `read_order` reads them, the direct message first."""
    words = [f"{s.method} {format_duration(s.after)}" if s.after else str(s.method) for s in steps]
    return ", ".join([str(Method.SLACK), *words])


USUAL_TEXT = (
    "slack, pushover 1m, ntfy 1m, email 2m, webhook 2m, voice 5m; "
    "medium, low: slack, pushover 1m, ntfy 1m, email 2m, webhook 2m, sms 5m"
)


def _urgency(name: str) -> Urgency:
    word = name.strip().lower()
    if word not in set(Urgency):
        known = [urgency.value for urgency in Urgency]
        raise ValueError(f'"{name.strip()}" is no urgency{did_you_mean(word, known)}')
    return Urgency(word)


def _steps(text: str) -> tuple[ContactStep, ...]:
    found: list[ContactStep] = []
    for piece in (piece.strip() for piece in text.split(",")):
        step = _step(piece)
        if step.method is Method.SLACK and step.after:
            raise ValueError("Slack is always first and at once; write `slack` without a wait")
        if step.method is not Method.SLACK:
            found.append(step)
    if len(found) > MOST_STEPS:
        raise ValueError(f"{len(found)} steps; at most {MOST_STEPS}")
    return tuple(sorted(found, key=lambda step: step.after))


def _step(piece: str) -> ContactStep:
    word, _, wait = piece.partition(" ")
    name = word.lower()
    method = _ALSO.get(name) or next((m for m in Method if m.value == name), None)
    if method is None:
        known = [m.value for m in Method]
        raise ValueError(f'"{word}" is no contact method{did_you_mean(name, known)}')
    after = parse_duration(wait.removeprefix("after ").strip()) if wait.strip() else _NOW
    if after > LONGEST_WAIT:
        raise ValueError(f'"{piece}" waits longer than 12 hours')
    return ContactStep(method, after)


USUAL = read_order(USUAL_TEXT)
