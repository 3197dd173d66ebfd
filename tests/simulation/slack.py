"""A Slack in this process, behind the port of its client: it keeps records, and fails as told."""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError

from tests.simulation.chance import Diary, Fate
from tests.simulation.process import PROCESS
from tests.simulation.time import VirtualClock, pause

Json = dict[str, Any]
CHANNELS = {"data-alerts": "C0ALERTS1", "war-room": "C0WARROOM"}
_LONGEST_THROTTLE = 40
_TIMEOUT = 4.0


@dataclass(slots=True)
class Post:
    """One message, as it was posted and as it now is."""

    at: datetime
    channel: str
    ts: str
    key: str
    thread: str
    text: str
    blocks: list[Json]
    edits: int = 0


@dataclass(slots=True)
class Answer:
    """As much of slack-sdk's response as the bot reads."""

    data: Json
    status_code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class SimulatedSlack:
    """The workspace; its own clock never jumps. `posts` are all messages, in order."""

    def __init__(
        self, fate: Fate, clock: VirtualClock, diary: Diary, users: Mapping[str, str]
    ) -> None:
        self._fate = fate
        self._clock = clock
        self._diary = diary
        self._users = users
        self.posts: list[Post] = []
        self.unsure: set[str] = set()
        """Keys of posts whose answer never reached the bot."""
        self.hasty: list[str] = []
        """Posts that were tried before a Retry-After had passed."""
        self.late_pages: list[str] = []
        """Pages that began although the incident had been taken care of a while before."""
        self.is_late: Callable[[str], str] = lambda _key: ""
        self.lane_of: Callable[[str], str] = lambda _key: ""
        self._closed: dict[tuple[str, str], float] = {}
        self._told: dict[object, tuple[float, float]] = {}
        self._by_ts: dict[tuple[str, str], Post] = {}
        self._methods: dict[str, Callable[[Json], Json]] = {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._history,
            "conversations.list": self._channels,
            "conversations.open": lambda given: {"channel": {"id": "D" + str(given["users"])}},
            "users.lookupByEmail": self._by_email,
        }

    @property
    def now(self) -> datetime:
        return self._clock.now() - self._clock.jumped

    async def call(self, method: str, given: Json) -> Answer:
        """Do what one request does, or fail before or after it."""
        try:
            # a client's time-out: also of who was frozen, before it can go on
            async with asyncio.timeout(_TIMEOUT):
                return await self._answer(method, given)
        except BaseException:
            self.unsure.add(_key(given))
            raise

    async def _answer(self, method: str, given: Json) -> Answer:
        fate, place = self._fate, (method, str(given.get("channel", "")))
        process = PROCESS.get()
        assert process is not None
        began = (self.now - self._clock.start).total_seconds()
        process.may_die()
        if method == "chat.postMessage" and (late := self.is_late(_key(given))):
            self.late_pages.append(late)
        await pause(0.02 + fate.dice.random() * 0.2)
        process.may_die()
        self._throttle(place, began, given)
        if fate.strikes("unreachable"):
            raise aiohttp.ConnectionTimeoutError
        if fate.strikes("refused_5xx"):
            raise _refusal(503, {})
        if fate.strikes("lost_before"):
            await pause(2 * _TIMEOUT)
        answer = self._do(method, given)
        process.may_die()
        if fate.strikes("done_5xx"):
            raise _refusal(500, {})
        await pause(2 * _TIMEOUT if fate.strikes("lost_after") else 0.01 + fate.dice.random() * 0.1)
        process.may_die()
        if not answer["ok"]:
            raise _refusal(200, answer)
        return Answer(answer)

    def _throttle(self, place: tuple[str, str], began: float, given: Json) -> None:
        """Answer 429 as told, and note who comes again before the time is over.

        Whoever shares a lane has heard of it; what is in none hears for itself only, and a
        process that is born later never heard.
        """
        now = (self.now - self._clock.start).total_seconds()
        until = self._closed.get(place, 0.0)
        whom = PROCESS.get(), self.lane_of(_key(given)) or _key(given)
        told_at, told_until = self._told.get((place, whom), (0.0, 0.0))
        if place[0] == "chat.postMessage" and told_at < began < told_until - 0.5:
            self.hasty.append(f"{_key(given)} {told_until - began:.0f} s too early")
        if began < until or self._fate.strikes("throttled"):
            if began >= until:
                until = now + self._some_seconds()
            after = max(1, math.ceil(until - now))
            self._closed[place] = until
            self._told[place, whom] = (now, now + after)
            self._diary.note(self.now, "slack", f"429 {place[0]} {place[1]}, wait {after} s")
            raise _refusal(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(after)})

    def _some_seconds(self) -> int:
        return self._fate.dice.randint(1, _LONGEST_THROTTLE)

    def _do(self, method: str, given: Json) -> Json:
        found = self._methods.get(method)
        return {"ok": True, **(found(given) if found else {})}

    def _post(self, given: Json) -> Json:
        ts = f"{self.now.timestamp():.6f}"
        while (given["channel"], ts) in self._by_ts:
            ts = f"{float(ts) + 1e-6:.6f}"
        thread = str(given.get("thread_ts") or "")
        post = Post(self.now, given["channel"], ts, _key(given), thread, str(given.get("text", "")),
                    given.get("blocks") or [])  # fmt: skip
        self.posts.append(post)
        self._by_ts[post.channel, ts] = post
        self._diary.note(self.now, "slack", f"post {post.key} in {post.channel}: {post.text[:60]}")
        return {"channel": post.channel, "ts": ts}

    def _update(self, given: Json) -> Json:
        post = self._by_ts.get((given["channel"], given["ts"]))
        if post is None:
            return {"ok": False, "error": "message_not_found"}
        post.text, post.blocks = str(given.get("text", "")), given.get("blocks") or []
        post.edits += 1
        return {}

    def _history(self, given: Json) -> Json:
        oldest = datetime.fromtimestamp(float(given.get("oldest") or 0), self._clock.start.tzinfo)
        found = [
            {"ts": p.ts, "metadata": _metadata(p.key)}
            for p in self.posts
            if p.channel == given["channel"]
            and p.at >= oldest
            and p.thread == str(given.get("ts") or "")
        ]
        return {"messages": found}

    def _channels(self, _: Json) -> Json:
        return {"channels": [{"id": its_id, "name": name} for name, its_id in CHANNELS.items()]}

    def _by_email(self, given: Json) -> Json:
        user = self._users.get(str(given["email"]))
        if user is None:
            return {"ok": False, "error": "users_not_found"}
        return {"user": {"id": user, "name": user.lower(), "profile": {"email": given["email"]}}}


class SimulatedClient:
    """Stands where slack-sdk's client does."""

    session = None

    def __init__(self, slack: SimulatedSlack) -> None:
        self._slack = slack

    async def api_call(self, method: str, **how: Any) -> Answer:
        given = how.get("json") or how.get("params") or how.get("data") or {}
        return await self._slack.call(method, dict(given))


def _refusal(status: int, said: Json, headers: Mapping[str, str] | None = None) -> SlackApiError:
    return SlackApiError("refused", Answer(said, status, headers or {}))


def _metadata(key: str) -> Json:
    return {"event_type": "watchbill", "event_payload": {"key": key}}


def _key(given: Json) -> str:
    payload = (given.get("metadata") or {}).get("event_payload") or {}
    return str(payload.get("key", ""))
