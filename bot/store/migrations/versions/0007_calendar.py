"""What calendars were told: events as published, revoked addresses, and how followers stand."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rotation", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("start_at", UtcDateTime(), nullable=False),
        sa.Column("end_at", UtcDateTime(), nullable=False),
        sa.Column("people", sa.Text(), server_default="[]", nullable=False),
        sa.Column("former", sa.Text(), server_default="{}", nullable=False),
        sa.Column("sequence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "calendar_feed",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revocations", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "calendar_follower",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), server_default="", nullable=False),
        sa.Column("tried_at", UtcDateTime(), nullable=True),
        sa.Column("synced_at", UtcDateTime(), nullable=True),
        sa.Column("behind_since", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("events", sa.Integer(), server_default="0", nullable=False),
        sa.Column("writes", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "calendar_lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), server_default="", nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute("INSERT INTO calendar_lease (name, holder) VALUES ('calendar', '')")
    op.execute("INSERT INTO counter (name, value) VALUES ('calendar', 0)")


def downgrade() -> None:
    op.execute("DELETE FROM counter WHERE name = 'calendar'")
    for table in ("calendar_lease", "calendar_follower", "calendar_feed", "calendar_event"):
        op.drop_table(table)
