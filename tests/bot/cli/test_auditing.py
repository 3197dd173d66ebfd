"""`watchbill audit` reads a store beside the bot and says what has come to a stop."""

import asyncio
import json
from pathlib import Path

from sqlalchemy import text

from bot.store.opening import open_store
from tests.bot.cli.test_stored import run
from tests.bot.store.samples import incident
from tests.fakes.clock import FakeClock

LATER = FakeClock().now().replace(year=2090)


async def _stored(url: str, *statements: str) -> None:
    store = await open_store(url, FakeClock())
    async with store.store.begin() as tx:
        await tx.load_for([], now=LATER, window=LATER - LATER)
        tx.save(incident(tx.next_number(), LATER, step_due_at=LATER))
    async with store.database.write() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await store.close()


def test_nothing_is_found_where_all_is_well(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    asyncio.run(_stored(url))
    assert run(tmp_path, ["audit"], url) == (0, "0 found")
    status, said = run(tmp_path, ["audit", "--json"], url)
    assert (status, json.loads(said)) == (0, {"findings": []})


def test_what_has_stopped_is_listed_and_stays_as_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    asyncio.run(_stored(url, "UPDATE incident SET wake_at = NULL"))
    words = "timer_lost #1 orders is late: its timer was not the one it asked for. 1 found"
    assert run(tmp_path, ["audit"], url) == (1, words)
    status, said = run(tmp_path, ["audit", "--json"], url)
    assert status == 1
    (found,) = json.loads(said)["findings"]
    assert (found["fault"], found["number"], found["heals"]) == ("timer_lost", 1, True)


def test_without_a_database_there_is_nothing_to_audit(tmp_path: Path) -> None:
    status, said = run(tmp_path, ["audit"])
    assert status == 1
    assert "`watchbill serve` makes it" in said
