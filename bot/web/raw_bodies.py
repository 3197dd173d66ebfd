"""GET /deliveries/{id}: a raw body as it came, for whoever holds a signed link to it."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import quote

from aiohttp import web

from bot.clock import Clock
from bot.ports.inbox import Delivery
from bot.sources.json_body import decode
from bot.web.answers import refusal

LIFETIME = timedelta(days=7)
_NOTHING = "There is no such delivery, or the link is not complete."
_GONE = "This delivery is no longer kept: see `retention` in config.yaml."
_EXPIRED = (
    "The link has expired. Nothing shows the body any more; `watchbill replay {delivery}` takes it in "
    "again, as if it came now, and can page."
)


class RawLinks:
    """Makes and checks links to raw bodies; a link opens one delivery for seven days."""

    def __init__(self, secret: str, base_url: str, clock: Clock) -> None:
        if not secret:
            raise ValueError("links need a secret to be signed with")
        self._secret = hmac.new(secret.encode(), b"watchbill raw body links", hashlib.sha256)
        self._base_url = base_url.rstrip("/")
        self._clock = clock

    def link(self, delivery_id: str) -> str:
        expires = int((self._clock.now() + LIFETIME).timestamp())
        key = f"{expires}.{self._mac(delivery_id, expires)}"
        return f"{self._base_url}/deliveries/{quote(delivery_id, safe='')}?key={key}"

    def check(self, delivery_id: str, key: str) -> str:
        """Return "good", "expired" or "wrong"."""
        stamp, _, mac = key.partition(".")
        if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
            return "wrong"
        expires = int(stamp)
        if not hmac.compare_digest(mac.encode(), self._mac(delivery_id, expires).encode()):
            return "wrong"
        return "good" if self._clock.now().timestamp() < expires else "expired"

    def _mac(self, delivery_id: str, expires: int) -> str:
        mac = self._secret.copy()
        mac.update(f"\n{expires}\n{delivery_id}".encode())
        return mac.hexdigest()


class RawBodies:
    """The handler; `load` finds a delivery by its id."""

    def __init__(self, links: RawLinks, load: Callable[[str], Awaitable[Delivery | None]]) -> None:
        self._links = links
        self._load = load

    async def show(self, request: web.Request) -> web.StreamResponse:
        delivery_id = request.match_info["delivery"]
        verdict = self._links.check(delivery_id, request.query.get("key", ""))
        if verdict == "expired":
            return refusal(410, _EXPIRED.format(delivery=delivery_id))
        if verdict == "wrong":
            return refusal(404, _NOTHING)
        delivery = await self._load(delivery_id)
        if delivery is None:
            return refusal(404, _GONE)
        return web.Response(
            text=decode(delivery.body),
            content_type="text/plain",
            charset="utf-8",
            headers={
                "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'"
            },
        )
