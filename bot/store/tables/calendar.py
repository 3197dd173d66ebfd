"""The tables of calendars: what was published, whose address was revoked, how followers stand."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text
from sqlmodel import Field

from bot.store.columns import UtcDateTime
from bot.store.tables.row import METADATA, Row


def _text(default: str | None = None) -> Column[str]:
    return Column(Text, nullable=False, server_default=default)


def _number() -> Column[int]:
    return Column(Integer, nullable=False, server_default="0")


def _at(*, nullable: bool = False) -> Column[datetime]:
    return Column(UtcDateTime, nullable=nullable)


class CalendarEventRow(Row):
    """One event as subscribers know it; `people` is a list, `former` a map to instants."""

    __tablename__ = "calendar_event"
    __table_args__ = (PrimaryKeyConstraint("id"),)

    id: str = Field(sa_column=_text())
    rotation: str = Field(sa_column=_text())
    role: str = Field(sa_column=_text())
    start_at: datetime = Field(sa_column=_at())
    end_at: datetime = Field(sa_column=_at())
    people: str = Field(sa_column=_text("[]"))
    former: str = Field(sa_column=_text("{}"))
    sequence: int = Field(sa_column=_number())
    changed_at: datetime = Field(sa_column=_at())
    cancelled: int = Field(sa_column=_number())


class CalendarFeedRow(Row):
    """A feed whose address was revoked, and how often."""

    __tablename__ = "calendar_feed"
    __table_args__ = (PrimaryKeyConstraint("name"),)

    name: str = Field(sa_column=_text())
    revocations: int = Field(sa_column=_number())
    revoked_at: datetime = Field(sa_column=_at())


class CalendarFollowerRow(Row):
    """How the calendar of one rotation stands."""

    __tablename__ = "calendar_follower"
    __table_args__ = (PrimaryKeyConstraint("name"),)

    name: str = Field(sa_column=_text())
    calendar: str = Field(sa_column=_text(""))
    tried_at: datetime | None = Field(sa_column=_at(nullable=True))
    synced_at: datetime | None = Field(sa_column=_at(nullable=True))
    behind_since: datetime | None = Field(sa_column=_at(nullable=True))
    problem: str = Field(sa_column=_text(""))
    events: int = Field(sa_column=_number())
    writes: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))


class CalendarLeaseRow(Row):
    """Which process may publish and write to calendars, and until when."""

    __tablename__ = "calendar_lease"
    __table_args__ = (PrimaryKeyConstraint("name"),)

    name: str = Field(sa_column=_text())
    holder: str = Field(sa_column=_text(""))
    until: datetime | None = Field(sa_column=_at(nullable=True))


CALENDAR_EVENT = METADATA.tables["calendar_event"]
CALENDAR_FEED = METADATA.tables["calendar_feed"]
CALENDAR_FOLLOWER = METADATA.tables["calendar_follower"]
CALENDAR_LEASE = METADATA.tables["calendar_lease"]
