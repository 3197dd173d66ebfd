"""The tables; nothing outside the store sees a row."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row, partial_index

OPEN = "state != 'resolved'"
ABOUT = f"{OPEN} AND (asset != '' OR product != '' OR run_key != '')"
PENDING = "verification = 'pending'"
TODO = "state = 'todo'"
_ID = BigInteger().with_variant(Integer(), "sqlite")


def _text(
    *, primary_key: bool = False, unique: bool = False, default: str | None = ""
) -> Column[str]:
    server_default = None if primary_key or unique else default
    return Column(
        Text, primary_key=primary_key, unique=unique, nullable=False, server_default=server_default
    )


def _count(default: int = 0) -> Column[int]:
    return Column(BigInteger, nullable=False, server_default=str(default))


def _flag() -> Column[int]:
    return Column(Integer, nullable=False, server_default="0")


def _at(*, nullable: bool = False) -> Column[datetime]:
    return Column(UtcDateTime, nullable=nullable)


class InboundRow(Row):
    """A delivery, raw, as it was accepted."""

    __tablename__ = "inbound"
    __table_args__ = (
        partial_index("ix_inbound_new", "next_at", "id", where="state = 'new'"),
        partial_index("ix_inbound_done", "received_at", where="state = 'done'"),
    )

    id: str = Field(sa_column=_text(primary_key=True))
    key: str = Field(sa_column=_text(unique=True))
    source: str = Field(sa_column=_text())
    received_at: datetime = Field(sa_column=_at())
    content_type: str = Field(sa_column=_text())
    headers: str = Field(sa_column=_text(default="{}"))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: str = Field(sa_column=_text(default="new"))
    next_at: datetime = Field(sa_column=_at())
    attempts: int = Field(sa_column=_count())
    error: str = Field(sa_column=_text())


class IncidentRow(Row):
    """An incident: `body` is all of it, the other columns are what queries ask for."""

    __tablename__ = "incident"
    __table_args__ = (
        partial_index("ux_incident_open_key", "source", "dedup_key", unique=True, where=OPEN),
        partial_index("ix_incident_open_group", "source", "group_key", where=OPEN),
        partial_index("ix_incident_open_storm", "source", where=f"storm = 1 AND {OPEN}"),
        partial_index("ix_incident_about", "number", where=ABOUT),
        partial_index("ix_incident_wake_at", "wake_at", where="wake_at IS NOT NULL"),
        Index("ix_incident_openings", "source", "opened_at"),
        Index("ix_incident_openings_of", "source", "dedup_key", "opened_at", "number"),
        Index("ix_incident_state", "state", "number"),
        partial_index(
            "ix_incident_assigned_to", "assigned_to", "number", where="assigned_to != ''"
        ),
        partial_index("ix_incident_acked_at", "acked_at", where="acked_at IS NOT NULL"),
        partial_index("ix_incident_resolved_at", "resolved_at", where="resolved_at IS NOT NULL"),
        partial_index("ix_incident_pending", "number", where=PENDING),
        partial_index("ix_incident_product", "product", "opened_at", where="product != ''"),
    )

    id: str = Field(sa_column=_text(primary_key=True))
    number: int = Field(sa_column=Column(BigInteger, nullable=False, unique=True))
    source: str = Field(sa_column=_text())
    dedup_key: str = Field(sa_column=_text())
    group_key: str = Field(sa_column=_text())
    title: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text(default=None))
    storm: int = Field(sa_column=_flag())
    priority: str = Field(sa_column=_text(default=None))
    channel: str = Field(sa_column=_text())
    assigned_to: str = Field(sa_column=_text())
    asset: str = Field(sa_column=_text())
    product: str = Field(sa_column=_text())
    run_key: str = Field(sa_column=_text())
    rotation: str = Field(sa_column=_text())
    category: str = Field(sa_column=_text())
    paged_at: datetime | None = Field(sa_column=_at(nullable=True))
    acked_at: datetime | None = Field(sa_column=_at(nullable=True))
    opened_at: datetime = Field(sa_column=_at())
    resolved_at: datetime | None = Field(sa_column=_at(nullable=True))
    verified_at: datetime | None = Field(sa_column=_at(nullable=True))
    closed_at: datetime | None = Field(sa_column=_at(nullable=True))
    verification: str = Field(sa_column=_text())
    awaits: str = Field(sa_column=_text())
    wake_at: datetime | None = Field(sa_column=_at(nullable=True))
    version: int = Field(sa_column=_count())
    body: str = Field(sa_column=_text(default=None))


class AlertRow(Row):
    """One alert within one incident; `open` while its incident is."""

    __tablename__ = "alert"
    __table_args__ = (
        PrimaryKeyConstraint("incident_id", "source", "dedup_key"),
        partial_index("ix_alert_open", "source", "dedup_key", where="open = 1"),
        Index("ix_alert_last_at", "last_at"),
    )

    incident_id: str = Field(sa_column=_text())
    source: str = Field(sa_column=_text())
    dedup_key: str = Field(sa_column=_text())
    group_key: str = Field(sa_column=_text())
    status: str = Field(sa_column=_text(default=None))
    title: str = Field(sa_column=_text())
    severity: str = Field(sa_column=_text(default=None))
    labels: str = Field(sa_column=_text(default="{}"))
    category: str = Field(sa_column=_text())
    first_at: datetime = Field(sa_column=_at())
    last_at: datetime = Field(sa_column=_at())
    count: int = Field(sa_column=_count(1))
    open: int = Field(sa_column=Column(Integer, nullable=False, server_default="1"))


class AlertTimeRow(Row):
    """How many alerts of an incident came in at one instant."""

    __tablename__ = "alert_time"
    __table_args__ = (PrimaryKeyConstraint("incident_id", "at"), {"sqlite_with_rowid": False})

    incident_id: str = Field(sa_column=_text())
    at: datetime = Field(sa_column=_at())
    count: int = Field(sa_column=_count(1))


class TimelineRow(Row):
    """One line of an incident's story."""

    __tablename__ = "timeline"
    __table_args__ = (Index("ix_timeline_incident", "incident_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(_ID, primary_key=True))
    incident_id: str = Field(sa_column=_text())
    at: datetime = Field(sa_column=_at())
    what: str = Field(sa_column=_text(default=None))
    sentence: str = Field(sa_column=_text(default=None))
    by: str = Field(sa_column=_text())
    rule: str = Field(sa_column=_text())


class JobRow(Row):
    """One effect to carry out.

    `next_at` is when it is due or, while `leased`, when the lease ends. `in_flight`: an attempt
    began and nobody knows how it ended. `again_at`: it was renewed while leased.
    """

    __tablename__ = "job"
    __table_args__ = (
        partial_index("ix_job_due", "next_at", where=f"{TODO} AND lane = ''"),
        partial_index(
            "ix_job_lane", "lane", "priority", "next_at", "id", where=f"{TODO} AND lane != ''"
        ),
        partial_index("ix_job_incident", "incident_id", where=TODO),
        partial_index("ix_job_dead", "done_at", where="state = 'dead'"),
        partial_index("ix_job_ended", "done_at", where="state IN ('done', 'cancelled')"),
    )

    id: str = Field(sa_column=_text(primary_key=True))
    key: str = Field(sa_column=_text(unique=True))
    kind: str = Field(sa_column=_text(default=None))
    lane: str = Field(sa_column=_text())
    priority: int = Field(sa_column=Column(Integer, nullable=False))
    payload: str = Field(sa_column=_text(default="{}"))
    incident_id: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text(default="todo"))
    created_at: datetime = Field(sa_column=_at())
    due_at: datetime = Field(sa_column=_at())
    next_at: datetime = Field(sa_column=_at())
    again_at: datetime | None = Field(sa_column=_at(nullable=True))
    first_attempt_at: datetime | None = Field(sa_column=_at(nullable=True))
    done_at: datetime | None = Field(sa_column=_at(nullable=True))
    lease: int = Field(sa_column=_count())
    leased: int = Field(sa_column=_flag())
    in_flight: int = Field(sa_column=_flag())
    unsure: int = Field(sa_column=_flag())
    attempts: int = Field(sa_column=_count())
    revision: int = Field(sa_column=_count())
    error: str = Field(sa_column=_text())


class LaneRow(Row):
    """When a lane next lets a job through, and which job holds it until when."""

    __tablename__ = "lane"

    name: str = Field(sa_column=_text(primary_key=True))
    free_at: datetime = Field(sa_column=_at())
    blocked_until: datetime = Field(sa_column=_at())
    held_until: datetime = Field(sa_column=_at())
    holder: str = Field(sa_column=_text())


class MessageRow(Row):
    """Where a message of ours stands."""

    __tablename__ = "message"
    __table_args__ = (
        PrimaryKeyConstraint("incident_id", "channel", "ts"),
        Index("ix_message_place", "ts", "channel"),
    )

    incident_id: str = Field(sa_column=_text())
    channel: str = Field(sa_column=_text())
    ts: str = Field(sa_column=_text())
    role: str = Field(sa_column=_text(default=None))
    person: str = Field(sa_column=_text())
    key: str = Field(sa_column=_text())


class SilenceRow(Row):
    """A silence made by a person."""

    __tablename__ = "silence"
    __table_args__ = (Index("ix_silence_ends_at", "ends_at"),)

    id: str = Field(sa_column=_text(primary_key=True))
    matchers: str = Field(sa_column=_text(default="[]"))
    starts_at: datetime = Field(sa_column=_at())
    ends_at: datetime = Field(sa_column=_at())
    by: str = Field(sa_column=_text())
    why: str = Field(sa_column=_text())


class LearnedRuleRow(Row):
    """A rule that a person taught by a correction; `yaml` is a rulebook document."""

    __tablename__ = "learned_rule"
    __table_args__ = (partial_index("ix_learned_rule_active", "at", "id", where="active = 1"),)

    id: str = Field(sa_column=_text(primary_key=True))
    yaml: str = Field(sa_column=_text())
    by: str = Field(sa_column=_text())
    at: datetime = Field(sa_column=_at())
    why: str = Field(sa_column=_text())
    number: int = Field(sa_column=_count())
    active: int = Field(sa_column=Column(Integer, nullable=False, server_default="1"))
    ended_by: str = Field(sa_column=_text())
    ended_at: datetime | None = Field(sa_column=_at(nullable=True))


class CounterRow(Row):
    """The last value given out; its lock also makes grouping serial across replicas."""

    __tablename__ = "counter"

    name: str = Field(sa_column=_text(primary_key=True))
    value: int = Field(sa_column=_count())


def _table(name: str) -> Table:
    return METADATA.tables[name]


INBOUND = _table("inbound")
INCIDENT = _table("incident")
ALERT = _table("alert")
ALERT_TIME = _table("alert_time")
TIMELINE = _table("timeline")
JOB = _table("job")
LANE = _table("lane")
MESSAGE = _table("message")
SILENCE = _table("silence")
LEARNED_RULE = _table("learned_rule")
COUNTER = _table("counter")
