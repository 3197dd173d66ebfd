"""Indexes: a message by its place in Slack, and the ledger of access by incident."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_message_place", "message", ["ts", "channel"])
    its = sa.text("incident > 0")
    op.create_index(
        "ix_access_ledger_incident",
        "access_ledger",
        ["incident"],
        sqlite_where=its,
        postgresql_where=its,
    )


def downgrade() -> None:
    op.drop_index("ix_access_ledger_incident", "access_ledger")
    op.drop_index("ix_message_place", "message")
