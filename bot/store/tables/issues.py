"""Tables of the list of production issues: narrow rows beside the incidents, sorted by anything.

The index of its words is each database's own kind.
"""

from datetime import datetime

from sqlalchemy import DDL, BigInteger, Column, Index, Integer, Text, event
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row

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


class IssueRow(Row):
    """One incident as the list shows it.

    What is not known is NULL. `impact` and `urgency` are ranks from 1, the worst; `status` is a
    rank from 1, nobody has it. Measures are whole seconds. `words` is what a search looks through.
    """

    __tablename__ = "issue"
    __table_args__ = (
        *(Index(f"ix_issue_{name}", name, "number") for name in SORTED),
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


class IssueChangeRow(Row):
    """An incident whose row of the list is to be drawn anew; written with what changed it."""

    __tablename__ = "issue_change"

    id: int | None = Field(default=None, sa_column=Column(_ID, primary_key=True))
    incident_id: str = Field(sa_column=Column(Text, nullable=False))


class UsedLinkRow(Row):
    """A sign-in link that was used, or a session that was ended; kept until it would run out."""

    __tablename__ = "used_link"
    __table_args__ = (Index("ix_used_link_ends_at", "ends_at"),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


ISSUE = METADATA.tables["issue"]
ISSUE_CHANGE = METADATA.tables["issue_change"]
USED_LINK = METADATA.tables["used_link"]

SEARCHED = "array_to_tsvector(array_remove(string_to_array(words, ' '), ''))"
"""What PostgreSQL indexes, and must be asked for, letter by letter."""

_OLD = (
    "INSERT INTO issue_search(issue_search, rowid, words) VALUES ('delete', old.number, old.words)"
)
_NEW = "INSERT INTO issue_search(rowid, words) VALUES (new.number, new.words)"
_INDEXES = (
    (
        "sqlite",
        (
            "CREATE VIRTUAL TABLE issue_search USING fts5(words, content='issue', "
            "content_rowid='number', tokenize='unicode61 remove_diacritics 0', prefix='1 2 3')"
        ),
    ),
    (
        "sqlite",
        f"CREATE TRIGGER issue_search_added AFTER INSERT ON issue BEGIN {_NEW}; END",
    ),
    (
        "sqlite",
        f"CREATE TRIGGER issue_search_gone AFTER DELETE ON issue BEGIN {_OLD}; END",
    ),
    (
        "sqlite",
        (
            "CREATE TRIGGER issue_search_changed AFTER UPDATE OF words ON issue "
            f"WHEN old.words != new.words BEGIN {_OLD}; {_NEW}; END"
        ),
    ),
    (
        "postgresql",
        f"CREATE INDEX issue_search ON issue USING gin ({SEARCHED}) WITH (fastupdate = off)",
    ),
)
for _dialect, _statement in _INDEXES:
    _made = DDL(_statement)  # type: ignore[no-untyped-call]
    event.listen(ISSUE, "after_create", _made.execute_if(dialect=_dialect))
