"""Wakes at once what would otherwise look again in a second or two."""

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Nudges:
    """`asked`: people did something in Slack. The others: who is on call has changed."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    duties: asyncio.Event = field(default_factory=asyncio.Event)
    feeds: asyncio.Event = field(default_factory=asyncio.Event)
    rows: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self) -> None:
        self.duties.set()
        self.feeds.set()
        self.rows.set()
