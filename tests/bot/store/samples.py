"""Incidents, alerts and jobs as the tests of the store use them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.ports.jobs import JobPriority, NewJob
from bot.ports.store import AlertRef
from rules.alert import Alert, AlertStatus, Severity
from rules.incident import Incident
from rules.policy import Policy
from rules.priority import Priority

HOUR = timedelta(hours=1)


def incident(number: int, at: datetime, **changes: Any) -> Incident:
    made = Incident(
        id=f"incident-{number:06}",
        number=number,
        source="airflow",
        dedup_key=f"dag-{number}",
        group_key="",
        title="orders is late",
        opened_at=at,
        priority=Priority.P2,
        severity=Severity.ERROR,
        route="default",
        channel="C1",
        rotation="data",
        policy=Policy(name="default", steps=()),
        pages=True,
    )
    return replace(made, **changes)


def alert(key: str, at: datetime, **changes: Any) -> Alert:
    made = Alert(
        source="airflow",
        dedup_key=key,
        status=AlertStatus.FIRING,
        title=f"{key} failed",
        occurred_at=at,
        severity=Severity.ERROR,
        labels={"team": "finance"},
    )
    return replace(made, **changes)


def ref(key: str, group: str = "", source: str = "airflow") -> AlertRef:
    return AlertRef(source, key, group)


def job(key: str, at: datetime, **changes: Any) -> NewJob:
    made = NewJob(key=key, kind="page", lane="", priority=JobPriority.PAGE, due_at=at)
    return replace(made, **changes)
