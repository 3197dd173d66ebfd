"""Answers to what is written to the bot directly, when Slack does not take them at once."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.ports.delivering import RetryLaterError
from bot.slack.desk import Desk
from bot.slack.happenings import Happenings
from bot.slack.intake import Intake, Running
from bot.slack.words import Words
from bot.workspace.faults import Kind
from bot.workspace.state import Workspace
from tests.bot.slack.samples import NOW
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox

ANA = "U0ANA001"


class Sleepless(FakeClock):
    """Passes over whatever is waited for, and keeps how long that was."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self.slept: list[timedelta] = []

    async def sleep_until(self, when: datetime) -> None:
        self.slept.append(when - self.now())
        self.set(when)


async def asked(desk: Desk, clock: Sleepless) -> None:
    """Ask who is on call, in a direct message, and post the answer."""
    intake = Intake(FakeInbox(), replace(desk, clock=clock), Running())
    happenings = Happenings(intake, Words(intake))
    channel = await desk.places.messages_with(ANA)
    event = {"type": "message", "channel_type": "im", "channel": channel, "ts": "1.0", "user": ANA,
             "text": "who"}  # fmt: skip
    body = {"event": event, "event_id": "Ev1"}
    await happenings.reply(body, await happenings.hear(body))


async def answers(desk: Desk, workspace: Workspace) -> int:
    channel = await desk.places.messages_with(ANA)
    return sum("primary" in m.text for m in workspace.messages(channel, viewer="ana"))


@pytest.mark.parametrize(
    ("kind", "retry_after", "waits"), [("ratelimited", 17, 17), ("http_503", 0, 1)]
)
async def test_an_answer_waits_until_slack_takes_it(
    desk: Desk, workspace: Workspace, kind: Kind, retry_after: int, waits: int
) -> None:
    clock = Sleepless()
    workspace.faults.add(method="chat.postMessage", kind=kind, retry_after=retry_after)
    await asked(desk, clock)
    assert clock.slept == [timedelta(seconds=waits)]
    assert await answers(desk, workspace) == 1


async def test_an_answer_that_slack_will_not_take_is_given_up(
    desk: Desk, workspace: Workspace
) -> None:
    clock = Sleepless()
    workspace.faults.add(method="chat.postMessage", kind="ratelimited", retry_after=600, times=9)
    with pytest.raises(RetryLaterError, match="rate limited"):
        await asked(desk, clock)
    assert clock.slept == [timedelta(minutes=1)] * 3
    assert await answers(desk, workspace) == 0
