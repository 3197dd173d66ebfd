"""A load generator that takes little of the machine: kept connections, one request on each."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from statistics import median, quantiles
from typing import Any

CONNECTIONS = 64
SECRET = "secret-of-a-source"
_run = itertools.count()


class Body(StrEnum):
    """What is posted, again and again."""

    SINGLE = "one alert"
    TWENTY = "20 alerts"
    SAME = "same key"

    @property
    def alerts(self) -> int:
        return 20 if self is Body.TWENTY else 1


def bodies(kind: Body = Body.SINGLE) -> Iterator[bytes]:
    """Yield bodies as Alertmanager sends them: 2 KB each about another thing, or 20 of those.

    SAME is always about one thing, in other words each time: it is no retry of the same bytes.
    """
    run = f"{next(_run)}-{time.monotonic_ns()}"
    things = ["@@@@" if kind is Body.SINGLE else f"@@@@-{n}" for n in range(kind.alerts)]
    if kind is Body.SAME:
        things = [run]
    body = {
        "version": "4",
        "groupKey": "{}:{alertname=@@@@}",
        "status": "firing",
        "receiver": "watchbill",
        "groupLabels": {"alertname": "TableIsStale"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": [alert_about(thing) for thing in things],
    }
    parts = json.dumps(body).encode().split(b"@@@@")
    for number in itertools.count():
        yield f"{run}-{number}".encode().join(parts)


_LONG = "The table feeds the revenue dashboard. " * 24


def alert_about(thing: str, description: str = _LONG) -> dict[str, Any]:
    """Return one alert as Alertmanager tells of it, of about 1.5 KB."""
    return {
        "status": "firing",
        "labels": {
            "alertname": "TableIsStale",
            "severity": "critical",
            "cluster": "warehouse-eu",
            "namespace": "analytics",
            "instance": thing,
            "job": "freshness",
        },
        "annotations": {
            "summary": "orders has not been loaded since 03:00",
            "description": description,
            "runbook_url": "https://runbooks.example/orders",
        },
        "startsAt": "2026-11-22T03:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=freshness",
        "fingerprint": thing,
    }


@dataclass
class Load:
    """Posts until `ends` on the loop's clock, or `most` times; counts what was answered 202."""

    port: int
    path: str
    ends: float
    bodies: Iterator[bytes]
    most: int = 10**9
    sent: int = 0
    accepted: int = 0
    refused: int = 0
    seconds: list[float] = field(default_factory=list)

    def request(self) -> bytes | None:
        """Return the next request, None when it is enough."""
        if self.sent >= self.most or asyncio.get_running_loop().time() >= self.ends:
            return None
        self.sent += 1
        body = next(self.bodies)
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {SECRET}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, load: Load, done: asyncio.Future[None]) -> None:
        self._load = load
        self._done = done
        self._got = b""
        self._began = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, blank, rest = self._got.partition(b"\r\n\r\n")
        if not blank:
            return
        _, _, length = head.partition(b"Content-Length: ")
        if len(rest) < int(length.partition(b"\r\n")[0]):
            return
        self._got = b""
        self._load.seconds.append(time.perf_counter() - self._began)
        if head.startswith(b"HTTP/1.1 20"):
            self._load.accepted += 1
        else:
            self._load.refused += 1
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("the server hung up"))

    def _next(self) -> None:
        assert self._transport is not None
        request = self._load.request()
        if request is None:
            if not self._done.done():
                self._done.set_result(None)
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(request)


@dataclass(frozen=True)
class Rate:
    """What a round measured."""

    accepted: int
    seconds: float
    p50: float
    p99: float

    @property
    def per_second(self) -> float:
        return self.accepted / self.seconds


async def press(
    port: int,
    path: str,
    *,
    seconds: float,
    most: int = 10**9,
    body: Iterator[bytes] | None = None,
    connections: int = CONNECTIONS,
) -> Rate:
    """Keep so many requests under way for so long; every answer must be a 200 or 202."""
    loop = asyncio.get_running_loop()
    load = Load(port, path, loop.time() + seconds, body or bodies(), most)
    began = time.perf_counter()
    ends = [loop.create_future() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(partial(_Connection, load, end), "127.0.0.1", port)
    await asyncio.gather(*ends)
    took = time.perf_counter() - began
    assert load.refused == 0, f"{load.refused} were not accepted"
    return Rate(load.accepted, took, median(load.seconds), quantiles(load.seconds, n=100)[98])
