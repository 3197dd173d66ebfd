"""The list of production issues, drawn beside the incidents; links of sign-ins that were used."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_SORTED = (
    "opened_at", "product", "tier", "category", "impact", "urgency", "priority", "status", "owner",
    "on_call", "ttd", "tta", "ttm", "ttr", "ttv", "cause", "recurs", "follow_up",
)  # fmt: skip
_TEXTS = ("product", "category", "owner", "on_call", "holder", "cause", "follow_up", "entry")
_NUMBERS = ("tier", "impact", "urgency", "ttd", "tta", "ttm", "ttr", "ttv", "recurs")


def upgrade() -> None:
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "issue",
        sa.Column("number", serial, autoincrement=False, nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Text(), server_default="", nullable=False)
            for name in ("title", "words", "priority")
        ),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in _TEXTS),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in _NUMBERS),
        *(sa.Column(name, UtcDateTime(), nullable=True) for name in ("deadline_at", "healthy_at")),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("incident_id"),
    )
    for name in _SORTED:
        op.create_index(f"ix_issue_{name}", "issue", [name, "number"])
    op.create_index("ix_issue_words", "issue", ["number", "words"])
    op.create_index("ix_issue_breach", "issue", ["deadline_at", "healthy_at", "number"])
    op.create_table(
        "issue_change",
        sa.Column("id", serial, nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "used_link",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_used_link_ends_at", "used_link", ["ends_at"])
    # what was there before is listed as soon as the bot runs
    op.execute("INSERT INTO issue_change (incident_id) SELECT id FROM incident ORDER BY number")


def downgrade() -> None:
    for name in ("used_link", "issue_change", "issue"):
        op.drop_table(name)
