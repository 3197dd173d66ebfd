"""The table of what is left to do after an incident."""

from datetime import datetime

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Text, UniqueConstraint
from sqlmodel import Field

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

    id: str = Field(sa_column=_text(None))
    incident_id: str = Field(sa_column=_text(None))
    number: int = Field(sa_column=_number())
    rule: str = Field(sa_column=_text(None))
    title: str = Field(sa_column=_text(None))
    assignee: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text("open"))
    blocks: int = Field(sa_column=_number("0"))
    due_at: datetime = Field(sa_column=_at())
    created_at: datetime = Field(sa_column=_at())
    ended_by: str = Field(sa_column=_text())
    ended_at: datetime | None = Field(sa_column=_at(nullable=True))
    why: str = Field(sa_column=_text())
    nudges: int = Field(sa_column=_number("0"))
    most_nudges: int = Field(sa_column=_number("0"))
    nudged_at: datetime | None = Field(sa_column=_at(nullable=True))
    mirror_key: str = Field(sa_column=_text())
    mirror_url: str = Field(sa_column=_text())


INCIDENT_TASK = METADATA.tables["incident_task"]
