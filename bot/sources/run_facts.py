"""Runs as sources write them: what they share, and the `run` object any JSON body may have."""

from collections.abc import Mapping
from datetime import datetime

from bot.ports.inbox import Delivery
from bot.sources import text
from bot.sources.json_body import JsonValue, object_of, text_of
from bot.sources.kind import Source
from bot.sources.words import status_of, time_of
from rules.alert import Alert, AlertStatus, Severity
from rules.run import Run, RunState

MOST_ATTEMPTS = 100_000
ENDED: Mapping[AlertStatus, RunState] = {
    AlertStatus.RESOLVED: RunState.SUCCEEDED,
    AlertStatus.FIRING: RunState.FAILED,
    AlertStatus.INFO: RunState.CANCELLED,
}
"""How a run ended of whose end an alert tells: a remark is neither a success nor a failure."""
_NAME = 200
_STARTED = frozenset({"started", "start", "running", "begun", "queued", "in_progress"})
_FAILED = frozenset({"aborted", "killed"})
_CANCELLED = frozenset({"cancelled", "canceled", "skipped"})


def instant(value: JsonValue, source: Source, delivery: Delivery) -> datetime | None:
    """Return the time a body gives, None where it gives none."""
    if value is None or value == "":
        return None
    return time_of(value, zone=source.timezone, otherwise=delivery.received_at)


def count_of(value: JsonValue) -> int:
    """Return the number of an attempt; 1 for what is none."""
    said = text_of(value).strip()
    number = int(said) if said.isdecimal() and len(said) < 8 else 1
    return min(max(number, 1), MOST_ATTEMPTS)


def state_of(word: str) -> RunState | None:
    """Return how far a run is by a source's word, None for a word nobody agreed on."""
    plain = word[:64].strip().lower().replace("-", "_").replace(" ", "_")
    if plain in _STARTED:
        return RunState.STARTED
    if plain in _FAILED:
        return RunState.FAILED
    if plain in _CANCELLED:
        return RunState.CANCELLED
    return {
        AlertStatus.RESOLVED: RunState.SUCCEEDED,
        AlertStatus.FIRING: RunState.FAILED,
    }.get(status_of(plain) or AlertStatus.INFO)


def told_run(source: Source, delivery: Delivery, body: Mapping[str, JsonValue]) -> Run | None:
    """Read the `run` object of a body, None where it has none that tells of a run.

    It needs `pipeline`, `id` and `state`; `started_at`, `ended_at`, `scheduled_for`, `attempt`,
    `kind`, `product` and `environment` may be there.
    """
    run = object_of(body.get("run"))
    pipeline = text.line(text_of(run.get("pipeline")), _NAME)
    run_id = text.key(text_of(run.get("id")))
    state = state_of(text_of(run.get("state")))
    if not pipeline or not run_id or state is None:
        return None
    started, ended = (instant(run.get(name), source, delivery) for name in _ENDS)
    pairs = {"pipeline": pipeline, "product": text_of(run.get("product") or body.get("product"))}
    places = (run.get("environment"), body.get("environment"), body.get("env"))
    pairs["environment"] = next((said for one in places if (said := text_of(one))), "")
    pairs["run_type"] = text.line(text_of(run.get("kind")), 64).lower()
    if started is None and ended is None:
        started = delivery.received_at if state is RunState.STARTED else None
        ended = None if state is RunState.STARTED else delivery.received_at
    return Run(
        source=source.name,
        pipeline=pipeline,
        run_id=run_id,
        state=state,
        started_at=started,
        ended_at=ended if state.is_over else None,
        nominal_at=instant(run.get("scheduled_for"), source, delivery),
        attempt=count_of(run.get("attempt")),
        kind=pairs["run_type"],
        labels=text.labels((name, said) for name, said in pairs.items() if said),
    )


_ENDS = ("started_at", "ended_at")


def alert_of(run: Run, delivery: Delivery, title: str = "") -> Alert | None:
    """Return the alert of a run whose body tells no state but its own; None while it runs."""
    if not run.state.is_over:
        return None
    status, verb = _TOLD[run.state]
    return Alert(
        source=run.source,
        dedup_key=text.key(f"run:{run.pipeline}"),
        group_key=text.key(f"{run.pipeline}/{run.run_id}"),
        status=status,
        severity=Severity.ERROR if status is AlertStatus.FIRING else Severity.INFO,
        title=title or text.line(f"{run.pipeline} {verb}"),
        occurred_at=run.ended_at or delivery.received_at,
        labels={**run.labels, "run_id": run.run_id},
    )


_TOLD = {
    RunState.FAILED: (AlertStatus.FIRING, "failed"),
    RunState.CANCELLED: (AlertStatus.INFO, "was cancelled"),
    RunState.SUCCEEDED: (AlertStatus.RESOLVED, "succeeded"),
}
