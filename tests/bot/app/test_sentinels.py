"""The sentinels in a whole Watchbill: real HTTP, real Slack client, both databases."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.app.sentinels import Sentinels, door_at
from bot.app.watchdog import Watchdog
from rules.audit import Finding
from tests.bot.app.conftest import Running, started
from tests.fakes.bells import Receiver, receiver

ROOT = Path(__file__).parents[3]
MORE = """
webhooks: [{{name: phone, url: "{url}/phone", secret: s3cret}}]
canary: {{channel: canary, within: 20s, alarm: [{{webhook: phone}}]}}
watchdog: {{url: "{url}/alive/s3cr3t"}}
"""


@pytest.fixture
async def outside() -> AsyncIterator[Receiver]:
    async with receiver() as one:
        yield one


@pytest.fixture
async def guarded(database_url: str, tmp_path: Path, outside: Receiver) -> AsyncIterator[Running]:
    async with started(database_url, tmp_path, more=MORE.format(url=outside.url)) as one:
        one.workspace.seed(channels=[{"name": "canary"}])
        yield one


def sentinels(running: Running) -> Sentinels:
    found = running.app.sentinels
    assert found is not None
    return found


async def test_the_canary_flies_through_everything_and_leaves_no_trace(
    guarded: Running, outside: Receiver
) -> None:
    canary = sentinels(guarded).canary
    assert canary is not None
    assert await canary.fly() == ""
    assert guarded.said("canary") == []
    assert [m for m in guarded.said("data-alerts") if "anary" in str(m.text)] == []
    assert await guarded.app.store.reader.open_count() == 0
    assert await guarded.app.store.reader.incident_numbered(1) is None
    rung = [one for one in outside.heard if one.path == "/phone"]
    assert rung == [], "no alarm, and it pages nobody"
    sent = [call.method for call in guarded.workspace.calls]
    assert sent.count("chat.delete") == 1
    async with guarded.http.get(guarded.app.url + "/metrics") as answer:
        told = await answer.text()
    assert "watchbill_canary_alarm 0.0" in told
    assert "watchbill_incidents_opened_total 0.0" in told
    assert 'watchbill_alerts_total{source="canary"' not in told
    async with guarded.http.get(guarded.app.url + "/readyz") as answer:
        assert (await answer.json())["details"]["canary"] == "ok"


async def test_what_readyz_tells_is_explained_by_its_name(guarded: Running) -> None:
    text = (ROOT / "docs/operations/alarms.md").read_text(encoding="utf-8")
    async with guarded.http.get(guarded.app.url + "/readyz") as answer:
        told = await answer.json()
    named = [*told["checks"], *told["details"]]
    assert {"database", "audit", "canary"} <= set(named)
    assert [name for name in named if f"\n| `{name}` |" not in text] == []


async def test_nobody_else_can_send_a_canary(guarded: Running) -> None:
    assert await guarded.post("canary", {"title": "x"}) == 401


async def test_the_watchdog_is_pinged_while_the_whole_is_well(
    guarded: Running, outside: Receiver
) -> None:
    works = dict(sentinels(guarded).works(guarded.app._every, guarded.app._checks()))
    watchdog = works["watchdog"].args[1].__self__  # type: ignore[attr-defined]
    assert isinstance(watchdog, Watchdog)
    assert await watchdog.ping() == ""
    assert {one.path for one in outside.heard} == {"/alive/s3cr3t"}
    engine = guarded.app.engine
    (running,) = (task for task in asyncio.all_tasks() if task.get_name() == "engine")
    engine.stop()
    await asyncio.wait([running])  # or its last round would say that it goes on
    engine.looked_at = guarded.app.setting.clock.now() - timedelta(hours=3)
    before = len(outside.heard)
    assert "the engine has stood still since" in await watchdog.ping()
    assert len(outside.heard) == before


async def test_an_auditor_that_never_ran_or_stopped_is_told_of(guarded: Running) -> None:
    one = sentinels(guarded)
    assert await one.late() == ""
    one._began = guarded.app.setting.clock.now() - timedelta(hours=9)
    async with guarded.app.store.database.write() as connection:
        await connection.execute(text("DELETE FROM errand"))
    assert "the auditor has not run since" in await one.late()


async def test_what_the_auditor_found_is_in_readyz(guarded: Running) -> None:
    app = guarded.app
    await guarded.post(
        "generic", {"title": "orders table is late", "status": "firing", "severity": "critical"}
    )
    await guarded.until_said(guarded.order[0], "orders table is late")
    found: Sequence[Finding] = ()
    for _ in range(50):  # the fate of the page is still written down, timers and all
        async with app.store.database.write() as connection:
            await connection.execute(text("UPDATE incident SET wake_at = NULL"))
        if found := await sentinels(guarded).auditor.look():
            break
        await app.setting.clock.sleep_until(app.setting.clock.now() + timedelta(seconds=6))
    assert [one.fault for one in found] == ["timer_lost"]
    await guarded.until_said("data-alerts", "its timer was not the one it asked for")
    await guarded.until_said("dee", "its timer was not the one it asked for")
    assert "its timer was not" in await sentinels(guarded).standing()
    async with guarded.http.get(app.url + "/metrics") as answer:
        assert 'watchbill_audit_findings_total{fault="timer_lost"} 1.0' in await answer.text()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
    ],
)
def test_a_process_knows_its_own_door(host: str, url: str) -> None:
    assert door_at(host, 80) == url
