"""A real server on the loopback, with fakes behind its doors."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.metrics import Metrics
from bot.ports.inbox import Delivery
from bot.sources.kind import Source
from bot.sources.registry import KINDS
from bot.sources.scheme import ACCEPTED, Attempt, Scheme, Verdict, by_hmac, has, stale
from bot.web.app import WebParts, build_web
from bot.web.authentication import Gate
from bot.web.hooks import Hooks, HookSource, RosterHook
from bot.web.probes import Check, Probes
from bot.web.raw_bodies import RawBodies, RawLinks
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox
from tests.fakes.vendors import SIGNERS

SECRET = "correct-horse-battery"
PREVIOUS = "old-staple"
BEARER = {"Authorization": f"Bearer {SECRET}"}


def hook(name: str, kind: str = "generic", gate: Gate | None = None, **limits: int) -> HookSource:
    return HookSource(
        source=Source(name=name, kind=kind),
        gate=gate or Gate(secrets=(SECRET, PREVIOUS)),
        **limits,
    )


async def _fetches_a_key(attempt: Attempt) -> Verdict:
    await asyncio.sleep(0)  # noqa: TID251 - stands in for a request
    return ACCEPTED if attempt.headers["x-vendor-key"] == "good" else stale("X-Vendor-Key")


SIGNED = Scheme(claims=has("x-vendor-signature"), authenticate=by_hmac("X-Vendor-Signature"))
MANDATORY = replace(SIGNED, mandatory=True)
KEYLESS = Scheme(claims=has("x-vendor-key"), authenticate=_fetches_a_key, keyless=True)


SOURCES: Mapping[str, HookSource] = {
    one.source.name: one
    for one in [
        hook("tool"),
        hook("prom", "alertmanager"),
        hook("small", body_limit=1_000),
        hook("slow", rate_limit=3),
        hook("slow-prom", "alertmanager", rate_limit=3),
        hook("slow-lineage", "openlineage", rate_limit=3),
        hook("query", gate=Gate(secrets=(SECRET,), allow_query_key=True)),
        hook("shut", gate=Gate(secrets=())),
        hook("signed", gate=Gate(secrets=(SECRET, PREVIOUS), scheme=SIGNED)),
        hook("mandatory", gate=Gate(secrets=(SECRET,), scheme=MANDATORY)),
        hook("secretless", gate=Gate(secrets=(), scheme=SIGNED)),
        hook("keyless", gate=Gate(secrets=(), scheme=KEYLESS)),
        *(
            hook(kind, kind, Gate(secrets=(SECRET, PREVIOUS), scheme=KINDS[kind].scheme))
            for kind in SIGNERS
        ),
        hook("local", gate=Gate(secrets=(), open_on_loopback=True)),
    ]
}


@dataclass
class House:
    """The server under test and what stands behind it."""

    clock: FakeClock = field(default_factory=FakeClock)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    metrics: Metrics = field(default_factory=Metrics)
    checks: dict[str, Check] = field(default_factory=dict)
    stored: dict[str, Delivery] = field(default_factory=dict)
    roster_changes: int = 0
    total_limit: int = 6_000

    def __post_init__(self) -> None:
        self.links = RawLinks("link-secret", "https://watchbill.example/", self.clock)

    def app(self) -> web.Application:
        hooks = Hooks(
            SOURCES,
            inbox=self.inbox,
            clock=self.clock,
            metrics=self.metrics,
            total_limit=self.total_limit,
            roster=RosterHook(gate=Gate(secrets=(SECRET,)), changed=self._roster_changed),
        )
        return build_web(
            WebParts(
                hooks=hooks,
                probes=Probes(self.checks, self.metrics),
                raw_bodies=RawBodies(self.links, self._load),
                slack_events=_slack_events,
            )
        )

    def counted(self, source: str, result: str) -> float:
        found = self.metrics.registry.get_sample_value(
            "watchbill_deliveries_total", {"source": source, "result": result}
        )
        return found or 0

    async def _roster_changed(self) -> None:
        self.roster_changes += 1

    async def _load(self, delivery_id: str) -> Delivery | None:
        return self.stored.get(delivery_id)


async def _slack_events(_request: web.Request, _body: bytes) -> web.StreamResponse:
    return web.Response(text="slack")


Client = TestClient[web.Request, web.Application]


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def client(house: House) -> AsyncIterator[Client]:
    server = TestServer(house.app(), host="127.0.0.1")
    await server.start_server(lingering_time=0.01)
    async with TestClient(server) as made:
        yield made
