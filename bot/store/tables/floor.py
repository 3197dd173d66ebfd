"""The table that tells an older version whether it still works on a newer one's tables."""

from sqlalchemy import Column, Text
from sqlmodel import Field

from bot.store.tables.row import Row


class SchemaFloorRow(Row):
    """One row: the oldest migration whose code works on what is there."""

    __tablename__ = "schema_floor"

    revision: str = Field(sa_column=Column(Text, primary_key=True, nullable=False))
