"""The tables of runbooks on incidents, of what was done by them, and of their gaps."""

from datetime import datetime

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Text
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row


def _text(default: str | None = "") -> Column[str]:
    return Column(Text, nullable=False, server_default=default)


def _number(default: str | None = None) -> Column[int]:
    return Column(Integer, nullable=False, server_default=default)


def _at(*, nullable: bool = False) -> Column[datetime]:
    return Column(UtcDateTime, nullable=nullable)


class RunbookUseRow(Row):
    """The runbook of one incident as it was when the incident opened; `body` is JSON."""

    __tablename__ = "runbook_use"
    __table_args__ = (
        PrimaryKeyConstraint("incident_id"),
        Index("ix_runbook_use_runbook_chosen_at", "runbook", "chosen_at"),
    )

    incident_id: str = Field(sa_column=_text(None))
    number: int = Field(sa_column=_number())
    runbook: str = Field(sa_column=_text(None))
    body: str = Field(sa_column=_text(None))
    chosen_at: datetime = Field(sa_column=_at())


class RunbookTickRow(Row):
    """What came of one step, as whoever tried it said; steps count from 0."""

    __tablename__ = "runbook_tick"
    __table_args__ = (PrimaryKeyConstraint("incident_id", "step"),)

    incident_id: str = Field(sa_column=_text(None))
    step: int = Field(sa_column=_number())
    outcome: str = Field(sa_column=_text(None))
    by: str = Field(sa_column=_text())
    at: datetime = Field(sa_column=_at())


class RunbookActionRow(Row):
    """One run of a step's action; `started_at` is written before anything is done."""

    __tablename__ = "runbook_action"
    __table_args__ = (
        PrimaryKeyConstraint("key"),
        Index("ix_runbook_action_incident_id", "incident_id"),
    )

    key: str = Field(sa_column=_text(None))
    incident_id: str = Field(sa_column=_text(None))
    step: int = Field(sa_column=_number())
    attempt: int = Field(sa_column=_number())
    action: str = Field(sa_column=_text(None))
    by: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text(None))
    output: str = Field(sa_column=_text())
    asked_at: datetime = Field(sa_column=_at())
    started_at: datetime | None = Field(sa_column=_at(nullable=True))
    ended_at: datetime | None = Field(sa_column=_at(nullable=True))


class RunbookGapRow(Row):
    """A runbook that is missing or stale; `facts` tells, as JSON, what should match it."""

    __tablename__ = "runbook_gap"
    __table_args__ = (PrimaryKeyConstraint("key"), Index("ix_runbook_gap_closed_at", "closed_at"))

    key: str = Field(sa_column=_text(None))
    kind: str = Field(sa_column=_text(None))
    subject: str = Field(sa_column=_text(None))
    owner: str = Field(sa_column=_text())
    number: int = Field(sa_column=_number("0"))
    facts: str = Field(sa_column=_text("{}"))
    opened_at: datetime = Field(sa_column=_at())
    closed_at: datetime | None = Field(sa_column=_at(nullable=True))
    nudges: int = Field(sa_column=_number("0"))
    nudged_at: datetime | None = Field(sa_column=_at(nullable=True))


RUNBOOK_USE = METADATA.tables["runbook_use"]
RUNBOOK_TICK = METADATA.tables["runbook_tick"]
RUNBOOK_ACTION = METADATA.tables["runbook_action"]
RUNBOOK_GAP = METADATA.tables["runbook_gap"]
