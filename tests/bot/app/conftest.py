"""A whole Watchbill in this process, against a local workspace over real HTTP and WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from bot.app.application import Application, Setting
from bot.app.building import build
from bot.app.local import access_to, local_workspace
from bot.clock import SystemClock
from bot.config.file import load
from bot.demo.roster import roster_for
from bot.workspace.blockkit import problems
from bot.workspace.model import Message
from bot.workspace.state import Workspace
from tests.ports import free_port

CONFIG = """
database: {database}
listen: 127.0.0.1:{port}
slack: {{mode: local, alerts_channel: data-alerts}}
local_workspace: {{listen: "127.0.0.1:0"}}
sources:
  - {{name: generic, kind: generic, secret: s3cret}}
  - {{name: alertmanager, kind: alertmanager, secret: s3cret}}
people:
  - {{name: Ana Ruiz, email: ana@example.com}}
  - {{name: Bo Chen, email: bo@example.com}}
  - {{name: Cy Haddad, email: cy@example.com}}
  - {{name: Dee Novak, email: dee@example.com}}
rotations: {{data: {{zone: UTC}}}}
roster: {roster}
escalation_policies:
  default:
    - {{page: [on_call: primary], wait: 5m}}
    - {{page: [on_call: secondary], wait: 10m}}
routes: [{{name: everything, policy: default}}]
fallback: [dee@example.com]
"""

WEDNESDAY = datetime(2026, 11, 18, 10, tzinfo=UTC)
"""When a test begins: far from every hand-off and from what is asked before one."""


@dataclass
class Running:
    """What a test talks to; `order` is who is primary, secondary and neither."""

    app: Application
    workspace: Workspace
    http: aiohttp.ClientSession
    order: tuple[str, str, str]

    async def post(self, source: str, body: object) -> int:
        url = f"{self.app.url}/hooks/{source}"
        headers = {"Authorization": "Bearer s3cret"}
        async with self.http.post(url, json=body, headers=headers) as answer:
            return answer.status

    def said(self, where: str) -> list[Message]:
        person = where in {user.name for user in self.workspace.users.values()}
        channel = self.workspace.dm(where) if person else self.workspace.conversation(where)
        return [m for m in self.workspace.messages(channel.id) if not m.only_for]

    async def until_said(self, where: str, words: str) -> Message:
        """Wait until a message somewhere holds `words`, in its text or blocks."""
        found: list[Message] = []

        def there() -> bool:
            found[:] = [m for m in self.said(where) if words in str((m.text, m.blocks))]
            return bool(found)

        assert await self.workspace.until(there, seconds=10), (
            f"{words!r} is not in {where}: {[(m.text) for m in self.said(where)]}"
        )
        return found[-1]


@pytest.fixture
async def running(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with started(database_url, tmp_path) as one:
        yield one
        refused = [c for c in one.workspace.calls if c.answer.startswith("invalid")]
        assert refused == []


@asynccontextmanager
async def started(
    database_url: str,
    folder: Path,
    speed: float = 60.0,
    more: str = "",
    roster: str = "",
    *,
    config: str = CONFIG,
    before: Callable[[Workspace], object] = lambda _workspace: None,
) -> AsyncIterator[Running]:
    clock = SystemClock(speed=speed, start=WEDNESDAY)
    if not roster:
        roster = str(folder / "roster.csv")
        Path(roster).write_text(roster_for(clock.now()))
    path = folder / "config.yaml"
    path.write_text(config.format(database=database_url, roster=roster, port=free_port()) + more)
    loaded = load(path, {})
    assert loaded.config is not None, loaded.faults
    assert loaded.parts is not None
    slack = await local_workspace(loaded.config, loaded.parts, clock)
    access = access_to(slack)
    before(slack.workspace)
    app = await build(
        Setting(config=loaded.config, parts=loaded.parts, clock=clock, access=access, speed=speed)
    )
    primary, secondary = (
        app.rules.shown().at("data", role, clock.now())[0].split("@")[0]
        for role in ("primary", "secondary")
    )
    other = ({"ana", "bo", "cy"} - {primary, secondary}).pop()
    try:
        async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as http:
            group.create_task(app.run())
            await app.started.wait()
            await slack.workspace.until(lambda: bool(slack.workspace.sockets.connections))
            yield Running(app, slack.workspace, http, (primary, secondary, other))
            app.stop()
    finally:
        await slack.close()


def checked(message: Message) -> None:
    assert problems({"text": message.text, "blocks": message.blocks}, surface="message") == []
