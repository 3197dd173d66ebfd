"""The tables of what live events tell of lineage; one source's word never changes another's."""

from datetime import datetime

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Text
from sqlmodel import Field

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

    source: str = Field(sa_column=_name())
    id: str = Field(sa_column=_name())
    body: str = Field(sa_column=Column(Text, nullable=False, server_default="{}"))
    first_at: datetime = Field(sa_column=_at())
    last_at: datetime = Field(sa_column=_at())


class SeenEdgeRow(Row):
    """Something that `downstream` was seen to be made from, or made by."""

    __tablename__ = "seen_edge"
    __table_args__ = (
        PrimaryKeyConstraint("source", "upstream", "downstream"),
        Index("ix_seen_edge_oldest", "source", "last_at"),
        Index("ix_seen_edge_last_at", "last_at"),
        Index("ix_seen_edge_downstream", "source", "downstream"),
    )

    source: str = Field(sa_column=_name())
    upstream: str = Field(sa_column=_name())
    downstream: str = Field(sa_column=_name())
    first_at: datetime = Field(sa_column=_at())
    last_at: datetime = Field(sa_column=_at())


SEEN_ASSET = METADATA.tables["seen_asset"]
SEEN_EDGE = METADATA.tables["seen_edge"]
