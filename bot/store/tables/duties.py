"""The tables of followers in Slack, of what people were told of their shifts, and of their notes."""

from datetime import datetime

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Text
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row


def _text(default: str | None = "") -> Column[str]:
    return Column(Text, nullable=False, server_default=default)


def _at(*, nullable: bool = False) -> Column[datetime]:
    return Column(UtcDateTime, nullable=nullable)


class SlackFollowerRow(Row):
    """How one follower stands; `memory` is a JSON object of what it did last."""

    __tablename__ = "slack_follower"
    __table_args__ = (PrimaryKeyConstraint("name"),)

    name: str = Field(sa_column=_text(None))
    wanted: str = Field(sa_column=_text())
    applied: str = Field(sa_column=_text())
    behind_since: datetime | None = Field(sa_column=_at(nullable=True))
    tried_at: datetime | None = Field(sa_column=_at(nullable=True))
    applied_at: datetime | None = Field(sa_column=_at(nullable=True))
    problem: str = Field(sa_column=_text())
    told: str = Field(sa_column=_text())
    memory: str = Field(sa_column=_text("{}"))


class DutyNoticeRow(Row):
    """One thing that was told, so that it is told once."""

    __tablename__ = "duty_notice"
    __table_args__ = (PrimaryKeyConstraint("key"), Index("ix_duty_notice_end_at", "end_at"))

    key: str = Field(sa_column=_text(None))
    kind: str = Field(sa_column=_text(None))
    person: str = Field(sa_column=_text())
    rotation: str = Field(sa_column=_text())
    role: str = Field(sa_column=_text())
    start_at: datetime = Field(sa_column=_at())
    end_at: datetime = Field(sa_column=_at())
    was_at: datetime | None = Field(sa_column=_at(nullable=True))
    told_at: datetime = Field(sa_column=_at())


class HandoffNoteRow(Row):
    """What somebody left for whoever comes on call at a hand-off."""

    __tablename__ = "handoff_note"
    __table_args__ = (PrimaryKeyConstraint("rotation", "boundary_at", "person"),)

    rotation: str = Field(sa_column=_text(None))
    boundary_at: datetime = Field(sa_column=_at())
    person: str = Field(sa_column=_text(None))
    note: str = Field(sa_column=_text())
    noted_at: datetime = Field(sa_column=_at())


SLACK_FOLLOWER = METADATA.tables["slack_follower"]
DUTY_NOTICE = METADATA.tables["duty_notice"]
HANDOFF_NOTE = METADATA.tables["handoff_note"]
