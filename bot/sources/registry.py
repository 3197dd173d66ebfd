"""Every kind of source by name, and the one function that turns a delivery into alerts."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from bot.ports.inbox import Delivery
from bot.sources import (
    airflow,
    alertmanager,
    cloudevents,
    dbt,
    dbt_cloud,
    gcp_logging,
    gcp_monitoring,
    generic,
    github,
    grafana,
    great_expectations,
    heartbeat,
    jira_service_management,
    openlineage,
    opsgenie,
    pagerduty,
    sentry,
    sns,
)
from bot.sources.kind import (
    Answer,
    Arrival,
    Parsed,
    Source,
    SourceKind,
    UnreadableError,
    key_by_body,
)
from bot.sources.unreadable import MOST_ALERTS, too_many, unreadable

KINDS: Mapping[str, SourceKind] = {
    kind.name: kind
    for kind in (
        airflow.KIND,
        alertmanager.KIND,
        cloudevents.KIND,
        dbt.KIND,
        dbt_cloud.KIND,
        gcp_logging.KIND,
        gcp_monitoring.KIND,
        generic.KIND,
        github.KIND,
        grafana.KIND,
        great_expectations.KIND,
        jira_service_management.KIND,
        openlineage.KIND,
        opsgenie.KIND,
        pagerduty.KIND,
        sentry.KIND,
        sns.KIND,
    )
}

_log = structlog.get_logger(__name__)


def no_link(delivery_id: str) -> str:  # noqa: ARG001 - stands in for a function that makes links
    return ""


def read(source: Source, delivery: Delivery, *, raw_link: Callable[[str], str] = no_link) -> Parsed:
    """Return what the delivery says; never raises.

    What cannot be read becomes an unreadable alert, whose url is `raw_link(delivery.id)`. At most
    1,000 alerts are read from one delivery; an unreadable alert tells of the others.
    """
    try:
        parsed = _bounded(_parse(source, delivery), delivery)
    except UnreadableError as error:
        parsed = Parsed(alerts=(unreadable(delivery, error.why, error.detail),))
    except Exception as error:  # noqa: BLE001 - a fault of a parser must not lose the alert
        name = type(error).__name__
        _log.warning("parser failed", source=source.name, delivery=delivery.id, error=name)
        why = f"The {source.kind} parser failed on it ({name})."
        parsed = Parsed(alerts=(unreadable(delivery, why),))
    if not any(alert.unreadable for alert in parsed.alerts):
        return parsed
    url = raw_link(delivery.id)
    linked = (replace(alert, url=url) if alert.unreadable else alert for alert in parsed.alerts)
    return replace(parsed, alerts=tuple(linked))


def delivery_key(arrival: Arrival) -> str:
    """Return what names the delivery within its source; never raises."""
    try:
        if heartbeat.NAME_HEADER in arrival.headers:
            return heartbeat.delivery_key(arrival)
        return KINDS[arrival.source.kind].delivery_key(arrival)
    except Exception as error:  # noqa: BLE001 - an odd body must still be stored
        _log.warning("no delivery key", source=arrival.source.name, error=type(error).__name__)
        return key_by_body(arrival)


def handshake(arrival: Arrival) -> Answer | None:
    """Return the answer to a vendor's verification of the address, if it is one; never raises."""
    try:
        if heartbeat.NAME_HEADER in arrival.headers:
            return None
        return KINDS[arrival.source.kind].handshake(arrival)
    except Exception as error:  # noqa: BLE001 - an odd body must still be stored
        _log.warning("handshake failed", source=arrival.source.name, error=type(error).__name__)
        return None


def _parse(source: Source, delivery: Delivery) -> Parsed:
    if heartbeat.NAME_HEADER in delivery.headers:
        return heartbeat.parse(source, delivery)
    return KINDS[source.kind].parse(source, delivery)


def _bounded(parsed: Parsed, delivery: Delivery) -> Parsed:
    over = len(parsed.alerts) - MOST_ALERTS
    # A parser that counts has put its own word about the others at the end.
    if over <= 1:
        return parsed
    return replace(parsed, alerts=(*parsed.alerts[:MOST_ALERTS], too_many(delivery, over)))
