"""The tables of runs, of what is expected to run, and of each occasion it was due."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Text
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row, partial_index


def _text(*, default: str | None = "") -> Column[str]:
    return Column(Text, nullable=False, server_default=default)


def _at(*, nullable: bool = False) -> Column[datetime]:
    return Column(UtcDateTime, nullable=nullable)


class RunRow(Row):
    """One attempt of a run; `heard_at` is when its first delivery came."""

    __tablename__ = "run"
    __table_args__ = (
        PrimaryKeyConstraint("source", "pipeline", "run_id", "attempt"),
        Index("ix_run_latest", "source", "pipeline", "heard_at"),
        Index("ix_run_heard_at", "heard_at"),
        Index("ix_run_updated_at", "updated_at"),
    )

    source: str = Field(sa_column=_text(default=None))
    pipeline: str = Field(sa_column=_text(default=None))
    run_id: str = Field(sa_column=_text(default=None))
    attempt: int = Field(sa_column=Column(Integer, nullable=False))
    state: str = Field(sa_column=_text(default=None))
    kind: str = Field(sa_column=_text())
    started_at: datetime | None = Field(sa_column=_at(nullable=True))
    ended_at: datetime | None = Field(sa_column=_at(nullable=True))
    nominal_at: datetime | None = Field(sa_column=_at(nullable=True))
    labels: str = Field(sa_column=_text(default="{}"))
    heard_at: datetime = Field(sa_column=_at())
    updated_at: datetime = Field(sa_column=_at())


class ExpectationRow(Row):
    """Where the clock of one expected run stands; `look_at` is NULL where nobody waits for it."""

    __tablename__ = "expectation"
    __table_args__ = (
        PrimaryKeyConstraint("name"),
        partial_index("ix_expectation_look_at", "look_at", where="look_at IS NOT NULL"),
    )

    name: str = Field(sa_column=_text(default=None))
    rule: str = Field(sa_column=_text(default=None))
    product: str = Field(sa_column=_text())
    due_at: datetime | None = Field(sa_column=_at(nullable=True))
    look_at: datetime | None = Field(sa_column=_at(nullable=True))
    missed_at: datetime | None = Field(sa_column=_at(nullable=True))
    missed: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    seen_at: datetime | None = Field(sa_column=_at(nullable=True))
    run_id: str = Field(sa_column=_text())
    retired_at: datetime | None = Field(sa_column=_at(nullable=True))


class OccasionRow(Row):
    """One time at which a run was due, and what came of it."""

    __tablename__ = "occasion"
    __table_args__ = (
        PrimaryKeyConstraint("name", "due_at"),
        partial_index("ix_occasion_product", "product", "due_at", where="product != ''"),
        Index("ix_occasion_due_at", "due_at"),
    )

    name: str = Field(sa_column=_text(default=None))
    due_at: datetime = Field(sa_column=_at())
    product: str = Field(sa_column=_text())
    seen_at: datetime | None = Field(sa_column=_at(nullable=True))
    run_id: str = Field(sa_column=_text())
    outcome: str = Field(sa_column=_text(default=None))


RUN = METADATA.tables["run"]
EXPECTATION = METADATA.tables["expectation"]
OCCASION = METADATA.tables["occasion"]
