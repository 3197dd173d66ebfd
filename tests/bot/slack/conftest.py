"""A served workspace, and the parts of the bot that talk to it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from bot.clock import SystemClock
from bot.slack.api import SlackApi, new_session, web_client
from bot.slack.connection import SocketConnection, http_handler
from bot.slack.desk import Desk
from bot.slack.listeners import Identity, Listening, build_listeners
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.workspace.blockkit import problems
from bot.workspace.server import RunningWorkspace, serve
from bot.workspace.state import Workspace
from tests.bot.slack.samples import BOOK, NOW, ON_CALL, PEOPLE, incident
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader


def strict(surface: str, payload: Mapping[str, Any]) -> None:
    """Refuse what Slack would refuse, before it leaves."""
    faults = problems(dict(payload), surface=surface)  # type: ignore[arg-type]
    assert faults == [], faults


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def workspace(clock: FakeClock) -> Workspace:
    made = Workspace(clock=clock)
    made.seed(
        users=[
            {"id": "U0ANA001", "name": "ana", "real_name": "Ana", "email": "ana@example.com"},
            {"id": "U0BO0001", "name": "bo", "real_name": "Bo", "email": "bo@example.com"},
            {"id": "U0CY0001", "name": "cy", "real_name": "Cy", "email": "cy@example.com"},
            {"id": "U0DEE001", "name": "dee", "real_name": "Dee", "tz": "America/Chicago"},
        ],
        channels=[
            {"name": "data-alerts"},
            {"name": "others"},
            {"name": "secret", "is_private": True, "members": ["ana"]},
        ],
        user_groups=[{"handle": "data-oncall", "users": ["ana"]}],
    )
    return made


@pytest.fixture
async def running(workspace: Workspace) -> AsyncIterator[RunningWorkspace]:
    server = await serve(workspace)
    yield server
    await server.close()


@pytest.fixture
async def api(running: RunningWorkspace) -> AsyncIterator[SlackApi]:
    async with new_session() as session:
        client = web_client(running.workspace.bot_token, running.api_url, session)
        yield SlackApi(client, strict)


@pytest.fixture
def reader() -> FakeReader:
    return FakeReader(incident())


@pytest.fixture
def directory(api: SlackApi, clock: FakeClock) -> Directory:
    return Directory(api, lambda: PEOPLE, clock)


@pytest.fixture
def desk(
    api: SlackApi,
    directory: Directory,
    reader: FakeReader,
    clock: FakeClock,
    running: RunningWorkspace,
) -> Desk:
    return Desk(
        api=api,
        places=Places(api),
        directory=directory,
        reader=reader,
        clock=clock,
        on_call=lambda: ON_CALL,
        rulebook=lambda: BOOK,
        workspace_url=lambda: running.url,
    )


@pytest.fixture
def inbox() -> FakeInbox:
    return FakeInbox()


@pytest.fixture
def listening(desk: Desk, inbox: FakeInbox, workspace: Workspace) -> Listening:
    me = Identity(bot_user=workspace.bot_user_id, bot=workspace.bot_id, team=workspace.team_id)
    return build_listeners(
        desk,
        inbox,
        token=workspace.bot_token,
        identity=lambda: me,
        signing_secret=workspace.signing_secret,
    )


@pytest.fixture(params=["socket", "http"])
async def line(
    request: pytest.FixtureRequest,
    listening: Listening,
    running: RunningWorkspace,
    workspace: Workspace,
) -> AsyncIterator[Listening]:
    """The app, reached by Socket Mode and by signed HTTP requests in turn."""
    if request.param == "socket":
        async with by_socket(listening, running) as connection:
            await workspace.until(lambda: len(workspace.sockets.connections) == 2)
            yield listening
            await connection.close()
        return
    served = web.Application()
    handler = http_handler(listening.app, listening.running, workspace.signing_secret)

    async def post(request: web.Request) -> web.Response:
        return await handler(request, await request.read())

    served.router.add_post("/slack/events", post)
    runner = web.AppRunner(served)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    assert await workspace.use_http(f"http://127.0.0.1:{port}/slack/events")
    yield listening
    await listening.running.idle()
    await runner.cleanup()


@asynccontextmanager
async def by_socket(
    listening: Listening, running: RunningWorkspace, **options: Any
) -> AsyncIterator[SocketConnection]:
    connection = SocketConnection(
        app=listening.app,
        running=listening.running,
        app_token=running.workspace.app_token,
        api_url=running.api_url,
        **{"clock": SystemClock(), "ping_interval": 1.0, **options},
    )
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(connection.run())
        yield connection
        task.cancel()
