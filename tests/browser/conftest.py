"""One browser for all tests of a process: a start takes longer than most tests."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.chromium import CHROMIUM


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Knows any name of `.test` as this machine, which no browser trusts as it trusts localhost."""
    names = "--host-resolver-rules=MAP *.test 127.0.0.1"
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", names]
        )
        yield started
        await started.close()
