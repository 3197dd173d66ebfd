"""The tables of elevated groups: grants, how groups stand, and the ledger."""

from datetime import datetime

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Text
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row, partial_index


def _text() -> Column[str]:
    return Column(Text, nullable=False, server_default="")


def _at(*, nullable: bool = False) -> Column[datetime]:
    return Column(UtcDateTime, nullable=nullable)


class AccessGrantRow(Row):
    """A grant as it stands; `body` is all of it, the other columns are for finding it."""

    __tablename__ = "access_grant"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        Index("ix_access_grant_open", "open", "group_name"),
        Index("ix_access_grant_requested_at", "requested_at"),
        Index("ix_access_grant_person", "person", "group_name", "requested_at"),
    )

    id: str = Field(sa_column=_text())
    group_name: str = Field(sa_column=_text())
    person: str = Field(sa_column=_text())
    account: str = Field(sa_column=_text())
    origin: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text())
    requested_at: datetime = Field(sa_column=_at())
    wake_at: datetime | None = Field(sa_column=_at(nullable=True))
    open: int = Field(sa_column=Column(Integer, nullable=False))
    body: str = Field(sa_column=_text())


class AccessStandingRow(Row):
    """How one group stands, and when it is compared again."""

    __tablename__ = "access_standing"
    __table_args__ = (PrimaryKeyConstraint("name"),)

    name: str = Field(sa_column=_text())
    due_at: datetime | None = Field(sa_column=_at(nullable=True))
    body: str = Field(sa_column=_text())


class AccessLedgerRow(Row):
    """One line of the ledger; triggers refuse to change or delete any."""

    __tablename__ = "access_ledger"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        Index("ix_access_ledger_at", "at", "id"),
        Index("ix_access_ledger_grant_id", "grant_id"),
        partial_index("ix_access_ledger_incident", "incident", where="incident > 0"),
    )

    id: str = Field(sa_column=_text())
    at: datetime = Field(sa_column=_at())
    what: str = Field(sa_column=_text())
    group_name: str = Field(sa_column=_text())
    person: str = Field(sa_column=_text())
    grant_id: str = Field(sa_column=_text())
    by: str = Field(sa_column=_text())
    why: str = Field(sa_column=_text())
    incident: int = Field(sa_column=Column(Integer, nullable=False))
    evidence: str = Field(sa_column=_text())


ACCESS_GRANT = METADATA.tables["access_grant"]
ACCESS_STANDING = METADATA.tables["access_standing"]
ACCESS_LEDGER = METADATA.tables["access_ledger"]
