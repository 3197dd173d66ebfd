"""The outside watchdog hears of us while all is well, and of nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import structlog

from bot.app.watchdog import Watchdog, WatchdogParts
from bot.metrics import Metrics
from tests.fakes.bells import Receiver, receiver
from tests.fakes.clock import FakeClock

SECRET = "b7f1c0de-secret"


@asynccontextmanager
async def watched(
    fault: Callable[[], str] = lambda: "", url: str = ""
) -> AsyncIterator[tuple[Watchdog, Receiver, Metrics]]:
    async def check() -> str:
        return fault()

    metrics = Metrics()
    async with receiver() as outside, aiohttp.ClientSession() as session:
        parts = WatchdogParts(
            url=f"{url or outside.url}/{SECRET}",
            every=timedelta(minutes=1),
            checks={"database": check},
            clock=FakeClock(),
            session=session,
            metrics=metrics,
            timeout=aiohttp.ClientTimeout(total=0.3),
        )
        yield Watchdog(parts), outside, metrics


def pings(metrics: Metrics, result: str) -> float:
    sample = metrics.registry.get_sample_value("watchbill_watchdog_pings_total", {"result": result})
    return sample or 0


async def test_all_is_well_so_it_is_pinged() -> None:
    async with watched() as (watchdog, outside, metrics):
        assert await watchdog.ping() == ""
        assert [(one.method, one.path) for one in outside.heard] == [("GET", f"/{SECRET}")]
        assert pings(metrics, "sent") == 1


async def test_while_something_is_wrong_it_hears_nothing_and_the_log_says_why_once() -> None:
    wrong = "the check failed (NotStoredError)"
    async with watched(lambda: wrong) as (watchdog, outside, metrics):
        with structlog.testing.capture_logs() as lines:
            assert await watchdog.ping() == f"database: {wrong}"
            await watchdog.ping()
            wrong = ""
            assert await watchdog.ping() == ""
        assert len(outside.heard) == 1
        assert (pings(metrics, "withheld"), pings(metrics, "sent")) == (2, 1)
        assert [line["event"] for line in lines] == [
            "no ping to the watchdog",
            "the watchdog is pinged again",
        ]
        assert SECRET not in str(lines)


async def test_a_check_that_breaks_withholds_the_ping() -> None:
    def broken() -> str:
        raise OSError("disk")

    async with watched(broken) as (watchdog, outside, _):
        assert await watchdog.ping() == "database: the check failed (OSError)"
        assert outside.heard == []


async def test_a_redirect_is_not_followed() -> None:
    async with watched() as (watchdog, outside, metrics):
        outside.status, outside.headers = 302, {"Location": f"{outside.url}/elsewhere"}
        assert await watchdog.ping() == "127.0.0.1 answered 302"
        assert len(outside.heard) == 1
        assert pings(metrics, "failed") == 1


async def test_a_watchdog_that_is_away_or_silent_stops_nothing_and_its_address_stays_secret() -> (
    None
):
    async with watched(url="http://127.0.0.1:1") as (watchdog, _, metrics):
        with structlog.testing.capture_logs() as lines:
            assert "does not answer (ClientConnectorError)" in await watchdog.ping()
        assert SECRET not in str(lines)
        assert pings(metrics, "failed") == 1
    silent = await asyncio.start_server(_never, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        async with watched(url=f"http://127.0.0.1:{port}") as (watchdog, _, _metrics):
            assert "does not answer (" in await watchdog.ping()


async def _never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()
