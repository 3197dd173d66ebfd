"""What the story sends reads as what the tools would have said."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.demo.beats import Send
from bot.demo.payloads import CHECKS, body
from bot.demo.story import STORY
from bot.ports.inbox import Delivery
from bot.sources.kind import Source
from bot.sources.registry import read
from rules.alert import Alert, AlertStatus, Severity

NOW = datetime(2026, 11, 23, 1, 22, tzinfo=UTC)


def alerts(kind: str, name: str, now: datetime = NOW) -> Sequence[Alert]:
    delivery = Delivery(
        id="1",
        source=kind,
        key="k",
        body=body(name, now),
        content_type="application/json",
        headers={},
        received_at=now,
    )
    return read(Source(name=kind, kind=kind), delivery, raw_link=lambda _: "").alerts


@pytest.mark.parametrize("send", [b.deed for b in STORY if isinstance(b.deed, Send)], ids=str)
def test_every_body_of_the_story_can_be_read(send: Send) -> None:
    found = alerts(send.kind, send.body)
    assert found
    assert not [alert for alert in found if alert.unreadable]
    assert all(abs(alert.occurred_at - NOW) < timedelta(hours=1) for alert in found)


def test_the_stale_source_fires_and_the_fresh_one_resolves_the_same_thing() -> None:
    (stale,), (fresh,) = alerts("dbt", "orders_stale"), alerts("dbt", "orders_fresh")
    assert (stale.status, fresh.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert stale.dedup_key == fresh.dedup_key
    assert "nothing loaded for 6 h 30 min, error after 6 hours" in stale.title
    assert stale.labels["runbook_url"].startswith("https://")


def test_three_tests_fail_in_one_build_and_name_what_was_skipped() -> None:
    found = [a for a in alerts("dbt", "orders_tests") if a.status is AlertStatus.FIRING]
    assert len(found) == 3
    assert len({alert.group_key for alert in found}) == 1
    assert {alert.labels["downstream_skipped"] for alert in found} == {"4"}


def test_the_tries_of_a_task_do_not_fire_before_the_last() -> None:
    names = ("first_try", "second_try", "third_try")
    found = [alerts("airflow", f"payments_{name}")[0] for name in names]
    assert [alert.status for alert in found] == [
        AlertStatus.INFO,
        AlertStatus.INFO,
        AlertStatus.RESOLVED,
    ]
    assert len({alert.dedup_key for alert in found}) == 1


def test_a_build_that_heals_and_one_that_does_not_are_other_runs_of_the_same_test() -> None:
    names = ("orders_tests_again", "orders_under_way", "orders_mended", "orders_doubled")
    later = [NOW + n * timedelta(minutes=5) for n in range(4)]
    found = [
        next(
            a for a in alerts("dbt", name, at) if "order_id" in a.dedup_key and "unique" in a.title
        )
        for name, at in zip(names, later, strict=True)
    ]
    assert len({alert.dedup_key for alert in found}) == 1
    assert len({alert.group_key for alert in found}) == 4
    firing, resolved = AlertStatus.FIRING, AlertStatus.RESOLVED
    assert [alert.status for alert in found] == [firing, resolved, resolved, firing]
    assert "12 rows" in found[-1].title


def test_alertmanager_repeats_itself_to_the_byte_and_then_resolves() -> None:
    later = NOW + timedelta(minutes=5)
    assert body("warehouse_down", NOW) == body("warehouse_still_down", later)
    down, up = (alerts("alertmanager", f"warehouse_{way}") for way in ("down", "up"))
    assert [a.dedup_key for a in down] == [a.dedup_key for a in up]
    assert {a.status for a in up} == {AlertStatus.RESOLVED}
    assert {a.severity for a in down} == {Severity.CRITICAL}


def test_the_storm_is_of_many_things_and_each_is_made_whole() -> None:
    failed, passed = alerts("generic", "checks_failed"), alerts("generic", "checks_passed")
    assert len({alert.dedup_key for alert in failed}) == CHECKS
    assert [a.dedup_key for a in failed] == [a.dedup_key for a in passed]
    assert {a.status for a in passed} == {AlertStatus.RESOLVED}
    assert not any(alert.group_key for alert in failed)
