"""Heartbeats, the question of CloudEvents, and vendors' signatures, over real HTTP."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from bot.metrics import Metrics
from bot.sources import google_token, registry, sns_signature
from bot.sources.fetch import FetchError
from bot.sources.google_token import GoogleKeys, PushTokens, read_keys
from bot.sources.kind import Source
from bot.sources.sns_signature import Certificates, SnsSignatures
from bot.web.app import WebParts, build_web
from bot.web.authentication import Gate, sign
from bot.web.hooks import Hooks, HookSource
from bot.web.probes import Probes
from rules.alert import Alert, AlertStatus
from tests.bot.web.conftest import BEARER, SECRET, Client
from tests.fakes.clock import FakeClock
from tests.fakes.deliveries import delivery, payload
from tests.fakes.inbox import FakeInbox

TOPIC = "arn:aws:sns:eu-west-1:123456789012:data-alarms"
AUDIENCE, EMAIL = "https://watchbill.example/hooks/logs", "push@shop-prod.iam.gserviceaccount.com"
KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
JWK = {**json.loads(RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "k1"}
LOGS = payload("gcp_logging/bigquery_quota.json")
ALARM = payload("sns/alarm.json")
CONFIRMATION = payload("sns/subscription_confirmation.json")


@dataclass
class Doors:
    """A server with one source a kind; `away` makes Amazon unreachable."""

    clock: FakeClock = field(default_factory=FakeClock)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    metrics: Metrics = field(default_factory=Metrics)
    fetched: list[str] = field(default_factory=list)
    away: bool = False

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if self.away:
            raise FetchError("it answered 503")
        return payload("sns/signing_certificate.pem")

    def hooks(self) -> Hooks:
        logs = {"audience": AUDIENCE, "email": EMAIL, "keys": read_keys({"keys": [JWK]})}
        amazon = SnsSignatures(Certificates(fetch=self.fetch), confirm=self.fetch)
        tokens = PushTokens(GoogleKeys(fetch=self.fetch))
        shared = Gate(secrets=(SECRET,), allow_query_key=True)
        gates = {
            "cloudevents": shared,
            "gcp_monitoring": shared,
            "openlineage": shared,
            "generic": shared,
            "gcp_logging": Gate(secrets=(), scheme=google_token.scheme(tokens), options=logs),
            "sns": Gate(
                secrets=(), scheme=sns_signature.scheme(amazon), options={"topics": (TOPIC,)}
            ),
        }
        sources = {
            kind: HookSource(source=Source(name=kind, kind=kind), gate=gate, rate_limit=60)
            for kind, gate in gates.items()
        }
        return Hooks(sources, inbox=self.inbox, clock=self.clock, metrics=self.metrics)

    def alerts(self) -> tuple[Alert, ...]:
        """Return what the last delivery is read as."""
        new = self.inbox.deliveries[-1]
        came = delivery(new.body, source=new.source, headers=new.headers)
        return registry.read(Source(name=new.source, kind=new.source), came).alerts

    def counted(self, source: str, result: str) -> float:
        labels = {"source": source, "result": result}
        found = self.metrics.registry.get_sample_value("watchbill_deliveries_total", labels)
        return found or 0


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture
async def client(doors: Doors) -> AsyncIterator[Client]:
    app = build_web(WebParts(hooks=doors.hooks(), probes=Probes({}, doors.metrics)))
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(lingering_time=0.01)
    async with TestClient(server) as made:
        yield made


# --- heartbeats ----------------------------------------------------------------------------

BEAT = "/hooks/generic/heartbeat/nightly-load"


async def test_a_heartbeat_is_stored_as_a_delivery_of_its_source(
    client: Client, doors: Doors
) -> None:
    answer = await client.post(BEAT, headers=BEARER)
    assert (answer.status, await answer.json()) == (202, {"delivery": "d1"})
    (alert,) = doors.alerts()
    assert (alert.status, alert.dedup_key) == (AlertStatus.RESOLVED, "heartbeat:nightly-load")
    assert (await client.post(f"{BEAT}?status=fail", headers=BEARER)).status == 202
    assert doors.alerts()[0].status is AlertStatus.FIRING
    body = {"status": "fail", "message": "disk full"}
    assert (await client.post(BEAT, json=body, headers=BEARER)).status == 202
    assert doors.alerts()[0].title == "nightly-load failed: disk full"


async def test_a_heartbeat_passes_as_any_delivery_does(client: Client, doors: Doors) -> None:
    signed = {"X-Watchbill-Signature": sign(SECRET, b"")}
    assert (await client.post(BEAT, headers=signed)).status == 202
    assert (await client.post(f"{BEAT}?key={SECRET}&status=fail")).status == 202
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert (await client.post(BEAT, headers=headers)).status == 401
    unknown = await client.post("/hooks/nobody/heartbeat/x", headers=BEARER)
    assert unknown.status == 404
    assert len(doors.inbox.deliveries) == 2


async def test_a_repeated_heartbeat_is_one_delivery(client: Client, doors: Doors) -> None:
    await client.post(BEAT, headers=BEARER)
    assert (await (await client.post(BEAT, headers=BEARER)).json())["repeated"] is True
    doors.clock.advance(minutes=1)
    assert "repeated" not in await (await client.post(BEAT, headers=BEARER)).json()


@pytest.mark.parametrize(
    "path", ["heartbeat/a%20b", "heartbeat/%3Cx%3E", "heartbeat/-x", f"heartbeat/{'x' * 129}"]
)
async def test_a_strange_name_is_refused(client: Client, doors: Doors, path: str) -> None:
    answer = await client.post(f"/hooks/generic/{path}", headers=BEARER)
    assert answer.status == 400
    assert "heartbeat's name" in (await answer.json())["error"]
    assert doors.inbox.deliveries == []


async def test_a_strange_status_is_refused(client: Client, doors: Doors) -> None:
    answer = await client.post(f"{BEAT}?status=perhaps", headers=BEARER)
    assert answer.status == 400
    assert doors.inbox.deliveries == []


async def test_nobody_can_pass_a_delivery_off_as_a_heartbeat(client: Client, doors: Doors) -> None:
    forged = {**BEARER, "X-Watchbill-Heartbeat": "nightly-load"}
    await client.post("/hooks/generic", data=b'{"title": "x"}', headers=forged)
    assert doors.alerts()[0].dedup_key != "heartbeat:nightly-load"


# --- CloudEvents ---------------------------------------------------------------------------


async def test_who_asks_before_sending_is_answered(client: Client, doors: Doors) -> None:
    asked = {"WebHook-Request-Origin": "events.example", "WebHook-Request-Rate": "120"}
    answer = await client.options("/hooks/cloudevents", headers=asked)
    assert answer.status == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "events.example"
    assert answer.headers["WebHook-Allowed-Rate"] == "60"
    assert "POST" in answer.headers["Allow"]
    slow = {**asked, "WebHook-Request-Rate": "5"}
    assert (await client.options("/hooks/cloudevents", headers=slow)).headers[
        "WebHook-Allowed-Rate"
    ] == "5"
    assert doors.inbox.deliveries == []
    assert doors.counted("cloudevents", "handshake") == 2


@pytest.mark.parametrize("rate", ["", "many", "-1", "9" * 30, "0", "²"])
async def test_a_strange_rate_is_answered_with_ours(client: Client, rate: str) -> None:
    asked = {"WebHook-Request-Origin": "events.example", "WebHook-Request-Rate": rate}
    answer = await client.options("/hooks/cloudevents", headers=asked)
    assert 1 <= int(answer.headers["WebHook-Allowed-Rate"]) <= 60


async def test_the_question_needs_an_origin_and_a_source_that_is_asked(client: Client) -> None:
    asked = {"WebHook-Request-Origin": "events.example"}
    assert (await client.options("/hooks/cloudevents")).status == 400
    assert (await client.options("/hooks/nobody", headers=asked)).status == 404
    other = await client.options("/hooks/generic", headers=asked)
    assert (other.status, other.headers["Allow"]) == (405, "POST")
    statuses = {
        (await client.options("/hooks/cloudevents", headers=asked)).status for _ in range(121)
    }
    assert statuses == {200, 429}


async def test_strangers_who_ask_hold_up_nobodys_alerts(client: Client, doors: Doors) -> None:
    asked = {"WebHook-Request-Origin": "events.example"}
    for _ in range(300):
        await client.options("/hooks/cloudevents", headers=asked)
    event = {"specversion": "1.0", "id": "1", "source": "/x", "type": "a.load.failed"}
    headers = {**BEARER, "Content-Type": "application/cloudevents+json"}
    answer = await client.post("/hooks/cloudevents", json=event, headers=headers)
    assert answer.status == 202


async def test_an_event_in_headers_reaches_its_parser(client: Client, doors: Doors) -> None:
    event = {
        **BEARER,
        "ce-id": "a-1",
        "ce-source": "/pipelines",
        "ce-type": "example.load.failed",
        "ce-specversion": "1.0",
    }
    for _ in range(2):
        answer = await client.post("/hooks/cloudevents", data=b"{}", headers=event)
        assert answer.status == 202
    assert len(doors.inbox.deliveries) == 1
    assert doors.alerts()[0].status is AlertStatus.FIRING
    unsigned = {name: one for name, one in event.items() if name != "Authorization"}
    assert (await client.post("/hooks/cloudevents", data=b"{}", headers=unsigned)).status == 401


# --- vendors -------------------------------------------------------------------------------


async def test_monitorings_basic_password_and_key_in_the_address(
    client: Client, doors: Doors
) -> None:
    body = payload("gcp_monitoring/open.json")
    basic = {"Authorization": "Basic d2F0Y2hiaWxsOmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ=="}
    assert (await client.post("/hooks/gcp_monitoring", data=body, headers=basic)).status == 202
    again = await client.post(f"/hooks/gcp_monitoring?key={SECRET}", data=body)
    assert (await again.json())["repeated"] is True
    assert (await client.post("/hooks/gcp_monitoring?key=wrong", data=body)).status == 401
    assert (await client.post("/hooks/gcp_monitoring", data=body)).status == 401
    assert len(doors.inbox.deliveries) == 1


def token(doors: Doors, **changes: Any) -> Mapping[str, str]:
    now = int(doors.clock.now().timestamp())
    claims = {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "email": EMAIL,
        "email_verified": True,
        "iat": now,
        "exp": now + 3_600,
        **changes,
    }
    made = jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "k1"})
    return {"Authorization": f"Bearer {made}"}


async def test_a_pushed_log_entry_passes_with_googles_token_alone(
    client: Client, doors: Doors
) -> None:
    good = token(doors)
    assert (await client.post("/hooks/gcp_logging", data=LOGS, headers=good)).status == 202
    again = await client.post("/hooks/gcp_logging", data=LOGS, headers=good)
    assert (await again.json())["repeated"] is True
    for headers in ({}, BEARER, token(doors, aud="https://other.example")):
        answer = await client.post("/hooks/gcp_logging", data=LOGS, headers=headers)
        assert answer.status == 401
    assert doors.counted("gcp_logging", "unauthorized") == 3
    doors.clock.advance(hours=2)
    assert (await client.post("/hooks/gcp_logging", data=LOGS, headers=good)).status == 401
    assert doors.counted("gcp_logging", "stale") == 1
    assert len(doors.inbox.deliveries) == 1


def from_sns(body: bytes) -> Mapping[str, str]:
    kind = json.loads(body)["Type"]
    return {"x-amz-sns-message-type": kind, "Content-Type": "text/plain; charset=UTF-8"}


async def test_an_alarm_passes_with_snss_signature_alone(client: Client, doors: Doors) -> None:
    sent = from_sns(ALARM)
    assert (await client.post("/hooks/sns", data=ALARM, headers=sent)).status == 202
    again = await client.post("/hooks/sns", data=ALARM, headers=sent)
    assert (await again.json())["repeated"] is True
    assert doors.alerts()[0].title == "orders-age-too-old is in alarm"
    forged = ALARM.replace(b"orders-age-too-old", b"orders-age-too-new")
    for headers, body in ((from_sns(ALARM), forged), ({}, ALARM), (BEARER, ALARM)):
        assert (await client.post("/hooks/sns", data=body, headers=headers)).status == 401
    doors.clock.advance(hours=1)
    assert (await client.post("/hooks/sns", data=ALARM, headers=sent)).status == 401
    assert doors.counted("sns", "stale") == 1
    assert len(doors.inbox.deliveries) == 1


async def test_without_the_certificate_the_sender_must_come_again(
    client: Client, doors: Doors
) -> None:
    doors.away = True
    answer = await client.post("/hooks/sns", data=ALARM, headers=from_sns(ALARM))
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "could not be fetched (it answered 503)" in (await answer.json())["error"]
    assert doors.counted("sns", "undecided") == 1
    doors.away = False
    again = await client.post("/hooks/sns", data=ALARM, headers=from_sns(ALARM))
    assert (again.status, len(doors.inbox.deliveries)) == (202, 1)


async def test_a_subscription_is_confirmed_and_a_failure_becomes_an_alert(
    client: Client, doors: Doors
) -> None:
    await client.post("/hooks/sns", data=ALARM, headers=from_sns(ALARM))
    doors.away = True
    note = {"x-watchbill-sns-confirmed": "yes"}
    answer = await client.post(
        "/hooks/sns", data=CONFIRMATION, headers={**from_sns(CONFIRMATION), **note}
    )
    assert answer.status == 202
    assert doors.fetched[-1] == json.loads(CONFIRMATION)["SubscribeURL"]
    (alert,) = doors.alerts()
    assert alert.status is AlertStatus.FIRING
    assert "it answered 503" in alert.description
