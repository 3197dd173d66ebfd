"""The tables of what people change about the rotation, and of who changed what."""

from datetime import datetime

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Text
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row


def _text(*, default: str | None = "") -> Column[str]:
    return Column(Text, nullable=False, server_default=default)


def _at(*, nullable: bool = False) -> Column[datetime]:
    return Column(UtcDateTime, nullable=nullable)


class OverrideRow(Row):
    """Somebody changes a role for a while; one that was ended ends when it was."""

    __tablename__ = "override"
    __table_args__ = (PrimaryKeyConstraint("id"), Index("ix_override_ends_at", "ends_at"))

    id: str = Field(sa_column=_text(default=None))
    rotation: str = Field(sa_column=_text())
    role: str = Field(sa_column=_text())
    person: str = Field(sa_column=_text())
    starts_at: datetime = Field(sa_column=_at())
    ends_at: datetime = Field(sa_column=_at())
    by: str = Field(sa_column=_text())
    created_at: datetime = Field(sa_column=_at())
    kind: str = Field(sa_column=_text(default="cover"))
    instead_of: str = Field(sa_column=_text())
    why: str = Field(sa_column=_text())
    origin: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text(default="active"))
    changed_by: str = Field(sa_column=_text())
    changed_at: datetime | None = Field(sa_column=_at(nullable=True))


class CoverRequestRow(Row):
    """Somebody asked for cover of a part of their shift."""

    __tablename__ = "cover_request"
    __table_args__ = (PrimaryKeyConstraint("id"), Index("ix_cover_request_ends_at", "ends_at"))

    id: str = Field(sa_column=_text())
    rotation: str = Field(sa_column=_text())
    role: str = Field(sa_column=_text())
    person: str = Field(sa_column=_text())
    channel: str = Field(sa_column=_text())
    why: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text())
    starts_at: datetime = Field(sa_column=_at())
    ends_at: datetime = Field(sa_column=_at())
    asked_at: datetime = Field(sa_column=_at())
    asked_again_at: datetime | None = Field(sa_column=_at(nullable=True))
    expires_at: datetime = Field(sa_column=_at())
    taken_by: str = Field(sa_column=_text())
    override_id: str = Field(sa_column=_text())
    closed_at: datetime | None = Field(sa_column=_at(nullable=True))


class SwapRow(Row):
    """A swap of two shifts, both legs; `over_at` is the end of the later one."""

    __tablename__ = "swap"
    __table_args__ = (PrimaryKeyConstraint("id"), Index("ix_swap_over_at", "over_at"))

    id: str = Field(sa_column=_text())
    asker: str = Field(sa_column=_text())
    other: str = Field(sa_column=_text())
    rotation: str = Field(sa_column=_text())
    role: str = Field(sa_column=_text())
    other_rotation: str = Field(sa_column=_text())
    other_role: str = Field(sa_column=_text())
    why: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text())
    starts_at: datetime = Field(sa_column=_at())
    ends_at: datetime = Field(sa_column=_at())
    other_starts_at: datetime = Field(sa_column=_at())
    other_ends_at: datetime = Field(sa_column=_at())
    over_at: datetime = Field(sa_column=_at())
    asked_at: datetime = Field(sa_column=_at())
    expires_at: datetime = Field(sa_column=_at())
    accepted_at: datetime | None = Field(sa_column=_at(nullable=True))
    approved_at: datetime | None = Field(sa_column=_at(nullable=True))
    approved_by: str = Field(sa_column=_text())
    closed_by: str = Field(sa_column=_text())
    closed_at: datetime | None = Field(sa_column=_at(nullable=True))


class RosterChangeRow(Row):
    """One thing a person did to the rotation: never changed, never deleted."""

    __tablename__ = "roster_change"
    __table_args__ = (PrimaryKeyConstraint("id"), Index("ix_roster_change_at", "at", "id"))

    id: str = Field(sa_column=_text())
    at: datetime = Field(sa_column=_at())
    by: str = Field(sa_column=_text())
    origin: str = Field(sa_column=_text())
    what: str = Field(sa_column=_text())
    subject: str = Field(sa_column=_text())
    rotation: str = Field(sa_column=_text())
    role: str = Field(sa_column=_text())
    starts_at: datetime = Field(sa_column=_at())
    ends_at: datetime = Field(sa_column=_at())
    before: str = Field(sa_column=_text())
    after: str = Field(sa_column=_text())
    why: str = Field(sa_column=_text())


OVERRIDE = METADATA.tables["override"]
COVER_REQUEST = METADATA.tables["cover_request"]
SWAP = METADATA.tables["swap"]
ROSTER_CHANGE = METADATA.tables["roster_change"]
