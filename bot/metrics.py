"""What /metrics tells: one registry of its own, and the objects that count into it."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PAGE_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """Counters of one process. Labels have few values: never an id, a path or a person."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.deliveries = Counter(
            "watchbill_deliveries",
            "Requests to /hooks by what became of them.",
            ["source", "result"],
            registry=self.registry,
        )
        self.alerts = Counter(
            "watchbill_alerts",
            "Alerts read from deliveries.",
            ["source", "status"],
            registry=self.registry,
        )
        self.unreadable = Counter(
            "watchbill_unreadable",
            "Deliveries that no parser understood.",
            ["source"],
            registry=self.registry,
        )
        self.incidents_opened = Counter(
            "watchbill_incidents_opened", "Incidents opened.", registry=self.registry
        )
        self.incidents_open = Gauge(
            "watchbill_incidents_open", "Incidents that are not resolved.", registry=self.registry
        )
        self.pages = Counter(
            "watchbill_pages", "Pages by outcome.", ["outcome"], registry=self.registry
        )
        self.runs_overdue = Gauge(
            "watchbill_expected_runs_overdue",
            "Expected runs that have not started although their deadline has passed.",
            registry=self.registry,
        )
        self.outbox_lag = Gauge(
            "watchbill_outbox_lag_seconds",
            "How long the oldest due job has waited.",
            ["lane_group"],
            registry=self.registry,
        )
        self.delivery_to_page = Histogram(
            "watchbill_delivery_to_page_seconds",
            "From storing a delivery to its first page leaving.",
            buckets=_PAGE_SECONDS,
            registry=self.registry,
        )
        self.slack_calls = Counter(
            "watchbill_slack_calls",
            "Calls of the Slack Web API.",
            ["method", "result"],
            registry=self.registry,
        )
        self.slack_throttled = Counter(
            "watchbill_slack_throttled",
            "Answers 429 of the Slack Web API.",
            ["method"],
            registry=self.registry,
        )
        self.jobs = Counter(
            "watchbill_jobs",
            "Outbox jobs by kind and outcome.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    def text(self) -> bytes:
        """Return the Prometheus exposition, of CONTENT_TYPE."""
        return generate_latest(self.registry)
