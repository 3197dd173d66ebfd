"""What is awaited of an incident that is resolved and not proved yet, and when it was closed."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_PENDING = sa.text("verification = 'pending'")


def upgrade() -> None:
    for name in ("verification", "awaits"):
        op.add_column("incident", sa.Column(name, sa.Text(), server_default="", nullable=False))
    for name in ("verified_at", "closed_at"):
        op.add_column("incident", sa.Column(name, UtcDateTime(), nullable=True))
    op.create_index(
        "ix_incident_pending",
        "incident",
        ["number"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    # what was resolved before anybody waited for proofs is over
    op.execute("UPDATE incident SET closed_at = resolved_at WHERE state = 'resolved'")


def downgrade() -> None:
    op.drop_index("ix_incident_pending", "incident")
    for name in ("closed_at", "verified_at", "awaits", "verification"):
        op.drop_column("incident", name)
