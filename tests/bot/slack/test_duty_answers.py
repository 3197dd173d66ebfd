"""`/oncall people`, and what `/oncall who` says of followers that lag."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.ports.followers import FollowerState
from bot.slack.desk import Desk
from bot.slack.duty.answers import answer_people, answer_who, trouble
from bot.workspace.blockkit import problems
from bot.workspace.state import Workspace
from tests.bot.slack.samples import NOW

LATE = NOW - timedelta(minutes=4)
GROUP = "user_group:data-oncall"


class Held:
    def __init__(self, *states: FollowerState) -> None:
        self._states = states

    async def followers(self) -> tuple[FollowerState, ...]:
        return self._states


async def test_everybody_is_listed_linked_or_not_with_what_to_do(
    desk: Desk, workspace: Workspace
) -> None:
    workspace.person("bo").deleted = True
    rostered = replace(desk, rostered=lambda: {"dee@example.com", "cy@example.com"})
    body = await answer_people(rostered)
    assert problems(body, surface="message") == []
    assert body["text"] == "2 of 4 people cannot be paged:"
    shown = str(body["blocks"])
    assert "✅ Ana, by Slack id" in shown
    assert "✅ Cy, by e-mail" in shown
    assert "⚠️ Bo: the Slack account of Bo is closed. Take them off the roster" in shown
    assert "dee@example.com has no Slack account here" in shown


async def test_many_people_come_in_pages_and_can_be_looked_for(
    desk: Desk, workspace: Workspace
) -> None:
    many = {f"p{number:03d}@example.com" for number in range(130)}
    rostered = replace(desk, rostered=lambda: many)
    seen: set[str] = set()
    for page in (1, 2, 3, 99):
        body = await answer_people(rostered, page=page)
        assert problems(body, surface="message") == []
        shown = str(body["blocks"])
        assert f"Page {min(page, 3)} of 3. `/oncall people {min(page, 3) % 3 + 1}`" in shown
        seen |= {key for key in many if key in shown}
    assert seen == many
    found = await answer_people(rostered, "p01")
    assert "10 of 10 people cannot be paged" in found["text"]
    assert "P012@" not in str(found)
    assert "p012@" in str(found)
    nobody = await answer_people(rostered, "<!here>")
    assert nobody["text"].startswith("Nobody of 133 people is called “&lt;!here&gt;”")


@pytest.mark.parametrize("kind", ["ratelimited", "http_503", "error"])
async def test_when_slack_does_not_tell_who_is_there_that_is_said(
    desk: Desk, workspace: Workspace, kind: str
) -> None:
    workspace.faults.add(method="users.list", kind=kind)  # type: ignore[arg-type]
    body = await answer_people(desk)
    assert body["text"].startswith("Slack does not tell who is there")
    assert (await answer_people(desk))["text"] == "All 3 people are linked."


async def test_who_names_what_shows_something_else(desk: Desk) -> None:
    behind = FollowerState(name=GROUP, behind_since=LATE, problem="it needs <!channel> a plan")
    fine = FollowerState(name="topic:data-alerts", behind_since=NOW - timedelta(seconds=5))
    body = await answer_who(replace(desk, followers=Held(behind, fine)), "", None, NOW)
    assert problems(body, surface="message") == []
    shown = str(body["blocks"])
    assert "the user group @data-oncall is 4 min behind: it needs &lt;!channel&gt;" in shown
    assert "topic" not in shown
    assert trouble([behind, fine], NOW) == (
        "the user group @data-oncall: it needs <!channel> a plan"
    )


async def test_another_time_has_nothing_to_do_with_followers(desk: Desk) -> None:
    behind = FollowerState(name=GROUP, behind_since=LATE)
    body = await answer_who(replace(desk, followers=Held(behind)), "", NOW, NOW)
    assert "behind" not in str(body)
