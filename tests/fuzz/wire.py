"""Hostile HTTP over real sockets: bytes as no library would send them, and what comes back."""

import asyncio
import gzip
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from bot.web.pages.asking import _NAMES
from tests.fuzz.every import samples
from tests.fuzz.hostile import HOSTILE_TEXTS
from tests.fuzz.mutation import mutate

SECRET = "s3cret"
SECONDS = 20.0
"""For one answer; far more than any needs."""
_PATIENCE = 0.25
"""For the answer to a request whose end does not come: the server may go on waiting."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "X Y")
_TYPES = (
    "application/json", "text/plain", "application/x-www-form-urlencoded", "application/xml", "",
    "application/json; charset=klingon", "application/x-www-form-urlencoded; charset=klingon",
    "multipart/form-data", "multipart/form-data; boundary=x", "multipart/mixed; boundary=",
    "application/x-www-form-urlencoded; charset=utf-16", "image/png", ";;;=", "application/" + "j" * 900,
    "application/cloudevents+json", "application/cloudevents-batch+json",
)  # fmt: skip
_BOMB = gzip.compress(b"[" + b" " * 20_000_000 + b"]", compresslevel=6)
_SPECIAL = {"until": ("0001-01-01", "9999-12-31", "9999-12-30"), "since": ("0001-01-01",)}
_HEADERS = (
    "X-Watchbill-Signature", "X-Watchbill-Delivery", "Idempotency-Key", "X-Forwarded-For",
    "X-Forwarded-Host", "Forwarded", "Cookie", "Referer", "Origin", "Range", "Accept-Encoding",
    "If-None-Match", "If-Modified-Since", "User-Agent", "Expect", "Upgrade", "Accept-Language",
    "X-GitHub-Delivery", "X-Hub-Signature-256", "Sentry-Hook-Signature", "Sentry-Hook-Timestamp",
    "X-PagerDuty-Signature", "X-Amz-Sns-Message-Type", "ce-id", "ce-time", "ce-type", "ce-source",
    "ce-specversion", "ce-datacontenttype", "WebHook-Request-Origin", "WebHook-Request-Rate",
    "Sec-Fetch-Site", "Sec-WebSocket-Key", "Date", "Via",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Door:
    """One route, as the application itself lists it."""

    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Request:
    raw: bytes
    door: Door
    whole: bool = True
    """False when its end may never come, so that no answer is one too."""


@dataclass(frozen=True, slots=True)
class Answered:
    """`status` 0: the connection was closed without a word."""

    status: int
    body: bytes = b""


async def ask(port: int, request: Request) -> Answered:
    """Send bytes as they are; raises TimeoutError when a whole request is not answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = b""
    try:
        async with asyncio.timeout(SECONDS if request.whole else _PATIENCE):
            writer.write(request.raw)
            await writer.drain()
            while part := await reader.read(65_536):
                said += part
    except ConnectionError:
        pass
    except TimeoutError:
        if request.whole:
            raise
    finally:
        writer.close()
    # What is sent twice is answered twice: every answer counts.
    found = [int(hit[1]) for hit in _STATUS.finditer(said)]
    return Answered(max(found, default=0), said.partition(b"\r\n\r\n")[2])


@dataclass
class Attacker:
    """Makes hostile requests for every door; the same seed makes the same ones."""

    doors: Sequence[Door]
    sources: Sequence[str]
    rng: random.Random
    cookies: Sequence[str] = ()
    links: Callable[[], Sequence[str]] = field(default=lambda: ())

    def request(self, at: int, *, accepted: bool = True) -> Request:
        """Return the `at`-th request; each door has its turn. Without `accepted` nobody gets in."""
        rng = self.rng
        door = self.doors[at // 2 % len(self.doors)]
        if at % 2:
            door = rng.choice([one for one in self.doors if one.path.startswith("/hooks")])
        method = door.method if rng.random() < 0.85 else rng.choice(_METHODS)
        headers = self._headers(accepted=accepted)
        body = self._body(door) if method not in {"GET", "HEAD"} or rng.random() < 0.1 else b""
        head, sent, whole = self._framed(headers, body)
        target = self._target(door)
        if rng.random() < 0.03:
            target = f"http://evil.example{target}"
        version = "HTTP/1.1" if rng.random() < 0.97 else rng.choice(("HTTP/1.0", "HTTP/9.9", "X"))
        lines = [f"{method} {target} {version}", *(f"{name}: {one}" for name, one in head.items())]
        raw = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + sent
        if rng.random() < 0.05:
            raw = mutate(raw, rng, 2)
            whole = False
        return Request(raw, door, whole)

    def _text(self) -> str:
        return self.rng.choice(HOSTILE_TEXTS)

    def _target(self, door: Door) -> str:
        path = re.sub(r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", lambda _: self._part(door), door.path)
        return f"{path}?{self._query(door)}" if self.rng.random() < 0.7 else path

    def _part(self, door: Door) -> str:
        if door.path.startswith("/hooks") and self.rng.random() < 0.9:
            return self.rng.choice(self.sources)
        if self.rng.random() < 0.4:
            return self.rng.choice(("1", "42", "0", "999999999999999", "data", "ana@example.com"))
        return quote(self._text().encode("utf-8", "surrogatepass"), safe="")[:3_000] or "x"

    def _query(self, door: Door) -> str:
        rng = self.rng
        names: Sequence[str] = ("key", "next", "status", "page", "q", "state", "code", "product")
        if door.path.startswith("/issues"):
            names = _NAMES
        pairs = []
        for _ in range(rng.randrange(1, 6)):
            name = rng.choice(names)
            value = rng.choice(
                (*_SPECIAL.get(name, ()), self._text(), "1", "desc", "open", "a\x00b")
            )
            pairs.append((name, value.encode("utf-8", "surrogatepass")))
        if rng.random() < 0.1:
            return quote(self._text().encode("utf-8", "surrogatepass"))
        return urlencode(pairs)[:6_000]

    def _headers(self, *, accepted: bool) -> dict[str, str]:
        rng = self.rng
        headers = {"Host": "127.0.0.1", "Connection": "close"}
        if rng.random() < 0.05:
            headers["Host"] = _header(self._text())
        if accepted and rng.random() < 0.7:
            headers["Authorization"] = f"Bearer {SECRET}"
        elif rng.random() < 0.5:
            headers["Authorization"] = rng.choice(("Basic ", "Bearer ", "")) + _header(self._text())
        if rng.random() < 0.8:
            headers["Content-Type"] = rng.choice(_TYPES)
        if rng.random() < 0.1:
            headers["Content-Encoding"] = rng.choice(("gzip", "deflate", "br", "zstd", "identity"))
        if self.cookies and rng.random() < 0.7:
            headers["Cookie"] = rng.choice(self.cookies)
        for _ in range(rng.randrange(4)):
            headers[rng.choice(_HEADERS)] = _header(self._text())
        return headers

    def _body(self, door: Door) -> bytes:
        rng = self.rng
        if rng.random() < 0.05:
            return rng.choice((_BOMB, b"x" * 1_200_000, b"[" * 100_000, b""))
        if not door.path.startswith("/hooks"):
            form = {"key": self._text(), "next": self._text(), "payload": "[" * 2_000}
            return urlencode(form, errors="replace").encode()[:20_000]
        known = samples(f"source-{rng.choice(self.sources)}")
        return mutate(rng.choice(known), rng, rng.randrange(3), known)

    def _framed(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[Mapping[str, str], bytes, bool]:
        rng = self.rng
        dice = rng.random()
        if not body or dice < 0.75:
            length = {"Content-Length": str(len(body))} if body else {}
            return {**headers, **length}, body, True
        if dice < 0.85:
            half = len(body) // 2
            pieces = b"".join(
                b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:half], body[half:]) if p
            )
            return {**headers, "Transfer-Encoding": "chunked"}, pieces + b"0\r\n\r\n", True
        if dice < 0.93:
            broken = rng.choice(
                (b"zz\r\n" + body, b"-5\r\n" + body, b"ffffffffffffffff\r\n" + body)
            )
            return {**headers, "Transfer-Encoding": "chunked"}, broken, False
        wrong = rng.choice(("-1", "1e9", "٣", str(len(body) + 9), "9" * 40, "0", "5, 5"))
        return {**headers, "Content-Length": wrong}, body, False


def _header(text: str) -> str:
    return re.sub(r"[\r\n]", " ", text)[:7_000]


def delivery_of(answer: Answered) -> str:
    """Return the id of the delivery that a 202 tells of, "" when it tells of none."""
    if answer.status != 202:
        return ""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return ""
    return str(found.get("delivery", "")) if isinstance(found, dict) else ""
