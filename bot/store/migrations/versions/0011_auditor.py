"""Clocks of errands that one replica runs, and what the auditor found."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "errand",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "audit_finding",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sentence", sa.Text(), server_default="", nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("standing", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_audit_finding_last_at", "audit_finding", ["last_at"])


def downgrade() -> None:
    for table in ("audit_finding", "errand"):
        op.drop_table(table)
