"""Replicas, freezes, and a lost Slack, database and disk, in real processes; the long ones on demand."""

import asyncio
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.ports.inbox import NotStoredError
from bot.store.database import Database
from tests.process.chaos import SCENARIOS
from tests.process.disk_full import fill, small_disk
from tests.process.harness import Setup, alert, person, running, set_up, team, until
from tests.process.postgresql import own_server
from tests.process.scenario import Found, Stage
from tests.process.stored import settled

OF_A_SERVER = (
    *("stopping", "takeover", "together", "freezing"),
    *("cut-connections", "crashed-server", "hanging-slack", "cut-sockets"),
)
OF_A_FILE = ("stopping", "disk-full", "hanging-slack", "cut-sockets")


def _kept(found: Found) -> None:
    if found.skipped:
        pytest.skip(found.skipped)
    assert found.faults == [], found.figures


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", OF_A_SERVER)
def test_promises_are_kept_on_postgresql(name: str, tmp_path: Path) -> None:
    with own_server() as server:
        url = server.database(name)
        stage = Stage(folder=tmp_path, server=server, database=url, times=2, seed=2)
        _kept(asyncio.run(SCENARIOS[name](stage)))


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", OF_A_FILE)
def test_promises_are_kept_on_sqlite(name: str, tmp_path: Path) -> None:
    _kept(asyncio.run(SCENARIOS[name](Stage(folder=tmp_path, times=2, seed=2))))


async def test_a_full_disk_is_refused_said_and_left_behind(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as impossible:
        if impossible:
            pytest.skip(impossible)
        url = f"sqlite:///{tmp_path / 'disk' / 'watchbill.db'}"
        setup = set_up(tmp_path, url, waits="30m 30m")
        ballast, numbers = tmp_path / "disk" / "ballast", count()
        async with running(setup):
            fill(ballast)

            async def refused() -> int:
                # the log has room for some; of the same thing, so that few pages follow
                words = f"{next(numbers)} is " + "too much " * 500
                status = setup.bot.post({**alert("orders", of=team(0)), "description": words})
                return 0 if status == 202 else status

            assert await until(refused, "an alert is refused") == 503
            status, said = await setup.bot.readiness()
            assert status == 503
            assert "is full: make space there" in said["checks"]["database"]
            ballast.unlink()
            setup.bot.post(alert("customers", of=team(1)))

            async def ready() -> bool:
                return (await setup.bot.readiness())[0] == 200

            await until(ready, "it is ready again")
            await settled(setup.bot)
            told = await setup.slack.direct(person(1))
    assert told, "who is on call for what came afterwards is paged"


@pytest.mark.chaos
async def test_who_froze_with_a_lock_in_hand_is_cut_off(
    tmp_path: Path, postgresql_database: str
) -> None:
    setup, frozen = set_up(tmp_path, postgresql_database), Database(postgresql_database)
    async with running(setup):
        with pytest.raises(NotStoredError):
            await _page_goes_out_while_it_holds(frozen, setup)
    await frozen.close()


async def _page_goes_out_while_it_holds(frozen: Database, setup: Setup) -> None:
    async with frozen.write() as connection:
        await connection.execute(text("SELECT value FROM counter FOR UPDATE"))
        assert setup.bot.post(alert("orders", of=team(0))) == 202
        await until(setup.slack.pages, "the page goes out", 30)
