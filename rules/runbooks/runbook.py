"""A runbook as people wrote it, and what came of its steps on one incident."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

MOST_STEPS = 20
"""A checklist that one message holds, and that somebody tired reads to its end."""


class StepOutcome(StrEnum):
    WORKED = "worked"
    DID_NOT_HELP = "did_not_help"
    SKIPPED = "skipped"


class ActionState(StrEnum):
    """`UNKNOWN`: it was begun, and nobody can say whether it took effect."""

    ASKED = "asked"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


UNDER_WAY = frozenset({ActionState.ASKED, ActionState.RUNNING})


@dataclass(frozen=True, slots=True)
class RunbookStep:
    """One thing to try; `action` names what the configuration lets a button do, "" for nothing."""

    text: str
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What a runbook is for: all that is named must fit; a `*` stands for anything."""

    asset: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    source: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """`id` is its file's path without `.md`; `verify` says what proves that the fix worked.

    `url` leads to the whole text. One that is only a link has neither steps nor a review.
    """

    id: str
    title: str
    owner: str = ""
    reviewed_on: date | None = None
    matches: Matches = field(default_factory=Matches)
    steps: tuple[RunbookStep, ...] = ()
    verify: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """What somebody said of a step of an incident's runbook; steps count from 0."""

    step: int
    outcome: StepOutcome
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRun:
    """One run of a step's action. `output` is bounded, and from outside."""

    key: str
    incident_id: str
    step: int
    attempt: int
    action: str
    by: str
    asked_at: datetime
    state: ActionState = ActionState.ASKED
    output: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookUse:
    """The runbook of one incident, as it was when the incident opened."""

    incident_id: str
    number: int
    runbook: Runbook
    chosen_at: datetime


@dataclass(frozen=True, slots=True)
class Guide:
    """A runbook in use: what was tried of it so far, in order of steps."""

    use: RunbookUse
    ticks: tuple[Tick, ...] = ()
    runs: tuple[ActionRun, ...] = ()

    def tick(self, step: int) -> Tick | None:
        return next((tick for tick in self.ticks if tick.step == step), None)

    def latest_run(self, step: int) -> ActionRun | None:
        """Return the last run of a step's action, None when it was never asked for."""
        own = [run for run in self.runs if run.step == step]
        return max(own, key=lambda run: run.attempt, default=None)

    def step(self, number: int) -> RunbookStep | None:
        steps = self.use.runbook.steps
        return steps[number] if 0 <= number < len(steps) else None


def action_key(incident_id: str, step: int, attempt: int) -> str:
    """Name one run of an action, so that it is begun once however often it is asked for."""
    return f"runbook_action:{incident_id}:{step}:{attempt}"
