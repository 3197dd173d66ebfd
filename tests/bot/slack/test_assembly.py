"""The whole Slack side, as the composition root builds it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.clock import SystemClock
from bot.ports import RetryLaterError
from bot.slack.api import new_session
from bot.slack.assembly import SlackPorts, SlackSettings, SlackSide, assemble
from bot.slack.listeners import Listening
from bot.workspace.server import RunningWorkspace
from bot.workspace.state import Workspace
from tests.bot.slack.conftest import strict
from tests.bot.slack.samples import BOOK, ON_CALL, PEOPLE
from tests.bot.slack.test_connection import _served, works
from tests.bot.slack.test_delivery import job
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader


@pytest.fixture
async def side(
    running: RunningWorkspace, inbox: FakeInbox, reader: FakeReader, clock: FakeClock
) -> AsyncIterator[SlackSide]:
    settings = SlackSettings(
        bot_token=running.workspace.bot_token,
        api_url=running.api_url,
        app_token=running.workspace.app_token,
    )
    ports = SlackPorts(
        inbox=inbox,
        reader=reader,
        clock=clock,
        line_clock=SystemClock(speed=20),
        on_call=lambda: ON_CALL,
        rulebook=lambda: BOOK,
        people=lambda: PEOPLE,
    )
    async with new_session() as session:
        yield assemble(settings, ports, session, strict)


async def test_it_connects_introduces_itself_and_says_when_it_cannot(
    side: SlackSide, workspace: Workspace
) -> None:
    assert await side.trouble() == "no connection to Slack: check the network and slack.app_token"
    workspace.faults.add(method="auth.test", kind="error", error="token_revoked")
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(side.run(["gone@example.com"]))
        await workspace.until(lambda: len(workspace.sockets.connections) == 2)
        await workspace.until(lambda: side.directory.known_user("cy@example.com"), 10)
        assert side.me.identity.bot_user == workspace.bot_user_id
        assert await works(workspace)
        assert await side.trouble() == ""
        assert side.missing_scopes() == ((), ())
        await side.close()
        task.cancel()


async def test_a_revoked_token_is_shown_until_it_works_again(
    side: SlackSide, workspace: Workspace
) -> None:
    workspace.faults.add(method="chat.postMessage", kind="error", error="token_revoked")
    with pytest.raises(RetryLaterError):
        await side.deliverers["show"].deliver(job("show"))
    assert "install the app again" in await side.trouble()
    await side.deliverers["show"].deliver(job("show"))
    assert "install the app again" not in await side.trouble()


async def test_missing_scopes_are_named(side: SlackSide, workspace: Workspace) -> None:
    workspace.scopes -= {"im:write", "usergroups:read"}
    await side.identify()
    assert side.missing_scopes() == (("im:write",), ("usergroups:read",))


async def test_permalinks_lead_into_our_workspace(
    side: SlackSide, workspace: Workspace, reader: FakeReader
) -> None:
    await side.identify()
    shown = await side.deliverers["show"].deliver(job("show"))
    reader.placed["i42"].extend(shown.messages)
    page = job("page", payload={"person": "ana@example.com"})
    await side.deliverers["page"].deliver(page)
    (message,) = workspace.messages("ana")
    (root,) = shown.messages
    link = f"{workspace.base_url}/archives/{root.channel}/p{root.ts.replace('.', '')}"
    assert link in json.dumps(message.blocks)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe", "application/json; charset=utf-8"),
        (b"{}", "application/json; charset=klingon"),
        (b"{broken", "application/json"),
        (b"payload={broken", "application/x-www-form-urlencoded"),
        (b"", "text/plain"),
    ],
)
async def test_what_cannot_be_from_slack_is_refused_without_a_trace(
    listening: Listening, workspace: Workspace, body: bytes, kind: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.ERROR)
    runner, url = await _served(listening, workspace.signing_secret)
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers={"Content-Type": kind}) as answer,
    ):
        assert answer.status in {400, 401}
    await runner.cleanup()
    assert caplog.text == ""
