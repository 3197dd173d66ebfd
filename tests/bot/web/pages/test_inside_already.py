"""Links and doors for whoever is signed in already: they lead on, and sign nobody in anew."""

import aiohttp

from tests.browser.site import Site

INSIDE = (303, "/issues/2", False)


Told = tuple[int, str, bool]
"""The status, where it leads, and whether it signs anybody in."""


async def press(http: aiohttp.ClientSession, key: str) -> Told:
    form = {"key": key, "next": "/issues/2"}
    async with http.post("/sign-in/link", data=form, allow_redirects=False) as answer:
        return _told(answer)


async def look(http: aiohttp.ClientSession, path: str) -> Told:
    async with http.get(path, allow_redirects=False) as answer:
        return _told(answer)


def _told(answer: aiohttp.ClientResponse) -> Told:
    return answer.status, answer.headers.get("Location", ""), "Set-Cookie" in answer.headers


async def test_who_presses_twice_is_inside(running: Site, ana: aiohttp.ClientSession) -> None:
    key = running.sessions.link_token("ana@example.com")
    assert (await press(ana, key))[::2] == (303, True)
    assert await press(ana, key) == INSIDE


async def test_an_old_link_leads_whoever_is_signed_in_on(
    running: Site, ana: aiohttp.ClientSession
) -> None:
    path = f"/sign-in/link?next=/issues/2&key={running.sessions.link_token('ana@example.com')}"
    assert await look(ana, path) == INSIDE
    running.clock.advance(minutes=11)
    assert await look(ana, path) == INSIDE
    async with ana.post("/sign-out") as answer:
        assert answer.status == 200
    assert (await look(ana, path))[0] == 403


async def test_another_persons_link_is_theirs(running: Site, ana: aiohttp.ClientSession) -> None:
    key = running.sessions.link_token("bo@example.com")
    async with ana.get("/sign-in/link", params={"key": key}) as answer:
        assert "Sign in as Bo Chen" in await answer.text()
    async with aiohttp.ClientSession(running.url) as bo:
        assert (await press(bo, key))[0] == 303
    assert (await press(ana, key))[0] == 403


async def test_the_door_leads_whoever_is_signed_in_on(
    running: Site, ana: aiohttp.ClientSession
) -> None:
    assert await look(ana, "/sign-in?next=/issues/2") == INSIDE
    async with running.store.database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE used_link RENAME TO gone")
    assert (await look(ana, "/sign-in?next=/issues/2"))[0] == 200
