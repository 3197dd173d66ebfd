"""The tables of calendars: what was published, whose address was revoked, how followers stand."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text

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

    id = _text()
    rotation = _text()
    role = _text()
    start_at = _at()
    end_at = _at()
    people = _text("[]")
    former = _text("{}")
    sequence = _number()
    changed_at = _at()
    cancelled = _number()


class CalendarFeedRow(Row):
    """A feed whose address was revoked, and how often."""

    __tablename__ = "calendar_feed"
    __table_args__ = (PrimaryKeyConstraint("name"),)

    name = _text()
    revocations = _number()
    revoked_at = _at()


class CalendarFollowerRow(Row):
    """How the calendar of one rotation stands."""

    __tablename__ = "calendar_follower"
    __table_args__ = (PrimaryKeyConstraint("name"),)

    name = _text()
    calendar = _text("")
    tried_at = _at(nullable=True)
    synced_at = _at(nullable=True)
    behind_since = _at(nullable=True)
    problem = _text("")
    events = _number()
    writes = Column(BigInteger, nullable=False, server_default="0")


class CalendarLeaseRow(Row):
    """Which process may publish and write to calendars, and until when."""

    __tablename__ = "calendar_lease"
    __table_args__ = (PrimaryKeyConstraint("name"),)

    name = _text()
    holder = _text("")
    until = _at(nullable=True)


CALENDAR_EVENT = METADATA.tables["calendar_event"]
CALENDAR_FEED = METADATA.tables["calendar_feed"]
CALENDAR_FOLLOWER = METADATA.tables["calendar_follower"]
CALENDAR_LEASE = METADATA.tables["calendar_lease"]
