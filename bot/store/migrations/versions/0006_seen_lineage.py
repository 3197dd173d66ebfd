"""What live events tell of lineage: assets and edges, by source."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seen_asset",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), server_default="{}", nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "id"),
    )
    op.create_table(
        "seen_edge",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("upstream", sa.Text(), nullable=False),
        sa.Column("downstream", sa.Text(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "upstream", "downstream"),
    )
    op.create_index("ix_seen_edge_downstream", "seen_edge", ["source", "downstream"])
    for table in ("seen_asset", "seen_edge"):
        op.create_index(f"ix_{table}_oldest", table, ["source", "last_at"])
        op.create_index(f"ix_{table}_last_at", table, ["last_at"])
    op.execute("INSERT INTO counter (name, value) VALUES ('lineage', 0)")


def downgrade() -> None:
    op.execute("DELETE FROM counter WHERE name = 'lineage'")
    for table in ("seen_edge", "seen_asset"):
        op.drop_table(table)
