"""Lets the engine and the outbox count into /metrics without knowing Prometheus."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache

from bot.metrics import Metrics
from bot.ports.store import Reader
from bot.web.probes import Check, ask


class Counting:
    """The engine's observer."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._alerts = cache(metrics.alerts.labels)

    def alert(self, source: str, status: str) -> None:
        self._alerts(source, status).inc()

    def opened(self, count: int) -> None:
        if count:
            self._metrics.incidents_opened.inc(count)

    def page(self, outcome: str, seconds: float | None) -> None:
        self._metrics.pages.labels(outcome).inc()
        if seconds is not None:
            self._metrics.delivery_to_page.observe(seconds)

    def engine_fault(self) -> None:
        self._metrics.background_failures.labels("engine").inc()

    def job(self, kind: str, outcome: str) -> None:
        self._metrics.jobs.labels(kind, outcome).inc()


async def sample_checks(metrics: Metrics, checks: Mapping[str, Check]) -> None:
    """Ask what /readyz asks, for those who only read /metrics."""
    for name, check in checks.items():
        metrics.check_failed.labels(name).set(1 if await ask(name, check) else 0)


async def sample(metrics: Metrics, reader: Reader, now: datetime) -> None:
    """Read the gauges: how far behind the outbox is, what is open, what has not run."""
    groups: dict[str, float] = {}
    for lane, seconds in (await reader.outbox_lag(now)).items():
        group = lane.split(":")[0] or "none"
        groups[group] = max(groups.get(group, 0.0), seconds)
    metrics.outbox_lag.clear()
    for group, seconds in groups.items():
        metrics.outbox_lag.labels(group).set(seconds)
    metrics.incidents_open.set(await reader.open_count())
    metrics.runs_overdue.set(await reader.overdue_runs())
