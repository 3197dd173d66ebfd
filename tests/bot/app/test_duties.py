"""Followers and notices in the whole application, against the local workspace."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.app.conftest import CONFIG, Running, started

FOLLOWING = """
followers:
  user_groups: {{data-oncall: {{}}}}
  topic: {{data-alerts: {{}}}}
  bookmark: {{data-alerts: {{}}}}
"""


@pytest.fixture
async def following(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with started(database_url, tmp_path, 1.0, config=CONFIG + FOLLOWING) as running:
        yield running


def group(running: Running) -> set[str]:
    """Return who is in the one user group; nobody before the bot has made it."""
    groups = list(running.workspace.groups.values())
    assert len(groups) < 2
    return {running.workspace.users[user].name for found in groups for user in found.users}


async def test_slack_shows_who_is_on_call_and_follows_a_take_over_within_seconds(
    following: Running,
) -> None:
    workspace, (primary, secondary, other) = following.workspace, following.order
    channel = workspace.conversation("data-alerts")
    assert await workspace.until(lambda: group(following) == {primary, secondary}, seconds=15)
    called = {"ana": "Ana Ruiz", "bo": "Bo Chen", "cy": "Cy Haddad"}
    assert await workspace.until(
        lambda: channel.topic.startswith(f"[On call: {called[primary]} until"), seconds=15
    )
    assert await workspace.until(lambda: len(channel.bookmarks) == 1, seconds=15)
    began = time.perf_counter()
    await workspace.command(other, "data-alerts", "/oncall take data 2h")
    assert await workspace.until(lambda: group(following) == {other, secondary}, seconds=15)
    assert time.perf_counter() - began < 10
    assert await workspace.until(
        lambda: channel.bookmarks[0]["title"].startswith(f"On call: {called[other]}"), seconds=15
    )
    handed = await following.until_said("data-alerts", "🔁")
    assert f"<@{workspace.person(other).id}>" in handed.text


async def test_what_lags_is_told_in_readyz_metrics_and_who(following: Running) -> None:
    workspace = following.workspace
    assert await workspace.until(lambda: len(group(following)) == 2, seconds=15)
    workspace.bot_may_edit_groups = False
    await workspace.command(following.order[2], "data-alerts", "/oncall take data 2h")
    told = await following.until_said("data-alerts", "cannot keep the user group")
    assert "slack.user_token" in told.text
    async with following.http.get(f"{following.app.url}/readyz") as answer:
        ready = await answer.json()
    assert answer.status == 200, "a follower's lag is no reason to take no alerts"
    assert "does not let the app edit user groups" in ready["details"]["followers"]
    assert following.app.duty is not None
    await following.app.duty.sample()
    async with following.http.get(f"{following.app.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    lag = next(
        line for line in lines
        if line.startswith('watchbill_follower_lag_seconds{follower="user_group:data-oncall"}')
    )  # fmt: skip
    assert float(lag.split()[-1]) > 0
