"""Clicks on the checklist of a runbook: each is stored, a repetition of it once."""

from typing import Any

from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.intake import Intake, Running
from bot.slack.runbooks import RunbookClicks
from tests.fakes.inbox import FakeInbox


async def acked(**_said: Any) -> None:
    """Take what Slack would be answered."""


def click(at: str) -> Json:
    action = {"action_id": "runbook_run", "value": "42:1:1:clear-task", "action_ts": at}
    return {"user": {"id": "U0ANA001"}, "actions": [action]}


async def test_a_button_that_was_refused_once_is_not_dead_after(
    desk: Desk, inbox: FakeInbox
) -> None:
    """Refused while it was resolved, and clicked again once it was opened again."""
    clicks = RunbookClicks(Intake(inbox, desk, Running()))
    await clicks.click(acked, click("1.1"))
    await clicks.click(acked, click("1.1"))
    await clicks.click(acked, click("2.2"))
    keys = [one.key for one in inbox.deliveries]
    assert len(set(keys)) == 2
