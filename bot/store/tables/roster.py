"""The tables of the roster: versions as accepted, and what people confirmed."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Text
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row


def _text(default: str | None = None) -> Column[str]:
    return Column(Text, nullable=False, server_default=default)


def _at() -> Column[datetime]:
    return Column(UtcDateTime, nullable=False)


class RosterVersionRow(Row):
    """One rotation as accepted; the newest is in force, older ones answer for their time."""

    __tablename__ = "roster_version"
    __table_args__ = (
        PrimaryKeyConstraint("number"),
        Index("roster_version_rotation", "rotation", "number"),
    )

    number: int = Field(sa_column=Column(BigInteger, autoincrement=False, nullable=False))
    rotation: str = Field(sa_column=_text())
    valid_from: datetime = Field(sa_column=_at())
    accepted_at: datetime = Field(sa_column=_at())
    version: str = Field(sa_column=_text())
    source: str = Field(sa_column=_text(""))
    author: str = Field(sa_column=_text(""))
    plan: str = Field(sa_column=_text())


class RosterConfirmationRow(Row):
    """A version that a person said is meant, though it ends cover."""

    __tablename__ = "roster_confirmation"
    __table_args__ = (PrimaryKeyConstraint("version"),)

    version: str = Field(sa_column=_text())
    by: str = Field(sa_column=_text())
    at: datetime = Field(sa_column=_at())


ROSTER_VERSION = METADATA.tables["roster_version"]
ROSTER_CONFIRMATION = METADATA.tables["roster_confirmation"]
