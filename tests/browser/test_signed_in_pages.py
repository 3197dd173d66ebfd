"""The table of production issues, incidents and the journal in a real browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.chromium import IN_BROWSER
from tests.browser.site import Site, history, site

pytestmark = IN_BROWSER
DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=320, height=640)
EVERY_PAGE = ("/issues", "/issues?q=zebra", "/issues/62", "/issues/61", "/journal", "/journal/entry-62",
              "/issues/999", "/sign-in", "/issues?status=nonsense")  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(tmp_path_factory.mktemp("site")) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, running: Site) -> AsyncIterator[Page]:
    """Ana, signed in. A script error, a dialog or a request to elsewhere fails the test."""
    faults: list[str] = []
    context = await browser.new_context(viewport=DESKTOP)
    shown = await context.new_page()
    shown.on("pageerror", lambda error: faults.append(str(error)))
    shown.on("dialog", lambda dialog: faults.append(dialog.message))
    shown.on("request", lambda sent: faults.extend(_elsewhere(sent.url, running.url)))
    await shown.goto(running.sign_in)
    await shown.get_by_role("button", name="Sign in as Ana Silva").click()
    await expect(shown.get_by_role("heading", name="Production issues")).to_be_visible()
    yield shown
    await context.close()
    assert faults == []


def _elsewhere(url: str, ours: str) -> list[str]:
    return [] if url.startswith(ours) else [url]


async def numbers(page: Page) -> list[int]:
    await page.wait_for_load_state()  # while the page is coming in, only its first rows are there
    texts = await page.locator("tbody .nr").all_text_contents()
    return [int(text.removeprefix("#")) for text in texts]


async def test_the_newest_come_first_and_the_next_page_goes_on(page: Page, running: Site) -> None:
    assert await numbers(page) == list(range(64, 14, -1))
    await page.get_by_role("link", name="Next →").click()
    assert await numbers(page) == list(range(14, 0, -1))
    await page.get_by_role("link", name="← Previous").click()
    assert await numbers(page) == list(range(64, 14, -1))


async def test_a_filter_narrows_and_its_address_can_be_shared(page: Page, running: Site) -> None:
    await page.get_by_label("Search", exact=True).fill("sign ups")
    await page.locator(".chips label", has_text="P3").click()
    await page.get_by_role("button", name="Show").click()
    wanted = [i.number for i in history() if "sign_ups" in i.title and i.priority == "P3"]
    assert await numbers(page) == wanted[::-1]
    assert wanted
    await expect(page.get_by_text(f"{len(wanted)} issues match")).to_be_visible()
    address = await page.get_by_role("link", name="Link to this view").get_attribute("href")
    await page.goto(f"{running.url}{address}")
    assert await numbers(page) == wanted[::-1]
    await expect(page.get_by_label("Search", exact=True)).to_have_value("sign ups")
    await page.get_by_role("link", name="Clear").click()
    assert len(await numbers(page)) == 50


async def test_a_column_sorts_one_way_and_then_the_other(page: Page) -> None:
    await page.get_by_role("link", name="TTA").click()
    head = page.get_by_role("columnheader", name="TTA")
    await expect(head).to_have_attribute("aria-sort", "descending")
    slowest = await numbers(page)
    took = {i.number: i.acked_at - i.opened_at for i in history() if i.acked_at}
    assert [took[n] for n in slowest] == sorted(took.values(), reverse=True)[:50]
    await page.get_by_role("link", name="TTA").click()
    await expect(head).to_have_attribute("aria-sort", "ascending")
    assert [took[n] for n in await numbers(page)] == sorted(took.values())[:50]


async def test_a_filter_keeps_the_order_and_the_size(page: Page, running: Site) -> None:
    await page.goto(f"{running.url}/issues?sort=tta&dir=asc&size=25")
    await page.locator(".chips label", has_text="P3").click()
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("columnheader", name="TTA")).to_have_attribute(
        "aria-sort", "ascending"
    )
    assert {"dir=asc", "size=25"} <= set(page.url.split("?")[1].split("&"))
    await page.set_viewport_size(PHONE)  # where there are no headings to click
    await page.get_by_label("Order").select_option("desc")
    await page.get_by_role("button", name="Show").click()
    assert "dir=desc" in page.url


async def test_nothing_that_matches_says_what_to_do(page: Page) -> None:
    await page.get_by_label("Search", exact=True).fill("zebra")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    await page.get_by_role("link", name="show all issues").click()
    assert len(await numbers(page)) == 50


async def test_what_cannot_be_meant_is_told(page: Page, running: Site) -> None:
    await page.goto(f"{running.url}/issues?status=nonsense&after=-1")
    await expect(page.get_by_role("alert").first).to_contain_text("“nonsense” is no status")
    assert len(await numbers(page)) == 50


async def test_an_incident_shows_its_measures_and_leads_to_its_entry(page: Page) -> None:
    await page.get_by_role("link", name="#56").click()
    await expect(page.get_by_role("heading", name="#56")).to_be_visible()
    await expect(
        page.get_by_text("Cy Haddad took it.").or_(page.get_by_text("took it."))
    ).to_be_visible()
    await page.get_by_role("link", name="Entry by Bo Chen").click()
    await expect(page.get_by_role("heading", name="Root cause")).to_be_visible()
    await page.get_by_role("link", name="incident #56").click()
    await expect(page.get_by_role("heading", name="#56")).to_be_visible()


async def test_the_journal_is_searched(page: Page, running: Site) -> None:
    await page.get_by_role("link", name="Journal").click()
    await expect(page.locator(".entries li")).to_have_count(4)
    await page.get_by_label("Search", exact=True).fill("renamed shop")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(".entries li")).to_have_count(1)
    await expect(page.locator(".entries")).to_contain_text("full refresh of fct_orders")
    await page.goto(f"{running.url}/journal?q=zebra")
    await expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()


@pytest.mark.parametrize("path", ["/issues", "/issues/62", "/journal", "/journal/entry-62"])
async def test_text_from_outside_is_text(page: Page, running: Site, path: str) -> None:
    await page.goto(f"{running.url}{path}")
    await expect(page.get_by_text("<script>document.title='run'</script>").first).to_be_visible()
    assert await page.title() != "run"
    assert await page.locator("main img, main script").count() == 0


@pytest.mark.parametrize("path", EVERY_PAGE)
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_axe_finds_nothing_and_no_page_is_wider_than_its_screen(
    page: Page, running: Site, path: str, size: ViewportSize
) -> None:
    await page.set_viewport_size(size)
    await page.goto(f"{running.url}{path}")
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"]
    found = await Axe().run(page)
    told = [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in found.response["violations"]]
    assert told == []


async def test_dark_mode_has_contrast_too(page: Page, running: Site) -> None:
    await page.emulate_media(color_scheme="dark")
    for path in ("/issues", "/issues/61", "/journal"):
        await page.goto(f"{running.url}{path}")
        found = await Axe().run(page)
        assert [v["id"] for v in found.response["violations"]] == []


async def test_the_keyboard_alone_is_enough(page: Page) -> None:
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.get_by_label("Search", exact=True).focus()
    await page.keyboard.type("shipment")
    for _ in range(5):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Space")  # the first of the priorities
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(page.locator("tbody tr").first).to_be_visible()
    link = page.locator("tbody a").first
    await link.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="How long it took")).to_be_visible()


async def test_on_a_phone_issues_are_cards_with_names_for_their_values(
    page: Page, running: Site
) -> None:
    await page.set_viewport_size(PHONE)
    await page.goto(f"{running.url}/issues")
    card = page.locator("tbody tr").first
    box = await card.bounding_box()
    assert box is not None
    assert box["width"] <= PHONE["width"]
    names = await card.locator("td").evaluate_all(
        "cells => cells.map(c => getComputedStyle(c, '::before').content)"
    )
    assert '"TTR"' in names
    assert '"Status"' in names
    await page.get_by_label("Sort by").select_option("ttr")
    await page.get_by_role("button", name="Show").click()
    assert "sort=ttr" in page.url


async def test_nothing_runs_and_nothing_is_loaded_without_scripts(
    browser: Browser, running: Site
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    shown = await context.new_page()
    await shown.goto(running.sign_in)
    await shown.get_by_role("button", name="Sign in as Ana Silva").click()
    await shown.get_by_role("link", name="TTR").click()
    await expect(shown.locator("tbody tr")).to_have_count(50)
    await context.close()


async def test_signing_out_shuts_the_pages(page: Page, running: Site) -> None:
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    await page.goto(f"{running.url}/issues/61")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_database_that_is_away_is_told_in_words(browser: Browser, tmp_path: Path) -> None:
    async with site(tmp_path, history(25)) as served:
        context = await browser.new_context()
        shown = await context.new_page()
        await shown.goto(served.sign_in)
        await shown.get_by_role("button", name="Sign in as Ana Silva").click()
        async with served.store.database.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE issue RENAME TO gone")
        answer = await shown.goto(f"{served.url}/issues")
        assert answer is not None
        assert answer.status == 503
        await expect(
            shown.get_by_role("heading", name="The database does not answer")
        ).to_be_visible()
        await expect(shown.get_by_role("link", name="Try again")).to_be_visible()
        await context.close()


async def test_medians_follow_the_filter(page: Page, running: Site) -> None:
    told = page.get_by_label("How long they typically took")
    await expect(told).to_contain_text("TTV")
    await expect(told).to_contain_text("of 64")
    await page.goto(f"{running.url}/issues?q=shipm")
    wanted = sum("shipment" in i.title or "shipments" in i.product for i in history())
    shown = len(await numbers(page))
    assert shown >= wanted > 0
    await expect(told).to_contain_text(f"of {shown}")
    await page.goto(f"{running.url}/issues?q=zebra")
    await expect(told).to_have_count(0)
