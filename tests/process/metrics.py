"""What one running bot tells of itself at /metrics."""

import aiohttp

from tests.process.harness import Bot

_TIMEOUT = aiohttp.ClientTimeout(total=10)


async def metric(bot: Bot, name: str, label: str = "") -> float:
    """Add up what it tells of a metric, over all labels or those with `label`."""
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT) as session,
        session.get(f"{bot.url}/metrics") as answer,
    ):
        lines = (await answer.text()).splitlines()
    told = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return sum(
        float(value)
        for series, _, value in told
        if series.partition("{")[0] == name and label in series
    )
