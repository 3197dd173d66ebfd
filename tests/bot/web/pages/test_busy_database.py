"""A database that is busy with others, as with two replicas or in a storm."""

from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import delete

from bot.ports.inbox import ConflictError
from bot.store.tables.issues import ISSUE
from tests.browser.site import Site, history, site


async def busy(*_: object) -> bool:
    raise ConflictError("canceling statement due to lock timeout")


async def press(running: Site, http: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    form = {"key": running.sessions.link_token("ana@example.com")}
    async with http.post(f"{running.url}{path}", data=form) as answer:
        return answer.status, await answer.text()


async def test_it_is_told_at_every_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with site(tmp_path, history(3)) as running, aiohttp.ClientSession(cookie_jar=jar) as http:
        assert (await press(running, http, "/sign-in/link"))[0] == 200
        with monkeypatch.context() as patched:
            patched.setattr(running.store.issues, "is_used", busy)
            async with http.get(f"{running.url}/issues") as answer:
                assert answer.status == 503
                assert "Reload the page in a minute." in await answer.text()
        monkeypatch.setattr(running.store.issues, "use_link", busy)
        status, text = await press(running, http, "/sign-in/link")
        assert (status, "Nobody was signed in. Try again in a minute." in text) == (503, True)
        status, text = await press(running, http, "/sign-out")
        assert (status, "This browser is signed out." in text) == (503, True)


async def test_an_incident_is_shown_before_its_line_is_drawn(tmp_path: Path) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with site(tmp_path, history(3)) as running, aiohttp.ClientSession(cookie_jar=jar) as http:
        assert (await press(running, http, "/sign-in/link"))[0] == 200
        async with running.store.database.write() as connection:
            await connection.execute(delete(ISSUE).where(ISSUE.c.number == 3))
        async with http.get(f"{running.url}/issues/3") as answer:
            page = await answer.text()
            assert (answer.status, history(3)[2].title in page) == (200, True)
        assert await running.store.issues.numbered(3) is None
        assert "On call then</dt><dd>nobody" not in page
        async with http.get(f"{running.url}/issues/4") as answer:
            assert answer.status == 404
