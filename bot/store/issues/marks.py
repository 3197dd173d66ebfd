"""Marks what the table of production issues must draw anew, in the transaction that changes it."""

from functools import cache

from bot.store import bulk
from bot.store.tables.issues import ISSUE_CHANGE


@cache
def mark_changed(dialect: str) -> bulk.Insert:
    """Return the statement; it takes rows of `incident_id`."""
    return bulk.insert_rows(ISSUE_CHANGE, ["incident_id"], dialect)
