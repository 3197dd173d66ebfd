"""How long repairs took, as columns that the past is asked by."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from bot.store.columns import UtcDateTime, stored_text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ACKED = "acked_at IS NOT NULL"
_RESOLVED = "resolved_at IS NOT NULL"
_ABOUT = "product != ''"
_AT_ONCE = 500
_INCIDENT = sa.table(
    "incident",
    *(sa.column(n, sa.Text()) for n in ("id", "body", "rotation", "category", "product", "asset")),
    sa.column("number", sa.BigInteger()),
)
_BODIES = (
    sa.select(_INCIDENT.c.id, _INCIDENT.c.number, _INCIDENT.c.body)
    .where(_INCIDENT.c.number > sa.bindparam("last"))
    .order_by(_INCIDENT.c.number)
    .limit(sa.bindparam("most"))
)
_FILL = (
    sa.update(_INCIDENT)
    .where(_INCIDENT.c.id == sa.bindparam("its_id"))
    .values({n: sa.bindparam(f"new_{n}") for n in ("rotation", "category", "product", "asset")})
)


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
    """Fill in what older incidents say of themselves; when they were paged, none of them does.

    Bodies are read here and not by the database: PostgreSQL reads no JSON with a NUL in it.
    """
    bind = op.get_bind()
    last = -1
    while found := bind.execute(_BODIES, {"last": last, "most": _AT_ONCE}).all():
        bind.execute(_FILL, [_known(row.id, json.loads(row.body)) for row in found])
        last = found[-1].number


def _known(incident_id: str, body: dict[str, Any]) -> dict[str, str]:
    stakes = body.get("stakes") or {}
    told = {
        "rotation": body.get("rotation"),
        "category": body.get("category"),
        "product": stakes.get("product"),
        "asset": stakes.get("asset"),
    }
    return {"its_id": incident_id} | {
        f"new_{name}": stored_text(value or "") for name, value in told.items()
    }
