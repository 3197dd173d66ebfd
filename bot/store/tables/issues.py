"""Tables of the list of production issues: narrow rows beside the incidents, sorted by anything."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, Text
from sqlmodel import Field, SQLModel

from bot.store.columns import UtcDateTime

_ID = BigInteger().with_variant(Integer(), "sqlite")

SORTED = (
    "opened_at", "product", "tier", "category", "impact", "urgency", "priority", "status", "owner",
    "on_call", "ttd", "tta", "ttm", "ttr", "ttv", "cause", "recurs", "follow_up",
)  # fmt: skip
"""The columns people sort by; each has an index that ends with the number."""


def _text() -> Column[str]:
    return Column(Text, nullable=False, server_default="")


def _maybe_text() -> Column[str]:
    return Column(Text, nullable=True)


def _number() -> Column[int]:
    return Column(BigInteger, nullable=True)


class IssueRow(SQLModel, table=True):
    """One incident as the list shows it.

    What is not known is NULL. `impact` and `urgency` are ranks from 1, the worst; `status` is a
    rank from 1, nobody has it. Measures are whole seconds. `words` is what a search looks through.
    """

    __tablename__ = "issue"
    __table_args__ = (
        *(Index(f"ix_issue_{name}", name, "number") for name in SORTED),
        # narrow, so that a search reads a third of what the table has
        Index("ix_issue_words", "number", "words"),
        Index("ix_issue_breach", "deadline_at", "healthy_at", "number"),
    )

    number: int = Field(sa_column=Column(_ID, primary_key=True, autoincrement=False))
    incident_id: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    title: str = Field(sa_column=_text())
    words: str = Field(sa_column=_text())
    opened_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    product: str | None = Field(sa_column=_maybe_text())
    tier: int | None = Field(sa_column=_number())
    category: str | None = Field(sa_column=_maybe_text())
    impact: int | None = Field(sa_column=_number())
    urgency: int | None = Field(sa_column=_number())
    priority: str = Field(sa_column=_text())
    status: int = Field(sa_column=Column(BigInteger, nullable=False))
    owner: str | None = Field(sa_column=_maybe_text())
    on_call: str | None = Field(sa_column=_maybe_text())
    holder: str | None = Field(sa_column=_maybe_text())
    ttd: int | None = Field(sa_column=_number())
    tta: int | None = Field(sa_column=_number())
    ttm: int | None = Field(sa_column=_number())
    ttr: int | None = Field(sa_column=_number())
    ttv: int | None = Field(sa_column=_number())
    deadline_at: datetime | None = Field(sa_column=Column(UtcDateTime, nullable=True))
    healthy_at: datetime | None = Field(sa_column=Column(UtcDateTime, nullable=True))
    cause: str | None = Field(sa_column=_maybe_text())
    recurs: int | None = Field(sa_column=_number())
    follow_up: str | None = Field(sa_column=_maybe_text())
    entry: str | None = Field(sa_column=_maybe_text())


class IssueChangeRow(SQLModel, table=True):
    """An incident whose row of the list is to be drawn anew; written with what changed it."""

    __tablename__ = "issue_change"

    id: int | None = Field(default=None, sa_column=Column(_ID, primary_key=True))
    incident_id: str = Field(sa_column=Column(Text, nullable=False))


class UsedLinkRow(SQLModel, table=True):
    """A sign-in link that was used; kept until it would have run out."""

    __tablename__ = "used_link"
    __table_args__ = (Index("ix_used_link_ends_at", "ends_at"),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


ISSUE = SQLModel.metadata.tables["issue"]
ISSUE_CHANGE = SQLModel.metadata.tables["issue_change"]
USED_LINK = SQLModel.metadata.tables["used_link"]
