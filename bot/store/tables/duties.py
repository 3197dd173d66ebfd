"""The tables of followers in Slack, of what people were told of their shifts, and of their notes."""

from datetime import datetime

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Text

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

    name = _text(None)
    wanted = _text()
    applied = _text()
    behind_since = _at(nullable=True)
    tried_at = _at(nullable=True)
    applied_at = _at(nullable=True)
    problem = _text()
    told = _text()
    memory = _text("{}")


class DutyNoticeRow(Row):
    """One thing that was told, so that it is told once."""

    __tablename__ = "duty_notice"
    __table_args__ = (PrimaryKeyConstraint("key"), Index("ix_duty_notice_end_at", "end_at"))

    key = _text(None)
    kind = _text(None)
    person = _text()
    rotation = _text()
    role = _text()
    start_at = _at()
    end_at = _at()
    was_at = _at(nullable=True)
    told_at = _at()


class HandoffNoteRow(Row):
    """What somebody left for whoever comes on call at a hand-off."""

    __tablename__ = "handoff_note"
    __table_args__ = (PrimaryKeyConstraint("rotation", "boundary_at", "person"),)

    rotation = _text(None)
    boundary_at = _at()
    person = _text(None)
    note = _text()
    noted_at = _at()


SLACK_FOLLOWER = METADATA.tables["slack_follower"]
DUTY_NOTICE = METADATA.tables["duty_notice"]
HANDOFF_NOTE = METADATA.tables["handoff_note"]
