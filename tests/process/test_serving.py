"""One running `watchbill serve`: how it starts, refuses, reports, follows the roster, and ends."""

import time
from collections import Counter
from pathlib import Path

from tests.ports import free_port
from tests.process.harness import (
    Bot,
    Setup,
    alert,
    pause,
    person,
    running,
    set_up,
    team,
    until,
    write_roster,
)
from tests.process.load import Sent
from tests.process.measure import memory
from tests.process.promises import count
from tests.process.stored import query, settled

STOPS_WITHIN = 10.0
MOST_MEMORY = 150_000_000


async def test_it_ends_in_order_while_pages_are_on_their_way(tmp_path: Path) -> None:
    setup = set_up(tmp_path, teams=9)
    setup.bot.process.fresh = True
    async with running(setup):
        sent = Sent()
        for number in range(60):
            one = alert(f"check-{number}", of=team(number % 9), group=f"run-{number % 18}")
            if setup.bot.post(one, delivery=f"delivery-{number}") == 202:
                sent.accepted[f"delivery-{number}"] = f"check-{number}"
        began = time.monotonic()
        status = await setup.bot.process.terminate(30)
        took = time.monotonic() - began
        assert await _jobs(setup) > 0, "it was told to stop before everything was sent"
        await setup.bot.start()
        await settled(setup.bot)
        report = await count(setup.bot, setup.slack, sent)
    assert status == 0, setup.bot.process.output()[-2000:]
    assert took < STOPS_WITHIN
    assert report.accepted == 60
    assert [report.faults, report.doubled_pages] == [[], []]


async def test_two_processes_never_share_one_file(tmp_path: Path) -> None:
    setup = set_up(tmp_path)
    (tmp_path / "second").mkdir()
    config = {**setup.bot.config, "roster": str(setup.roster)}
    second = Bot(tmp_path / "second", config, setup.bot.process.environment)
    async with running(setup):
        second.process.start()
        assert await second.process.ended() == 1
        assert (await setup.bot.readiness())[0] == 200, "the first goes on"
    said = second.process.output()
    assert "another process uses" in said
    assert "watchbill.db" in said
    assert "Traceback" not in said


async def test_a_faulty_configuration_is_named_with_its_line(tmp_path: Path) -> None:
    bot = set_up(tmp_path).bot
    bot.write_config(escalation_polices={})
    file = tmp_path / "config.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    line = next(n for n, text in enumerate(lines, 1) if text.startswith("escalation_polices"))
    bot.process.start()
    assert await bot.process.ended() == 1
    said = bot.process.output()
    assert f"{file}:{line}" in said
    assert "escalation_policies" in said, "the nearest right key is named"
    assert "Traceback" not in said


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    setup = set_up(tmp_path)
    (tmp_path / "second").mkdir()
    config = {**setup.bot.config, "database": f"sqlite:///{tmp_path / 'second' / 'own.db'}"}
    second = Bot(tmp_path / "second", config, setup.bot.process.environment)
    second.port = setup.bot.port
    second.write_config()
    async with running(setup):
        second.process.start()
        assert await second.process.ended() == 1
    said = second.process.output()
    assert f"127.0.0.1:{setup.bot.port}" in said
    assert "listen" in said, "the key to change is named"
    assert "Traceback" not in said
    assert "Unclosed" not in said


async def test_a_database_that_nobody_answers_for_is_named(tmp_path: Path) -> None:
    port = free_port()
    bot = set_up(tmp_path, "${DATABASE}").bot
    url = f"postgresql://someone:hidden-word@127.0.0.1:{port}/nothing"
    bot.process.environment = {**bot.process.environment, "DATABASE": url}
    bot.process.start()
    assert await bot.process.ended() == 1
    said = bot.process.output()
    assert f"database: postgresql://someone:***@127.0.0.1:{port}/nothing" in said
    assert "hidden-word" not in said
    assert "Traceback" not in said


async def test_readiness_follows_slack(tmp_path: Path) -> None:
    setup = set_up(tmp_path)
    async with running(setup):
        await setup.slack.process.terminate()

        async def unready() -> str:
            status, said = await setup.bot.readiness()
            return str(said["checks"]["slack"]) if status == 503 else ""

        assert "Socket Mode" in await until(unready, "it says that Slack is gone", 60)
        setup.bot.post(alert("orders", of=team(0)))
        await setup.slack.start()

        async def ready() -> bool:
            return (await setup.bot.readiness())[0] == 200

        await until(ready, "it is ready again", 90)
        await until(setup.slack.roots, "what came meanwhile is shown", 60)
        await settled(setup.bot)
        assert len(await setup.slack.roots()) == 1
        pages = Counter(page["key"] for page in await setup.slack.pages())
        assert sorted(pages.values()) == [1, 1, 1]


async def test_it_starts_without_slack_and_takes_alerts(tmp_path: Path) -> None:
    setup = set_up(tmp_path)
    try:
        setup.bot.process.start()

        async def unready() -> bool:
            return (await setup.bot.readiness())[0] == 503

        await until(unready, "it answers, but is not ready")
        assert setup.bot.post(alert("orders", of=team(0))) == 202
        await setup.slack.start()
        await until(setup.slack.pages, "the page goes out once Slack is there", 90)
    finally:
        setup.bot.process.kill()
        setup.slack.process.kill()


async def test_the_roster_is_read_again_when_it_changes(tmp_path: Path) -> None:
    setup = set_up(tmp_path, teams=3, waits="30m 30m")
    async with running(setup):
        assert await _paged_for(setup, "first") == person(0)
        write_roster(setup.roster, person(2), person(1))
        await until(lambda: _log_has(setup, '"roster accepted"', 1), "the edit is taken")
        assert await _paged_for(setup, "second") == person(2)
        setup.roster.write_text("Week of,Primary\n2026-99-99,Nobody Known\n", encoding="utf-8")
        await until(lambda: _log_has(setup, '"problem"', 1), "the broken edit is told")
        assert await _paged_for(setup, "third") == person(2), "the last good one stays in force"
        status, said = await setup.bot.readiness()
        assert status == 503
        assert "refused" in said["checks"]["roster"]


async def test_it_is_small_when_idle(tmp_path: Path) -> None:
    setup = set_up(tmp_path)
    setup.bot.process.fresh = True
    async with running(setup):
        await pause(1)
        assert memory(setup.bot.process.pid) < MOST_MEMORY


async def _jobs(setup: Setup) -> int:
    rows = await query(setup.bot, "SELECT count(*) FROM job WHERE state = 'todo'")
    return int(rows[0][0])


async def _paged_for(setup: Setup, key: str) -> str:
    """Post an alert of no team; return who was paged for it first."""
    known = {page["key"] for page in await setup.slack.pages()}
    assert setup.bot.post(alert(key)) == 202

    async def paged() -> str:
        new = [p["key"] for p in await setup.slack.pages() if p["key"] not in known]
        return new[0].rpartition(":")[2].partition("@")[0] if new else ""

    return await until(paged, f"somebody is paged for {key}")


async def _log_has(setup: Setup, words: str, times: int) -> bool:
    return setup.bot.process.output().count(words) >= times
