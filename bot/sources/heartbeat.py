"""Heartbeats: a job says by one short request that it ran; the name in the address is the thing."""

from collections.abc import Mapping

from bot.ports.inbox import Delivery
from bot.sources.json_body import JsonValue, decode, object_of, read_json, text_of
from bot.sources.kind import Arrival, Parsed, Source, UnreadableError, digest, key_by_body
from bot.sources.text import clean, key, line
from rules.alert import Alert, AlertStatus, Severity
from rules.run import Run, RunState

NAME_HEADER = "x-watchbill-heartbeat"
STATUS_HEADER = "x-watchbill-heartbeat-status"
"""Written by the door alone: the name and `?status=` of the address."""

OK, FAIL = "ok", "fail"
_WORDS = {OK: OK, "success": OK, FAIL: FAIL, "failed": FAIL, "failure": FAIL, "error": FAIL}


def status_word(word: str) -> str:
    """Return `ok` or `fail`, or nothing for a word that is neither."""
    return _WORDS.get(word[:64].strip().lower(), "")


def parse(source: Source, delivery: Delivery) -> Parsed:
    """Return the alert of a heartbeat: `ok` ends what `fail` began. Anything may be the body."""
    name = delivery.headers[NAME_HEADER]
    body = _body(delivery.body)
    said = delivery.headers.get(STATUS_HEADER) or status_word(text_of(body.get("status"))) or OK
    failed = said == FAIL
    message = text_of(body.get("message")) or _plain(delivery.body, body)
    first = line(message.strip().partition("\n")[0][:2_000])
    labels = {"heartbeat": name}
    if product := line(text_of(body.get("product")), 1_024):
        labels["product"] = product
    title = f"{name} failed" if failed else f"{name} ran well"
    alert = Alert(
        source=source.name,
        dedup_key=key(f"heartbeat:{name}"),
        status=AlertStatus.FIRING if failed else AlertStatus.RESOLVED,
        title=line(f"{title}: {first}" if first else title),
        occurred_at=delivery.received_at,
        severity=Severity.ERROR if failed else Severity.INFO,
        description=clean(message),
        labels=labels,
    )
    run = Run(
        source=source.name,
        pipeline=f"heartbeat:{name}",
        run_id=delivery.id,
        state=RunState.FAILED if failed else RunState.SUCCEEDED,
        ended_at=delivery.received_at,
        labels=labels,
    )
    return Parsed(alerts=(alert,), runs=(run,))


def _body(raw: bytes) -> Mapping[str, JsonValue]:
    try:
        return object_of(read_json(raw))
    except UnreadableError:
        return {}


def _plain(raw: bytes, body: Mapping[str, JsonValue]) -> str:
    """Return what a job pipes in as text, like the end of its log."""
    return "" if body or raw.lstrip()[:1] in {b"{", b"["} else decode(raw)


def delivery_key(arrival: Arrival) -> str:
    """Name a heartbeat by its job, state and bytes within ten seconds."""
    said = (
        arrival.headers[name] for name in (NAME_HEADER, STATUS_HEADER) if name in arrival.headers
    )
    return digest("heartbeat", *said, key_by_body(arrival))
