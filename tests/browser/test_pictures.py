"""The picture of a blast radius, as the workspace's page shows it in its thread."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect
from slack_sdk.web.async_client import AsyncWebClient

from bot.picture.drawing import blast_svg
from bot.picture.raster import png_of
from bot.workspace.server import RunningWorkspace, serve
from bot.workspace.state import Workspace
from rules.products.blast import blast, told
from tests.bot.picture.samples import DEADLINE, lineage
from tests.browser.chromium import IN_BROWSER

pytestmark = IN_BROWSER
PHONE = ViewportSize(width=390, height=844)


@pytest_asyncio.fixture(loop_scope="session")
async def running() -> AsyncIterator[RunningWorkspace]:
    workspace = Workspace()
    workspace.seed(users=[{"name": "ana", "real_name": "Ana"}], channels=[{"name": "data-alerts"}])
    server = await serve(workspace)
    yield server
    await server.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport=PHONE)
    yield await context.new_page()
    await context.close()


async def test_the_picture_is_seen_on_a_phone(running: RunningWorkspace, page: Page) -> None:
    client = AsyncWebClient(token=running.workspace.bot_token, base_url=running.api_url)
    root = await client.chat_postMessage(channel="data-alerts", text="fct_orders failed")
    shown = blast(lineage(5, 683), ["m.fct"], deadline=DEADLINE)
    await client.files_upload_v2(
        channel=root["channel"],
        thread_ts=root["ts"],
        filename="blast-radius.png",
        content=png_of(blast_svg(shown)),
        title="Blast radius",
        alt_txt=told(shown)[:1000],
    )
    await page.goto(f"{running.url}/?channel={root['channel']}&thread={root['ts']}")
    picture = page.get_by_alt_text("Blast radius of fct_orders: 5 dashboards, 683 products")
    await expect(picture).to_be_visible()
    size = await picture.evaluate("e => [e.complete, e.naturalWidth, e.clientWidth]")
    assert size[:2] == [True, 1440]
    assert 250 < size[2] <= PHONE["width"]
