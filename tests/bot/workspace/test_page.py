"""The page: escaped, guarded, drawn for the person who looks, and alive."""

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.guard import NotLoopbackError
from bot.workspace.model import SlashCommand
from bot.workspace.server import RunningWorkspace, serve
from bot.workspace.state import Workspace

EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def browser(running: RunningWorkspace) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(running.url) as session:
        yield session


async def html(browser: aiohttp.ClientSession, path: str) -> str:
    async with browser.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def token_of(browser: aiohttp.ClientSession) -> str:
    found = re.search(r'name="workspace-token" content="([^"]+)"', await html(browser, "/"))
    assert found is not None
    return found.group(1)


async def act(browser: aiohttp.ClientSession, action: str, **body) -> dict:
    headers = {"X-Workspace-Token": await token_of(browser)}
    async with browser.post(f"/act/{action}", json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "example.com", "::"])
async def test_it_listens_on_loopback_only(workspace: Workspace, host: str) -> None:
    with pytest.raises(NotLoopbackError, match="not a loopback address"):
        await serve(workspace, host=host)


async def test_a_taken_port_is_an_error_that_leaves_nothing_behind(
    running: RunningWorkspace,
) -> None:
    with pytest.raises(OSError, match="in use"):
        await serve(Workspace(), port=running.port)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_strangers_are_refused(browser: aiohttp.ClientSession, headers: dict) -> None:
    for path in ("/", "/api/auth.test", "/socket", "/live"):
        async with browser.get(path, headers=headers) as answer:
            assert answer.status == 403


async def test_a_post_needs_the_pages_token(
    browser: aiohttp.ClientSession, workspace: Workspace
) -> None:
    body = {"as": workspace.person("ana").id, "channel": "data-alerts", "text": "hi"}
    async with browser.post("/act/send", json=body) as answer:
        assert answer.status == 403
    assert workspace.messages("data-alerts") == []
    await act(browser, "send", **body)
    assert [m.text for m in workspace.messages("data-alerts")] == ["hi"]
    headers = {"X-Workspace-Token": await token_of(browser)}
    for path in ("/act/nonsense", "/act/send"):
        async with browser.post(path, data=b"not json", headers=headers) as answer:
            assert answer.status == 400


async def test_everything_anybody_wrote_is_escaped(
    browser: aiohttp.ClientSession, workspace: Workspace, client: AsyncWebClient
) -> None:
    workspace.add_user(name="eve", real_name=EVIL)
    workspace.commands = (SlashCommand("/oncall", EVIL, EVIL, (("who", EVIL),)),)
    channel = workspace.conversation("data-alerts")
    channel.topic = EVIL
    workspace.say("eve", "data-alerts", EVIL)
    plain = {"type": "plain_text", "text": EVIL}
    short = {"type": "plain_text", "text": "</button>"}
    option = {"text": plain, "value": EVIL}
    blocks: list[dict] = [
        {"type": "header", "text": plain},
        {"type": "section", "text": {"type": "mrkdwn", "text": EVIL}, "fields": [plain]},
        {"type": "context", "elements": [plain]},
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": EVIL,
                    "text": plain,
                    "value": EVIL,
                    "confirm": {"title": plain, "text": plain, "confirm": short, "deny": short},
                },
                {"type": "overflow", "action_id": "o", "options": [option]},
                {"type": "static_select", "action_id": "s", "options": [option]},
            ],
        },
        {"type": "image", "image_url": "https://e.com/a.png", "alt_text": EVIL},
    ]
    await client.chat_postMessage(channel=channel.id, text=EVIL, blocks=blocks, username=EVIL)
    await client.chat_postMessage(channel=channel.id, text=EVIL)
    shown = await html(browser, f"/?channel={channel.id}&log=1")
    assert shown.count("<script") == 1  # the page's own
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


async def test_each_person_sees_their_own(
    browser: aiohttp.ClientSession, workspace: Workspace, client: AsyncWebClient
) -> None:
    ana, bo = workspace.person("ana").id, workspace.person("bo").id
    channel = workspace.conversation("data-alerts").id
    secret = workspace.conversation("secret")
    await client.chat_postEphemeral(channel=channel, user=ana, text="for your eyes")
    await client.chat_postMessage(channel=bo, text="page")
    assert "for your eyes" in await html(browser, f"/?as={ana}&channel={channel}")
    theirs = await html(browser, f"/?as={bo}&channel={channel}")
    assert "for your eyes" not in theirs
    assert 'aria-label="1 unread"' in theirs
    assert f"channel={secret.id}" not in theirs
    hidden = await html(browser, f"/fragment/messages?as={bo}&channel={secret.id}")
    assert f'data-channel="{secret.id}"' not in hidden
    im = workspace.dm("bo").id
    assert "page" in await html(browser, f"/?as={bo}&channel={im}")
    assert 'aria-label="1 unread"' not in await html(browser, f"/?as={bo}&channel={im}")


async def test_one_person_cannot_fill_in_anothers_modal(
    browser: aiohttp.ClientSession, workspace: Workspace, client: AsyncWebClient
) -> None:
    ana, bo = workspace.person("ana").id, workspace.person("bo").id
    title = {"type": "plain_text", "text": "Snooze"}
    view = {"type": "modal", "title": title, "blocks": [{"type": "divider"}]}
    opened = await client.views_open(trigger_id=workspace.new_trigger(ana), view=view)
    body = {"view": opened["view"]["id"], "values": {}}
    refused = await act(browser, "submit", **body, **{"as": bo})
    assert refused["error"] == "This dialog belongs to somebody else."
    assert "Snooze" in await html(browser, f"/fragment/modal?as={ana}")
    assert "Snooze" not in await html(browser, f"/fragment/modal?as={bo}")


async def test_an_unanswered_command_is_told_in_words(
    browser: aiohttp.ClientSession, workspace: Workspace
) -> None:
    ana = workspace.person("ana").id
    answer = await act(browser, "send", channel="data-alerts", text="/oncall who", **{"as": ana})
    assert answer["error"] == "/oncall failed with the error “dispatch_failed”."
    in_thread = {"channel": "data-alerts", "text": "/oncall", "thread": "1.0", "as": ana}
    assert "do not work in threads" in (await act(browser, "send", **in_thread))["error"]


async def test_what_is_typed_is_escaped_and_mentions_people(
    browser: aiohttp.ClientSession, workspace: Workspace
) -> None:
    ana, bo = workspace.person("ana").id, workspace.person("bo").id
    text = "<!channel> & @bo."
    await act(browser, "send", channel="data-alerts", text=text, **{"as": ana})
    [message] = workspace.messages("data-alerts")
    assert message.text == f"&lt;!channel&gt; &amp; <@{bo}>."


async def test_changes_are_told_as_they_happen(
    browser: aiohttp.ClientSession, workspace: Workspace
) -> None:
    async with browser.get("/live") as stream:
        await stream.content.readuntil(b"\n\n")
        workspace.say("ana", "data-alerts", "hi")
        told = await stream.content.readuntil(b"\n\n")
    channel = workspace.conversation("data-alerts").id
    assert f'{{"what": "message", "channel": "{channel}"}}'.encode() in told


async def test_permalinks_lead_to_the_message(
    browser: aiohttp.ClientSession, workspace: Workspace, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel="data-alerts", text="here")
    link = await client.chat_getPermalink(channel=posted["channel"], message_ts=posted["ts"])
    path = link["permalink"].removeprefix(workspace.base_url)
    assert f'id="m-{posted["ts"]}"' in await html(browser, path)


async def test_the_page_brings_its_own_files(browser: aiohttp.ClientSession) -> None:
    page = await html(browser, "/")
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        await html(browser, path)
    async with browser.get("/static/../server.py") as answer:
        assert answer.status == 404
    async with browser.get("/") as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_user_groups_stand_beside_the_channels(
    browser: aiohttp.ClientSession, workspace: Workspace
) -> None:
    text = await html(browser, "/fragment/sidebar")
    assert "@data-oncall" in text
    assert "Ana Silva" in text
    workspace.groups.clear()
    assert "User groups" not in await html(browser, "/fragment/sidebar")
