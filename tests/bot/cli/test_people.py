"""`watchbill people` and `watchbill followers status`."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.clock import SystemClock
from bot.demo.roster import roster_for
from bot.ports.followers import FollowerState
from bot.store.opening import open_store

CONFIG = """
database: sqlite:///{folder}/watchbill.db
slack: {{mode: {mode}, api_url: "http://127.0.0.1:9/api/", bot_token: "${{BOT}}", app_token: "${{APP}}"}}
people:
  - {{name: Ana Ruiz, email: ana@example.com}}
  - {{name: Bo Chen, email: bo@example.com}}
rotations: {{data: {{zone: UTC}}}}
roster: {folder}/roster.csv
followers:
  user_groups: {{data-oncall: {{}}}}
  topic: {{data-alerts: {{}}}}
fallback: [ana@example.com]
"""
NOW = SystemClock().now()
TOKENS = {"BOT": "xoxb-1", "APP": "xapp-1"}
CLI = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = roster_for(NOW).replace("Cy Haddad", "cy@example.com")
    (tmp_path / "roster.csv").write_text(text)
    write(tmp_path, "local")
    return tmp_path


def write(folder: Path, mode: str) -> None:
    (folder / "config.yaml").write_text(CONFIG.format(folder=folder, mode=mode))


def run(folder: Path, *words: str) -> tuple[int, str]:
    result = CLI.invoke(app, [*words, "-c", str(folder / "config.yaml")], env=TOKENS)
    return result.exit_code, result.output


def test_everybody_whom_the_roster_names_is_listed(folder: Path) -> None:
    status, text = run(folder, "people")
    assert status == 1
    assert "Ana Ruiz (ana@example.com): ana@example.com, by e-mail" in text
    assert "not linked. Cy@example.com has no Slack account here: correct the e-mail" in text
    assert text.endswith("2 of 3 people are linked\n")
    status, text = run(folder, "people", "--json")
    found = {one["key"]: one["linked"] for one in json.loads(text)}
    assert found == {"ana@example.com": True, "bo@example.com": True, "cy@example.com": False}


def test_a_slack_that_does_not_answer_is_said_in_words(folder: Path) -> None:
    write(folder, "socket")
    status, text = run(folder, "people")
    assert status == 1
    assert "Slack does not tell who is there: cannot reach Slack" in text


def test_followers_are_told_before_and_after_they_were_looked_at(folder: Path) -> None:
    status, text = run(folder, "followers", "status")
    assert status == 0
    assert "The user group @data-oncall: not looked at yet" in text

    async def look() -> None:
        store = await open_store(f"sqlite:///{folder}/watchbill.db", SystemClock())
        await store.followers.want({"user_group:data-oncall": "ana", "topic:data-alerts": "x"}, NOW)
        await store.followers.save_follower(
            FollowerState(name="user_group:data-oncall", applied="ana", tried_at=NOW)
        )
        await store.followers.save_follower(
            FollowerState(name="topic:data-alerts", tried_at=NOW, problem="the topic is full")
        )
        await store.close()

    asyncio.run(look())
    status, text = run(folder, "followers", "status")
    assert status == 1
    assert "The user group @data-oncall: in step (ana)" in text
    assert "The topic of #data-alerts: the topic is full" in text
    _, text = run(folder, "followers", "status", "--json")
    assert [one["name"] for one in json.loads(text)] == [
        "user_group:data-oncall", "topic:data-alerts",
    ]  # fmt: skip


def test_whom_a_tab_of_the_roster_names_is_known_by_what_stands_there(folder: Path) -> None:
    tabs = folder / "roster"
    tabs.mkdir()
    (tabs / "People.csv").write_text("Name,E-mail\nEve Okafor,eve@example.com\n")
    (tabs / "Shifts.csv").write_text("Start,End,Person\n2020-01-01,2099-01-01,Eve Okafor\n")
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("roster.csv", "roster"))
    _, text = run(folder, "people")
    assert "Eve Okafor (eve@example.com): " in text
