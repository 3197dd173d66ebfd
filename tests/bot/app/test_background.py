"""What is done beside paging: its faults end nothing, and are told."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ports.inbox import NotStoredError
from bot.workspace.state import Workspace
from tests.bot.app.conftest import started

NEVER = timedelta(days=1)


async def test_a_fault_beside_paging_ends_nothing_and_is_counted(
    database_url: str, tmp_path: Path
) -> None:
    async with started(database_url, tmp_path) as running:
        app, nudge, rounds = running.app, asyncio.Event(), asyncio.Queue[int]()

        async def breaks() -> None:
            rounds.put_nowait(1)
            raise ZeroDivisionError

        work = asyncio.create_task(app._every(NEVER, breaks, nudge), name="duties")  # noqa: TID251 - as the application's own
        await rounds.get()
        for _ in range(2):
            nudge.set()
            await rounds.get()
        async with running.http.get(app.url + "/metrics") as answer:
            told = await answer.text()
        counted = [line for line in told.splitlines() if "background_failures_total{" in line]
        assert counted == ['watchbill_background_failures_total{work="duties"} 3.0']
        assert not work.done()
        work.cancel()
        await asyncio.wait([work])
        assert work.cancelled(), "it still ends when it is asked to"


async def test_a_database_that_is_away_is_a_failed_check_of_metrics_too(
    database_url: str, tmp_path: Path
) -> None:
    async with started(database_url, tmp_path) as running:
        app = running.app

        async def away(_now: datetime) -> dict[str, float]:
            raise NotStoredError("the server went away")

        app.store.reader.outbox_lag = away  # type: ignore[assignment, method-assign]
        with pytest.raises(NotStoredError):
            await app._sample()
        async with running.http.get(app.url + "/metrics") as answer:
            told = await answer.text()
        assert 'watchbill_check_failed{check="outbox"} 1.0' in told.splitlines()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_replica_whose_clock_was_set_goes_by_the_databases_within_a_sample(
    database_url: str, tmp_path: Path
) -> None:
    async with started(database_url, tmp_path) as running:
        app = running.app
        clock = app.setting.clock = app.store._clock = SystemClock()
        clock.correct(timedelta(hours=1))
        for _ in range(2):  # the application's own may have come between
            await app._sample()
        assert abs(clock.offset) < timedelta(minutes=1)


@pytest.mark.parametrize("fault", [RuntimeError("odd"), NotStoredError("disk I/O error")])
async def test_a_loop_of_its_own_that_a_fault_ends_begins_anew(
    database_url: str, tmp_path: Path, fault: Exception
) -> None:
    async with started(database_url, tmp_path) as running:
        keeper, looks = running.app.keeper, asyncio.Queue[int]()
        assert keeper is not None

        def breaks(_now: datetime) -> None:
            looks.put_nowait(1)
            raise fault

        keeper.roster.poll = breaks  # type: ignore[assignment, method-assign]
        for _ in range(2):
            await looks.get()
        assert await running.post("generic", {"title": "late", "severity": "error"}) == 202
        await running.until_said("data-alerts", "late")


async def test_a_click_waits_for_nobody_who_is_looked_up(database_url: str, tmp_path: Path) -> None:
    def nobody_is_told(workspace: Workspace) -> None:
        workspace.faults.add(method="users.lookupByEmail", kind="http_500", times=1_000)

    async with started(database_url, tmp_path, before=nobody_is_told) as running:
        workspace = running.workspace
        assert workspace.sockets.connections
        assert (await workspace.command("ana", "data-alerts", "/oncall who")).acked
        workspace.faults.clear()
        assert await running.post("generic", {"title": "late", "severity": "error"}) == 202
        await running.until_said("data-alerts", "late")


async def test_who_is_given_an_account_later_is_not_said_to_have_none(tmp_path: Path) -> None:
    def no_account(workspace: Workspace) -> None:
        dee = next(user for user in workspace.users.values() if user.name == "dee")
        dee.email, dee.name, dee.real_name = "", "d2", "Somebody Else"

    database = f"sqlite:///{tmp_path / 'later.db'}"
    async with started(database, tmp_path, before=no_account) as running:
        slack, users = running.app.slack, running.workspace.users.values()
        assert "no Slack account" in slack.faults["dee@example.com"]
        next(user for user in users if user.name == "d2").email = "dee@example.com"
        calls = running.workspace.calls

        def found() -> bool:
            asked = [c for c in calls if c.method == "users.lookupByEmail" and c.answer == "ok"]
            return any(call.args["email"] == "dee@example.com" for call in asked)

        assert await running.workspace.until(found, seconds=15), "it is asked again by itself"
        await slack.meet()
        assert slack.faults == {}
