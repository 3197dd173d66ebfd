import asyncio
import hashlib
import hmac
import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.clock import SystemClock
from bot.ports.inbox import Accepted, NewDelivery
from bot.slack.connection import http_handler
from bot.slack.desk import Desk
from bot.slack.listeners import Identity, Listening, build_listeners
from bot.workspace.server import RunningWorkspace
from bot.workspace.state import Workspace
from rules.incident import Incident
from tests.bot.slack.conftest import by_socket
from tests.bot.slack.test_delivery import carry_out, job
from tests.bot.slack.test_listeners import WHERE
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader

FAST = SystemClock(speed=20)


def two(workspace: Workspace) -> bool:
    return len(workspace.sockets.connections) == 2


async def works(workspace: Workspace) -> bool:
    return (await workspace.command("ana", WHERE, "/oncall who")).acked


async def test_two_connections_are_kept_and_counted(
    listening: Listening, running: RunningWorkspace, workspace: Workspace
) -> None:
    async with by_socket(listening, running, clock=FAST) as connection:
        assert connection.silent_for() is None
        await workspace.until(lambda: two(workspace))
        assert await works(workspace)
        assert await connection.connected() == 2
        assert connection.silent_for() is not None


async def test_a_refresh_is_followed(
    listening: Listening, running: RunningWorkspace, workspace: Workspace
) -> None:
    async with by_socket(listening, running, clock=FAST):
        await workspace.until(lambda: two(workspace))
        await workspace.sockets.ask_to_refresh()
        await workspace.until(lambda: workspace.sockets.opened >= 4 and two(workspace))
        assert await works(workspace)


class SpoiledTickets(dict[str, float]):
    """The first handshakes fail, and an address that failed once leads nowhere for ever."""

    def __init__(self, spoiled: int) -> None:
        super().__init__()
        self.spoiled = spoiled

    def pop(self, ticket: str, default: Any = None) -> Any:
        issued = super().pop(ticket, default)
        if self.spoiled and issued is not None:
            self.spoiled -= 1
            return None
        return issued


async def test_a_refused_handshake_does_not_wedge_the_line(
    listening: Listening,
    running: RunningWorkspace,
    workspace: Workspace,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, logger="bot.slack.connection")
    async with by_socket(listening, running, clock=FAST, ping_interval=0.2) as connection:
        await workspace.until(lambda: two(workspace))
        workspace.tickets = SpoiledTickets(spoiled=3)
        assert workspace.sockets.drop_all() == 2
        await workspace.until(lambda: workspace.sockets.opened >= 4 and two(workspace), 30)
        assert await works(workspace)
        assert await connection.connected() == 2
    opened = [c for c in workspace.calls if c.method == "apps.connections.open"]
    assert len(opened) < 12


async def test_slack_down_at_the_start_is_waited_out(
    listening: Listening,
    running: RunningWorkspace,
    workspace: Workspace,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, logger="bot.slack.connection")
    workspace.faults.add(method="apps.connections.open", kind="http_503", times=4)
    async with by_socket(listening, running, clock=FAST, ping_interval=0.1):
        await workspace.until(lambda: two(workspace), 30)
        assert await works(workspace)


class SlowInbox(FakeInbox):
    """Commits only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.let = asyncio.Event(), asyncio.Event()

    async def accept(self, delivery: NewDelivery) -> Accepted:
        self.reached.set()
        await self.let.wait()
        return await super().accept(delivery)


async def test_a_token_in_the_environment_is_no_reason_to_warn(
    desk: Desk, inbox: FakeInbox, workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("SLACK_BOT_TOKEN", workspace.bot_token)
    build_listeners(desk, inbox, token=workspace.bot_token, identity=lambda: _identity(workspace))
    assert caplog.messages == []


async def test_closing_waits_for_handlers_and_takes_nothing_more(
    desk: Desk, running: RunningWorkspace, workspace: Workspace, listening: Listening,
    reader: FakeReader,
) -> None:  # fmt: skip
    inbox = SlowInbox()
    slow = build_listeners(
        desk, inbox, token=workspace.bot_token, identity=lambda: _identity(workspace)
    )
    await carry_out(desk, reader, job("show"))
    (root,) = workspace.messages(WHERE)
    async with by_socket(slow, running) as connection:
        await workspace.until(lambda: two(workspace))
        async with asyncio.TaskGroup() as tasks:
            click = tasks.create_task(workspace.click("ana", WHERE, root.ts, "ack"))
            await inbox.reached.wait()
            closing = tasks.create_task(connection.close(timedelta(seconds=5)))
            workspace.ack_seconds = 0.2
            late = await workspace.click("bo", WHERE, root.ts, "ack")
            assert not late.acked
            assert not closing.done()
            inbox.let.set()
        assert len(inbox.deliveries) == 1
        assert click.done()


async def test_what_is_written_to_us_is_stored_before_slack_is_told(
    desk: Desk, running: RunningWorkspace, workspace: Workspace
) -> None:
    inbox = SlowInbox()
    slow = build_listeners(
        desk, inbox, token=workspace.bot_token, identity=lambda: _identity(workspace)
    )

    def told() -> list[str]:
        return [c.answer for c in workspace.calls if c.method == "→ app_mention"]

    async with by_socket(slow, running) as connection:
        await workspace.until(lambda: two(workspace))
        workspace.say("bo", WHERE, f"<@{workspace.bot_user_id}> ack 42")
        await inbox.reached.wait()
        assert await works(workspace), "a later envelope is answered meanwhile"
        assert told() == []
        inbox.let.set()
        await workspace.until(told)
        assert told() == ["ok"]
        assert len(inbox.deliveries) == 1
        await connection.close()


def _identity(workspace: Workspace) -> Identity:
    return Identity(bot_user=workspace.bot_user_id)


async def test_closing_has_a_deadline(
    desk: Desk, running: RunningWorkspace, workspace: Workspace, reader: FakeReader
) -> None:
    inbox = SlowInbox()
    stuck = build_listeners(
        desk, inbox, token=workspace.bot_token, identity=lambda: _identity(workspace)
    )
    async with by_socket(stuck, running) as connection:
        await workspace.until(lambda: two(workspace))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(workspace.command("ana", WHERE, "/oncall ack 42"))
            await inbox.reached.wait()
            await connection.close(timedelta(seconds=0.05))
            assert inbox.deliveries == []
            inbox.let.set()


class BrokenReader(FakeReader):
    async def incident_numbered(self, number: int) -> Incident | None:
        raise RuntimeError("the table is gone")


@pytest.mark.parametrize("user", ["ana"])
async def test_a_failing_handler_is_logged_and_the_person_told(
    desk: Desk, running: RunningWorkspace, workspace: Workspace, inbox: FakeInbox, user: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    broken = build_listeners(
        replace(desk, reader=BrokenReader()), inbox, token=workspace.bot_token,
        identity=lambda: _identity(workspace),
    )  # fmt: skip
    async with by_socket(broken, running):
        await workspace.until(lambda: two(workspace))
        outcome = await workspace.command(user, WHERE, "/oncall show 42")
        assert outcome.acked
        await workspace.until(lambda: workspace.messages(WHERE, viewer=user))
    assert "it has been logged" in workspace.messages(WHERE, viewer=user)[0].text
    assert "the table is gone" in caplog.text


async def _served(listening: Listening, secret: str) -> tuple[web.AppRunner, str]:
    app, handler = web.Application(), http_handler(listening.app, listening.running, secret)

    async def post(request: web.Request) -> web.Response:
        return await handler(request, await request.read())

    app.router.add_post("/slack/events", post)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"


@pytest.mark.parametrize(
    ("secret", "age", "status"),
    [("right", 0, 200), ("wrong", 0, 401), ("right", 3600, 401)],
)
async def test_only_what_slack_signed_just_now_is_heard(
    listening: Listening, workspace: Workspace, secret: str, age: int, status: int
) -> None:
    body = json.dumps({"type": "event_callback", "event": {"type": "team_join"}, "team_id": "T1"})
    at = str(int(SystemClock().now().timestamp()) - age)  # Bolt reads the machine's clock
    key = workspace.signing_secret if secret == "right" else "x" * 32
    signature = hmac.new(key.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={signature}",
    }
    runner, url = await _served(listening, workspace.signing_secret)
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        assert answer.status == status
    await runner.cleanup()


def test_http_without_a_secret_is_refused(listening: Listening) -> None:
    with pytest.raises(ValueError, match="signing_secret"):
        http_handler(listening.app, listening.running, "")


BOMBS = {
    "lists": ("application/json", b"[" * 200_000),
    "objects": ("application/json", b'{"a":' * 100_000),
    "a payload": ("application/x-www-form-urlencoded", b"payload=" + b"[" * 200_000),
    "no text": ("application/json", b"\xff\xfe\x00"),
    "a strange charset": ("application/json; charset=klingon", b"{}"),
    "a list": ("application/json", b"[1]"),
    "a number": ("application/x-www-form-urlencoded", b"payload=7"),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("signed", [False, True])
async def test_nothing_unsigned_is_read_and_nothing_signed_is_a_fault(
    listening: Listening, workspace: Workspace, bomb: tuple[str, bytes], signed: bool
) -> None:
    kind, body = bomb
    at = str(int(SystemClock().now().timestamp()))
    made = hmac.new(workspace.signing_secret.encode(), digestmod=hashlib.sha256)
    made.update(f"v0:{at}:".encode() + body)
    signature = made.hexdigest() if signed else "0" * 64
    headers = {
        "Content-Type": kind,
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={signature}",
    }
    runner, url = await _served(listening, workspace.signing_secret)
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        assert answer.status < 500 if signed else answer.status == 401
    await runner.cleanup()
