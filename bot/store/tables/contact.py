"""The table of attempts to reach people."""

from datetime import datetime

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Text
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row


def _text(default: str | None = "") -> Column[str]:
    return Column(Text, nullable=False, server_default=default)


def _at() -> Column[datetime]:
    return Column(UtcDateTime, nullable=False)


class ContactAttemptRow(Row):
    """One attempt; `step` 0 is the direct message, `changed_at` when its result was last heard."""

    __tablename__ = "contact_attempt"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        Index("ix_contact_attempt_incident", "incident_id", "id"),
    )

    id: str = Field(sa_column=_text(None))
    incident_id: str = Field(sa_column=_text(None))
    page_key: str = Field(sa_column=_text())
    person: str = Field(sa_column=_text())
    method: str = Field(sa_column=_text())
    step: int = Field(sa_column=Column(Integer, nullable=False, server_default="0"))
    attempt: int = Field(sa_column=Column(Integer, nullable=False, server_default="1"))
    at: datetime = Field(sa_column=_at())
    changed_at: datetime = Field(sa_column=_at())
    result: str = Field(sa_column=_text())
    provider_id: str = Field(sa_column=_text())
    error: str = Field(sa_column=_text())


CONTACT_ATTEMPT = METADATA.tables["contact_attempt"]
