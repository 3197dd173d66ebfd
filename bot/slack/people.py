"""Who is who: Slack's user ids and our keys for people, and what they are called."""

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.slack.api import SlackApi, SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.members import Members, is_surely_foreign
from bot.slack.vouching import Vouching
from rules.people import People, Person
from rules.schedule.linking import Link, link
from rules.zones import checked_zone

_USER_ID = re.compile(r"[UW][A-Z0-9]{2,20}")
_FORGET = timedelta(hours=1)
_FORGET_UNKNOWN = timedelta(minutes=2)
_FORGET_TROUBLE = timedelta(seconds=30)
_BRIEFLY = 0.7


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack says of a member; `email` may be hidden."""

    user: str
    name: str
    email: str
    zone: str
    handle: str


class Directory:
    """Knows people by configuration first, then by what Slack says; remembers both ways.

    Look-ups marked async may call Slack; the others never do, so that a click is stored first.
    """

    def __init__(self, api: SlackApi, people: Callable[[], People], clock: Clock) -> None:
        self._api = api
        self._people = people
        self._clock = clock
        self._profiles: dict[str, tuple[Profile, datetime]] = {}
        self._user_of: dict[str, str] = {}
        self._everybody: tuple[tuple[Person, ...], People] | None = None
        self._key_of: dict[str, str] = {}
        self._unknown: dict[str, tuple[str, datetime]] = {}
        self._mute_until = clock.now()
        self._members = Members(api, clock)
        self.vouching = Vouching(api, people, clock, self._members)

    @property
    def people(self) -> People:
        """Everyone the configuration names, with the Slack ids learned so far."""
        named = self._people().everyone
        if self._everybody is None or self._everybody[0] is not named:
            linked = (replace(p, slack=self._user_of.get(p.key, p.slack)) for p in named)
            self._everybody = named, People(linked)
        return self._everybody[1]

    def _link(self, key: str, user: str) -> None:
        self._user_of[key], self._key_of[user] = user, key
        self._everybody = None

    def key_of(self, user: str) -> str:
        """Return the key of a Slack user; `slack:U...` when no more is known of them."""
        configured = self.people.by_slack(user)
        if configured:
            return configured.key
        return self._key_of.get(user, f"slack:{user}")

    def known_user(self, key: str) -> str:
        """Return a person's Slack user id if it is known without asking, else ""."""
        if key.startswith("slack:"):
            return key.removeprefix("slack:")
        configured = self.people.by_key(key).slack
        return configured if _USER_ID.fullmatch(configured) else self._user_of.get(key, "")

    def name(self, key: str) -> str:
        """Return a display name: the configured one, else Slack's, else the key."""
        person = self.people.by_key(key)
        if person.name and person.name not in {key, key.removeprefix("slack:")}:
            return person.name
        profile = self._profiles.get(self.known_user(key))
        return profile[0].name if profile else key.removeprefix("slack:").split("@")[0]

    def zone_of(self, user: str) -> str:
        """Return the zone a Slack user reads times in; UTC when nothing is known."""
        configured = self.people.by_slack(user) or self.people.by_key(self.key_of(user))
        if configured.zone != "UTC":
            return configured.zone
        profile = self._profiles.get(user)
        return profile[0].zone if profile else configured.zone

    def zone_of_key(self, key: str) -> str:
        """Return the zone of a person by key; UTC when nothing is known."""
        zone = self.zone_of(self.known_user(key))
        person = self.people.by_key(key)
        zone = person.zone if person.zone != "UTC" else zone
        return _known_zone(zone)

    async def user(self, key: str) -> str:
        """Return a person's Slack user id; raises GiveUpError when they have none."""
        known = self.known_user(key)
        if known:
            return known
        person = self.people.by_key(key)
        why, until = self._unknown.get(key, ("", self._clock.now()))
        if self._clock.now() < until <= self._clock.now() + _FORGET_UNKNOWN:  # clocks jump
            raise GiveUpError(why)
        email = person.email or (key if "@" in key else "")
        profile = await self._by_email(email) if email else None
        if profile is None:
            found = link(person, await self._members.all())
            if not found.user:
                self._unknown[key] = found.trouble, self._clock.now() + _FORGET_UNKNOWN
                raise GiveUpError(found.trouble)
            profile = self._keep((await self._members.documents())[found.user])
        self._link(key, profile.user)
        return profile.user

    async def another(self, key: str, user: str) -> str:
        """Return another account that a person is found by, "" when `user` is the one they have.

        Raises GiveUpError when they have none by now.
        """
        if self._user_of.get(key) != user:
            return ""
        del self._user_of[key]
        self._key_of.pop(user, None)
        self._everybody = None
        found = await self.user(key)
        return found if found != user else ""

    async def learn(self, user: str) -> None:
        """Ask Slack about a member unless it is known; trouble is no reason to stop.

        After trouble nobody is asked about for a while: a page may be waiting for a mere name.
        """
        known, now = self._profiles.get(user), self._clock.now()
        if not _USER_ID.fullmatch(user) or (known and known[1] > now) or self._mute_until > now:
            return
        try:
            answer = await self._api.read("users.info", user=user)
            foreign = is_surely_foreign(answer["user"], await self._members.team())
        except RetryLaterError as error:
            self._mute_until = self._clock.now() + (error.after or _FORGET_TROUBLE)
            return
        except GiveUpError:
            return
        profile = self._keep(answer["user"])
        known_key = profile.email in {person.key for person in self.people}
        if known_key and not foreign:  # what address they have is their own workspace's word
            self._link(profile.email, user)

    async def meet(self, user: str) -> None:
        """Learn in which zone a member reads times before what they wrote is read; not for long.

        Slack waits three seconds for the acknowledgement.
        """
        if user in self._profiles or self.zone_of(user) != "UTC":
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_BRIEFLY):
                await self.learn(user)

    async def learn_names(self, keys: Iterable[str]) -> None:
        """Learn what people without a configured name are called."""
        for key in dict.fromkeys(keys):
            if key.startswith("slack:"):
                await self.learn(key.removeprefix("slack:"))

    async def warm(self, keys: Iterable[str] = ()) -> dict[str, str]:
        """Look up who may be paged and is not known yet; return what is wrong, by key.

        Raises RetryLaterError when Slack cannot be asked now.
        """
        faults: dict[str, str] = {}
        for key in dict.fromkeys([*(p.key for p in self.people), *keys]):
            try:
                user = await self.user(key)
                zoneless = self.people.by_key(key).zone == "UTC"  # quiet hours would be in it
                if zoneless and user not in self._profiles:
                    await self.learn(user)
            except GiveUpError as error:
                faults[key] = str(error)
        return faults

    async def links(self, keys: Iterable[str]) -> Sequence[Link]:
        """Look people up anew among all members, and remember who was found.

        Raises RetryLaterError or GiveUpError when Slack does not tell who is there.
        """
        people = self._people()
        documents = await self._members.documents(afresh=True)
        members = await self._members.all()
        found = [link(people.by_key(key), members) for key in dict.fromkeys(keys)]
        for one in (one for one in found if one.user):
            self._keep(documents[one.user])
            self._link(one.key, one.user)
            self._unknown.pop(one.key, None)
        return found

    async def _by_email(self, email: str) -> Profile | None:
        try:
            answer = await self._api.read("users.lookupByEmail", email=email)
        except SlackRefusedError as error:
            if error.code == "users_not_found":
                return None
            raise
        return self._keep(answer["user"])

    def _keep(self, member: Json) -> Profile:
        details = member.get("profile") or {}
        handle = str(member.get("name") or "")
        name = member.get("real_name") or details.get("display_name") or handle
        profile = Profile(
            user=str(member["id"]),
            name=str(name or member["id"]),
            email=str(details.get("email") or "").lower(),
            zone=_known_zone(str(member.get("tz") or "UTC")),
            handle=handle,
        )
        self._profiles[profile.user] = (profile, self._clock.now() + _FORGET)
        return profile


def _known_zone(zone: str) -> str:
    try:
        return checked_zone(zone)
    except ValueError:
        return "UTC"
