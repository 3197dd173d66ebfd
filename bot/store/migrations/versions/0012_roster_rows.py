"""What the roster's rows of overrides said when they and the database last agreed."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roster_row",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("over_at", UtcDateTime(), nullable=False),
        sa.Column("conflict", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_roster_row_over_at", "roster_row", ["over_at"])


def downgrade() -> None:
    op.drop_table("roster_row")
