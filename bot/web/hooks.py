"""POST /hooks/{source}: check who sends, store what came, answer; understanding comes later."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from prometheus_client import Counter

from bot.clock import Clock
from bot.metrics import Metrics
from bot.ports.inbox import Inbox, NewDelivery, NotStoredError
from bot.sources import registry, text
from bot.sources.kind import Answer, Arrival, Source
from bot.web.answers import answer, refusal
from bot.web.authentication import UNAUTHORIZED, Gate
from bot.web.body import RefusedError, read_body
from bot.web.doorways import agreement, heartbeat_of
from bot.web.rate import TokenBucket

DELIVERY_ID_HEADERS = ("X-Watchbill-Delivery", "Idempotency-Key")
ROSTER_BODY_LIMIT = 65_536
QUESTIONS = 120
"""How often a minute strangers may ask whether they may send."""
NOT_STORED_RETRY = 5

_KEPT_HEADERS = frozenset({"user-agent"})
_REFUSED_TYPES = ("multipart/", "image/", "audio/", "video/", "font/")
_HEADER_LENGTH = 1_024
_HEARD = frozenset({"throttled", "undecided"})
"""What was refused after its body had been read."""
_NO_SOURCE = "No source has this name; look at `sources:` in config.yaml."


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSource:
    """A source as its door knows it. `rate_limit` is requests a minute, `body_limit` bytes."""

    source: Source
    gate: Gate
    rate_limit: int = 600
    body_limit: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterHook:
    """Whom to tell that the roster's sheet has changed; `changed` must return at once."""

    gate: Gate
    changed: Callable[[], Awaitable[None]]
    rate_limit: int = 60


class Hooks:
    """The handlers of /hooks. `total_limit` is requests a minute over all sources."""

    def __init__(
        self,
        sources: Mapping[str, HookSource],
        *,
        inbox: Inbox,
        clock: Clock,
        metrics: Metrics,
        total_limit: int = 6_000,
        roster: RosterHook | None = None,
    ) -> None:
        now = clock.now()
        self._sources = sources
        self._inbox = inbox
        self._clock = clock
        self._deliveries = metrics.deliveries
        self._counters: dict[tuple[str, str], Counter] = {}
        self._roster = roster
        self._total = TokenBucket(total_limit, now)
        self._buckets = {name: TokenBucket(one.rate_limit, now) for name, one in sources.items()}
        self._asking = TokenBucket(QUESTIONS, now)
        self._roster_bucket = TokenBucket(roster.rate_limit if roster else 1, now)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Store one delivery; 202 leaves only after the commit."""
        name = request.match_info["source"]
        hook = self._sources.get(name)
        if hook is None:
            self._count("-", "unknown_source")
            return refusal(404, _NO_SOURCE)
        try:
            beat = heartbeat_of(request)
            body, notes = await self._authentic_body(request, hook.gate, hook.body_limit)
            now = self._clock.now()
            status = registry.KINDS[hook.source.kind].too_many
            self._admit(self._buckets[name], hook.rate_limit, now, status)
        except RefusedError as error:
            self._count(name, error.result)
            return _refuse(error)
        arrival = Arrival(
            source=hook.source,
            body=body,
            content_type=text.line(request.headers.get("Content-Type", ""), 200),
            headers={**_headers(request, hook.source.kind), **notes, **beat},
            at=now,
        )
        if (said := registry.handshake(arrival)) is not None:
            self._count(name, "handshake")
            return _spoken(said)
        return await self._store(request, arrival)

    async def agree(self, request: web.Request) -> web.StreamResponse:
        """Answer a sender of CloudEvents that asks whether it may send; nothing is stored."""
        name = request.match_info["source"]
        hook = self._sources.get(name)
        if hook is None:
            self._count("-", "unknown_source")
            return refusal(404, _NO_SOURCE)
        if not registry.KINDS[hook.source.kind].asked_first:
            raise web.HTTPMethodNotAllowed("OPTIONS", ["POST"])
        try:
            # A count of its own: anybody may ask, and nobody's alerts shall wait for that.
            if wait := self._asking.take(self._clock.now()):
                raise _ThrottledError("Too many questions; wait.", wait)
            headers = agreement(request, hook.rate_limit)
        except RefusedError as error:
            self._count(name, error.result)
            return _refuse(error)
        self._count(name, "handshake")
        return web.Response(status=200, headers=headers)

    async def roster_changed(self, request: web.Request) -> web.StreamResponse:
        """Take the signed word that the sheet has changed; 202 before it is read."""
        if self._roster is None:
            return refusal(404, "No roster can be announced here; see `roster:` in config.yaml.")
        try:
            await self._authentic_body(request, self._roster.gate, ROSTER_BODY_LIMIT)
            self._admit(self._roster_bucket, self._roster.rate_limit, self._clock.now())
        except RefusedError as error:
            return _refuse(error)
        await self._roster.changed()
        return answer(202, {"roster": "will be read again"})

    async def _store(self, request: web.Request, arrival: Arrival) -> web.Response:
        name = arrival.source.name
        delivery = NewDelivery(
            source=name,
            key=text.key(f"{name}:{self._named(request, name) or registry.delivery_key(arrival)}"),
            body=arrival.body,
            content_type=arrival.content_type,
            headers=arrival.headers,
        )
        try:
            accepted = await self._inbox.accept(delivery)
        except NotStoredError:
            self._count(name, "not_stored")
            why = "It could not be stored; send it again."
            return refusal(503, why, retry_after=NOT_STORED_RETRY)
        self._count(name, "repeated" if accepted.repeated else "accepted")
        if accepted.repeated:
            return answer(202, {"delivery": accepted.id, "repeated": True})
        return answer(202, {"delivery": accepted.id})

    async def _authentic_body(
        self, request: web.Request, gate: Gate, limit: int
    ) -> tuple[bytes, Mapping[str, str]]:
        known = gate.passes_by_header(request)
        if not known and not gate.may_pass_by_body(request):
            raise RefusedError(401, UNAUTHORIZED, "unauthorized")
        _check_type(request)
        body = await read_body(request, limit)
        if known:
            return body, {}
        verdict = await gate.judge(request, body, self._clock.now())
        if verdict.later:
            raise RefusedError(503, verdict.why, "undecided")
        if not verdict.accepted:
            result = "stale" if verdict.stale else "unauthorized"
            raise RefusedError(401, verdict.why, result)
        return body, {name: text.line(said, _HEADER_LENGTH) for name, said in verdict.notes.items()}

    def _admit(self, bucket: TokenBucket, limit: int, now: datetime, status: int = 429) -> None:
        wait = bucket.take(now)
        if wait:
            raise _ThrottledError(f"More than {limit} requests a minute; wait.", wait, status)
        wait = self._total.take(now)
        if wait:
            raise _ThrottledError("Too many requests over all sources; wait.", wait, status)

    def _named(self, request: web.Request, source: str) -> str:
        # A replay of a signed request must not pass under a name that nobody has signed.
        return "" if self._sources[source].gate.is_claimed(request) else _sender_key(request)

    def _count(self, source: str, result: str) -> None:
        counter = self._counters.get((source, result))
        if counter is None:
            counter = self._counters[source, result] = self._deliveries.labels(source, result)
        counter.inc()


class _ThrottledError(RefusedError):
    def __init__(self, why: str, wait: float, status: int = 429) -> None:
        super().__init__(status, why, "throttled")
        self.wait = wait


def _refuse(error: RefusedError) -> web.Response:
    again = NOT_STORED_RETRY if error.status == 503 else 0
    wait = error.wait if isinstance(error, _ThrottledError) else again
    headers = {"WWW-Authenticate": 'Bearer realm="watchbill"'} if error.status == 401 else None
    refused = refusal(error.status, error.why, retry_after=wait, headers=headers)
    if error.result not in _HEARD:
        # What is left of the body is not read to the end for somebody who was refused.
        refused.force_close()
    return refused


def _check_type(request: web.Request) -> None:
    kind = request.headers.get("Content-Type", "").strip().lower()
    if kind.startswith(_REFUSED_TYPES):
        raise RefusedError(415, "Send JSON, a form or plain text.", "wrong_type")
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise RefusedError(415, "Send the body without compression.", "wrong_type")


def _headers(request: web.Request, kind: str) -> dict[str, str]:
    kept = registry.KINDS[kind].headers | _KEPT_HEADERS
    return {
        name: text.line(value, _HEADER_LENGTH)
        for name in kept
        if (value := request.headers.get(name))
    }


def _sender_key(request: web.Request) -> str:
    for name in DELIVERY_ID_HEADERS:
        if value := request.headers.get(name, "").strip():
            return f"id:{value}"
    return ""


def _spoken(said: Answer) -> web.Response:
    return web.Response(status=said.status, text=said.body, content_type=said.content_type)
