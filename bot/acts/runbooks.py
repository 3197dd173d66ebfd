"""What people do with the runbook of an incident: say what came of a step, let it act."""

from dataclasses import dataclass
from typing import Literal

from rules.runbooks.runbook import StepOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class TickStep:
    """What came of a step; None takes back what was said. Steps count from 0."""

    by: str
    number: int
    step: int
    outcome: StepOutcome | None
    kind: Literal["tick_step"] = "tick_step"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAction:
    """Let a step's action run; `attempt` is the one that the button offered.

    `action` is what the button named, "" for one of an older version.
    """

    by: str
    number: int
    step: int
    attempt: int
    action: str = ""
    kind: Literal["run_action"] = "run_action"


RunbookAct = TickStep | RunAction
