"""Each fault that can be ordered, as the real client meets it."""

from datetime import timedelta

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.faults import Kind
from bot.workspace.server import RunningWorkspace, serve
from bot.workspace.state import Workspace
from tests.bot.workspace.conftest import client_of, seeded


async def test_a_rate_limit_says_when_to_come_back(
    client: AsyncWebClient, workspace: Workspace
) -> None:
    workspace.faults.add(method="chat.postMessage", kind="ratelimited", retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="data-alerts", text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    assert workspace.messages("data-alerts") == []
    await client.chat_postMessage(channel="data-alerts", text="x")
    assert len(workspace.messages("data-alerts")) == 1


@pytest.mark.parametrize("kind", ["http_500", "http_502", "http_503", "http_504", "html"])
async def test_a_broken_answer_stores_nothing(
    client: AsyncWebClient, workspace: Workspace, kind: Kind
) -> None:
    workspace.faults.add(method="chat.postMessage", kind=kind)
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="data-alerts", text="x")
    assert workspace.messages("data-alerts") == []


async def test_a_named_error_is_answered(client: AsyncWebClient, workspace: Workspace) -> None:
    workspace.faults.add(method="chat.postMessage", kind="error", error="token_revoked")
    with pytest.raises(SlackApiError, match="token_revoked"):
        await client.chat_postMessage(channel="data-alerts", text="x")


@pytest.mark.parametrize(("kind", "stored"), [("drop_before", 0), ("drop_after_commit", 1)])
async def test_a_dropped_connection_may_hide_a_success(
    client: AsyncWebClient, workspace: Workspace, kind: Kind, stored: int
) -> None:
    workspace.faults.add(method="chat.postMessage", kind=kind)
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="data-alerts", text="x")
    assert len(workspace.messages("data-alerts")) == stored


async def test_a_time_out_may_hide_a_success(
    running: RunningWorkspace, workspace: Workspace
) -> None:
    workspace.faults.add(method="chat.postMessage", kind="timeout_after_commit")
    with pytest.raises(TimeoutError):
        await client_of(running, timeout=1).chat_postMessage(channel="data-alerts", text="x")
    assert len(workspace.messages("data-alerts")) == 1


async def test_a_fault_can_be_for_one_channel_and_until_a_time(
    client: AsyncWebClient, workspace: Workspace
) -> None:
    other = workspace.add_channel(name="other")
    until = workspace.clock.now() + timedelta(hours=1)
    workspace.faults.add(method="*", kind="http_503", channel=other.id, until=until)
    await client.chat_postMessage(channel="data-alerts", text="fine")
    for _ in range(3):
        with pytest.raises(SlackApiError):
            await client.chat_postMessage(channel=other.id, text="x")
    workspace.faults.clear()
    await client.chat_postMessage(channel=other.id, text="x")
    assert [call.status for call in workspace.calls if call.method == "chat.postMessage"] == [
        200, 503, 503, 503, 200,
    ]  # fmt: skip


async def test_a_strict_workspace_limits_posts_by_channel_and_edits_by_method() -> None:
    now = [0.0]
    workspace = seeded(stopwatch=lambda: now[0])
    workspace.limit_rates()
    workspace.add_channel(name="other")
    running = await serve(workspace)
    client = client_of(running)
    sent = [await client.chat_postMessage(channel="data-alerts", text="x") for _ in range(5)]
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="data-alerts", text="x")
    assert caught.value.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel="other", text="x")
    now[0] = 1.0
    await client.chat_postMessage(channel="data-alerts", text="x")
    channel, ts = sent[0]["channel"], sent[0]["ts"]
    for _ in range(50):
        await client.chat_update(channel=channel, ts=ts, text="y")
    with pytest.raises(SlackApiError, match="ratelimited"):
        await client.chat_update(channel=channel, ts=ts, text="y")
    await running.close()
