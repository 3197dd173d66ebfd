"""Signed HTTP requests to the app's request URL, the other way Slack delivers."""

import hashlib
import hmac
import json
from urllib.parse import urlencode

import aiohttp

from bot.clock import SystemClock
from bot.workspace.link import UNREACHABLE, Ack, Kind, Retry
from bot.workspace.model import Json

LARGEST_ANSWER = 1_000_000


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Slack's v0 signature of a request body."""
    base = b"v0:" + str(timestamp).encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class HttpMode:
    """Posts every payload to one request URL, signed."""

    def __init__(self, url: str, signing_secret: str, ack_seconds: float = 3.0) -> None:
        self._url = url
        self._secret = signing_secret
        self._timeout = aiohttp.ClientTimeout(total=ack_seconds)
        # Receivers compare the signature's time with their own, so this is never a story's clock.
        self._clock = SystemClock()
        self._session: aiohttp.ClientSession | None = None

    async def send(self, kind: Kind, payload: Json, retry: Retry | None = None) -> Ack:
        content_type, body = _encode(kind, payload)
        timestamp = int(self._clock.now().timestamp())
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": str(timestamp),
            "X-Slack-Signature": sign(self._secret, timestamp, body),
        }
        if retry is not None:
            headers["X-Slack-Retry-Num"] = str(retry.number)
            headers["X-Slack-Retry-Reason"] = retry.reason
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.post(self._url, data=body, headers=headers) as answer:
                raw = await answer.content.read(LARGEST_ANSWER)
                no_retry = answer.headers.get("X-Slack-No-Retry") == "1"
                if answer.status // 100 != 2:
                    return Ack(ok=False, reason="http_error", no_retry=no_retry)
                return Ack(ok=True, payload=_decode(raw, answer.content_type))
        except TimeoutError:
            return Ack(ok=False, reason="http_timeout")
        except aiohttp.ClientError:
            return Ack(ok=False, reason=UNREACHABLE)

    async def verify(self) -> bool:
        """Slack's url_verification handshake: does the URL echo the challenge?"""
        challenge = {"type": "url_verification", "token": "local", "challenge": "echo-me"}
        ack = await self.send("events_api", challenge)
        return ack.ok and ack.payload in ("echo-me", {"challenge": "echo-me"})

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _encode(kind: Kind, payload: Json) -> tuple[str, bytes]:
    if kind == "events_api":
        return "application/json", json.dumps(payload).encode()
    fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return "application/x-www-form-urlencoded", urlencode(fields).encode()


def _decode(raw: bytes, content_type: str) -> object:
    if not raw:
        return None
    text = raw.decode(errors="replace")
    if content_type == "application/json":
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text
