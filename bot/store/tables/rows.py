"""The table of what the roster's rows of overrides said when both sides last agreed."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Text

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row


class RosterRowRow(Row):
    """The last common value of one override's row; `conflict` is what was told of it last."""

    __tablename__ = "roster_row"
    __table_args__ = (PrimaryKeyConstraint("id"), Index("ix_roster_row_over_at", "over_at"))

    id = Column(Text, nullable=False)
    state = Column(Text, nullable=False)
    facts = Column(Text, nullable=False)
    at = Column(UtcDateTime, nullable=False)
    over_at = Column(UtcDateTime, nullable=False)
    conflict = Column(Text, nullable=False, server_default="")


ROSTER_ROW = METADATA.tables["roster_row"]
