"""From a link in an e-mail to the incident it is about, by way of a link in Slack."""

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from yarl import URL

from tests.browser.site import Site


@pytest.fixture
async def browser(running: Site) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(running.url, cookie_jar=jar) as http:
        yield http


async def sign_in(running: Site, browser: aiohttp.ClientSession) -> str:
    """Open a link from Slack, press its button, and return where it leads."""
    async with browser.get(running.sign_in) as answer:
        form = dict(re.findall('name="(key|next)" value="(.*?)"', await answer.text()))
    async with browser.post("/sign-in/link", data=form, allow_redirects=False) as answer:
        return answer.headers["Location"]


async def test_who_comes_for_an_incident_gets_to_it(
    running: Site, browser: aiohttp.ClientSession
) -> None:
    async with browser.get("/issues/2?q=caf%C3%A9") as answer:
        assert "/oncall issues" in await answer.text()
    assert await sign_in(running, browser) == "/issues/2?q=caf%C3%A9"
    async with browser.post("/sign-out") as answer:
        assert answer.status == 200
    assert await sign_in(running, browser) == "/issues"  # it is forgotten once it was used


async def test_a_long_address_leads_to_the_door_as_well(browser: aiohttp.ClientSession) -> None:
    long = "&".join(f"priority=%25{n}" for n in range(500))
    async with browser.get(URL(f"/issues?{long}", encoded=True)) as answer:
        assert answer.status == 200
        assert "/oncall issues" in await answer.text()


async def test_it_is_forgotten_after_a_while(running: Site, browser: aiohttp.ClientSession) -> None:
    async with browser.get("/issues/2", allow_redirects=False) as answer:
        way = answer.headers["Location"]
    async with browser.get(way) as answer:
        assert answer.cookies["watchbill-next"]["max-age"] == "600"
        assert answer.cookies["watchbill-next"]["httponly"]


@pytest.mark.parametrize(
    "way", ["//evil.example", "https://evil.example", "/sign-out", "/a%0d%0ab"]
)
async def test_it_leads_to_pages_of_ours_only(
    running: Site, browser: aiohttp.ClientSession, way: str
) -> None:
    browser.cookie_jar.update_cookies({"watchbill-next": way})
    assert await sign_in(running, browser) == "/issues"
