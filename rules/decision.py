"""What `decide` answers: the incident as it becomes, what to do, and why."""

from dataclasses import dataclass, field
from typing import Any

from rules.effects import Effect
from rules.incident import Incident
from rules.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was decided; `rule` names the place in the rulebook or the policy."""

    rule: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Decision:
    """The incident afterwards, the effects in order, and the reasons in order.

    `refusal` answers a person whose wish cannot be met; then nothing else has changed.
    """

    incident: Incident
    effects: tuple[Effect, ...] = ()
    reasons: tuple[Reason, ...] = ()
    refusal: Sentence | None = None


@dataclass(slots=True)
class Draft:
    """A decision being made: rules change it in turn, `decision` freezes it."""

    incident: Incident
    effects: list[Effect] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)

    def change(self, **fields: Any) -> None:
        self.incident = self.incident.but(**fields)

    def do(self, *effects: Effect) -> None:
        self.effects.extend(effects)

    def because(self, rule: str, sentence: Sentence) -> None:
        self.reasons.append(Reason(rule, sentence))

    def decision(self) -> Decision:
        return Decision(self.incident, tuple(self.effects), tuple(self.reasons))
