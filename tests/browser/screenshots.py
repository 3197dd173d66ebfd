"""Draws the pictures of docs/: `python -m tests.browser.screenshots`."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from playwright.async_api import Browser, ViewportSize, async_playwright

from tests.browser.site import Site, history, site

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = (
    ("issues.png", "/issues", ViewportSize(width=1440, height=900)),
    ("journal.png", "/journal", ViewportSize(width=1000, height=760)),
    ("issues-phone.png", "/issues", ViewportSize(width=390, height=844)),
)


async def _draw(browser: Browser, running: Site, name: str, path: str, size: ViewportSize) -> None:
    context = await browser.new_context(viewport=size, color_scheme="light")
    page = await context.new_page()
    await page.goto(running.sign_in)
    await page.get_by_role("button", name="Sign in as").click()
    await page.goto(f"{running.url}{path}")
    await page.screenshot(path=DOCS / name)
    await context.close()


async def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder:
        async with (
            site(Path(folder), history(hostile=False)) as running,
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox"]
            )
            for name, path, size in PICTURES:
                await _draw(browser, running, name, path, size)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
