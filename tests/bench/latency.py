"""From the request to the page reaching a local Slack, when nothing else happens."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import quantiles

import aiohttp
from aiohttp import web

from bot.clock import SystemClock
from tests.bench.table import Figure
from tests.process.harness import SECRET, TOKENS, LocalSlack, alert, pause, running, set_up, team

TEAMS = 20
_CLOCK = SystemClock()


async def measure(folder: Path, *, quick: bool) -> Sequence[Figure]:
    """Page one team after the other, so that no person's pace of one page a second is in it."""
    pages = 40 if quick else 80
    setup = set_up(folder, teams=TEAMS, waits="30m 30m")
    async with running(setup), aiohttp.ClientSession() as session:
        relayed = await _relayed(setup.slack, pages)
        sent: dict[str, datetime] = {}
        headers = {"Authorization": f"Bearer {SECRET}"}
        for number in range(TEAMS + pages):
            body = alert(f"check-{number}", of=team(number % TEAMS))
            sent[f"check-{number}"] = _CLOCK.now()
            async with session.post(
                f"{setup.bot.url}/hooks/tests", json=body, headers=headers
            ) as answer:
                assert answer.status == 202
            await pause(0.1)
        await pause(3)
        at = await _paged(setup.slack)
    late = [
        (at[key] - began).total_seconds() * 1000
        for key, began in list(sent.items())[TEAMS:]  # the first round makes the connections
        if key in at
    ]
    assert len(late) == pages, f"{pages - len(late)} pages did not arrive"
    relay, ours = quantiles(relayed, n=20), quantiles(late, n=20)
    return [
        Figure("a bare relay's page, p50", relay[9], "ms", note=f"p95 {relay[18]:.1f} ms"),
        Figure("request to page, idle, p50", ours[9], "ms", 8, at_most=True),
        Figure("request to page, idle, p95", ours[18], "ms", 25, at_most=True),
    ]


async def _paged(slack: LocalSlack) -> dict[str, datetime]:
    """Return when each alert's page reached Slack, by the alert's key."""
    found: dict[str, datetime] = {}
    for call in await slack.control("calls", method="chat.postMessage"):
        words = str(call["args"].get("text", "")).split()
        direct = str(call["args"].get("channel", "")).startswith("D")
        keys = [word for word in words if word.startswith("check-")]
        if direct and keys:
            found.setdefault(keys[0], datetime.fromisoformat(call["at"]))
    return found


async def _relayed(slack: LocalSlack, pages: int) -> list[float]:
    """Measure a handler that passes each request on to Slack and stores nothing."""
    headers = {"Authorization": f"Bearer {TOKENS['SLACK_BOT_TOKEN']}"}
    sent: dict[str, datetime] = {}
    async with aiohttp.ClientSession() as out:

        async def relay(request: web.Request) -> web.Response:
            body = await request.json()
            message = {"channel": "data-alerts", "text": f"relayed {body['key']}"}
            async with out.post(f"{slack.url}/api/chat.postMessage", json=message, headers=headers):
                return web.Response(status=202)

        app = web.Application()
        app.router.add_post("/", relay)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        for number in range(pages + 5):
            sent[f"relay-{number}"] = _CLOCK.now()
            async with out.post(url, json=alert(f"relay-{number}")):
                await pause(0.02)
        await runner.cleanup()
    at = {
        str(call["args"]["text"]).split()[-1]: datetime.fromisoformat(call["at"])
        for call in await slack.control("calls", method="chat.postMessage")
        if str(call["args"].get("text", "")).startswith("relayed ")
    }
    return [(at[key] - began).total_seconds() * 1000 for key, began in list(sent.items())[5:]]
