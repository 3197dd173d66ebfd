"""What people change about the rotation: kinds of overrides, cover asked for, swaps, and who did it."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_OVERRIDE = ("kind", "instead_of", "why", "origin", "state", "changed_by", "changed_at")


def upgrade() -> None:
    for name, default in (
        ("kind", "cover"),
        ("instead_of", ""),
        ("why", ""),
        ("origin", ""),
        ("state", "active"),
        ("changed_by", ""),
    ):
        op.add_column(
            "override", sa.Column(name, sa.Text(), server_default=default, nullable=False)
        )
    op.add_column("override", sa.Column("changed_at", UtcDateTime(), nullable=True))
    op.create_table(
        "cover_request",
        *_texts("id", "rotation", "role", "person", "channel", "why", "state"),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("asked_again_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        *_texts("taken_by", "override_id"),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_cover_request_ends_at", "cover_request", ["ends_at"])
    op.create_table(
        "swap",
        *_texts("id", "asker", "other", "rotation", "role", "other_rotation", "other_role"),
        *_texts("why", "state"),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("other_starts_at", UtcDateTime(), nullable=False),
        sa.Column("other_ends_at", UtcDateTime(), nullable=False),
        sa.Column("over_at", UtcDateTime(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("approved_by", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_swap_over_at", "swap", ["over_at"])
    op.create_table(
        "roster_change",
        *_texts("id"),
        sa.Column("at", UtcDateTime(), nullable=False),
        *_texts("by", "origin", "what", "subject", "rotation", "role"),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        *_texts("before", "after", "why"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_roster_change_at", "roster_change", ["at", "id"])
    op.execute("INSERT INTO counter (name, value) VALUES ('roster_changes', 0)")


def downgrade() -> None:
    op.execute("DELETE FROM counter WHERE name = 'roster_changes'")
    for table in ("roster_change", "swap", "cover_request"):
        op.drop_table(table)
    with op.batch_alter_table("override") as batch:
        for name in _OVERRIDE:
            batch.drop_column(name)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), server_default="", nullable=False) for name in names]
