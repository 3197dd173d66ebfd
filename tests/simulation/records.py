"""What a life that is over has left behind: its database, and the records of those outside."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from bot.wire import incident_from_json
from rules.incident import Incident
from tests.simulation.life import Past
from tests.simulation.slack import Post

_UNDER_WAY = timedelta(seconds=2)


class Records:
    """The database of a life that is over, and the messages of its Slack."""

    def __init__(self, past: Past) -> None:
        self.past = past
        self.posts = past.world.slack.posts
        self._database = past.world.disk.looker
        self.incidents: list[Incident] = [
            incident_from_json(row["body"])
            for row in self.rows("SELECT body FROM incident ORDER BY number")
        ]
        self.services = past.world.services
        self.by_key = Counter(post.key for post in self.posts)

    def rows(self, statement: str) -> list[sqlite3.Row]:
        return self._database.execute(statement).fetchall()

    @property
    def under_way(self) -> set[str]:
        """Return the jobs that became due in the very last moment, by key."""
        since = micros(self.past.ended_at - _UNDER_WAY)
        return {row["key"] for row in self.rows(f"SELECT key FROM job WHERE due_at > {since}")}

    def roots(self, incident: Incident) -> list[Post]:
        return [post for post in self.posts if post.key == f"show:{incident.id}"]


Invariant = Callable[[Records], Iterator[str]]


def micros(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))


def instant(stored: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=stored)
