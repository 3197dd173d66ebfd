"""Elevated groups: grants as they stand, how groups stand, and a ledger that only grows."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_SQLITE = (
    (
        "CREATE TRIGGER access_ledger_no_update BEFORE UPDATE ON access_ledger BEGIN "
        "SELECT RAISE(ABORT, 'the access ledger only grows'); END"
    ),
    (
        "CREATE TRIGGER access_ledger_no_delete BEFORE DELETE ON access_ledger BEGIN "
        "SELECT RAISE(ABORT, 'the access ledger only grows'); END"
    ),
)
_POSTGRESQL = (
    (
        "CREATE FUNCTION access_ledger_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the access ledger only grows'; END $$"
    ),
    (
        "CREATE TRIGGER access_ledger_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON access_ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION access_ledger_only_grows()"
    ),
)


def upgrade() -> None:
    op.create_table(
        "access_grant",
        *_texts("id", "group_name", "person", "account", "origin", "state"),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("wake_at", UtcDateTime(), nullable=True),
        sa.Column("open", sa.Integer(), nullable=False),
        *_texts("body"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_access_grant_open", "access_grant", ["open", "group_name"])
    op.create_index("ix_access_grant_requested_at", "access_grant", ["requested_at"])
    op.create_index(
        "ix_access_grant_person", "access_grant", ["person", "group_name", "requested_at"]
    )
    op.create_table(
        "access_standing",
        *_texts("name"),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        *_texts("body"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "access_ledger",
        *_texts("id"),
        sa.Column("at", UtcDateTime(), nullable=False),
        *_texts("what", "group_name", "person", "grant_id", "by", "why"),
        sa.Column("incident", sa.Integer(), nullable=False),
        *_texts("evidence"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_access_ledger_at", "access_ledger", ["at", "id"])
    op.create_index("ix_access_ledger_grant_id", "access_ledger", ["grant_id"])
    op.execute("INSERT INTO counter (name, value) VALUES ('access', 0)")
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DELETE FROM counter WHERE name = 'access'")
    for table in ("access_ledger", "access_standing", "access_grant"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION access_ledger_only_grows()")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), server_default="", nullable=False) for name in names]
