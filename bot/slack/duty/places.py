"""The three places that follow: what each shows now, what it should show, and how it is written."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.slack.api import SlackApi, SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.text import escape, one_line
from rules.schedule.following import (
    Follower,
    FollowerKind,
    duties,
    lines,
    members,
    part_of,
    with_part,
    without_part,
)

LONGEST_TOPIC = 250
LONGEST_TITLE = 255
OURS = "On call: "
_SOON = timedelta(seconds=2)

CANNOT: Mapping[str, str] = {
    "missing_scope": "the Slack app lacks a scope. Install it again with what `watchbill manifest` prints",
    "permission_denied": "the workspace does not let the app edit user groups. Let everyone manage "
    "them (Workspace settings, Permissions, User groups), or set `slack.user_token`",
    "paid_teams_only": "user groups need a paid Slack plan. Use `followers.topic` or "
    "`followers.bookmark` instead",
    "plan_upgrade_required": "user groups need a paid Slack plan. Use `followers.topic` or "
    "`followers.bookmark` instead",
    "invalid_users": "Slack does not take one of the people: a guest, an app, or a closed account. "
    "See `watchbill people`",
    "invalid_user": "Slack does not take one of the people: a guest, an app, or a closed account. "
    "See `watchbill people`",
    "single_channel_guests_cannot_be_added": "one of the people is a guest, whom Slack lets in no "
    "user group. Take them off the roles that it follows",
    "no_such_subteam": "the user group is gone. Create it, or correct `followers.user_groups`",
    "subteam_max_users_exceeded": "Slack says that there are too many people in it",
    "user_is_restricted": "the app may not set the topic. Ask a Slack admin",
    "too_many_bookmarks": "the channel has as many bookmarks as Slack allows. Remove one",
    "restricted_action": "the workspace does not let apps do this. Ask a Slack admin",
}
"""What Slack's refusals mean here, and what to do."""


class CannotFollowError(GiveUpError):
    """The follower cannot show what it should; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Look:
    """What should be there and what is, in one form; `ref` is Slack's id of it."""

    desired: tuple[str, ...]
    seen: tuple[str, ...]
    ref: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the places work with; `zone` is that of a rotation, `group_api` may edit user groups."""

    desk: Desk
    group_api: SlackApi
    zone: Callable[[str], str] = field(default=lambda _rotation: "UTC")

    @property
    def fallback(self) -> tuple[str, ...]:
        return tuple(self.desk.rulebook().fallback)

    def texts(self, follower: Follower, now: datetime) -> tuple[str, ...]:
        """Return "On call: Ana until 09:00" in several lengths, safe to send."""
        found = duties(self.desk.on_call(), follower, now, self.fallback)
        made = lines(found, lambda key: one_line(self.desk.directory.name(key)), self.zone)
        return tuple(escape(text) for text in made)

    async def channel(self, follower: Follower) -> str:
        return await self.desk.places.channel(follower.place)


class Place(Protocol):
    """One kind of follower. Everything may raise RetryLaterError, GiveUpError."""

    async def look(self, follower: Follower, ref: str, now: datetime) -> Look: ...
    async def write(self, follower: Follower, look: Look) -> str:
        """Make it show what is desired; return its id."""
        ...

    async def leave(self, follower: Follower, ref: str) -> None:
        """Take away what is ours: the configuration does not name it any more."""
        ...


class GroupPlace:
    """A user group that holds exactly who is on call."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def look(self, follower: Follower, ref: str, now: datetime) -> Look:  # noqa: ARG002 - the port's
        group = await self._group(follower.place)
        desired = await self._users(follower, now)
        seen = tuple(sorted(str(user) for user in group.get("users") or ()))
        return Look(desired, seen, ref=str(group["id"]))

    async def write(self, follower: Follower, look: Look) -> str:  # noqa: ARG002 - the port's
        await self._around.group_api.call(
            "usergroups.users.update", usergroup=look.ref, users=",".join(look.desired)
        )
        return look.ref

    async def leave(self, follower: Follower, ref: str) -> None:
        """Leave it as it is: a group must not be empty, and nobody knows who it was before."""

    async def _group(self, handle: str) -> Json:
        answer = await self._around.group_api.read(
            "usergroups.list", include_users="true", include_disabled="true"
        )
        group = next((g for g in answer.get("usergroups", []) if g.get("handle") == handle), None)
        if group is None:
            raise CannotFollowError(
                f"there is no user group @{handle}. Create it, or correct `followers.user_groups`"
            )
        if group.get("date_delete"):
            raise CannotFollowError(f"the user group @{handle} is switched off. Switch it on")
        return dict(group)

    async def _users(self, follower: Follower, now: datetime) -> tuple[str, ...]:
        desk = self._around.desk
        people = members(desk.on_call(), follower, now, self._around.fallback)
        if not people:
            raise CannotFollowError(
                "nobody is on call and there is no fallback, and a user group cannot be empty. "
                "Fill the roster, or add `fallback`"
            )
        users, faults = [], []
        for key in people:
            try:
                users.append(await desk.directory.user(key))
            except RetryLaterError:
                raise
            except GiveUpError as unlinked:
                faults.append(f"{desk.directory.name(key)} is not linked ({unlinked})")
        if faults:
            raise CannotFollowError(f"{'; '.join(faults)}. Until then it stays as it is")
        return tuple(sorted(set(users)))


class TopicPlace:
    """A part of a channel's topic, in brackets; the rest is people's."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def look(self, follower: Follower, ref: str, now: datetime) -> Look:  # noqa: ARG002 - the port's
        topic = await self._topic(await self._around.channel(follower))
        texts = self._around.texts(follower, now)
        fitting = (text for text in texts if with_part(topic, text, LONGEST_TOPIC) is not None)
        part = next(fitting, None)
        if part is None:
            raise CannotFollowError("there is no room left in the topic. Shorten your own text")
        return Look((part,), (part_of(topic),), before=topic)

    async def write(self, follower: Follower, look: Look) -> str:
        channel = await self._around.channel(follower)
        topic = with_part(look.before, look.desired[0], LONGEST_TOPIC) or ""
        await in_channel(
            self._around.desk,
            channel,
            lambda: self._around.desk.api.call(
                "conversations.setTopic", channel=channel, topic=topic
            ),
        )
        return ""

    async def leave(self, follower: Follower, ref: str) -> None:  # noqa: ARG002 - the port's
        channel = await self._around.channel(follower)
        topic = await self._topic(channel)
        if part_of(topic):
            await self._around.desk.api.call(
                "conversations.setTopic", channel=channel, topic=without_part(topic)
            )

    async def _topic(self, channel: str) -> str:
        answer = await self._around.desk.api.read("conversations.info", channel=channel)
        return str(((answer.get("channel") or {}).get("topic") or {}).get("value") or "")


class BookmarkPlace:
    """A bookmark at the top of a channel, which leads to the profile of who is on call."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def look(self, follower: Follower, ref: str, now: datetime) -> Look:
        channel = await self._around.channel(follower)
        title = next(
            (t for t in self._around.texts(follower, now) if len(t) <= LONGEST_TITLE), OURS.strip()
        )
        desired = (title, await self._link(follower, now))
        ours = _ours(await self._bookmarks(channel), ref, self._home())
        if ours is None:
            return Look(desired, ())
        seen = (str(ours.get("title") or ""), str(ours.get("link") or ""))
        return Look(desired, seen, ref=str(ours["id"]))

    async def write(self, follower: Follower, look: Look) -> str:
        channel = await self._around.channel(follower)
        api, (title, link) = self._around.desk.api, look.desired
        if look.ref:
            await api.call(
                "bookmarks.edit", channel_id=channel, bookmark_id=look.ref, title=title, link=link
            )
            return look.ref
        answer = await api.call(
            "bookmarks.add",
            repeatable=False,
            channel_id=channel,
            type="link",
            title=title,
            link=link,
        )
        return str((answer.get("bookmark") or {}).get("id") or "")

    async def leave(self, follower: Follower, ref: str) -> None:
        channel = await self._around.channel(follower)
        ours = _ours(await self._bookmarks(channel), ref, self._home())
        if ours is not None:
            await self._around.desk.api.call(
                "bookmarks.remove", channel_id=channel, bookmark_id=str(ours["id"])
            )

    async def _bookmarks(self, channel: str) -> Sequence[Json]:
        desk = self._around.desk
        answer = await in_channel(
            desk, channel, lambda: desk.api.read("bookmarks.list", channel_id=channel)
        )
        return [one for one in answer.get("bookmarks") or () if isinstance(one, dict)]

    async def _link(self, follower: Follower, now: datetime) -> str:
        desk, home = self._around.desk, self._home()
        for key in members(desk.on_call(), follower, now, self._around.fallback):
            try:
                return f"{home}team/{await desk.directory.user(key)}"
            except RetryLaterError:
                raise
            except GiveUpError:
                continue
        return home

    def _home(self) -> str:
        """Return the workspace's address, with a slash at its end."""
        base = self._around.desk.workspace_url().rstrip("/")
        if not base:
            raise RetryLaterError("Slack has not told yet where the workspace is", after=_SOON)
        return f"{base}/"


def places(around: Surroundings) -> Mapping[FollowerKind, Place]:
    return {
        FollowerKind.USER_GROUP: GroupPlace(around),
        FollowerKind.TOPIC: TopicPlace(around),
        FollowerKind.BOOKMARK: BookmarkPlace(around),
    }


async def in_channel(desk: Desk, channel: str, work: Callable[[], Awaitable[Json]]) -> Json:
    """Do it, entering the channel first where that is needed and allowed."""
    try:
        return await work()
    except SlackRefusedError as refused:
        if refused.code != "not_in_channel" or not await desk.places.join(channel):
            raise
    return await work()


def _ours(bookmarks: Sequence[Json], ref: str, home: str) -> Json | None:
    """Return our bookmark: by its id, else by what it says and where it leads.

    The latter is for an answer that got lost; a bookmark that leads elsewhere is somebody's own.
    """
    by_id = (one for one in bookmarks if ref and one.get("id") == ref)
    alike = (
        one
        for one in bookmarks
        if str(one.get("title") or "").startswith(OURS)
        and str(one.get("link") or "").startswith(home)
    )
    return next(by_id, next(alike, None))
