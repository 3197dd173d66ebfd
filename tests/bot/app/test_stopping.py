"""SIGTERM's end of a whole Watchbill whose database hangs: bounded, for it is killed otherwise."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bot.app.conftest import started
from tests.fakes.relay import relay


async def test_a_database_that_hangs_holds_up_no_stop(database_url: str, tmp_path: Path) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("a file does not hang")
    async with relay(database_url) as server:
        async with started(server.url, tmp_path) as one:
            one.app.setting.orderly = timedelta(seconds=1)
            assert await one.post("generic", {"title": "orders are late"}) == 202
            await one.until_said("data-alerts", "orders are late")
            server.block()
            began = time.monotonic()
        assert time.monotonic() - began < 15
