"""How long repairs took, as columns that the past is asked by."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ACKED = "acked_at IS NOT NULL"
_RESOLVED = "resolved_at IS NOT NULL"
_ABOUT = "product != ''"


def upgrade() -> None:
    for name in ("rotation", "category"):
        op.add_column("incident", sa.Column(name, sa.Text(), server_default="", nullable=False))
    for name in ("paged_at", "acked_at"):
        op.add_column("incident", sa.Column(name, UtcDateTime(), nullable=True))
    _read_what_bodies_know()
    op.create_index(
        "ix_incident_acked_at",
        "incident",
        ["acked_at"],
        unique=False,
        sqlite_where=sa.text(_ACKED),
        postgresql_where=sa.text(_ACKED),
    )
    op.create_index(
        "ix_incident_resolved_at",
        "incident",
        ["resolved_at"],
        unique=False,
        sqlite_where=sa.text(_RESOLVED),
        postgresql_where=sa.text(_RESOLVED),
    )
    op.create_index(
        "ix_incident_product",
        "incident",
        ["product", "opened_at"],
        unique=False,
        sqlite_where=sa.text(_ABOUT),
        postgresql_where=sa.text(_ABOUT),
    )


def downgrade() -> None:
    op.drop_index("ix_incident_product", "incident")
    op.drop_index("ix_incident_resolved_at", "incident")
    op.drop_index("ix_incident_acked_at", "incident")
    with op.batch_alter_table("incident") as table:
        for name in ("acked_at", "paged_at", "category", "rotation"):
            table.drop_column(name)


def _read_what_bodies_know() -> None:
    """Fill in what older incidents say of themselves; when they were paged, none of them does."""
    if op.get_bind().dialect.name == "postgresql":
        say = "(body::json #>> '{%s}')"
        parts = {"product": "stakes,product", "asset": "stakes,asset"}
    else:
        say = "json_extract(body, '$.%s')"
        parts = {"product": "stakes.product", "asset": "stakes.asset"}
    for name in ("rotation", "category", "product", "asset"):
        told = say % parts.get(name, name)
        op.execute(f"UPDATE incident SET {name} = coalesce({told}, '') WHERE {name} = ''")  # noqa: S608
