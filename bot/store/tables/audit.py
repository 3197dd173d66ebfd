"""The tables of the auditor: the clocks of errands that one replica runs, and what it found."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Text
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row


def _text(default: str | None = "") -> Column[str]:
    return Column(Text, nullable=False, server_default=default)


def _at(*, nullable: bool = False) -> Column[datetime]:
    return Column(UtcDateTime, nullable=nullable)


class ErrandRow(Row):
    """When an errand is due next, and when it last ended well."""

    __tablename__ = "errand"
    __table_args__ = (PrimaryKeyConstraint("name"),)

    name: str = Field(sa_column=_text(None))
    next_at: datetime = Field(sa_column=_at())
    done_at: datetime | None = Field(sa_column=_at(nullable=True))


class AuditFindingRow(Row):
    """One thing that the auditor found; `standing` while the last look still found it."""

    __tablename__ = "audit_finding"
    __table_args__ = (
        PrimaryKeyConstraint("key"),
        Index("ix_audit_finding_last_at", "last_at"),
    )

    key: str = Field(sa_column=_text(None))
    kind: str = Field(sa_column=_text(None))
    number: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    sentence: str = Field(sa_column=_text())
    first_at: datetime = Field(sa_column=_at())
    last_at: datetime = Field(sa_column=_at())
    standing: int = Field(sa_column=Column(Integer, nullable=False, server_default="1"))


ERRAND = METADATA.tables["errand"]
AUDIT_FINDING = METADATA.tables["audit_finding"]
