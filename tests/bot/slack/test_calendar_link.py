"""`/oncall calendar`: the address goes to the one who asked, and into no channel."""

from dataclasses import replace

import pytest

from bot.slack.desk import Desk
from bot.slack.listeners import Listening
from bot.workspace.state import Workspace
from tests.bot.slack.samples import ANA

LINK = f"https://oncall.example/calendar/person/{ANA}.ics?key=5ecre7"
WHERE = "data-alerts"


@pytest.fixture
def desk(desk: Desk) -> Desk:
    return replace(desk, calendar_link=lambda person: LINK.replace(ANA, person))


async def test_the_command_tells_the_one_who_typed_it(
    line: Listening, workspace: Workspace
) -> None:
    outcome = await workspace.command("ana", WHERE, "/oncall calendar")
    assert outcome.acked
    seen = workspace.messages(workspace.conversation(WHERE).id, viewer="ana")
    assert LINK in str(seen[-1].blocks)
    assert seen[-1].only_for
    others = workspace.messages(workspace.conversation(WHERE).id, viewer="bo")
    assert "5ecre7" not in str([m.blocks for m in others])


async def test_a_direct_message_is_answered_there(line: Listening, workspace: Workspace) -> None:
    workspace.type_text("ana", workspace.dm("ana").id, "calendar")
    await workspace.until(lambda: len(workspace.messages("ana")) == 2)
    assert LINK in str(workspace.messages("ana")[-1].blocks)


async def test_a_mention_in_a_channel_tells_no_address(
    line: Listening, workspace: Workspace
) -> None:
    channel = workspace.conversation(WHERE).id
    workspace.say("ana", channel, f"<@{workspace.bot_user_id}> calendar")
    await workspace.until(lambda: len(workspace.messages(channel)) == 2)
    answer = workspace.messages(channel)[-1]
    assert "for you alone" in answer.text
    assert "5ecre7" not in str((answer.text, answer.blocks))


async def test_without_feeds_it_says_what_is_missing(
    line: Listening, workspace: Workspace, desk: Desk
) -> None:
    object.__setattr__(desk, "calendar_link", lambda _person: "")
    await workspace.command("ana", WHERE, "/oncall calendar")
    seen = workspace.messages(workspace.conversation(WHERE).id, viewer="ana")
    assert "calendar.secret" in seen[-1].text
