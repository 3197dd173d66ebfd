"""Every number has a name, a meaning and a registry of its own."""

from bot.metrics import Metrics


def test_processes_in_one_interpreter_do_not_share_numbers() -> None:
    one, other = Metrics(), Metrics()
    one.pages.labels("delivered").inc()
    assert one.registry.get_sample_value("watchbill_pages_total", {"outcome": "delivered"}) == 1
    assert (
        other.registry.get_sample_value("watchbill_pages_total", {"outcome": "delivered"}) is None
    )


def test_the_exposition_holds_every_metric() -> None:
    metrics = Metrics()
    metrics.deliveries.labels("a", "accepted").inc()
    metrics.alerts.labels("a", "firing").inc()
    metrics.unreadable.labels("a").inc()
    metrics.incidents_opened.inc()
    metrics.incidents_open.set(3)
    metrics.outbox_lag.labels("slack").set(0.5)
    metrics.delivery_to_page.observe(0.3)
    metrics.slack_calls.labels("chat.postMessage", "ok").inc()
    metrics.slack_throttled.labels("chat.postMessage").inc()
    metrics.jobs.labels("page", "done").inc()
    lines = metrics.text().decode().splitlines()
    for line in [
        'watchbill_deliveries_total{result="accepted",source="a"} 1.0',
        'watchbill_alerts_total{source="a",status="firing"} 1.0',
        'watchbill_unreadable_total{source="a"} 1.0',
        "watchbill_incidents_opened_total 1.0",
        "watchbill_incidents_open 3.0",
        'watchbill_outbox_lag_seconds{lane_group="slack"} 0.5',
        'watchbill_delivery_to_page_seconds_bucket{le="0.5"} 1.0',
        'watchbill_slack_calls_total{method="chat.postMessage",result="ok"} 1.0',
        'watchbill_slack_throttled_total{method="chat.postMessage"} 1.0',
        'watchbill_jobs_total{kind="page",outcome="done"} 1.0',
    ]:
        assert line in lines
