"""Prometheus Alertmanager (version 4 webhook), and Grafana's webhook, which has its shape."""

from bot.ports.inbox import Delivery
from bot.sources.alert_group import delivery_key, read_group
from bot.sources.kind import Parsed, Source, SourceKind

_CUSTOM = "It is not Alertmanager's own body; remove the custom `payload` from the receiver."


def parse(source: Source, delivery: Delivery) -> Parsed:
    return read_group(source, delivery, custom=_CUSTOM)


KIND = SourceKind(name="alertmanager", parse=parse, delivery_key=delivery_key, too_many=503)
