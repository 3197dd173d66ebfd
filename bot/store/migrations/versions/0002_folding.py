"""What an incident is about, for folding; alerts of several sources in one incident."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ABOUT = "state != 'resolved' AND (asset != '' OR product != '' OR run_key != '')"


def upgrade() -> None:
    for name in ("asset", "product", "run_key"):
        op.add_column("incident", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.create_index(
        "ix_incident_about",
        "incident",
        ["number"],
        unique=False,
        sqlite_where=sa.text(_ABOUT),
        postgresql_where=sa.text(_ABOUT),
    )
    _key_of_alerts("incident_id", "source", "dedup_key")


def downgrade() -> None:
    _key_of_alerts("incident_id", "dedup_key")
    op.drop_index("ix_incident_about", "incident")
    with op.batch_alter_table("incident") as table:
        for name in ("run_key", "product", "asset"):
            table.drop_column(name)


def _key_of_alerts(*columns: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("alert_pkey", "alert")
        op.create_primary_key("alert_pkey", "alert", list(columns))
        return
    # SQLite cannot change a primary key: the table is copied, with its indexes
    naming = {"pk": "pk_%(table_name)s"}
    with op.batch_alter_table("alert", naming_convention=naming, recreate="always") as table:
        table.drop_constraint("pk_alert", type_="primary")
        table.create_primary_key("pk_alert", list(columns))
