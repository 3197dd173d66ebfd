"""Calls the webhooks that escalation steps name: the incident as signed JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp

from bot.courier import signature
from bot.http_client import ask
from bot.ports.delivering import Delivered, GiveUpError, LeaseLostError, not_here
from bot.ports.jobs import Job, JsonObject
from bot.ports.store import Reader
from rules.incident import Incident

TIMEOUT = aiohttp.ClientTimeout(total=4)
_UNTOLD_WAIT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where to POST; with a secret, `X-Watchbill-Signature: sha256=<hex HMAC>` goes along."""

    url: str
    secret: str = field(default="", repr=False)


class WebhookDeliverer:
    """Delivers jobs of kind `webhook`; the job's key is the Idempotency-Key."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        targets: Mapping[str, WebhookTarget],
        reader: Reader,
    ) -> None:
        self._session = session
        self._targets = targets
        self._reader = reader

    async def deliver(self, job: Job) -> Delivered:
        """POST the incident as it now is.

        Raises RetryLaterError on 429, 5xx, time-outs, broken connections and, at first, for a
        webhook that is not configured; GiveUpError on any other answer, or without the incident.
        """
        name = str(job.payload.get("webhook", ""))
        target = self._targets.get(name)
        incident = await self._reader.incident(job.incident_id)
        if incident is None:
            raise GiveUpError("there is no such incident any more")
        if target is None:
            raise not_here(job, f"webhook {name} is not configured: add it to webhooks")
        body = json.dumps(incident_payload(incident), ensure_ascii=False).encode()
        if not await job.still_ours():
            raise LeaseLostError
        await self._post(name, target.url, body, signed(target, body, job.key))
        return Delivered()

    async def _post(self, name: str, url: str, body: bytes, headers: dict[str, str]) -> None:
        answer = await ask(
            self._session,
            "POST",
            url,
            name=f"webhook {name}",
            within=TIMEOUT,
            untold_wait=_UNTOLD_WAIT,
            data=body,
            headers=headers,
        )
        if not answer.is_fine:
            raise GiveUpError(f"webhook {name} answered {answer.status}: check its url and secret")


def signed(target: WebhookTarget, body: bytes, key: str) -> dict[str, str]:
    """Return the headers of a POST: its kind, its key, and the signature of its body."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    if target.secret:
        headers["X-Watchbill-Signature"] = signature(target.secret, body)
    return headers


def incident_payload(incident: Incident) -> JsonObject:
    """Return an incident as outside programs see it; times are ISO 8601 in UTC."""
    return {
        "number": incident.number,
        "id": incident.id,
        "title": incident.title,
        "state": str(incident.state),
        "priority": str(incident.priority),
        "severity": str(incident.severity),
        "source": incident.source,
        "route": incident.route,
        "channel": incident.channel,
        "policy": incident.policy.name,
        "labels": dict(incident.labels),
        "url": incident.url,
        "description": incident.description,
        "opened_at": incident.opened_at.isoformat(),
        "acknowledged_by": incident.acked_by,
        "resolved_at": incident.resolved_at.isoformat() if incident.resolved_at else None,
        **_stakes(incident),
        "alerts": incident.alert_count,
        "firing": incident.firing_count,
        "consequences": incident.consequences,
        "skipped": incident.skipped,
        "split_from": incident.split_from,
        "category": incident.category.value if incident.category else None,
        "category_alt": incident.category_alt.value if incident.category_alt else None,
        "confidence": incident.confidence,
        "storm": incident.storm,
        "flapping": incident.flapping,
        "silenced_until": incident.muted.until.isoformat() if incident.muted else None,
    }


def _stakes(incident: Incident) -> JsonObject:
    stakes = incident.stakes
    return {
        "product": stakes.product if stakes else "",
        "owner": stakes.owner if stakes else "",
        "impact": str(stakes.impact) if stakes else None,
        "urgency": str(stakes.urgency) if stakes else None,
        "deadline": stakes.deadline.isoformat() if stakes and stakes.deadline else None,
        "held_until": incident.held_until.isoformat() if incident.held_until else None,
    }
