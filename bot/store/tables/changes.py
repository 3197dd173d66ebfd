"""The tables of what people change about the rotation, and of who changed what."""

from datetime import datetime

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Text

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

    id = _text(default=None)
    rotation = _text()
    role = _text()
    person = _text()
    starts_at = _at()
    ends_at = _at()
    by = _text()
    created_at = _at()
    kind = _text(default="cover")
    instead_of = _text()
    why = _text()
    origin = _text()
    state = _text(default="active")
    changed_by = _text()
    changed_at = _at(nullable=True)


class CoverRequestRow(Row):
    """Somebody asked for cover of a part of their shift."""

    __tablename__ = "cover_request"
    __table_args__ = (PrimaryKeyConstraint("id"), Index("ix_cover_request_ends_at", "ends_at"))

    id = _text()
    rotation = _text()
    role = _text()
    person = _text()
    channel = _text()
    why = _text()
    state = _text()
    starts_at = _at()
    ends_at = _at()
    asked_at = _at()
    asked_again_at = _at(nullable=True)
    expires_at = _at()
    taken_by = _text()
    override_id = _text()
    closed_at = _at(nullable=True)


class SwapRow(Row):
    """A swap of two shifts, both legs; `over_at` is the end of the later one."""

    __tablename__ = "swap"
    __table_args__ = (PrimaryKeyConstraint("id"), Index("ix_swap_over_at", "over_at"))

    id = _text()
    asker = _text()
    other = _text()
    rotation = _text()
    role = _text()
    other_rotation = _text()
    other_role = _text()
    why = _text()
    state = _text()
    starts_at = _at()
    ends_at = _at()
    other_starts_at = _at()
    other_ends_at = _at()
    over_at = _at()
    asked_at = _at()
    expires_at = _at()
    accepted_at = _at(nullable=True)
    approved_at = _at(nullable=True)
    approved_by = _text()
    closed_by = _text()
    closed_at = _at(nullable=True)


class RosterChangeRow(Row):
    """One thing a person did to the rotation: never changed, never deleted."""

    __tablename__ = "roster_change"
    __table_args__ = (PrimaryKeyConstraint("id"), Index("ix_roster_change_at", "at", "id"))

    id = _text()
    at = _at()
    by = _text()
    origin = _text()
    what = _text()
    subject = _text()
    rotation = _text()
    role = _text()
    starts_at = _at()
    ends_at = _at()
    before = _text()
    after = _text()
    why = _text()


OVERRIDE = METADATA.tables["override"]
COVER_REQUEST = METADATA.tables["cover_request"]
SWAP = METADATA.tables["swap"]
ROSTER_CHANGE = METADATA.tables["roster_change"]
