"""Addresses that a database could choke on: each database answers them, or nothing matches."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from tests.browser.site import Site, history, site

ODD = (
    "a\x00b",
    "\\'\"",
    "a & :*",
    "NEAR(a",
    "%_*",
    "٣½",
    "99999999999999999999",
    "\u0301",
    "é" * 200,
)
PLACES = ("/issues?q=", "/issues?product=", "/issues?tier=", "/issues?after=", "/issues.csv?q=",
          "/journal?q=", "/journal?product=", "/journal?page=")  # fmt: skip


@pytest.fixture
async def running(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path, history(3), database=database_url) as served:
        yield served


async def test_every_address_is_answered(running: Site) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    statuses = {}
    async with aiohttp.ClientSession(running.url, cookie_jar=jar) as http:
        key = running.sessions.link_token("ana@example.com")
        async with http.post("/sign-in/link", data={"key": key}) as answer:
            assert answer.status == 200
        for odd in ODD:
            for place in PLACES:
                async with http.get(f"{place}{quote(odd)}") as answer:
                    statuses[place, odd] = answer.status
            async with http.get(f"/journal/{quote(odd, safe='')}") as answer:
                assert answer.status == 404
    assert {asked: status for asked, status in statuses.items() if status != 200} == {}
