"""Targets: what every kind of source reads, and how it decides who sent it."""

import asyncio
import json
import re
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.ports.inbox import Delivery, Parsed
from bot.sources import heartbeat, registry, text
from bot.sources.fetch import FetchError
from bot.sources.google_token import GoogleKeys, PushTokens
from bot.sources.google_token import scheme as google_scheme
from bot.sources.kind import Arrival, Source, UnreadableError
from bot.sources.scheme import Attempt, Scheme, Verdict
from bot.sources.sns_signature import Certificates, SnsSignatures
from bot.sources.unreadable import MOST_ALERTS, unreadable
from bot.web.roster_gate import roster_gate
from rules.run import Run
from rules.seen_lineage import LONGEST_ID, SeenLineage
from tests.bot.sources.test_hostile import check
from tests.fakes.deliveries import PAYLOADS, RECEIVED
from tests.fakes.vendors import SECRET, SIGNERS
from tests.fuzz.target import Target, files, text_in

MOST_RUNS = 2_000
LONGEST_NAME = 1_024
_TYPES = ("application/json", "text/plain; charset=utf-8", "application/x-www-form-urlencoded", "")


def targets() -> list[Target]:
    found = [
        Target(
            name=f"source-{kind}",
            run=partial(_read, kind),
            seeds=partial(files, PAYLOADS / kind, "**/*.json"),
        )
        for kind in sorted(registry.KINDS)
    ]
    found.append(Target(name="headers", run=_headers, seeds=_header_seeds))
    schemes = {name: kind.scheme for name, kind in registry.KINDS.items() if kind.scheme}
    schemes["roster"] = _offline_roster()
    schemes["sns"] = replace(schemes["sns"], authenticate=_SNS.authenticate)
    schemes["gcp_logging"] = google_scheme(_TOKENS)
    found += [
        Target(
            name=f"signature-{name}",
            run=partial(_judge, scheme, name),
            seeds=partial(_signature_seeds, name),
        )
        for name, scheme in sorted(schemes.items())
    ]
    return found


def _read(kind: str, body: bytes) -> None:
    content_type = _TYPES[len(body) % 7 % len(_TYPES)]
    _understand(kind, body, content_type, {})


def _understand(kind: str, body: bytes, content_type: str, headers: dict[str, str]) -> None:
    source = Source(name="tool", kind=kind)
    known = registry.KINDS[kind]
    arrival = Arrival(
        source=source, body=body, content_type=content_type, headers=headers, at=RECEIVED
    )
    key = known.delivery_key(arrival)
    assert key, "a delivery without a key"
    assert len(text.key(f"tool:{key}")) <= text.KEY_LENGTH
    if said := known.handshake(arrival):
        assert len(said.body) <= LONGEST_NAME, "an answer as long as the sender likes"
    delivery = _delivery(body, content_type, headers)
    try:
        parsed = known.parse(source, delivery)
    except UnreadableError as error:
        parsed = Parsed(alerts=(unreadable(delivery, error.why, error.detail),))
    _check(parsed)
    read = registry.read(source, delivery)
    assert len(read.alerts) <= MOST_ALERTS + 1
    _check(read)


def _delivery(body: bytes, content_type: str, headers: dict[str, str]) -> Delivery:
    return Delivery(
        id="d1",
        source="tool",
        key="k1",
        body=body,
        content_type=content_type,
        headers=headers,
        received_at=RECEIVED,
    )


def _check(parsed: Parsed) -> None:
    for alert in parsed.alerts[:20]:
        check(alert)
    assert len(parsed.runs) <= MOST_RUNS
    for run in parsed.runs[:20]:
        _check_run(run)
    for seen in parsed.lineage[:20]:
        _check_lineage(seen)


def _check_run(run: Run) -> None:
    for name in (run.pipeline, run.run_id, run.kind, *run.assets):
        _storable(name)
    assert run.pipeline
    assert run.run_id
    assert 0 <= run.attempt < 2**31, "an attempt that no column holds"
    for at in (run.started_at, run.ended_at, run.nominal_at):
        _instant(at)
    assert len(run.labels) <= text.LABELS
    for name, value in run.labels.items():
        _storable(name)
        _storable(value)


def _check_lineage(seen: SeenLineage) -> None:
    for asset in seen.assets:
        assert len(asset.id) <= LONGEST_ID
        _storable(asset.id)


def _storable(name: str) -> None:
    assert len(name) <= LONGEST_NAME, f"{len(name)} characters"
    assert "\x00" not in name
    name.encode()


def _instant(at: datetime | None) -> None:
    assert at is None or at.utcoffset() is not None
    # PostgreSQL and the sums of SLAs need room on both sides.
    assert at is None or 1900 <= at.year <= 9000, at


# --- headers ---------------------------------------------------------------------------------


def _headers(data: bytes) -> None:
    """Read an event whose facts stand in headers, and a heartbeat that is named in them."""
    said = _said(data)
    headers = {name.lower(): text.line(value, 1_024) for name, value in said.items()}
    # The door lets only such names in.
    named = re.sub(r"[^A-Za-z0-9._-]", "", headers.pop(heartbeat.NAME_HEADER, ""))[:128]
    headers |= {heartbeat.NAME_HEADER: named} if named else {}
    body = said.get("body", "").encode("utf-8", "surrogatepass")
    for kind, known in registry.KINDS.items():
        kept = {name: headers[name] for name in known.headers if name in headers}
        _understand(kind, body, headers.get("content-type", ""), kept)
    if heartbeat.NAME_HEADER in headers:
        source = Source(name="tool", kind="generic")
        _check(registry.read(source, _delivery(body, "", headers)))


def _said(data: bytes) -> dict[str, str]:
    try:
        found = json.loads(text_in(data))
    except (ValueError, RecursionError):
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: value for name, value in pairs if isinstance(value, str)}


def _header_seeds() -> Sequence[bytes]:
    names = sorted({name for kind in registry.KINDS.values() for name in kind.headers})
    event = {"ce-id": "1", "ce-source": "/x", "ce-type": "a.failed", "ce-specversion": "1.0"}
    beat = {heartbeat.NAME_HEADER: "nightly", heartbeat.STATUS_HEADER: "fail"}
    every = dict.fromkeys(names, "1")
    bodies: tuple[dict[str, str], ...] = (
        {},
        {"body": "{}"},
        {"body": '{"status": "failed"}', "content-type": "text/plain"},
    )
    return [json.dumps({**one, **body}).encode() for one in (event, beat, every) for body in bodies]


# --- signatures ------------------------------------------------------------------------------


async def _no_network(_address: str) -> bytes:
    raise FetchError("there is no network here")


_SNS = SnsSignatures(Certificates(fetch=_no_network), confirm=_no_network)
_TOKENS = PushTokens(GoogleKeys(fetch=_no_network))
_OPTIONS = {
    "topics": ("arn:aws:sns:eu-west-1:123456789012:alarms",),
    "audience": "https://watchbill.example/hooks/gcp",
    "email": "push@example.iam.gserviceaccount.com",
}


def _offline_roster() -> Scheme:
    found = roster_gate(SECRET).scheme
    assert found is not None
    return found


def _judge(scheme: Scheme, name: str, data: bytes) -> None:
    """Nobody passes without the secret, whatever the headers say."""
    said = _said(data)
    body = said.pop("body", "").encode("utf-8", "surrogatepass")
    headers = {one.lower(): value for one, value in said.items()}
    attempt = Attempt(headers=headers, body=body, secrets=(SECRET,), now=RECEIVED, options=_OPTIONS)
    if not scheme.claims(headers):
        return
    verdict = scheme.authenticate(attempt)
    if isinstance(verdict, Awaitable):
        verdict = asyncio.run(_awaited(verdict))
    assert len(verdict.why) < LONGEST_NAME
    assert SECRET not in verdict.why
    if verdict.accepted:
        assert name in SIGNERS, "let in without a signature"
        signed = SIGNERS[name](body)
        assert any(value.split("=")[-1] in headers.get(one, "").lower()
                   for one, value in signed.items()), "let in with another signature"  # fmt: skip


async def _awaited(verdict: Awaitable[Verdict]) -> Verdict:
    return await verdict


def _signature_seeds(name: str) -> Sequence[bytes]:
    if name in SIGNERS:
        return [json.dumps({**SIGNERS[name](b"{}"), "body": "{}"}).encode()]
    if name == "sns":
        whole = {"x-amz-sns-message-type": "Notification", "x-amz-sns-topic-arn": "arn:t"}
        bodies = files(PAYLOADS / "sns", "*.json")
        return [json.dumps({**whole, "body": body.decode()}).encode() for body in bodies]
    if name == "gcp_logging":
        token = "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJ4In0.c2ln"
        return [json.dumps({"authorization": token, "body": "{}"}).encode()]
    return [json.dumps({"x-watchbill-signature": "sha256=00", "body": '{"at": 1}'}).encode()]
