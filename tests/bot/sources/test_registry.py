"""Reading never raises: what cannot be read is an alert that says so."""

import pytest

from bot.config.settings import KEYLESS_KINDS
from bot.config.settings import KINDS as CONFIGURABLE
from bot.ports.inbox import Delivery
from bot.sources import registry
from bot.sources.kind import Arrival, Parsed, Source, SourceKind, UnreadableError, digest
from rules.alert import AlertStatus, Severity
from tests.fakes.deliveries import RECEIVED, arrival, delivery

TOOL = Source(name="tool", kind="generic")


@pytest.fixture
def broken_kind(monkeypatch: pytest.MonkeyPatch) -> Source:
    """A kind whose every function is faulty."""

    def parse(source: Source, delivery: Delivery) -> Parsed:
        raise KeyError("dag_id")

    def fails(arrival: Arrival) -> str:
        raise RecursionError

    def shakes(arrival: Arrival) -> None:
        raise ZeroDivisionError

    kind = SourceKind(name="broken", parse=parse, delivery_key=fails, handshake=shakes)
    monkeypatch.setattr(registry, "KINDS", {"broken": kind})
    return Source(name="tool", kind="broken")


def test_every_kind_that_can_be_configured_can_be_read() -> None:
    assert set(registry.KINDS) == set(CONFIGURABLE)
    assert all(name == kind.name for name, kind in registry.KINDS.items())
    keyless = {kind.name for kind in registry.KINDS.values() if kind.scheme and kind.scheme.keyless}
    assert keyless == KEYLESS_KINDS


def test_an_unreadable_delivery_is_an_alert_with_a_link() -> None:
    (alert,) = registry.read(
        TOOL, delivery(b"{oops"), raw_link=lambda id_: f"https://w/{id_}"
    ).alerts
    assert alert.unreadable
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.UNKNOWN
    assert alert.title == "Unreadable delivery from tool"
    assert alert.description.startswith("The body is not JSON.")
    assert alert.url == "https://w/d1"
    assert alert.labels == {"delivery": "d1"}
    assert alert.occurred_at == RECEIVED


def test_deliveries_that_fail_alike_are_one_thing() -> None:
    (one,) = registry.read(TOOL, delivery(b"{oops")).alerts
    (other,) = registry.read(TOOL, delivery(b"{oops again")).alerts
    (third,) = registry.read(TOOL, delivery(b"")).alerts
    assert one.dedup_key == other.dedup_key
    assert one.dedup_key != third.dedup_key


def test_a_faulty_parser_loses_nothing(broken_kind: Source) -> None:
    (alert,) = registry.read(broken_kind, delivery({"a": 1})).alerts
    assert alert.unreadable
    assert alert.description.startswith("The broken parser failed on it (KeyError).")
    came = arrival(broken_kind, {"a": 1})
    assert registry.delivery_key(came) == registry.delivery_key(came)
    assert registry.handshake(came) is None


def test_an_unknown_kind_loses_nothing() -> None:
    (alert,) = registry.read(Source(name="tool", kind="gone"), delivery({"a": 1})).alerts
    assert alert.unreadable


def test_one_delivery_cannot_hold_a_million_alerts() -> None:
    alerts = registry.read(TOOL, delivery([{"title": f"t{n}"} for n in range(1_500)])).alerts
    assert len(alerts) == 1_001
    assert alerts[-1].unreadable
    assert alerts[-1].description.endswith("It held 500 more.")


def test_a_parser_that_does_not_count_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    many = registry.read(TOOL, delivery({"title": "x"})).alerts * 3_000
    kind = SourceKind(name="many", parse=lambda source, delivery: Parsed(alerts=many))
    monkeypatch.setattr(registry, "KINDS", {"many": kind})
    alerts = registry.read(Source(name="tool", kind="many"), delivery(b"")).alerts
    assert len(alerts) == 1_001
    assert alerts[-1].description.endswith("It held 2,000 more.")


def test_an_unreadable_error_keeps_its_parts() -> None:
    error = UnreadableError("It is not JSON.", "line 1")
    assert (error.why, error.detail, str(error)) == (
        "It is not JSON.",
        "line 1",
        "It is not JSON. line 1",
    )


def test_digests_mind_the_borders() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("a") == digest(b"a")
