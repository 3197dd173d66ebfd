"""Secret addresses of feeds: a key for each, which revoking changes."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

ALL = "all"
_PERSON = "person/"
_ROTATION = "rotation/"
_DIGITS = 40


def feed_of_person(key: str) -> str:
    return f"{_PERSON}{key}"


def feed_of_rotation(name: str) -> str:
    return ALL if name == ALL else f"{_ROTATION}{name}"


def person_of(feed: str) -> str | None:
    return feed.removeprefix(_PERSON) if feed.startswith(_PERSON) else None


def rotation_of(feed: str) -> str | None:
    return feed.removeprefix(_ROTATION) if feed.startswith(_ROTATION) else None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Makes and checks addresses; `revocations` counts by feed. Without a secret there are none."""

    secret: str = field(repr=False)
    base_url: str
    revocations: Mapping[str, int] = field(default_factory=dict)

    def link(self, feed: str) -> str:
        """Return the address of a feed; it works until it is revoked or the secret changes."""
        if not self.secret:
            raise ValueError("feeds have no address without a secret")
        path = quote(feed.removeprefix(_ROTATION), safe="/@")
        return f"{self.base_url}/calendar/{path}.ics?key={self._key(feed)}"

    def check(self, feed: str, key: str) -> bool:
        """Tell whether a key opens a feed; takes as long for a wrong one as for the right one."""
        right = hmac.compare_digest(self._key(feed).encode(), key.encode("utf-8", "replace"))
        return right and bool(self.secret)

    def _key(self, feed: str) -> str:
        message = f"watchbill calendar\n{self.revocations.get(feed, 0)}\n{feed}"
        mac = hmac.new(self.secret.encode(), message.encode("utf-8", "replace"), hashlib.sha256)
        return mac.hexdigest()[:_DIGITS]
