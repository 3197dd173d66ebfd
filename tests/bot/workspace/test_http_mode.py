"""Signed HTTP delivery to a real Bolt app behind a request URL."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from slack_bolt.app.async_server import AsyncSlackAppServer
from slack_bolt.async_app import AsyncApp

from bot.workspace.http_mode import sign
from bot.workspace.state import Workspace


@pytest.fixture
async def request_url(app: AsyncApp) -> AsyncIterator[str]:
    server = AsyncSlackAppServer(port=0, path="/slack/events", app=app, host="127.0.0.1")
    runner = web.AppRunner(server.web_app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await runner.cleanup()


async def test_a_bolt_app_accepts_the_signature_and_answers(
    app: AsyncApp, request_url: str, workspace: Workspace
) -> None:
    seen: list[str] = []

    @app.command("/oncall")
    async def on_command(ack, command) -> None:
        await ack(f"you typed {command['text']}")

    @app.event("app_home_opened")
    async def on_home(event, client) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": []})

    @app.shortcut("journal")
    async def on_shortcut(ack, shortcut) -> None:
        seen.append(shortcut["callback_id"])
        await ack()

    assert await workspace.use_http(request_url)
    assert (await workspace.command("ana", "data-alerts", "/oncall who")).acked
    assert [m.text for m in workspace.messages("data-alerts", viewer="ana")] == ["you typed who"]
    await workspace.open_home("ana")
    await workspace.until(lambda: workspace.homes)
    assert (await workspace.shortcut("ana", "journal")).acked
    assert seen == ["journal"]


async def test_a_wrong_secret_is_refused(app: AsyncApp, request_url: str, workspace) -> None:
    workspace.signing_secret = "another"
    assert not await workspace.use_http(request_url)
    outcome = await workspace.command("ana", "data-alerts", "/oncall")
    assert outcome.error == "/oncall failed with the error “dispatch_failed”."


async def test_nobody_behind_the_url_is_an_error(running, workspace: Workspace) -> None:
    assert not await workspace.use_http("http://127.0.0.1:9/slack/events")


def test_the_signature_is_slacks_own_example() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015."
        b"47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    assert sign("8f742231b10e8888abcd99yyyzzz85a5", 1531420618, body) == (
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )
