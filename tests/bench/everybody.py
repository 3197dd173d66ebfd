"""Everybody who says who is on call, asked together: the pager and all that follows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import icalendar

from bot.calendar.addresses import Addresses, feed_of_rotation
from bot.clock import SystemClock
from bot.local_google.calendar import LocalCalendar
from bot.workspace.model import Channel, UserGroup
from tests.bot.app.conftest import Running

ROTATION = "data"
SECRET = "secret-of-the-feeds"
TEAM = "team@group.calendar.google.com"
GROUP = "data-primary"
FOLLOWING = f"""
notices: {{reminders: [], gaps: false, double_bookings: false, quiet_hours: null}}
followers:
  user_groups: {{{GROUP}: {{roles: [primary]}}}}
  topic: {{data-alerts: {{}}}}
  bookmark: {{data-alerts: {{}}}}
"""
_LONGEST = 60.0
_LOOK = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class Everybody:
    """One bot and all its followers; people are named by the first part of their addresses."""

    bot: Running
    calendar: LocalCalendar
    clock: SystemClock

    async def until_all_say(self, name: str, began: datetime) -> Mapping[str, float]:
        """Wait until all of them agree at once; return after how many seconds each did."""
        took: dict[str, float] = {}
        while (passed := (self.clock.now() - began).total_seconds()) < _LONGEST:
            said = await self._said(name)
            took = {who: took.get(who, passed) for who, agrees in said.items() if agrees}
            if len(took) == len(said):
                return took
            await self.clock.sleep_until(self.clock.now() + _LOOK)
        raise TimeoutError(f"after {_LONGEST:.0f} s only {sorted(took)} say {name}")

    async def _said(self, name: str) -> Mapping[str, bool]:
        now = self.clock.now()
        user = self.bot.workspace.person(name)
        shown = self.bot.app.rules.shown()
        channel = self._channel()
        return {
            "pager": shown.at(ROTATION, "primary", now) == (f"{name}@example.com",),
            "user group": self._group().users == [user.id],
            "topic": user.real_name in channel.topic.partition("until")[0],
            "bookmark": any(user.real_name in str(one["title"]) for one in channel.bookmarks),
            "Google Calendar": self._in_google(user.real_name, now),
            "feed": await self._in_feed(user.real_name, now),
        }

    def _channel(self) -> Channel:
        found = self.bot.workspace.conversation("data-alerts")
        assert isinstance(found, Channel)
        return found

    def _group(self) -> UserGroup:
        groups = self.bot.workspace.groups.values()
        return next(group for group in groups if group.handle == GROUP)

    def _in_google(self, name: str, now: datetime) -> bool:
        with self.calendar.lock:
            live = self.calendar.calendar(TEAM).live()
        running = [
            str(event["summary"])
            for event in live
            if _at(event["start"]) <= now < _at(event["end"])
        ]
        return _is_primary(running, name)

    async def _in_feed(self, name: str, now: datetime) -> bool:
        link = Addresses(SECRET, self.bot.app.url).link(feed_of_rotation(ROTATION))
        async with self.bot.http.get(link) as answer:
            assert answer.status == 200, answer.status
            text = await answer.text()
        running = [
            str(event["summary"])
            for event in icalendar.Calendar.from_ical(text).walk("VEVENT")
            if event["status"] == "CONFIRMED"
            and event.decoded("dtstart") <= now < event.decoded("dtend")
        ]
        return _is_primary(running, name)


def _at(told: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(told["dateTime"])


def _is_primary(summaries: list[str], name: str) -> bool:
    """Whether of the events that run now the primary's names this person, and nobody else."""
    primary = [one for one in summaries if "secondary" not in one.lower()]
    return len(primary) == 1 and primary[0].startswith(f"{name} ")
