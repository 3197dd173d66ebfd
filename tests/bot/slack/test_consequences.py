from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.acts.act import SplitOff, act_from_json, alert_ref
from bot.slack.delivery import deliverers
from bot.slack.desk import Desk
from bot.slack.listeners import Listening
from bot.slack.views import incident as views
from bot.slack.views.consequences import consequences_message
from bot.workspace.blockkit import problems
from bot.workspace.state import Workspace
from rules.alert import AlertStatus
from rules.incident import Incident, Mutedness
from rules.shown_alert import Bond
from tests.bot.slack.samples import ANA, BO, HOSTILE, NOW, incident, scene, shown_alert
from tests.bot.slack.test_delivery import carry_out, job
from tests.bot.slack.test_views import words
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader

WHERE = "data-alerts"


def folded(count: int = 3, **fields: Any) -> Incident:
    """An incident with a cause and so many consequences of another tool."""
    followers = tuple(
        shown_alert(n, source="elementary", bond=Bond.CONSEQUENCE) for n in range(2, count + 2)
    )
    cause = shown_alert(1, source="dbt", bond=Bond.CAUSE)
    given: dict[str, Any] = {
        "alerts": (cause, *followers),
        "alert_count": count + 1,
        "firing_count": count + 1,
        "consequences": count,
        "skipped": 695,
    }
    return replace(incident(), **{**given, **fields})


def test_the_message_counts_what_followed_and_lists_only_the_cause() -> None:
    text = words(views.root_message(scene(folded())))
    assert "*Root cause* of 3 alerts downstream and 695 nodes skipped (in the thread)" in text
    assert "task2" not in text
    assert "alerts firing" not in text


def test_the_thread_lists_each_with_a_button_while_it_can_be_split_off() -> None:
    at = folded()
    settled = replace(at.alerts[1], status=AlertStatus.RESOLVED)
    at = replace(at, alerts=(at.alerts[0], settled, *at.alerts[2:]))
    message = consequences_message(scene(at))
    buttons = [b["accessory"] for b in message["blocks"] if "accessory" in b]
    refs = [alert_ref("elementary", f"daily_orders.task{n}") for n in (4, 3)]
    assert [b["value"] for b in buttons] == [f"42:{ref}" for ref in refs]
    assert "🟢 daily_orders.task2 failed" in words(message)
    closed = consequences_message(scene(at.resolve(ANA, NOW)))
    assert not [b for b in closed["blocks"] if "accessory" in b]


@pytest.mark.parametrize("count", [0, 1, 15, 19])
def test_slack_takes_it_at_any_length_and_of_hostile_text(count: int) -> None:
    at = folded(count, consequences=count * 40)
    hostile = tuple(replace(a, title=HOSTILE * 20, source=HOSTILE) for a in at.alerts)
    message = consequences_message(scene(replace(at, alerts=hostile)))
    assert problems(message, surface="message") == []


async def test_one_thread_message_is_posted_and_then_edited(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    reader.put(folded(1, skipped=0))
    await carry_out(desk, reader, job("show"))
    first = await carry_out(desk, reader, job("consequences"))
    assert [m.role for m in first.messages] == ["consequences"]
    reader.put(folded(2, skipped=0))
    assert not (await carry_out(desk, reader, job("consequences"))).messages
    root = workspace.messages(WHERE)[0]
    (listed,) = [m for m in workspace.messages(WHERE) if m.ts != root.ts]
    assert listed.text == "*Root cause* of 2 alerts downstream"


async def test_a_silenced_incident_lists_nothing(desk: Desk, reader: FakeReader) -> None:
    reader.put(folded().mute(Mutedness(NOW + timedelta(hours=1), BO, "work")))
    assert not (await deliverers(desk)["consequences"].deliver(job("consequences"))).messages


async def test_a_click_splits_off(
    line: Listening, desk: Desk, reader: FakeReader, workspace: Workspace, inbox: FakeInbox
) -> None:
    reader.put(folded(1))
    await carry_out(desk, reader, job("show"))
    done = await carry_out(desk, reader, job("consequences"))
    outcome = await workspace.click("bo", WHERE, done.messages[0].ts, "split_off")
    assert outcome.acked
    (stored,) = inbox.deliveries
    ref = alert_ref("elementary", "daily_orders.task2")
    assert act_from_json(stored.body).act == SplitOff(number=42, alert=ref, by=BO)
