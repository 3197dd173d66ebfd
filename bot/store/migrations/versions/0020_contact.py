"""Every attempt to reach a person: by which method, when, and what became of it."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def _text(name: str, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def upgrade() -> None:
    op.create_table(
        "contact_attempt",
        _text("id", None),
        _text("incident_id", None),
        _text("page_key"),
        _text("person"),
        _text("method"),
        sa.Column("step", sa.Integer, nullable=False, server_default="0"),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        _text("result"),
        _text("provider_id"),
        _text("error"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_contact_attempt_incident", "contact_attempt", ["incident_id", "id"])


def downgrade() -> None:
    op.drop_table("contact_attempt")
