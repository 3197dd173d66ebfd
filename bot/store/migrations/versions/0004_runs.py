"""Runs, the runs that are expected, and what became of each occasion."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_LOOKED_AT = "look_at IS NOT NULL"
_ABOUT = "product != ''"


def upgrade() -> None:
    _runs()
    _expectations()
    _occasions()


def downgrade() -> None:
    for table in ("occasion", "expectation", "run"):
        op.drop_table(table)


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("nominal_at", UtcDateTime(), nullable=True),
        sa.Column("labels", sa.Text(), server_default="{}", nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "pipeline", "run_id", "attempt"),
    )
    op.create_index("ix_run_latest", "run", ["source", "pipeline", "heard_at"])
    op.create_index("ix_run_heard_at", "run", ["heard_at"])
    op.create_index("ix_run_updated_at", "run", ["updated_at"])


def _expectations() -> None:
    op.create_table(
        "expectation",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), server_default="", nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("look_at", UtcDateTime(), nullable=True),
        sa.Column("missed_at", UtcDateTime(), nullable=True),
        sa.Column("missed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("run_id", sa.Text(), server_default="", nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index(
        "ix_expectation_look_at",
        "expectation",
        ["look_at"],
        unique=False,
        sqlite_where=sa.text(_LOOKED_AT),
        postgresql_where=sa.text(_LOOKED_AT),
    )


def _occasions() -> None:
    op.create_table(
        "occasion",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("product", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("run_id", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", "due_at"),
    )
    op.create_index(
        "ix_occasion_product",
        "occasion",
        ["product", "due_at"],
        unique=False,
        sqlite_where=sa.text(_ABOUT),
        postgresql_where=sa.text(_ABOUT),
    )
    op.create_index("ix_occasion_due_at", "occasion", ["due_at"])
