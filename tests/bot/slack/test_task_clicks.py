"""Clicks on tasks and their forms: what is read of them, and that none stays without an answer."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.acts.act import act_from_json
from bot.acts.tasks import OnTask, TaskDeed
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.intake import Intake, Running
from bot.slack.tasks import TaskClicks
from bot.workspace.state import Workspace
from tests.bot.slack.samples import ANA, BO, NOW
from tests.fakes.inbox import FakeInbox

DAY = timedelta(days=1)


class Acked:
    """What Slack was answered."""

    def __init__(self) -> None:
        self.said: dict[str, Any] | None = None

    async def __call__(self, **said: Any) -> None:
        self.said = said


@pytest.fixture
def clicks(desk: Desk, inbox: FakeInbox) -> TaskClicks:
    return TaskClicks(Intake(inbox, desk, Running()))


def form(callback: str, block: str, element: Json) -> Json:
    return {
        "user": {"id": "U0ANA001"},
        "view": {
            "id": "V1",
            "callback_id": callback,
            "private_metadata": '{"task": "i42-tell"}',
            "blocks": [{"type": "input", "block_id": block}],
            "state": {"values": {block: {block: element}}},
        },
    }


def stored(inbox: FakeInbox) -> list[object]:
    return [act_from_json(one.body).act for one in inbox.deliveries]


def at(when: datetime) -> Json:
    return {"selected_date_time": int(when.timestamp())}


@pytest.mark.parametrize(
    ("callback", "block", "element", "told"),
    [
        ("task_assign", "person", {"selected_user": "U0BO0001"},
         {"deed": TaskDeed.ASSIGNED, "person": BO}),
        ("task_move", "due", at(NOW + DAY), {"deed": TaskDeed.MOVED, "due_at": NOW + DAY}),
        ("task_drop", "why", {"value": " loaded in full "},
         {"deed": TaskDeed.DROPPED, "why": "loaded in full"}),
        ("task_drop", "why", {"value": "half of \ud83d"},
         {"deed": TaskDeed.DROPPED, "why": "half of ?"}),
    ],
)  # fmt: skip
async def test_a_form_is_stored_before_it_closes(
    clicks: TaskClicks, inbox: FakeInbox, callback: str, block: str, element: Json, told: Json
) -> None:
    ack = Acked()
    await clicks.submitted(ack, form(callback, block, element))
    assert ack.said == {"response_action": "clear"}
    assert stored(inbox) == [OnTask(by=ANA, task="i42-tell", **told)]


@pytest.mark.parametrize(
    ("callback", "block", "element"),
    [
        ("task_assign", "person", {}),
        ("task_move", "due", at(NOW - DAY)),
        ("task_move", "due", {"selected_date_time": 10**18}),
        ("task_drop", "why", {"value": "  "}),
    ],
)
async def test_what_is_missing_is_said_beside_its_field(
    clicks: TaskClicks, inbox: FakeInbox, callback: str, block: str, element: Json
) -> None:
    ack = Acked()
    await clicks.submitted(ack, form(callback, block, element))
    assert ack.said is not None
    assert list(ack.said["errors"]) == [block]
    assert stored(inbox) == []


async def test_a_button_of_another_version_answers(
    clicks: TaskClicks, inbox: FakeInbox, desk: Desk, workspace: Workspace
) -> None:
    ack = Acked()
    action = {"action_id": "task_menu", "selected_option": {"value": "task_paint:i42-tell"}}
    channel = next(c.id for c in workspace.channels.values() if c.name == "data-alerts")
    await clicks.click(
        ack, {"user": {"id": "U0ANA001"}, "channel": {"id": channel}, "actions": [action]}
    )
    assert ack.said == {}
    (answer,) = [m for m in workspace.messages("data-alerts", viewer="ana") if m.only_for]
    assert "from another version" in answer.text
    assert stored(inbox) == []


async def test_i_take_it_takes_only_what_nobody_has(clicks: TaskClicks, inbox: FakeInbox) -> None:
    action = {"action_id": "task_take", "value": "i42-tell", "action_ts": "1.1"}
    await clicks.click(Acked(), {"user": {"id": "U0ANA001"}, "actions": [action]})
    (taken,) = stored(inbox)
    assert taken == OnTask(
        by=ANA, task="i42-tell", deed=TaskDeed.ASSIGNED, person=ANA, if_free=True
    )


async def test_a_form_sent_again_with_another_answer_counts(
    clicks: TaskClicks, inbox: FakeInbox
) -> None:
    for why in ("a drill", "a drill", "loaded in full"):
        await clicks.submitted(Acked(), form("task_drop", "why", {"value": why}))
    assert [one.why for one in stored(inbox) if isinstance(one, OnTask)] == [
        "a drill",
        "loaded in full",
    ]
