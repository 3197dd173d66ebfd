"""A served workspace, and the parts of the bot that talk to it."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from bot.slack.api import SlackApi, new_session, web_client
from bot.slack.desk import Desk
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.workspace.blockkit import problems
from bot.workspace.server import RunningWorkspace, serve
from bot.workspace.state import Workspace
from tests.bot.slack.samples import BOOK, NOW, ON_CALL, PEOPLE, incident
from tests.fakes.clock import FakeClock
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
