"""The workspace's page in a real browser, with a real Bolt app behind it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.model import Json, Shortcut, SlashCommand
from bot.workspace.server import RunningWorkspace, serve
from bot.workspace.state import Workspace
from tests.browser.chromium import IN_BROWSER

pytestmark = IN_BROWSER
DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(text: str, action_id: str, **more: object) -> Json:
    return {"type": "button", "text": plain(text), "action_id": action_id, "value": "42", **more}


SURE = {
    "title": plain("Resolve it?"),
    "text": plain("It stays resolved."),
    "confirm": plain("Yes, resolve"),
    "deny": plain("Not yet"),
}
OPEN: list[Json] = [
    {"type": "header", "text": plain(":fire: orders_daily is late")},
    {
        "type": "actions",
        "elements": [
            button("Acknowledge", "ack", style="primary"),
            button("Resolve", "resolve", confirm=SURE),
            button("Nobody listens", "dead"),
            {
                "type": "overflow",
                "action_id": "more",
                "options": [{"text": plain("Snooze"), "value": "snooze"}],
            },
        ],
    },
]
MODAL: Json = {
    "type": "modal",
    "callback_id": "snooze",
    "title": plain("Snooze"),
    "submit": plain("Snooze"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Why"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
        {
            "type": "input",
            "block_id": "long",
            "label": plain("How long"),
            "element": {
                "type": "radio_buttons",
                "action_id": "pick",
                "options": [{"text": plain(t), "value": t} for t in ("1 hour", "2 hours")],
            },
        },
    ],
}


def listeners(app: AsyncApp) -> None:
    @app.action("ack")
    async def on_ack(ack, body, client) -> None:
        await ack()
        channel, ts = body["channel"]["id"], body["message"]["ts"]
        await client.chat_update(channel=channel, ts=ts, text=f"<@{body['user']['id']}> has it")

    @app.action("resolve")
    async def on_resolve(ack, body, client) -> None:
        await ack()
        channel, ts = body["channel"]["id"], body["message"]["ts"]
        await client.chat_update(channel=channel, ts=ts, text="resolved")

    @app.action("more")
    @app.shortcut("create")
    async def on_more(ack, body, client) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("snooze")
    async def on_submit(ack, body, client) -> None:
        values = body["view"]["state"]["values"]
        if values["why"]["text"]["value"] == "nope":
            await ack(response_action="errors", errors={"why": "Say a little more."})
            return
        await ack()
        picked = values["long"]["pick"]["selected_option"]["value"]
        await client.chat_postMessage(channel="data-alerts", text=f"snoozed for {picked}")

    @app.command("/oncall")
    async def on_command(ack, command) -> None:
        await ack(f"On call: *{command['text']}*")

    @app.event("app_home_opened")
    async def on_home(event, client) -> None:
        blocks = [{"type": "header", "text": plain("On call now")}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})


@pytest_asyncio.fixture(loop_scope="session")
async def running() -> AsyncIterator[RunningWorkspace]:
    words = (("who [rotation]", "who is on call"), ("next [n]", "the next shifts"))
    workspace = Workspace(
        commands=[SlashCommand("/oncall", "On-call", "[word]", words)],
        shortcuts=[Shortcut("create", "Create incident")],
    )
    people = [{"name": "ana", "real_name": "Ana Silva"}, {"name": "bo", "real_name": "Bo Chen"}]
    workspace.seed(users=people, channels=[{"name": "data-alerts"}, {"name": "general"}])
    server = await serve(workspace)
    client = AsyncWebClient(token=workspace.bot_token, base_url=server.api_url)
    app = AsyncApp(client=client, signing_secret=workspace.signing_secret)
    listeners(app)
    handler = AsyncSocketModeHandler(app, workspace.app_token, web_client=client)
    await handler.connect_async()
    yield server
    await handler.close_async()
    await server.close()


@pytest.fixture
def client(running: RunningWorkspace) -> AsyncWebClient:
    return AsyncWebClient(token=running.workspace.bot_token, base_url=running.api_url)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, running: RunningWorkspace) -> AsyncIterator[Page]:
    """The first channel, as Ana; any script error on the page fails the test."""
    faults: list[str] = []
    context = await browser.new_context(viewport=DESKTOP)
    shown = await context.new_page()
    shown.on("pageerror", lambda error: faults.append(str(error)))
    await shown.goto(running.url)
    yield shown
    await context.close()
    assert faults == []


async def test_a_message_appears_is_clicked_and_changes(page: Page, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="data-alerts", text="late", blocks=OPEN)
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.get_by_text("@Ana Silva has it")).to_be_visible()
    await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)


async def test_a_confirmation_is_asked_first(page: Page, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="data-alerts", text="late", blocks=OPEN)
    await page.get_by_role("button", name="Resolve", exact=True).click()
    await page.get_by_role("button", name="Not yet").click()
    await expect(page.get_by_text("orders_daily is late")).to_be_visible()
    await page.get_by_role("button", name="Resolve", exact=True).click()
    await expect(page.get_by_role("dialog", name="Resolve it?")).to_be_visible()
    await page.get_by_role("button", name="Yes, resolve").click()
    await expect(page.get_by_text("resolved", exact=True)).to_be_visible()


async def test_a_dead_button_says_so(
    page: Page, client: AsyncWebClient, running: RunningWorkspace
) -> None:
    running.workspace.ack_seconds = 0.2
    await client.chat_postMessage(channel="data-alerts", text="late", blocks=OPEN)
    await page.get_by_role("button", name="Nobody listens").click()
    await expect(page.get_by_role("status")).to_contain_text("did not answer")
    await expect(page.locator(".button.failed")).to_have_text("Nobody listens")


async def test_a_modal_is_filled_in_with_the_keyboard_refused_and_taken(
    page: Page, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="data-alerts", text="late", blocks=OPEN)
    await page.get_by_label("More choices").press("Enter")
    await page.get_by_role("button", name="Snooze").press("Enter")
    modal = page.get_by_role("dialog", name="Snooze")
    await modal.get_by_role("button", name="Snooze").click()
    await expect(modal.get_by_text("Please complete this required field.")).to_have_count(2)
    await modal.get_by_label("Why").fill("nope")
    await modal.get_by_label("2 hours").check()
    await modal.get_by_label("Why").press("Enter")
    await expect(modal.get_by_text("Say a little more.")).to_be_visible()
    await expect(modal.get_by_label("2 hours")).to_be_checked()
    await modal.get_by_label("Why").fill("waiting for the vendor")
    await modal.get_by_role("button", name="Snooze").click()
    await expect(page.get_by_text("snoozed for 2 hours")).to_be_visible()
    await expect(modal).to_have_count(0)


async def test_escape_closes_a_modal(page: Page, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="data-alerts", text="hello")
    await page.get_by_label("More actions for the message").press("Enter")
    await page.get_by_role("button", name="Create incident").click()
    await expect(page.get_by_role("dialog", name="Snooze")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Snooze")).to_have_count(0)


async def test_a_command_is_completed_sent_and_answered_to_one(
    page: Page, running: RunningWorkspace
) -> None:
    box = page.get_by_label("Message #data-alerts")
    await expect(box).to_be_focused()
    await page.keyboard.type("/on")
    await page.keyboard.press("Tab")
    await page.keyboard.type("w")
    await expect(page.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Tab")
    await expect(box).to_have_value("/oncall who ")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("On call: who")).to_be_visible()
    await expect(page.get_by_text("Only visible to you")).to_be_visible()
    bo = running.workspace.person("bo").id
    await page.goto(f"{running.url}/?as={bo}")
    await expect(page.get_by_text("Only visible to you")).to_have_count(0)


async def test_a_person_switches_and_finds_the_direct_message(
    page: Page, client: AsyncWebClient, running: RunningWorkspace
) -> None:
    await client.chat_postMessage(channel=running.workspace.person("bo").id, text="You are paged")
    await page.get_by_label("Acting as Ana Silva").click()
    await page.get_by_role("link", name="Bo Chen").click()
    await page.get_by_role("link", name="Messages 1 unread").click()
    await expect(page.get_by_text("You are paged")).to_be_visible()


async def test_a_thread_opens_beside_and_takes_a_reply(page: Page, client: AsyncWebClient) -> None:
    root = await client.chat_postMessage(channel="data-alerts", text="root")
    await client.chat_postMessage(channel=root["channel"], text="first reply", thread_ts=root["ts"])
    await page.get_by_role("link", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.get_by_text("first reply")).to_be_visible()
    await thread.get_by_label("Reply…").fill("<b>mine</b>")
    await page.keyboard.press("Enter")
    await expect(thread.get_by_text("<b>mine</b>")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(thread).to_have_count(0)


async def test_the_home_is_published_on_opening(page: Page) -> None:
    await page.get_by_role("link", name="Home").click()
    await expect(page.get_by_role("heading", name="On call now")).to_be_visible()


async def test_on_a_phone_the_list_is_a_drawer_and_nothing_overflows(
    page: Page, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="data-alerts", text="late", blocks=OPEN)
    await page.set_viewport_size(PHONE)
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    await expect(page.get_by_role("link", name="general")).not_to_be_visible()
    await page.get_by_label("Open the list of conversations").click()
    await page.get_by_role("link", name="general").click()
    await expect(page.get_by_role("heading", name="general")).to_be_visible()
    await page.go_back()
    await page.get_by_label("More choices").click()
    box = await page.get_by_role("button", name="Snooze").bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= PHONE["width"] - box["width"]


async def test_the_log_shows_calls_as_they_happen(page: Page, client: AsyncWebClient) -> None:
    await page.get_by_role("button", name="API calls").click()
    await client.chat_postMessage(channel="general", text="hello")
    log = page.get_by_role("complementary", name="API calls")
    await expect(log.get_by_text("chat.postMessage").first).to_be_visible()
