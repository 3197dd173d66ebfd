"""Forms of other sites in a real browser, by plain http, where it tells least of where they are."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.chromium import IN_BROWSER
from tests.browser.site import Site, history, site

pytestmark = IN_BROWSER
ELSEWHERE = "http://evil.test/"


@pytest_asyncio.fixture(loop_scope="session")
async def running(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path, history(3)) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    shown = await browser.new_page()
    yield shown
    await shown.close()


def by_name(running: Site, url: str) -> str:
    return url.replace("127.0.0.1", "watchbill.test", 1)


async def show_form(page: Page, running: Site, head: str) -> None:
    action = by_name(running, f"{running.url}/sign-in/link")
    key = running.sessions.link_token("bo@example.com")
    form = f'<form method="post" action="{action}"><input name="key" value="{key}"><button>Go'

    async def answer(route: Route) -> None:
        await route.fulfill(body=f"<!doctype html>{head}{form}", content_type="text/html")

    await page.route(f"{ELSEWHERE}**", answer)
    await page.goto(ELSEWHERE)


@pytest.mark.parametrize("head", ["", '<meta name="referrer" content="no-referrer">'])
async def test_another_sites_form_signs_nobody_in(page: Page, running: Site, head: str) -> None:
    await show_form(page, running, head)
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_role("heading", name="Nothing was done")).to_be_visible()
    assert await page.context.cookies() == []


async def test_our_own_forms_sign_in_and_out(page: Page, running: Site) -> None:
    await page.goto(by_name(running, running.sign_in))
    await page.get_by_role("button", name="Sign in as Ana Silva").click()
    await expect(page.get_by_role("heading", name="Production issues")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
