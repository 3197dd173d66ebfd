"""The tables of the auditor: the clocks of errands that one replica runs, and what it found."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Text

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

    name = _text(None)
    next_at = _at()
    done_at = _at(nullable=True)


class AuditFindingRow(Row):
    """One thing that the auditor found; `standing` while the last look still found it."""

    __tablename__ = "audit_finding"
    __table_args__ = (
        PrimaryKeyConstraint("key"),
        Index("ix_audit_finding_last_at", "last_at"),
    )

    key = _text(None)
    kind = _text(None)
    number = Column(BigInteger, nullable=False, server_default="0")
    sentence = _text()
    first_at = _at()
    last_at = _at()
    standing = Column(Integer, nullable=False, server_default="1")


ERRAND = METADATA.tables["errand"]
AUDIT_FINDING = METADATA.tables["audit_finding"]
