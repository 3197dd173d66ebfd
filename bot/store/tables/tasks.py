"""The table of what is left to do after an incident."""

from datetime import datetime

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Text, UniqueConstraint

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row


def _text(default: str | None = "") -> Column[str]:
    return Column(Text, nullable=False, server_default=default)


def _number(default: str | None = None) -> Column[int]:
    return Column(Integer, nullable=False, server_default=default)


def _at(*, nullable: bool = False) -> Column[datetime]:
    return Column(UtcDateTime, nullable=nullable)


class IncidentTaskRow(Row):
    """One thing to do, once for each rule and incident."""

    __tablename__ = "incident_task"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        UniqueConstraint("incident_id", "rule", name="uq_incident_task_rule"),
        Index("ix_incident_task_state_due_at", "state", "due_at"),
    )

    id = _text(None)
    incident_id = _text(None)
    number = _number()
    rule = _text(None)
    title = _text(None)
    assignee = _text()
    state = _text("open")
    blocks = _number("0")
    due_at = _at()
    created_at = _at()
    ended_by = _text()
    ended_at = _at(nullable=True)
    why = _text()
    nudges = _number("0")
    most_nudges = _number("0")
    nudged_at = _at(nullable=True)
    mirror_key = _text()
    mirror_url = _text()


INCIDENT_TASK = METADATA.tables["incident_task"]
