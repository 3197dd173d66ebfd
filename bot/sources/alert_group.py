"""The notification that Alertmanager invented and Grafana took over: one body, many alerts."""

from collections.abc import Callable, Mapping

from bot.ports.inbox import Delivery
from bot.sources import text
from bot.sources.json_body import JsonValue, object_of, read_object, text_of
from bot.sources.kind import Arrival, Parsed, Source, UnreadableError, digest, key_by_body
from bot.sources.unreadable import MOST_ALERTS, alerts_from, unreadable
from bot.sources.words import severity_of, status_of, time_of
from rules.alert import Alert, AlertStatus

RETRY_SECONDS = 60
"""Retries after a time-out come within this; `repeat_interval` is longer, and its repeats count."""

_TELLING = ("instance", "namespace", "pod", "service", "job", "dag_id", "dataset", "table")
_TITLE_LABELS = 3
_NO_NAMES = ("alertname", "severity", "prometheus", "prometheus_replica", "grafana_folder")


Entry = Mapping[str, JsonValue]


def read_group(
    source: Source,
    delivery: Delivery,
    *,
    custom: str,
    finish: Callable[[Alert, Entry], Alert] = lambda alert, _: alert,
) -> Parsed:
    """Return one alert an entry; an entry without labels becomes an unreadable alert.

    `custom` says what to do about a body of another shape; `finish` may change an alert by what
    else its entry says.
    """
    body = read_object(delivery.body)
    entries = body.get("alerts")
    if not isinstance(entries, list) or not entries:
        raise UnreadableError(custom)
    if len(entries) > MOST_ALERTS:
        entries = sorted(entries, key=_is_over)
    group = _Group(source, delivery, body)

    def alert(entry: JsonValue) -> Alert:
        made = group.alert(entry)
        return made if made.unreadable else finish(made, object_of(entry))

    alerts = alerts_from(delivery, entries, alert)
    if all(one.unreadable for one in alerts):
        raise UnreadableError(custom)
    return Parsed(alerts=alerts)


def _is_over(entry: JsonValue) -> bool:
    return status_of(text_of(object_of(entry).get("status"))) is AlertStatus.RESOLVED


class _Group:
    """What the entries of one notification share."""

    def __init__(self, source: Source, delivery: Delivery, body: Mapping[str, JsonValue]) -> None:
        self._source = source
        self._delivery = delivery
        self._body = body
        self._common = pairs_of(body.get("commonLabels"))
        self._key = text.key(text_of(body.get("groupKey")))
        self._org = text_of(body.get("orgId"))
        left_out = body.get("truncatedAlerts")
        self._left_out = left_out if isinstance(left_out, int) and left_out > 0 else 0

    def alert(self, entry: JsonValue) -> Alert:
        labels = pairs_of(entry.get("labels")) if isinstance(entry, dict) else {}
        if not isinstance(entry, dict) or not labels:
            return unreadable(self._delivery, "An entry of the notification has no labels.")
        notes = pairs_of(entry.get("annotations"))
        runbook = text.link(notes.get("runbook_url") or notes.get("runbook") or "")
        status = status_of(text_of(entry.get("status") or self._body.get("status")))
        status = status or AlertStatus.FIRING
        when = entry.get("endsAt" if status is AlertStatus.RESOLVED else "startsAt")
        return Alert(
            source=self._source.name,
            dedup_key=self._dedup_key(entry, labels),
            status=status,
            title=self._title(notes, labels),
            occurred_at=time_of(
                when, zone=self._source.timezone, otherwise=self._delivery.received_at
            ),
            group_key=self._key,
            severity=severity_of(labels.get("severity") or labels.get("priority") or ""),
            description=self._description(notes),
            labels=text.labels({**labels, **({"runbook_url": runbook} if runbook else {})}),
            url=text.link(text_of(entry.get("generatorURL"))) or runbook,
        )

    def _dedup_key(self, entry: Mapping[str, JsonValue], labels: Mapping[str, str]) -> str:
        named = text_of(entry.get("fingerprint")) or _of_labels(labels)
        return text.key(f"{self._org}:{named}" if self._org else named)

    def _title(self, notes: Mapping[str, str], labels: Mapping[str, str]) -> str:
        if summary := text.line(notes.get("summary", "")):
            return summary
        ranked = sorted(
            (name for name in labels if name not in _NO_NAMES),
            key=lambda name: (
                name in self._common and name not in _TELLING,
                _TELLING.index(name) if name in _TELLING else len(_TELLING),
                name,
            ),
        )
        telling = ", ".join(f"{name}={labels[name]}" for name in ranked[:_TITLE_LABELS])
        name = labels.get("alertname") or "Alert"
        return text.line(f"{name} ({telling})" if telling else name)

    def _description(self, notes: Mapping[str, str]) -> str:
        said = text.clean(notes.get("description") or notes.get("message") or "")
        if not self._left_out:
            return said
        note = (
            f"{self._source.kind.capitalize()} left {self._left_out} more alerts of this group out."
        )
        return f"{text.clean(said, text.DESCRIPTION_LENGTH - 200)}\n{note}".lstrip()


def delivery_key(arrival: Arrival) -> str:
    """Name the notification by its bytes within a minute.

    They hold the group, the alerts with their states and the times these began, and no time of
    sending, so a retry has the same bytes; reading them here would double the door's work.
    """
    return key_by_body(arrival, seconds=RETRY_SECONDS)


def _of_labels(labels: Mapping[str, str]) -> str:
    return digest(*(part for name in sorted(labels) for part in (name, labels[name])))


def pairs_of(value: JsonValue) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(name): text_of(one) for name, one in value.items()}
