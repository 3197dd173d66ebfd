"""The journal: entries with their versions and words, and who was asked to write one."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_SQLITE = (
    (
        "CREATE VIRTUAL TABLE journal_search USING fts5(words, content='journal_entry', "
        "content_rowid='seq', tokenize='unicode61 remove_diacritics 0')"
    ),
    (
        "CREATE TRIGGER journal_search_added AFTER INSERT ON journal_entry BEGIN "
        "INSERT INTO journal_search(rowid, words) VALUES (new.seq, new.words); END"
    ),
    (
        "CREATE TRIGGER journal_search_gone AFTER DELETE ON journal_entry BEGIN "
        "INSERT INTO journal_search(journal_search, rowid, words) "
        "VALUES ('delete', old.seq, old.words); END"
    ),
    (
        "CREATE TRIGGER journal_search_changed AFTER UPDATE OF words ON journal_entry BEGIN "
        "INSERT INTO journal_search(journal_search, rowid, words) "
        "VALUES ('delete', old.seq, old.words); "
        "INSERT INTO journal_search(rowid, words) VALUES (new.seq, new.words); END"
    ),
)
_POSTGRESQL = (
    (
        "CREATE INDEX journal_search ON journal_entry USING gin "
        "(array_to_tsvector(string_to_array(words, ' '))) WITH (fastupdate = off)"
    ),
)


def upgrade() -> None:
    _entries()
    op.create_table(
        "journal_version",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "version"),
    )
    op.create_table(
        "journal_word",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("word"),
    )
    op.create_table(
        "journal_prompt",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("person", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("key", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("incident_id"),
    )
    open_ones = sa.text("state = 'open'")
    op.create_index(
        "ix_journal_prompt_open",
        "journal_prompt",
        ["person", "asked_at"],
        sqlite_where=open_ones,
        postgresql_where=open_ones,
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE if is_sqlite else _POSTGRESQL:
        op.execute(statement)


def _entries() -> None:
    op.create_table(
        "journal_entry",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("written", sa.Integer(), server_default="0", nullable=False),
        sa.Column("product", sa.Text(), server_default="", nullable=False),
        sa.Column("asset", sa.Text(), server_default="", nullable=False),
        sa.Column("category", sa.Text(), server_default="", nullable=False),
        sa.Column("thing", sa.Text(), server_default="", nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("month", sa.Text(), server_default="", nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    for name, columns, condition in (
        ("asset", ["asset", "seq"], "asset != ''"),
        ("product", ["product", "category", "seq"], "product != ''"),
        ("thing", ["thing", "seq"], "thing != ''"),
        ("cause", ["cause", "seq"], "written = 1"),
        ("month", ["month", "cause", "product"], "written = 1"),
    ):
        where = sa.text(condition)
        op.create_index(
            f"ix_journal_entry_{name}",
            "journal_entry",
            columns,
            sqlite_where=where,
            postgresql_where=where,
        )
    op.create_index("ix_journal_entry_id", "journal_entry", ["id"], unique=True)
    numbered = sa.text("number IS NOT NULL")
    op.create_index(
        "ix_journal_entry_number",
        "journal_entry",
        ["number"],
        unique=True,
        sqlite_where=numbered,
        postgresql_where=numbered,
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_table("journal_search")
    for name in ("journal_prompt", "journal_word", "journal_version", "journal_entry"):
        op.drop_table(name)
