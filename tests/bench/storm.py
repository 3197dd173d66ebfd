"""A storm of 10,000 different alerts at once, with others being paged meanwhile."""

import asyncio
import json
from collections import Counter
from datetime import datetime
from statistics import quantiles

import aiohttp

from bot.clock import SystemClock
from tests.bench.load import Body, Rate, bodies, press
from tests.bench.rounds import Run
from tests.bench.serving import HOOK
from tests.bench.table import Figure, promised
from tests.process.harness import (
    SECRET,
    Json,
    LocalSlack,
    Setup,
    alert,
    pause,
    running,
    set_up,
    team,
    until,
)
from tests.process.stored import one

ALERTS = 10_000
TEAMS = 20
_OTHERS, _EACH, _APART = 6, 6, 0.25
"""Other sources with so many alerts each, so many seconds apart: too few to be storms."""
_LONGEST = 180
_CLOCK = SystemClock()
_STORM_SIZE = "SELECT max(n) FROM (SELECT count(*) AS n FROM alert GROUP BY incident_id) AS sizes"


def measure(run: Run) -> list[Figure]:
    return asyncio.run(_measure(run))


async def _measure(run: Run) -> list[Figure]:
    count = ALERTS // 5 if run.quick else ALERTS
    setup = _set_up(run)
    async with running(setup):
        await _warm(setup)
        before = len(await setup.slack.control("calls"))
        run.progress.tell(f"storm: {count:,} alerts")
        began = _CLOCK.now()
        async with asyncio.TaskGroup() as group:
            pressed = group.create_task(
                press(setup.bot.port, HOOK, seconds=_LONGEST, most=count, body=bodies(Body.SINGLE))
            )
            paged = group.create_task(_page_others(setup))
        run.progress.tell("storm: until the channel tells the truth")
        truth = (await _truth(setup) - began).total_seconds()
        calls = (await setup.slack.control("calls"))[before:]
    return _figures(count, pressed.result(), truth, _First(began, paged.result(), calls))


class _First:
    """What the calls to Slack tell."""

    def __init__(self, began: datetime, sent: dict[str, datetime], calls: list[Json]) -> None:
        self.by_channel = Counter(
            str(call["args"]["channel"])
            for call in calls
            if call["method"].startswith("chat.") and "channel" in call["args"]
        )
        pages = [
            (str(call["args"].get("text", "")), datetime.fromisoformat(call["at"]))
            for call in calls
            if call["method"] == "chat.postMessage" and str(call["args"]["channel"])[:1] == "D"
        ]
        self.first = min((at - began).total_seconds() for text, at in pages if "check-" not in text)
        self.waits = []
        for key, at in sent.items():
            arrived = next(when for text, when in pages if key in text.split())
            self.waits.append((arrived - at).total_seconds() * 1e3)


def _figures(count: int, rate: Rate, truth: float, seen: _First) -> list[Figure]:
    cuts = quantiles(seen.waits, n=100, method="inclusive")
    most = max(seen.by_channel.values())
    beside = f"one message an alert at Slack's pace: {count:,} calls in {count:,} s"
    return [
        Figure(f"{count:,} alerts, accepted", rate.per_second, "/s"),
        Figure("first page of the storm", seen.first, "s"),
        Figure("page of another source meanwhile, p50", cuts[49], "ms"),
        promised(
            "page p99 in a storm",
            Figure("page of another source meanwhile, p99", cuts[98], "ms"),
        ),
        promised("storm calls", Figure("calls to Slack in a channel", most, beside=beside)),
        promised("storm truth", Figure("until the channel tells the truth", truth, "s")),
    ]


def _set_up(run: Run) -> Setup:
    setup = set_up(run.made("storm"), teams=TEAMS, waits="30m 30m")
    others = [
        {"name": f"other{n}", "kind": "generic", "secret": "${SOURCE_SECRET}"}
        for n in range(_OTHERS)
    ]
    setup.bot.config = {key: value for key, value in setup.bot.config.items() if key != "storm"}
    setup.bot.write_config(sources=[*setup.bot.config["sources"], *others])
    return setup


async def _warm(setup: Setup) -> None:
    """Have every person paged once: it opens the conversations."""
    for number in range(TEAMS):
        body = alert(f"warm-{number}", of=team(number))
        assert setup.bot.post(body, source=f"other{number % _OTHERS}") == 202
        await pause(0.05)
    await pause(3)


async def _page_others(setup: Setup) -> dict[str, datetime]:
    """Post alerts of other sources, of one team after the other."""
    sent: dict[str, datetime] = {}
    headers = {"Authorization": f"Bearer {SECRET}"}
    async with aiohttp.ClientSession() as session:
        for number in range(_OTHERS * _EACH):
            key = f"check-{number}"
            # the first team's person is on call for the storm as well
            body = alert(key, of=team(1 + number % (TEAMS - 1)))
            url = f"{setup.bot.url}/hooks/other{number % _OTHERS}"
            sent[key] = _CLOCK.now()
            async with session.post(url, json=body, headers=headers) as answer:
                assert answer.status == 202
            await pause(_APART)
    return sent


async def _truth(setup: Setup) -> datetime:
    """Wait until all is decided and the storm's message has the number of its alerts."""

    async def decided() -> bool:
        return not await one(setup.bot, "SELECT count(*) FROM inbound WHERE state = 'new'")

    await until(decided, "everything is decided", _LONGEST)
    size = await one(setup.bot, _STORM_SIZE)

    async def told() -> datetime | None:
        return await _told(setup.slack, size)

    return await until(told, f"the channel tells of {size:,} alerts", _LONGEST)


async def _told(slack: LocalSlack, size: int) -> datetime | None:
    for call in reversed(await slack.control("calls")):
        if call["method"] in {"chat.update", "chat.postMessage"}:
            words = json.dumps(call["args"])
            if f"{size:,}" in words or str(size) in words:
                return datetime.fromisoformat(call["at"])
    return None
