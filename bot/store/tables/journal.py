"""The tables of the journal; the index of its words is each database's own kind."""

from datetime import datetime

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    event,
)
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row, partial_index

_ID = BigInteger().with_variant(Integer(), "sqlite")


def _text(default: str | None = "") -> Column[str]:
    return Column(Text, nullable=False, server_default=default)


def _count() -> Column[int]:
    return Column(BigInteger, nullable=False, server_default="0")


def _at() -> Column[datetime]:
    return Column(UtcDateTime, nullable=False)


class JournalEntryRow(Row):
    """The newest version of an entry; `words` are those it is found by, a space between.

    `body` is JSON. `number` is the incident's, None where it has none. `thing` is what the
    incident's alert names at its source. `month` is when it happened, like `2026-11`, in UTC.
    """

    __tablename__ = "journal_entry"
    __table_args__ = (
        partial_index("ix_journal_entry_asset", "asset", "seq", where="asset != ''"),
        partial_index(
            "ix_journal_entry_product", "product", "category", "seq", where="product != ''"
        ),
        partial_index("ix_journal_entry_thing", "thing", "seq", where="thing != ''"),
        partial_index("ix_journal_entry_cause", "cause", "seq", where="written = 1"),
        partial_index("ix_journal_entry_month", "month", "cause", "product", where="written = 1"),
        partial_index("ix_journal_entry_number", "number", where="number IS NOT NULL", unique=True),
        Index("ix_journal_entry_id", "id", unique=True),
    )

    seq: int = Field(sa_column=Column(_ID, primary_key=True))
    id: str = Field(sa_column=_text(None))
    number: int | None = Field(sa_column=Column(BigInteger, nullable=True))
    version: int = Field(sa_column=_count())
    written: int = Field(sa_column=Column(Integer, nullable=False, server_default="0"))
    product: str = Field(sa_column=_text())
    asset: str = Field(sa_column=_text())
    category: str = Field(sa_column=_text())
    thing: str = Field(sa_column=_text())
    cause: str = Field(sa_column=_text())
    month: str = Field(sa_column=_text())
    at: datetime = Field(sa_column=_at())
    changed_at: datetime = Field(sa_column=_at())
    words: str = Field(sa_column=_text())
    body: str = Field(sa_column=_text())


class JournalVersionRow(Row):
    """An entry as somebody left it."""

    __tablename__ = "journal_version"
    __table_args__ = (PrimaryKeyConstraint("entry_id", "version"),)

    entry_id: str = Field(sa_column=_text(None))
    version: int = Field(sa_column=_count())
    at: datetime = Field(sa_column=_at())
    by: str = Field(sa_column=_text())
    body: str = Field(sa_column=_text())


class JournalWordRow(Row):
    """In how many entries a word stands: rare ones say most."""

    __tablename__ = "journal_word"
    __table_args__ = (PrimaryKeyConstraint("word"),)

    word: str = Field(sa_column=_text(None))
    count: int = Field(sa_column=_count())


class JournalPromptRow(Row):
    """Who was asked to write the entry of an incident, and what became of it."""

    __tablename__ = "journal_prompt"
    __table_args__ = (
        PrimaryKeyConstraint("incident_id"),
        partial_index("ix_journal_prompt_open", "person", "asked_at", where="state = 'open'"),
    )

    incident_id: str = Field(sa_column=_text(None))
    number: int = Field(sa_column=_count())
    person: str = Field(sa_column=_text())
    title: str = Field(sa_column=_text())
    key: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text())
    asked_at: datetime = Field(sa_column=_at())
    changed_at: datetime = Field(sa_column=_at())
    by: str = Field(sa_column=_text())
    why: str = Field(sa_column=_text())


JOURNAL_ENTRY = METADATA.tables["journal_entry"]
JOURNAL_VERSION = METADATA.tables["journal_version"]
JOURNAL_WORD = METADATA.tables["journal_word"]
JOURNAL_PROMPT = METADATA.tables["journal_prompt"]

SEARCHED = "array_to_tsvector(string_to_array(words, ' '))"
"""What PostgreSQL indexes, and must be asked for, letter by letter."""

_OLD = (
    "INSERT INTO journal_search(journal_search, rowid, words) VALUES ('delete', old.seq, old.words)"
)
_NEW = "INSERT INTO journal_search(rowid, words) VALUES (new.seq, new.words)"
_INDEXES = (
    (
        "sqlite",
        (
            "CREATE VIRTUAL TABLE journal_search USING fts5(words, content='journal_entry', "
            "content_rowid='seq', tokenize='unicode61 remove_diacritics 0')"
        ),
    ),
    (
        "sqlite",
        "CREATE TRIGGER journal_search_added AFTER INSERT ON journal_entry BEGIN " + _NEW + "; END",
    ),
    (
        "sqlite",
        "CREATE TRIGGER journal_search_gone AFTER DELETE ON journal_entry BEGIN " + _OLD + "; END",
    ),
    (
        "sqlite",
        (
            "CREATE TRIGGER journal_search_changed AFTER UPDATE OF words ON journal_entry BEGIN "
            f"{_OLD}; {_NEW}; END"
        ),
    ),
    (
        "postgresql",
        (
            f"CREATE INDEX journal_search ON journal_entry USING gin ({SEARCHED}) "
            "WITH (fastupdate = off)"
        ),
    ),
)
for _dialect, _statement in _INDEXES:
    _made = DDL(_statement)  # type: ignore[no-untyped-call]
    event.listen(JOURNAL_ENTRY, "after_create", _made.execute_if(dialect=_dialect))
