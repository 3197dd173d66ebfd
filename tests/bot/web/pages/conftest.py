"""The pages on a port of this machine, and a browser in which Ana is signed in."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.browser.site import Site, history, site


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path, history(3)) as served:
        yield served


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A browser in which nobody is signed in."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


@pytest.fixture
async def ana(running: Site) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(running.url, cookie_jar=jar) as http:
        key = running.sessions.link_token("ana@example.com")
        async with http.post("/sign-in/link", data={"key": key}) as answer:
            assert answer.status == 200
        yield http
