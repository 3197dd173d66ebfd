"""What vendors send, signed as they sign it: written out here, not by the code under test."""

import hashlib
import hmac
from datetime import datetime

from bot.sources import registry
from bot.sources.kind import Source
from bot.sources.scheme import Attempt, Verdict
from rules.alert import Alert
from tests.fakes.deliveries import RECEIVED, delivery, payload

SECRET, PREVIOUS = "correct-horse-battery", "old-staple-of-ours"
NOW = str(int(RECEIVED.timestamp()))


def hex_of(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def dbt_cloud(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"authorization": hex_of(secret, body)}


def sentry(body: bytes, secret: str = SECRET, at: str = NOW) -> dict[str, str]:
    return {"sentry-hook-signature": hex_of(secret, body), "sentry-hook-timestamp": at}


def grafana(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-grafana-alerting-signature": hex_of(secret, body)}


def pagerduty(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-pagerduty-signature": f"v1={hex_of(secret, body)}"}


def jira_service_management(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-hub-signature": f"sha256={hex_of(secret, body)}"}


def github(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-hub-signature-256": f"sha256={hex_of(secret, body)}"}


SIGNERS = {
    signer.__name__: signer
    for signer in (dbt_cloud, sentry, grafana, pagerduty, jira_service_management, github)
}
"""Kind to how it signs a body."""


def judged(
    kind: str,
    headers: dict[str, str],
    body: bytes,
    *,
    secrets: tuple[str, ...] = (SECRET, PREVIOUS),
    now: datetime = RECEIVED,
    options: dict[str, object] | None = None,
) -> Verdict:
    """Return what the kind's own scheme says of a request that claims it."""
    scheme = registry.KINDS[kind].scheme
    assert scheme is not None
    assert scheme.claims(headers)
    verdict = scheme.authenticate(
        Attempt(headers=headers, body=body, secrets=secrets, now=now, options=options or {})
    )
    assert isinstance(verdict, Verdict)
    return verdict


def alerts_of(
    kind: str, body: bytes | str | object, *, options: dict[str, object] | None = None
) -> tuple[Alert, ...]:
    """Read a body, or a file of tests/payloads/<kind> by its name."""
    raw = payload(f"{kind}/{body}.json") if isinstance(body, str) else body
    source = Source(name=kind, kind=kind, options=options or {})
    return registry.KINDS[kind].parse(source, delivery(raw, source=kind)).alerts


def alert_of(
    kind: str, body: bytes | str | object, *, options: dict[str, object] | None = None
) -> Alert:
    (alert,) = alerts_of(kind, body, options=options)
    return alert
