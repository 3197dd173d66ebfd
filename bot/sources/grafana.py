"""Grafana's alerting webhook: Alertmanager's body, signed, with rules that could not evaluate."""

from dataclasses import replace

from bot.ports.inbox import Delivery
from bot.sources import text
from bot.sources.alert_group import Entry, delivery_key, pairs_of, read_group
from bot.sources.kind import Parsed, Source, SourceKind
from bot.sources.options import Option, word
from bot.sources.scheme import (
    ACCEPTED,
    Attempt,
    Scheme,
    Verdict,
    any_fits,
    has,
    hmac_hex,
    is_fresh,
    refused,
    stale,
    wrong,
)
from rules.alert import Alert, AlertStatus

SIGNATURE = "X-Grafana-Alerting-Signature"
ERROR = "error"
"""What the label `evaluation` says of an alert whose rule could not be evaluated."""

_CUSTOM = "It is not Grafana's own body; remove the custom payload from the contact point."
_STAND_INS = {"DatasourceError": "its query fails", "DatasourceNoData": "its query finds no data"}
_REASONS = {"Error": "its query fails", "NoData": "its query finds no data"}


def parse(source: Source, delivery: Delivery) -> Parsed:
    return read_group(source, delivery, custom=_CUSTOM, finish=_finish)


def _finish(alert: Alert, entry: Entry) -> Alert:
    notes = pairs_of(entry.get("annotations"))
    reason = notes.get("grafana_state_reason", "")
    name = alert.labels.get("alertname", "")
    why = _STAND_INS.get(name) or next(
        (said for word, said in _REASONS.items() if word in reason.split(", ")), ""
    )
    if not why:
        return replace(alert, labels=_more(alert, state_reason=reason))
    rule = alert.labels.get("rulename") or notes.get("rulename") or name
    title = f"{rule or 'A rule'} could not be evaluated: {why}"
    firing = alert.status is AlertStatus.FIRING
    return replace(
        alert,
        title=text.line(title) if firing else alert.title,
        description=text.clean(f"{notes.get('Error', '')}\n{alert.description}"),
        labels=_more(alert, evaluation=ERROR, state_reason=reason),
    )


def _more(alert: Alert, **found: str) -> dict[str, str]:
    given = {name: value for name, value in alert.labels.items() if name not in found}
    return text.labels({**{name: value for name, value in found.items() if value}, **given})


def _authenticate(attempt: Attempt) -> Verdict:
    given = [attempt.headers.get(SIGNATURE.lower(), "").strip().lower()]
    header = str(attempt.options.get("timestamp_header", ""))
    if not header:
        ours = (hmac_hex(secret, attempt.body) for secret in attempt.secrets)
        return ACCEPTED if any_fits(given, ours) else wrong(SIGNATURE)
    at = attempt.headers.get(header.lower(), "").strip()
    if not at:
        return refused(f"{header} is missing; name it as the timestamp header in Grafana, too.")
    signed = f"{at}:".encode("utf-8", "surrogatepass")
    if not any_fits(given, (hmac_hex(one, signed, attempt.body) for one in attempt.secrets)):
        return wrong(SIGNATURE)
    return ACCEPTED if is_fresh(at, attempt.now) else stale(header)


KIND = SourceKind(
    name="grafana",
    parse=parse,
    delivery_key=delivery_key,
    scheme=Scheme(claims=has(SIGNATURE.lower()), authenticate=_authenticate),
    options={
        "timestamp_header": Option(
            "The header in which Grafana sends the time it signs, like `X-Grafana-Timestamp`; "
            "requests older than five minutes are then refused.",
            word,
        )
    },
)
