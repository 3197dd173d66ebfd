"""From an alert to its line in the table: the whole bot, its Slack and a browser's requests."""

import re
from html import unescape

import aiohttp

from tests.bot.app.conftest import Running


async def test_an_alert_is_read_on_the_page_by_a_link_from_slack(running: Running) -> None:
    body = {"title": "orders <b>late</b>", "key": "orders", "severity": "critical"}
    assert await running.post("generic", body) == 202
    await running.until_said("data-alerts", "orders")
    workspace, app = running.workspace, running.app
    ana = workspace.person("ana").id
    workspace.person("ana").tz = "America/Chicago"
    await app.slack.directory.links(["ana@example.com"])
    await workspace.command("ana", "data-alerts", "/oncall issues")
    channel = workspace.conversation("data-alerts")
    assert await workspace.until(
        lambda: any(m.only_for == ana for m in channel.ephemerals.values())
    )
    answer = next(m for m in channel.ephemerals.values() if m.only_for == ana)
    found = re.search(r"/sign-in/link\?key=[\w.-]+", str(answer.blocks))
    assert found is not None
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(app.url, cookie_jar=jar) as http:
        async with http.get("/issues") as shut:
            assert "Sign in" in await shut.text()
        async with http.get(found[0]) as door:
            assert "Sign in as Ana Ruiz" in await door.text()
        key = found[0].partition("key=")[2]
        async with http.post("/sign-in/link", data={"key": key}) as inside:
            text = await inside.text()
        assert "orders <b>late</b>" in unescape(text)
        assert "orders <b>late</b>" not in text
        async with http.get("/issues/1") as one:
            text = await one.text()
        assert one.status == 200
        assert re.search(r'title="[^"]+ C[SD]T"', text), "times are in the zone that Slack knows"
