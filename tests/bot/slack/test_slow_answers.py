"""What takes longer than Slack waits is acknowledged in time and answered later."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.acts.act import OnIncident, act_from_json
from bot.ports.delivering import RetryLaterError
from bot.ports.inbox import NotStoredError
from bot.slack.desk import Desk
from bot.slack.happenings import Happenings
from bot.slack.intake import Intake, Running
from bot.slack.listeners import Identity, build_listeners
from bot.slack.words import Words
from bot.workspace.server import RunningWorkspace
from bot.workspace.state import Workspace
from rules.incident import Incident, State
from tests.bot.slack.conftest import by_socket
from tests.bot.slack.samples import NOW, incident
from tests.bot.slack.test_listeners import WHERE, whispers
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader


class SlowReader(FakeReader):
    """Tells only when it is let."""

    def __init__(self) -> None:
        super().__init__(incident())
        self.let = asyncio.Event()

    async def incidents(
        self, *, states: Sequence[State], limit: int, assigned_to: str = ""
    ) -> Sequence[Incident]:
        await self.let.wait()
        return await super().incidents(states=states, limit=limit, assigned_to=assigned_to)


@dataclass
class Acks:
    """Keeps what Slack was told at once."""

    said: list[dict[str, Any]] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, **answer: Any) -> None:
        self.said.append(answer)
        self.heard.set()


def typed(workspace: Workspace, text: str) -> dict[str, str]:
    channel = workspace.conversation(WHERE).id
    return {
        "user_id": "U0ANA001",
        "channel_id": channel,
        "trigger_id": "t1",
        "response_url": workspace.new_response_url("U0ANA001", channel),
        "text": text,
    }


async def test_a_question_that_takes_long_is_acknowledged_in_time_and_answered_later(
    desk: Desk, workspace: Workspace
) -> None:
    reader, ack = SlowReader(), Acks()
    intake = Intake(FakeInbox(), replace(desk, reader=reader), Running())
    words = Words(intake, timedelta(0))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(words.command(ack, typed(workspace, "list")))
        await ack.heard.wait()
        assert ack.said == [{}]
        assert whispers(workspace) == []
        reader.let.set()
    assert len(ack.said) == 1
    assert "#42" in str([m.blocks for m in workspace.messages(WHERE, viewer="ana") if m.only_for])


@pytest.mark.parametrize(
    ("subtype", "heard"),
    [("", True), ("file_share", True), ("thread_broadcast", True), ("message_changed", False)],
)
async def test_words_beside_a_picture_are_words(desk: Desk, subtype: str, heard: bool) -> None:
    inbox = FakeInbox()
    intake = Intake(inbox, desk, Running())
    event = {"type": "message", "channel_type": "im", "channel": "D1", "ts": "1.0", "user": "U0ANA001",
             "text": "ack 42", **({"subtype": subtype} if subtype else {})}  # fmt: skip
    await Happenings(intake, Words(intake)).hear({"event": event, "event_id": "Ev1"})
    assert bool(inbox.deliveries) is heard


@pytest.mark.parametrize(
    ("fault", "said"),
    [(NotStoredError("gone"), "has been logged. Please try again"),
     (RetryLaterError("Slack is down"), "Slack would not do that: Slack is down")],
)  # fmt: skip
async def test_a_question_that_fails_is_told_to_who_asked(
    desk: Desk, running: RunningWorkspace, workspace: Workspace, fault: Exception, said: str
) -> None:
    class Broken(FakeReader):
        async def incidents(self, **_: object) -> Sequence[Incident]:
            raise fault

    me = Identity(bot_user=workspace.bot_user_id)
    broken = replace(desk, reader=Broken())
    listening = build_listeners(broken, FakeInbox(), token="", identity=lambda: me)
    async with by_socket(listening, running) as connection:
        await workspace.until(lambda: len(workspace.sockets.connections) == 2)
        assert (await workspace.command("ana", WHERE, "/oncall list")).acked
        await workspace.until(lambda: whispers(workspace))
        assert said in whispers(workspace)[0]
        await connection.close()


async def test_an_act_is_never_acknowledged_before_it_is_stored(
    desk: Desk, workspace: Workspace
) -> None:
    inbox, ack = FakeInbox(), Acks()
    inbox.broken = True
    words = Words(Intake(inbox, desk, Running()), timedelta(0))
    await words.command(ack, typed(workspace, "ack 42"))
    (answer,) = ack.said
    assert "could not save" in answer["text"]


@pytest.mark.parametrize(("hangs", "hour"), [(False, 15), (True, 9)])
async def test_a_time_is_read_in_the_zone_of_whom_nobody_has_met(
    desk: Desk, workspace: Workspace, hangs: bool, hour: int
) -> None:
    if hangs:
        workspace.faults.add(method="users.info", kind="timeout_after_commit")
    inbox, ack = FakeInbox(), Acks()
    words = Words(Intake(inbox, desk, Running()))
    await words.command(ack, {**typed(workspace, "snooze 42 until 09:00"), "user_id": "U0DEE001"})
    act = act_from_json(inbox.deliveries[0].body).act
    assert isinstance(act, OnIncident)
    assert act.until == NOW.replace(hour=hour, minute=0)  # Dee lives in Chicago


async def test_a_long_list_says_how_long_it_is(desk: Desk, workspace: Workspace) -> None:
    reader = FakeReader(*(incident(id=f"i{n}", number=n) for n in range(340)))
    words = Words(Intake(FakeInbox(), replace(desk, reader=reader), Running()))
    ack = Acks()
    await words.command(ack, typed(workspace, "list"))
    await words.command(ack, typed(workspace, "list all"))
    some, newest = ack.said
    assert (some["text"], newest["text"]) == ("340 incidents", "The newest of many incidents")
    assert "and 315 more" in str(some["blocks"][-1])
