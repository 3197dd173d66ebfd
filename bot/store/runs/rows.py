"""Rows about runs as values of the rules, and back."""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from bot.store import rows
from bot.store.columns import stored_key, stored_text
from rules.expected_runs import Occasion, Outcome, Standing
from rules.run import Run, RunState

_LONGEST = 200
"""Three such texts fit together into one entry of an index."""


def short_key(key: str) -> str:
    """Return `key` as stored; a long one keeps its start and a hash of it all."""
    clean = stored_text(key)
    if len(clean) <= _LONGEST:
        return clean
    digest = hashlib.sha256(clean.encode()).hexdigest()[:32]
    return f"{clean[: _LONGEST - len(digest)]}{digest}"


def run_values(run: Run, now: datetime) -> rows.Values:
    return {
        "source": short_key(run.source),
        "pipeline": short_key(run.pipeline),
        "run_id": short_key(run.run_id),
        "attempt": run.attempt,
        "state": run.state.value,
        "kind": stored_text(run.kind),
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "nominal_at": run.nominal_at,
        "labels": rows.to_json(dict(run.labels)),
        "heard_at": now,
        "updated_at": now,
    }


def run(row: Row[Any]) -> Run:
    return Run(
        source=row.source,
        pipeline=row.pipeline,
        run_id=row.run_id,
        state=RunState(row.state),
        started_at=row.started_at,
        ended_at=row.ended_at,
        nominal_at=row.nominal_at,
        attempt=row.attempt,
        kind=row.kind,
        labels=json.loads(row.labels),
    )


def standing_values(standing: Standing) -> rows.Values:
    return {
        "name": stored_key(standing.name),
        "rule": standing.rule,
        "product": stored_key(standing.product),
        "due_at": standing.due_at,
        "look_at": standing.look_at,
        "missed_at": standing.missed_at,
        "missed": standing.missed,
        "seen_at": standing.seen_at,
        "run_id": short_key(standing.run_id),
        "retired_at": standing.retired_at,
    }


def standing(row: Row[Any]) -> Standing:
    return Standing(
        name=row.name,
        rule=row.rule,
        product=row.product,
        due_at=row.due_at,
        look_at=row.look_at,
        missed_at=row.missed_at,
        missed=row.missed,
        seen_at=row.seen_at,
        run_id=row.run_id,
        retired_at=row.retired_at,
    )


def occasion_values(occasion: Occasion) -> rows.Values:
    return {
        "name": stored_key(occasion.name),
        "due_at": occasion.due_at,
        "product": stored_key(occasion.product),
        "seen_at": occasion.seen_at,
        "run_id": short_key(occasion.run_id),
        "outcome": occasion.outcome.value,
    }


def occasion(row: Row[Any]) -> Occasion:
    return Occasion(
        name=row.name,
        due_at=row.due_at,
        product=row.product,
        seen_at=row.seen_at,
        run_id=row.run_id,
        outcome=Outcome(row.outcome),
    )
