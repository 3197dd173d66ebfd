"""An index of the words of production issues, so that a search need not read them all."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_SQLITE = (
    (
        "CREATE VIRTUAL TABLE issue_search USING fts5(words, content='issue', "
        "content_rowid='number', tokenize='unicode61 remove_diacritics 0', prefix='1 2 3')"
    ),
    (
        "CREATE TRIGGER issue_search_added AFTER INSERT ON issue BEGIN "
        "INSERT INTO issue_search(rowid, words) VALUES (new.number, new.words); END"
    ),
    (
        "CREATE TRIGGER issue_search_gone AFTER DELETE ON issue BEGIN "
        "INSERT INTO issue_search(issue_search, rowid, words) "
        "VALUES ('delete', old.number, old.words); END"
    ),
    (
        "CREATE TRIGGER issue_search_changed AFTER UPDATE OF words ON issue "
        "WHEN old.words != new.words BEGIN "
        "INSERT INTO issue_search(issue_search, rowid, words) "
        "VALUES ('delete', old.number, old.words); "
        "INSERT INTO issue_search(rowid, words) VALUES (new.number, new.words); END"
    ),
    "INSERT INTO issue_search(issue_search) VALUES ('rebuild')",
)
_POSTGRESQL = (
    (
        "CREATE INDEX issue_search ON issue USING gin "
        "(array_to_tsvector(array_remove(string_to_array(words, ' '), ''))) "
        "WITH (fastupdate = off)"
    ),
)


def upgrade() -> None:
    op.drop_index("ix_issue_words", "issue")
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE if is_sqlite else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("added", "gone", "changed"):
            op.execute(f"DROP TRIGGER issue_search_{name}")
        op.drop_table("issue_search")
    else:
        op.drop_index("issue_search", "issue")
    op.create_index("ix_issue_words", "issue", ["number", "words"])
