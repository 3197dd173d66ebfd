"""What is sent twice is one delivery; what only looks alike is two."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from bot.sources import registry
from bot.sources.kind import Source
from tests.fakes.deliveries import PAYLOADS, RECEIVED, arrival, payload

HEADERS: Mapping[str, str] = {
    "sentry": "request-id",
    "github": "x-github-delivery",
    "jira_service_management": "x-atlassian-webhook-identifier",
}
IN_THE_BODY = ("dbt_cloud", "pagerduty", "opsgenie")


def key_of(kind: str, body: bytes, hours: int = 0, header: str = "", value: str = "") -> str:
    source = Source(name=kind, kind=kind)
    named = {header: value} if header else {}
    at = RECEIVED + timedelta(hours=hours)
    return registry.delivery_key(arrival(source, body, at=at, headers=named))


@pytest.mark.parametrize(("kind", "header"), HEADERS.items())
def test_the_vendors_own_name_of_a_delivery_is_its_key(kind: str, header: str) -> None:
    (first, *_) = sorted((PAYLOADS / kind).glob("*.json"))
    body = first.read_bytes()
    assert header in registry.KINDS[kind].headers
    once = key_of(kind, body, header=header, value="a-1")
    assert key_of(kind, body, hours=20, header=header, value="a-1") == once
    assert key_of(kind, body, header=header, value="a-2") != once


@pytest.mark.parametrize("kind", IN_THE_BODY)
def test_a_name_in_the_body_lasts_for_ever_and_tells_events_apart(kind: str) -> None:
    files = sorted((PAYLOADS / kind).glob("*.json"))
    keys = [key_of(kind, file.read_bytes()) for file in files]
    assert len(set(keys)) == len(files)
    assert [key_of(kind, file.read_bytes(), hours=20) for file in files] == keys


@pytest.mark.parametrize("kind", [*IN_THE_BODY, *HEADERS, "grafana"])
@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"{oops", b"\xff\x00", b'{"event": 1}'])
def test_without_a_name_a_quick_retry_is_one_delivery(kind: str, body: bytes) -> None:
    assert key_of(kind, body) == key_of(kind, body)
    assert key_of(kind, body) != key_of(kind, body, hours=1)
    assert key_of(kind, body) != key_of(kind, body + b" ")


def test_grafanas_repeat_after_its_interval_counts() -> None:
    body = payload("grafana/firing.json")
    assert key_of("grafana", body) == key_of("grafana", body)
    assert key_of("grafana", body) != key_of("grafana", body, hours=4)
