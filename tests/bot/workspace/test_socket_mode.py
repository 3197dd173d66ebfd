"""Socket Mode on its good and bad days, with the real client on the other side."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from bot.workspace.server import RunningWorkspace
from bot.workspace.state import Workspace
from tests.bot.workspace.conftest import client_of


@pytest.fixture(autouse=True)
def _answering(app: AsyncApp) -> None:
    @app.command("/oncall")
    async def on_command(ack) -> None:
        await ack("yes")


@pytest.fixture
async def second(
    app: AsyncApp, running: RunningWorkspace, workspace: Workspace
) -> AsyncIterator[AsyncSocketModeHandler]:
    handler = AsyncSocketModeHandler(app, workspace.app_token, web_client=client_of(running))
    await handler.connect_async()
    yield handler
    await handler.close_async()


async def test_two_connections_take_turns(
    bolt: AsyncSocketModeHandler, second: AsyncSocketModeHandler, workspace: Workspace
) -> None:
    taken: list[int] = []
    for number, handler in enumerate((bolt, second)):

        async def note(client, message, raw, number=number) -> None:
            if message.get("type") == "slash_commands":
                taken.append(number)

        handler.client.message_listeners.append(note)
    await workspace.until(lambda: len(workspace.sockets.connections) == 2)
    for _ in range(4):
        assert (await workspace.command("ana", "data-alerts", "/oncall")).acked
    assert sorted(taken) == [0, 0, 1, 1]


async def test_the_client_comes_back_when_it_is_asked_to_refresh(
    bolt: AsyncSocketModeHandler, workspace: Workspace
) -> None:
    await workspace.sockets.ask_to_refresh()
    await workspace.until(lambda: workspace.sockets.opened == 2)
    await workspace.until(lambda: len(workspace.sockets.connections) == 1)
    assert (await workspace.command("ana", "data-alerts", "/oncall")).acked


async def test_dropped_connections_are_gone_at_once(
    bolt: AsyncSocketModeHandler, workspace: Workspace
) -> None:
    assert workspace.sockets.drop_all() == 1
    await workspace.until(lambda: not workspace.sockets.connections)
    outcome = await workspace.command("ana", "data-alerts", "/oncall")
    assert outcome.error == "/oncall failed with the error “dispatch_failed”."


async def test_a_handshake_can_be_refused_and_a_ticket_works_once(
    running: RunningWorkspace, workspace: Workspace
) -> None:
    client = client_of(running)
    async with aiohttp.ClientSession() as session:
        opened = await client.apps_connections_open(app_token=workspace.app_token)
        workspace.sockets.refuse(1)
        assert await status_of(session, opened["url"]) == 503
        async with session.ws_connect(opened["url"]) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        assert await status_of(session, opened["url"]) == 403


async def test_a_deaf_socket_is_a_time_out(
    bolt: AsyncSocketModeHandler, workspace: Workspace
) -> None:
    workspace.ack_seconds = 0.1
    workspace.sockets.deaf = True
    outcome = await workspace.command("ana", "data-alerts", "/oncall")
    assert outcome.error == "/oncall failed with the error “operation_timeout”."


async def status_of(session, url: str) -> int:
    async with session.get(url) as answer:
        return answer.status
