"""The tables of what live events tell of lineage; one source's word never changes another's."""

from datetime import datetime

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Text

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row


def _name() -> Column[str]:
    return Column(Text, nullable=False)


def _at() -> Column[datetime]:
    return Column(UtcDateTime, nullable=False)


class SeenAssetRow(Row):
    """A job or dataset that a source told of; `body` is all that it said of it."""

    __tablename__ = "seen_asset"
    __table_args__ = (
        PrimaryKeyConstraint("source", "id"),
        Index("ix_seen_asset_oldest", "source", "last_at"),
        Index("ix_seen_asset_last_at", "last_at"),
    )

    source = _name()
    id = _name()
    body = Column(Text, nullable=False, server_default="{}")
    first_at = _at()
    last_at = _at()


class SeenEdgeRow(Row):
    """Something that `downstream` was seen to be made from, or made by."""

    __tablename__ = "seen_edge"
    __table_args__ = (
        PrimaryKeyConstraint("source", "upstream", "downstream"),
        Index("ix_seen_edge_oldest", "source", "last_at"),
        Index("ix_seen_edge_last_at", "last_at"),
        Index("ix_seen_edge_downstream", "source", "downstream"),
    )

    source = _name()
    upstream = _name()
    downstream = _name()
    first_at = _at()
    last_at = _at()


SEEN_ASSET = METADATA.tables["seen_asset"]
SEEN_EDGE = METADATA.tables["seen_edge"]
