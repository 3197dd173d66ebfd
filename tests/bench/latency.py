"""From the request to the page reaching a local Slack: idle; and how late timers and lanes are."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import cycle, islice, pairwise
from statistics import quantiles

import aiohttp
from aiohttp import web

from bot.clock import SystemClock
from tests.bench.rounds import Run
from tests.bench.table import Figure, promised
from tests.process.harness import (
    SECRET,
    TOKENS,
    Bot,
    LocalSlack,
    alert,
    pause,
    running,
    set_up,
    team,
)

TEAMS = 20
WAIT = timedelta(seconds=2)
LANES, BACKLOG = 5, 9
_CLOCK = SystemClock()
Sent = dict[str, datetime]


def measure(run: Run) -> list[Figure]:
    idle = asyncio.run(_idle(run, run.rounds(3)))
    return [*idle, *asyncio.run(_timers(run)), *asyncio.run(_pace(run))]


def gates(run: Run) -> list[Figure]:
    return asyncio.run(_idle(run, 2))


async def _idle(run: Run, rounds: int) -> list[Figure]:
    """Page one team after the other, so that no person's pace of one page a second is in it."""
    setup = set_up(run.made("latency"), teams=TEAMS, waits="30m 30m")
    pages = 30
    relayed: Sent = {}
    sent: Sent = {}
    async with (
        running(setup),
        aiohttp.ClientSession() as session,
        _relay(setup.slack) as relay,
    ):
        turn = cycle(range(TEAMS))
        await _fire(session, setup.bot, {}, "warm", islice(turn, TEAMS))  # makes the connections
        for number in range(rounds):
            run.progress.tell(f"latency: pages, round {number + 1} of {rounds}")
            for at in range(pages):
                key = f"relay-{number}-{at}"
                relayed[key] = _CLOCK.now()
                async with session.post(relay, json=alert(key)):
                    await pause(0.02)
            await _fire(session, setup.bot, sent, f"check-{number}", islice(turn, pages))
        await pause(2)
        posted = await _posted(setup.slack)
    raw, ours = _waited(relayed, posted), _waited(sent, posted)
    beside = f"a bare relay, p50 {raw[49]:.1f} p95 {raw[94]:.1f} p99 {raw[98]:.1f} ms"
    return [
        promised("page p50", Figure("request to page, idle, p50", ours[49], "ms", beside=beside)),
        promised("page p95", Figure("request to page, idle, p95", ours[94], "ms", beside=beside)),
        Figure("request to page, idle, p99", ours[98], "ms", beside=beside),
    ]


async def _fire(
    session: aiohttp.ClientSession, bot: Bot, sent: Sent, name: str, teams: Iterable[int]
) -> None:
    headers = {"Authorization": f"Bearer {SECRET}"}
    for number, of in enumerate(teams):
        key = f"{name}-{number}"
        sent[key] = _CLOCK.now()
        body = alert(key, of=team(of))
        async with session.post(f"{bot.url}/hooks/tests", json=body, headers=headers) as answer:
            assert answer.status == 202
        await pause(0.1)


async def _posted(slack: LocalSlack, *, nth: int = 0) -> Mapping[str, datetime]:
    """Return when each alert's page reached Slack, by the alert's key: the first, or the nth."""
    found: dict[str, list[datetime]] = {}
    for call in await slack.control("calls", method="chat.postMessage"):
        words = str(call["args"].get("text", "")).split()
        relayed = words[:1] == ["relayed"]
        if relayed or str(call["args"].get("channel", "")).startswith("D"):
            for key in [word for word in words if word.startswith(("check-", "relay-"))][:1]:
                found.setdefault(key, []).append(datetime.fromisoformat(call["at"]))
    return {key: times[nth] for key, times in found.items() if len(times) > nth}


def _waited(sent: Sent, arrived: Mapping[str, datetime]) -> Sequence[float]:
    """Return the percentiles of the waits, in ms."""
    missing = sent.keys() - arrived.keys()
    assert not missing, f"{len(missing)} of {len(sent)} pages did not arrive"
    waits = [(arrived[key] - began).total_seconds() * 1000 for key, began in sent.items()]
    return quantiles(waits, n=100, method="inclusive")


@asynccontextmanager
async def _relay(slack: LocalSlack) -> AsyncIterator[str]:
    """Run a handler that passes each request on to Slack and stores nothing."""
    headers = {"Authorization": f"Bearer {TOKENS['SLACK_BOT_TOKEN']}"}
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
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
        finally:
            await runner.cleanup()


async def _timers(run: Run) -> list[Figure]:
    """Wait for the second step of policies: those who are paged then have no other page."""
    setup = set_up(run.made("timers"), teams=TEAMS, waits=f"{WAIT.seconds}s 30m")
    sent: Sent = {}
    headers = {"Authorization": f"Bearer {SECRET}"}
    url = f"{setup.bot.url}/hooks/tests"
    rounds = run.rounds(3)
    async with running(setup), aiohttp.ClientSession() as session:
        for number in range(rounds + 1):
            run.progress.tell(f"latency: timers, round {number} of {rounds}")
            for at in range(0, TEAMS, 2):
                key = f"check-{number}-{at}"
                sent[key] = _CLOCK.now()
                body = alert(key, of=team(at))
                async with session.post(url, json=body, headers=headers) as answer:
                    assert answer.status == 202
                await pause(0.02)
            await pause(WAIT.total_seconds() + 1.5)
        second = await _posted(setup.slack, nth=1)
    counted = {key: at + WAIT for key, at in sent.items() if not key.startswith("check-0-")}
    late = _waited(counted, second)
    what = "a step's page after its timer, idle"
    beside = "counts accepting and sending, too"
    return [
        Figure(f"{what}, p50", late[49] / 1000, "s", beside=beside),
        promised("timer p99", Figure(f"{what}, p99", late[98] / 1000, "s", beside=beside)),
    ]


async def _pace(run: Run) -> list[Figure]:
    """Give several channels more to say than Slack lets them at once."""
    run.progress.tell("latency: the pace of lanes")
    setup = set_up(run.made("pace"), teams=LANES, waits="30m 30m")
    async with running(setup), aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {SECRET}"}
        for number in range(LANES * BACKLOG):
            body = alert(f"check-{number}", of=team(number % LANES))
            url = f"{setup.bot.url}/hooks/tests"
            async with session.post(url, json=body, headers=headers) as answer:
                assert answer.status == 202
        await pause(BACKLOG + 1)
        calls = await setup.slack.control("calls")
    times: dict[str, list[datetime]] = {}
    for call in calls:
        channel = str(call["args"].get("channel", ""))
        if call["method"] == "chat.postMessage" and channel.startswith("D"):
            times.setdefault(channel, []).append(datetime.fromisoformat(call["at"]))
    rates, gaps = [], []
    for found in times.values():
        rates.append((len(found) - 1) / (found[-1] - found[0]).total_seconds())
        between = pairwise(found)
        gaps += [(after - before).total_seconds() for before, after in between]
    assert rates, "nothing was posted"
    return [
        promised(
            "lane rate",
            Figure("messages of a lane with a backlog", min(rates), "/s", beside="Slack lets 1"),
        ),
        promised("lane gap", Figure("least time between two of a lane", min(gaps), "s")),
    ]
