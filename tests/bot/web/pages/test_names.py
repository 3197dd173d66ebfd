"""People of whom only Slack knows, on pages that are drawn before it was asked about them."""

import aiohttp
import pytest

from rules.incident import State
from tests.browser.site import NOW, Site, history


async def taken_by(running: Site, key: str, resolver: str = "") -> None:
    """Let somebody have the incident that is acknowledged, and another have resolved it."""
    told = history(3)[1]
    async with running.store.store.begin() as transaction:
        await transaction.load_incidents([told.id])
        before = transaction.incident(told.id)
        after = before.but(acked_by=key, assigned_to=key, resolved_by=resolver)
        transaction.save(after.but(state=State.RESOLVED, resolved_at=NOW) if resolver else after)


async def test_people_have_names_after_a_restart(
    running: Site, ana: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await taken_by(running, "slack:U7")
    people = running.strangers
    people.slack["slack:U7"] = ("Dana Stranger", "Asia/Tokyo")
    people.answers.clear()
    monkeypatch.setattr("bot.web.pages.handlers.LEARN_SECONDS", 0.01)
    async with ana.get("/issues") as answer:  # Slack is slow
        assert "<small>U7</small>" in await answer.text()
    people.answers.set()
    running.clock.advance(minutes=2)
    for path in ("/issues", "/issues/2"):
        async with ana.get(path) as answer:
            assert "Dana Stranger" in await answer.text()
    assert people.asked == ["slack:U7"] * 2


async def test_whoever_could_not_be_asked_in_time_is_asked_the_next_time(
    running: Site, ana: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await taken_by(running, "slack:U7", "slack:U8")
    people = running.strangers
    people.answers.clear()
    monkeypatch.setattr("bot.web.pages.handlers.LEARN_SECONDS", 0.01)
    for _ in range(2):
        async with ana.get("/issues/2") as answer:
            assert answer.status == 200
    assert sorted(people.asked) == ["slack:U7", "slack:U8"]


async def test_a_stranger_reads_in_their_own_zone_after_a_restart(running: Site) -> None:
    running.strangers.slack["slack:U7"] = ("Dana Stranger", "Asia/Tokyo")
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(running.url, cookie_jar=jar) as http:
        key = running.sessions.link_token("slack:U7")
        async with http.post("/sign-in/link", data={"key": key}) as answer:
            page = await answer.text()
    assert "Times in Asia/Tokyo" in page
    assert "Dana Stranger" in page


async def test_whom_slack_does_not_know_is_asked_about_once_in_a_while(
    running: Site, ana: aiohttp.ClientSession
) -> None:
    await taken_by(running, "slack:U8")
    for _ in range(3):
        async with ana.get("/issues/2") as answer:
            assert "U8" in await answer.text()
    assert running.strangers.asked == ["slack:U8"]
