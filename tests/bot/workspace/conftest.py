"""A served workspace, and the real Slack client and Bolt app on the other side."""

from collections.abc import AsyncIterator

import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.server import RunningWorkspace, serve
from bot.workspace.state import Workspace

PEOPLE = [
    {"name": "ana", "real_name": "Ana Silva", "email": "ana@example.com", "tz": "Europe/Lisbon"},
    {"name": "bo", "real_name": "Bo Chen", "email": "bo@example.com", "tz": "America/Chicago"},
]


def seeded(**options) -> Workspace:
    workspace = Workspace(**options)
    workspace.seed(
        users=PEOPLE,
        channels=[{"name": "data-alerts"}, {"name": "secret", "is_private": True, "members": []}],
        user_groups=[{"handle": "data-oncall", "users": ["ana"]}],
    )
    return workspace


@pytest.fixture
def workspace() -> Workspace:
    return seeded()


@pytest.fixture
async def running(workspace: Workspace) -> AsyncIterator[RunningWorkspace]:
    server = await serve(workspace)
    yield server
    await server.close()


@pytest.fixture
def client(running: RunningWorkspace) -> AsyncWebClient:
    return client_of(running)


def client_of(running: RunningWorkspace, **options) -> AsyncWebClient:
    options = {"timeout": 5, "retry_handlers": [], **options}
    return AsyncWebClient(token=running.workspace.bot_token, base_url=running.api_url, **options)


@pytest.fixture
def app(client: AsyncWebClient, workspace: Workspace) -> AsyncApp:
    return AsyncApp(client=client, signing_secret=workspace.signing_secret)


@pytest.fixture
async def bolt(
    app: AsyncApp, running: RunningWorkspace, workspace: Workspace
) -> AsyncIterator[AsyncSocketModeHandler]:
    """The app, connected over Socket Mode."""
    handler = AsyncSocketModeHandler(app, workspace.app_token, web_client=client_of(running))
    await handler.connect_async()
    await workspace.until(lambda: workspace.sockets.connections)
    yield handler
    await handler.close_async()
