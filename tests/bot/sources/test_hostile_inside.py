"""Messages inside messages, and events in headers, may hold anything too."""

import base64
import json
from collections.abc import Iterator

import pytest

from bot.sources import registry
from bot.sources.cloudevents import HEADERS
from bot.sources.kind import Source
from tests.bot.sources.test_hostile import BODIES, TEXTS, VALUES, alerts_of, check, places, replaced
from tests.bot.sources.test_hostile import samples as samples_of
from tests.fakes.deliveries import RECEIVED, arrival, delivery

EVENT = {
    "ce-id": "1",
    "ce-source": "/pipelines",
    "ce-type": "a.load.failed",
    "ce-specversion": "1.0",
}


def _pushed(inner: bytes) -> bytes:
    return json.dumps({"message": {"data": base64.b64encode(inner).decode()}}).encode()


def _unpushed(body: bytes) -> bytes:
    return base64.b64decode(json.loads(body)["message"]["data"])


def _posted(inner: bytes) -> bytes:
    envelope = {"Type": "Notification", "TopicArn": "arn:t", "Timestamp": RECEIVED.isoformat()}
    return json.dumps({**envelope, "Message": inner.decode("utf-8", "replace")}).encode()


def _unposted(body: bytes) -> bytes:
    return str(json.loads(body)["Message"]).encode()


WRAPS = {"gcp_logging": (_pushed, _unpushed), "sns": (_posted, _unposted)}


def samples(kind: str) -> Iterator[bytes]:
    for body in samples_of(kind):
        inner = WRAPS[kind][1](body)
        if inner.startswith(b"{"):
            yield inner


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("kind", WRAPS)
def test_any_field_inside_may_hold_anything(kind: str, value: object) -> None:
    for inner in samples(kind):
        for at in places(json.loads(inner)):
            alerts_of(kind, WRAPS[kind][0](replaced(inner, at, value)))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("kind", WRAPS)
def test_any_message_may_come(kind: str, body: bytes) -> None:
    assert alerts_of(kind, WRAPS[kind][0](body))


@pytest.mark.parametrize("value", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("name", sorted(HEADERS))
def test_any_header_of_an_event_may_hold_anything(name: str, value: str) -> None:
    source = Source(name="tool", kind="cloudevents")
    headers = {**EVENT, name: value}
    registry.delivery_key(arrival(source, b"{}", headers=headers))
    for body in (b"{}", b"", b"\xff", b"[" * 1_000):
        for alert in registry.read(source, delivery(body, headers=headers)).alerts:
            check(alert)
