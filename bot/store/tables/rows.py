"""The table of what the roster's rows of overrides said when both sides last agreed."""

from datetime import datetime

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Text
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row


class RosterRowRow(Row):
    """The last common value of one override's row; `conflict` is what was told of it last."""

    __tablename__ = "roster_row"
    __table_args__ = (PrimaryKeyConstraint("id"), Index("ix_roster_row_over_at", "over_at"))

    id: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    facts: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    over_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    conflict: str = Field(sa_column=Column(Text, nullable=False, server_default=""))


ROSTER_ROW = METADATA.tables["roster_row"]
