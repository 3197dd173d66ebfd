"""A run of a pipeline as every source is normalised to it: what ran, when, and how it went."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

SCHEDULED, MANUAL, BACKFILL = "scheduled", "manual", "backfill"
"""Usual kinds of runs; a source may tell others."""


RunIdentity = tuple[str, str, str, int]


class RunState(StrEnum):
    """How far a run has come; CANCELLED is over without a word on whether it went well."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self is not RunState.STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt of one run of a pipeline.

    `pipeline` names the thing that runs and never a run; `run_id` names the run, and `attempt`
    rises when the same run is started again. Both names are unique only within `source`.
    `nominal_at` is the time the run was scheduled for, where its source says so. `labels` tell
    what it is about, as an alert's do; `assets` are ids of the catalogue that it worked on.
    """

    source: str
    pipeline: str
    run_id: str
    state: RunState
    started_at: datetime | None = None
    ended_at: datetime | None = None
    nominal_at: datetime | None = None
    attempt: int = 1
    kind: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    assets: tuple[str, ...] = ()

    @property
    def identity(self) -> RunIdentity:
        return self.source, self.pipeline, self.run_id, self.attempt

    @property
    def began_at(self) -> datetime | None:
        """Return when it started, or the earliest time at which it is known to have run."""
        return self.started_at or self.ended_at


def merged(old: Run, new: Run) -> Run:
    """Join two facts about one attempt, in whichever order they came.

    What went well did so at its first end: Airflow 2 tells of a run that was cleared afterwards as
    of the same attempt.
    """
    well = old.state is RunState.SUCCEEDED
    state = old.state if old.state.is_over and not new.state.is_over else new.state
    return replace(
        new,
        state=state,
        started_at=old.started_at or new.started_at,
        ended_at=(old.ended_at or new.ended_at) if well else (new.ended_at or old.ended_at),
        nominal_at=new.nominal_at or old.nominal_at,
        kind=new.kind or old.kind,
        labels={**old.labels, **new.labels},
        assets=new.assets or old.assets,
    )
