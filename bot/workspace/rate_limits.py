"""Slack's rate limits, for a workspace that is as strict as the real one."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

# Calls a minute. chat.postMessage is limited per channel: one a second, short bursts tolerated.
TIERS = {
    **dict.fromkeys(("apps.connections.open",), 1),
    **dict.fromkeys(
        (
            *("conversations.list", "conversations.create", "conversations.archive"),
            *("conversations.setTopic", "users.list", "usergroups.list", "usergroups.create"),
            *("usergroups.users.list", "usergroups.users.update", "usergroups.enable"),
            *("usergroups.disable", "pins.add", "pins.remove", "bookmarks.add", "bookmarks.edit"),
            "bookmarks.remove",
            "reactions.remove",
        ),
        20,
    ),
    **dict.fromkeys(
        (
            *("chat.update", "chat.delete", "conversations.info", "conversations.history"),
            *("conversations.replies", "conversations.open", "conversations.invite"),
            *("conversations.join", "users.lookupByEmail", "reactions.add", "team.info"),
            "bookmarks.list",
        ),
        50,
    ),
    **dict.fromkeys(
        (
            *("chat.postEphemeral", "views.open", "views.push", "views.update", "views.publish"),
            *("users.info", "conversations.members", "files.getUploadURLExternal"),
            "files.completeUploadExternal",
        ),
        100,
    ),
}
POSTS_A_MINUTE, POST_BURST = 60, 5


@dataclass
class Bucket:
    """Fills at `rate` a second up to `size`."""

    rate: float
    size: float
    level: float
    at: float

    def take(self, now: float) -> int | None:
        """None when the call may go, else the whole seconds to wait."""
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return None
        return max(1, ceil((1 - self.level) / self.rate))


class RateLimits:
    """One bucket for each method, and for each channel that is posted to."""

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self._stopwatch = stopwatch
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def take(self, method: str, channel: str | None) -> int | None:
        """The Retry-After that Slack would answer, or None."""
        if method == "chat.postMessage":
            return self._bucket((method, channel or ""), POSTS_A_MINUTE, POST_BURST)
        if method in TIERS:
            return self._bucket((method, ""), TIERS[method], TIERS[method])
        return None

    def _bucket(self, key: tuple[str, str], a_minute: int, burst: int) -> int | None:
        now = self._stopwatch()
        bucket = self._buckets.setdefault(key, Bucket(a_minute / 60, burst, burst, now))
        return bucket.take(now)
