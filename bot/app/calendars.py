"""Calendars of a running bot: publishes the resolved spans, serves feeds, and tells followers."""

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from bot.calendar.addresses import (
    Addresses,
    feed_of_person,
    feed_of_rotation,
    person_of,
    rotation_of,
)
from bot.calendar.feed import Wording, changed_at, feed_text
from bot.calendar.following import Followers
from bot.clock import Clock
from bot.config.calendar import CalendarSpec
from bot.ports.calendars import CalendarStore
from bot.ports.inbox import NotStoredError
from bot.ports.store import Reader
from bot.roster.roster import LOOK_BACK, Roster
from bot.web.calendars import CalendarText
from rules.calendar.event import CalendarEvent, events_of
from rules.calendar.ledger import Publication, Published, of_person, of_rotation
from rules.calendar.plan import Wanted, wanted_of
from rules.people import People
from rules.rotation import OnCall
from rules.schedule.roster import Change

LEASE = timedelta(seconds=60)
_CLAIM_EVERY = timedelta(seconds=20)
_SHARED_HISTORY = timedelta(days=7)
_MOST_RENDERED = 64


def window(spec: CalendarSpec, now: datetime) -> tuple[datetime, datetime]:
    """Return what feeds tell of: whole days, so that nothing changes within one."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - spec.history, day + spec.horizon


def shared_plan(
    spec: CalendarSpec, on_call: OnCall, people: People, rotation: str, now: datetime
) -> list[Wanted]:
    """Return what the shared calendar of a rotation should show."""
    day, end = window(spec, now)[0] + spec.history, window(spec, now)[1]
    spans = [span for role in on_call.roles(rotation) for span in on_call.spans(rotation, role)]
    events = events_of(spans, day - min(_SHARED_HISTORY, spec.history), end)
    return wanted_of(events, on_call, people)


def feed_of(
    feed: str, published: Sequence[Published], people: People, on_call: OnCall, base_url: str
) -> bytes:
    """Return a feed by its name: all, rotation/<name> or person/<key>."""
    person, rotation = person_of(feed), rotation_of(feed)
    told, title = published, "On call"
    if person is not None:
        told, title = of_person(published, person), f"On call: {people.by_key(person).name}"
    elif rotation is not None:
        told, title = of_rotation(published, rotation), f"On call: {rotation}"
    host = urlsplit(base_url).hostname or "watchbill"
    return feed_text(title, told, Wording(people, on_call.roles, host))


@dataclass(slots=True, kw_only=True)
class CalendarParts:
    """What calendars need from the rest. `holder` names this process among its replicas."""

    spec: CalendarSpec
    base_url: str
    people: People
    roster: Roster
    reader: Reader
    store: CalendarStore
    clock: Clock
    holder: str
    shared: bool = False
    followers: Followers | None = None
    on_lag: Callable[[str, float], None] = lambda _name, _seconds: None
    close: Callable[[], None] = lambda: None


class Calendars:
    """Reads the same roster and overrides as the pager, by the same resolver, once more: feeds
    tell of weeks that have passed, and the pager's own answer forgets overrides that are over.
    """

    def __init__(self, parts: CalendarParts) -> None:
        self._parts = parts
        self._secret = parts.spec.secret.get_secret_value()
        self._addresses = Addresses(self._secret, parts.base_url)
        self._on_call: OnCall | None = None
        self._published: Sequence[Published] = ()
        self._version: int | None = None
        self._leads = not parts.shared
        self._claim_at: datetime | None = None
        self._restored = False
        self._texts: OrderedDict[str, CalendarText] = OrderedDict()
        self._rendering = asyncio.Lock()

    @property
    def followers(self) -> Followers | None:
        return self._parts.followers

    def leads(self) -> bool:
        """Tell whether this process publishes and writes; one of several replicas does."""
        return self._leads

    def link(self, person: str) -> str:
        """Return the address of a person's own feed, "" when feeds are off."""
        return self._addresses.link(feed_of_person(person)) if self._secret else ""

    async def refresh(self) -> None:
        """Publish what changed, and read what others published. Raises NotStoredError."""
        parts = self._parts
        now = parts.clock.now()
        await self._claim(now)
        changes = await parts.reader.changes(now - LOOK_BACK)
        # a year of many rotations takes half a second, which a page should not wait for
        on_call, events = await asyncio.to_thread(self._resolved, changes, now)
        told: Publication | None = None
        if events is not None and self._leads:
            told = await parts.store.publish(events, now, window(parts.spec, now)[0])
            await self._tell(on_call, now)
        await self._reload(on_call, told)
        for one in parts.followers.states if parts.followers else ():
            parts.on_lag(one.name, one.lag(now) if self._leads else 0.0)

    def close(self) -> None:
        self._parts.close()

    async def serve(self, kind: str, name: str, key: str) -> CalendarText | None:
        """Return a feed for who holds its key. Raises NotStoredError before the first refresh."""
        feed = feed_of_person(name) if kind == "person" else feed_of_rotation(name)
        if not self._addresses.check(feed, key):
            return None
        if self._version is None:
            raise NotStoredError("calendars are not read yet")
        async with self._rendering:
            text = self._texts.get(feed)
            if text is None:
                published = self._published
                text = await self._rendered(feed)
                if published is not self._published:
                    return text  # right when it was asked for; the next one asks anew
                self._texts[feed] = text
            self._texts.move_to_end(feed)
            if len(self._texts) > _MOST_RENDERED:
                self._texts.popitem(last=False)
        return text

    async def standing(self) -> str:
        """Say how far calendars are, for people; "" when there is nothing to say."""
        now, followers = self._parts.clock.now(), self._parts.followers
        told = f"{sum(not one.cancelled for one in self._published)} events published"
        if followers is None:
            return told
        behind = [one for one in followers.states if one.behind_since or one.problem]
        words = [
            f"{one.name} is {one.lag(now):.0f} s behind: {one.problem or 'being written'}"
            for one in behind
        ]
        shown = "; ".join(words) or "Google shows them all"
        return f"{told}; {shown if self._leads else 'another replica writes to Google'}"

    def _resolved(
        self, changes: Sequence[Change], now: datetime
    ) -> tuple[OnCall, Sequence[CalendarEvent] | None]:
        """Return who is on call, and what to publish; None where nothing has changed.

        A roster that knows no rotation has not been read: it takes nothing back.
        """
        on_call = self._parts.roster.on_call(changes, now)
        if on_call is self._on_call or not (self._leads and on_call.ever):
            return on_call, None
        return on_call, events_of(on_call.all_spans(), *window(self._parts.spec, now))

    async def _claim(self, now: datetime) -> None:
        if not self._parts.shared or (self._claim_at is not None and now < self._claim_at):
            return
        led = self._leads
        self._leads = await self._parts.store.claim_calendars(self._parts.holder, now, now + LEASE)
        self._claim_at = now + _CLAIM_EVERY
        if self._leads and not led:
            self._on_call, self._restored = None, False

    async def _tell(self, on_call: OnCall, now: datetime) -> None:
        parts = self._parts
        if parts.followers is None or parts.spec.google is None:
            return
        if not self._restored:
            parts.followers.restore(await parts.store.followings())
            self._restored = True
        for rotation in parts.spec.google.calendars:
            if rotation in on_call.ever:
                wanted = shared_plan(parts.spec, on_call, parts.people, rotation, now)
                parts.followers.want(rotation, wanted, now)
            else:
                words = f"The roster has no rotation {rotation}; its calendar is left as it is."
                parts.followers.leave(rotation, words)

    async def _reload(self, on_call: OnCall, told: Publication | None) -> None:
        store = self._parts.store
        version = await store.calendar_version()
        if told is not None:
            self._published = told.published
        elif version != self._version:
            found = await store.published()
            self._published = sorted(found, key=lambda one: (one.event.start, one.event.id))
        elif on_call is self._on_call:
            return
        if version != self._version:
            revoked = await store.revocations()
            self._addresses = Addresses(self._secret, self._parts.base_url, revoked)
        self._on_call, self._version = on_call, version
        self._texts.clear()

    async def _rendered(self, feed: str) -> CalendarText:
        parts, on_call = self._parts, self._on_call or OnCall()
        published = self._published

        def render() -> CalendarText:
            plain = feed_of(feed, published, parts.people, on_call, parts.base_url)
            tag = hashlib.sha256(plain).hexdigest()[:32]
            return CalendarText(plain, gzip.compress(plain, 6, mtime=0), tag, changed_at(published))

        return await asyncio.to_thread(render)
