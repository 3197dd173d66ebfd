"""What Slack says about our token, and what it could never have sent."""

import json
import logging
from dataclasses import replace

import aiohttp
import pytest

from bot.ports.delivering import RetryLaterError
from bot.slack.api import SlackApi
from bot.slack.desk import Desk
from bot.slack.listeners import Listening
from bot.slack.manifest import missing
from bot.workspace.state import Workspace
from tests.bot.slack.test_connection import _served
from tests.bot.slack.test_delivery import carry_out, job
from tests.fakes.reader import FakeReader


async def test_we_learn_who_we_are_and_what_we_may(api: SlackApi, workspace: Workspace) -> None:
    workspace.scopes -= {"im:write", "usergroups:read"}
    said, scopes = await api.who_am_i()
    assert said["user_id"] == workspace.bot_user_id
    assert missing(scopes) == (("im:write",), ("usergroups:read",))


async def test_a_revoked_token_is_shown_until_it_works_again(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    workspace.faults.add(method="chat.postMessage", kind="error", error="token_revoked")
    with pytest.raises(RetryLaterError):
        await carry_out(desk, reader, job("show"))
    assert "install the app again" in desk.api.trouble
    await carry_out(desk, reader, job("show"))
    assert desk.api.trouble == ""


async def test_permalinks_lead_into_our_workspace(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    desk = replace(desk, workspace_url=lambda: f"{workspace.base_url}/")
    (root,) = (await carry_out(desk, reader, job("show"))).messages
    await carry_out(desk, reader, job("page", payload={"person": "ana@example.com"}))
    (message,) = workspace.messages("ana")
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
