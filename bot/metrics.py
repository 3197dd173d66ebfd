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
        self.deliveries = self._counter(
            "watchbill_deliveries", "Requests to /hooks by what became of them.", "source", "result"
        )
        self.alerts = self._counter(
            "watchbill_alerts", "Alerts read from deliveries.", "source", "status"
        )
        self.unreadable = self._counter(
            "watchbill_unreadable", "Deliveries that no parser understood.", "source"
        )
        self.incidents_opened = self._counter("watchbill_incidents_opened", "Incidents opened.")
        self.incidents_open = self._gauge(
            "watchbill_incidents_open", "Incidents that are not resolved."
        )
        self.pages = self._counter("watchbill_pages", "Pages by outcome.", "outcome")
        self.runs_overdue = self._gauge(
            "watchbill_expected_runs_overdue",
            "Expected runs that have not started although their deadline has passed.",
        )
        self.outbox_lag = self._gauge(
            "watchbill_outbox_lag_seconds", "How long the oldest due job has waited.", "lane_group"
        )
        self.delivery_to_page = Histogram(
            "watchbill_delivery_to_page_seconds",
            "From storing a delivery to its first page leaving.",
            buckets=_PAGE_SECONDS,
            registry=self.registry,
        )
        self.check_failed = self._gauge(
            "watchbill_check_failed", "1 while a check of /readyz fails.", "check"
        )
        self.slack_calls = self._counter(
            "watchbill_slack_calls", "Calls of the Slack Web API.", "method", "result"
        )
        self.slack_throttled = self._counter(
            "watchbill_slack_throttled", "Answers 429 of the Slack Web API.", "method"
        )
        self.jobs = self._counter(
            "watchbill_jobs", "Outbox jobs by kind and outcome.", "kind", "outcome"
        )
        self._of_the_roster()
        self._of_access()
        self._of_the_watch()
        ProcessCollector(registry=self.registry)

    def _of_the_roster(self) -> None:
        self.follower_lag = self._gauge(
            "watchbill_follower_lag_seconds",
            "How long a user group, topic or bookmark has shown something else than who is on call.",
            "follower",
        )
        self.calendar_lag = self._gauge(
            "watchbill_calendar_lag_seconds",
            "How long a shared calendar has not shown the roster.",
            "rotation",
        )
        self.calendar_writes = self._counter(
            "watchbill_calendar_writes",
            "Events written to shared calendars; a repair undoes what somebody edited.",
            "rotation",
            "act",
        )
        self.calendar_failures = self._counter(
            "watchbill_calendar_failures",
            "Attempts to write a shared calendar that must be repeated.",
            "rotation",
        )

    def _of_the_watch(self) -> None:
        self.audit_findings = self._counter(
            "watchbill_audit_findings", "What the auditor found, by what was wrong.", "fault"
        )
        self.background_failures = self._counter(
            "watchbill_background_failures",
            "Faults of ours in what goes on and on, by what it was; each is tried again.",
            "work",
        )
        self.canary_last_success = self._gauge(
            "watchbill_canary_last_success_timestamp_seconds",
            "When the canary last came back, in seconds since 1970.",
        )
        self.canary_round_trip = self._gauge(
            "watchbill_canary_round_trip_seconds", "How long the last canary that came back took."
        )
        self.canary_alarm = self._gauge(
            "watchbill_canary_alarm", "1 while the canary does not come back."
        )
        self.watchdog_pings = self._counter(
            "watchbill_watchdog_pings",
            "Pings of the outside watchdog: sent, withheld because something is wrong, failed.",
            "result",
        )

    def _of_access(self) -> None:
        self.access_grants = self._gauge(
            "watchbill_access_grants", "Elevated grants that are not over, by state.", "state"
        )
        self.access_late = self._gauge(
            "watchbill_access_late_seconds",
            "How long somebody has been in an elevated group whose grant should be over.",
        )

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(name, words, labels, registry=self.registry)

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(name, words, labels, registry=self.registry)

    def text(self) -> bytes:
        """Return the Prometheus exposition, of CONTENT_TYPE."""
        return generate_latest(self.registry)
