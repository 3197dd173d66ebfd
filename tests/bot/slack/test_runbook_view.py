"""The checklist and the tasks as Slack gets them: within its limits, and outside text as text."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.acts.runbooks import RunAction, TickStep
from bot.slack import blocks as kit
from bot.slack.api import SlackApi
from bot.slack.runbooks import _act
from bot.slack.scene import Scene
from bot.slack.text import md
from bot.slack.views.runbook import result_message, runbook_message
from bot.slack.views.tasks import nudge_message, tasks_message
from bot.workspace.blockkit import problems
from bot.workspace.state import Workspace
from rules.catalogue import Catalogue, LoadType, Product
from rules.runbooks.runbook import (
    ActionRun,
    ActionState,
    Guide,
    Runbook,
    RunbookStep,
    RunbookUse,
    StepOutcome,
    Tick,
)
from rules.tasks.task import Task, TaskState
from tests.bot.slack.test_stakes import stakes
from tests.rules.runbooks.test_choosing import incident
from tests.stories.story import USUAL, rulebook

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
EVIL = "<!channel> *bold* `code` <https://evil.example|click> " + "&" * 300


class Named:
    def name(self, key: str) -> str:
        return f"{key} {EVIL}"[:80]


def scene(**more: Any) -> Scene:
    book = rulebook(catalogue=Catalogue([Product(id="orders", name=EVIL, owner=EVIL)]))
    return Scene(incident=incident(product="orders", **more), now=NOW, names=Named(), book=book)


def guide(steps: int = 20, text: str = EVIL) -> Guide:
    book = Runbook(
        id="r", title=text, owner=text, reviewed_on=date(2026, 11, 1), verify=text,
        steps=tuple(RunbookStep(text[:500], "act" if n % 2 else "") for n in range(steps)),
    )  # fmt: skip
    use = RunbookUse(incident_id="i", number=7, runbook=book, chosen_at=NOW)
    ticks = (Tick(0, StepOutcome.DID_NOT_HELP, "ana", NOW),)
    return Guide(use, ticks, (run(ActionState.UNKNOWN),))


def run(state: ActionState) -> ActionRun:
    return ActionRun(key="k", incident_id="i", step=1, attempt=1, action="act", by="ana",
                     asked_at=NOW, state=state, output=EVIL * 20)  # fmt: skip


def test_the_longest_checklist_keeps_slack_s_limits_and_mentions_nobody() -> None:
    for message in (
        runbook_message(scene(), guide(), {"act": EVIL}),
        runbook_message(scene(), None, {}),
        result_message(run(ActionState.FAILED)),
    ):
        assert problems(message, surface="message") == []
        marked = [b for b in message["blocks"] if b.get("text", {}).get("type") == "mrkdwn"]
        assert marked
        assert all("<!channel>" not in b["text"]["text"] for b in marked)


@pytest.mark.parametrize("ticked", [0, 1, 9, 19, 20])
async def test_the_longest_checklist_is_posted_with_the_buttons_of_its_next_step(
    api: SlackApi, workspace: Workspace, ticked: int
) -> None:
    ticks = tuple(Tick(n, StepOutcome.WORKED, "ana", NOW) for n in range(ticked))
    long = replace(guide(text="Look at the orders table, " * 18), ticks=ticks)
    message = runbook_message(scene(), long, {"act": "Sure? " * 40})
    _, ts = await api.post(workspace.conversation("data-alerts").id, message, "k")
    (posted,) = workspace.messages("data-alerts")
    shown = texts({"blocks": posted.blocks})
    assert all(f"*{n}.* Look at the orders" in shown for n in range(1, 21))
    worked = [
        value for word, value in buttons({"blocks": posted.blocks}) if word.endswith("worked")
    ]
    assert worked == ([f"7:{ticked}"] if ticked < 20 else [])
    await api.update(workspace.conversation("data-alerts").id, ts, message)


async def test_what_is_too_large_for_slack_is_posted_in_part(
    api: SlackApi, workspace: Workspace
) -> None:
    rows = [kit.section(md("row {n}", n=n), kit.button("Open", "show", "x" * 900))
            for n in range(30)]  # fmt: skip
    await api.post(workspace.conversation("data-alerts").id, kit.message(md("rows"), rows), "k")
    (posted,) = workspace.messages("data-alerts")
    assert "row 0" in str(posted.blocks[0])
    assert "more than Slack takes" in str(posted.blocks[-1])


def test_of_a_long_answer_how_it_ended_and_its_last_lines_are_shown() -> None:
    lines = "\n".join(f"line {n} & <more>" for n in range(400))
    long = replace(run(ActionState.FAILED), output=f"Ended with status 1.\n{lines}\nno such DAG")
    message = result_message(long)
    assert problems(message, surface="message") == []
    said = message["blocks"][1]["text"]["text"]
    assert said.startswith("Ended with status 1.\n…")
    assert said.endswith("\nno such DAG")
    one_line = replace(long, output="x" * 8_000 + "the end")
    shown = result_message(one_line)["blocks"][1]["text"]["text"]
    assert shown.endswith("the end")
    assert len(shown) <= 2_800


def buttons(message: dict[str, Any]) -> list[tuple[str, str]]:
    found = [e for b in message["blocks"] if b["type"] == "actions" for e in b["elements"]]
    return [(one["action_id"], one["value"]) for one in found]


def test_buttons_stand_under_the_next_step_and_an_action_asks_first() -> None:
    message = runbook_message(scene(), guide(2, "Look"), {"act": "Sure?"})
    assert buttons(message) == [
        ("runbook_worked", "7:1"),
        ("runbook_did_not_help", "7:1"),
        ("runbook_skipped", "7:1"),
        ("runbook_run", "7:1:2:act"),
    ]
    confirm = next(
        e["confirm"] for b in message["blocks"] if b["type"] == "actions" for e in b["elements"]
        if "confirm" in e
    )  # fmt: skip
    assert confirm["text"]["text"] == "The last time it may have run: look first. Sure?"


def test_what_is_not_declared_any_more_has_no_button() -> None:
    assert "runbook_run" not in dict(buttons(runbook_message(scene(), guide(2, "Look"), {})))


def test_clicks_are_read_strictly() -> None:
    def click(action_id: str, value: str) -> object:
        return _act({"action_id": action_id, "value": value}, "ana")

    assert click("runbook_worked", "7:1") == TickStep(
        by="ana", number=7, step=1, outcome=StepOutcome.WORKED
    )
    run = RunAction(by="ana", number=7, step=1, attempt=2, action="clear-task")
    assert click("runbook_run", "7:1:2:clear-task") == run
    assert click("runbook_run", "7:1:2:2026") == replace(run, action="2026")
    assert click("runbook_run", "7:1:2") == replace(run, action=""), "as buttons once were"
    taken = {"action_id": "runbook_step", "selected_option": {"value": "7:1:take_back"}}
    assert _act(taken, "ana") == TickStep(by="ana", number=7, step=1, outcome=None)
    for action_id, value in (("runbook_run", "7:1"), ("runbook_worked", "7:x"), ("x", "7:1"),
                             ("runbook_step", "7:1:what"), ("runbook_run", "7:1:" + "9" * 40),
                             ("runbook_run", "7:1:2:a:b")):  # fmt: skip
        assert click(action_id, value) is None


def test_tasks_keep_slack_s_limits_and_say_what_is_late() -> None:
    task = Task(id="x" * 60, incident_id="i", number=7, rule="r", title=EVIL, blocks=True,
                due_at=NOW - timedelta(days=1), created_at=NOW, assignee="ana",
                mirror_key="DATA-1", mirror_url="https://jira.example/DATA-1")  # fmt: skip
    done = replace(task, state=TaskState.DROPPED, ended_by="bo", ended_at=NOW, why=EVIL)
    many = [replace(task, id=f"t{n}") for n in range(20)]
    assert "and 9 more: `/oncall tasks`" in str(tasks_message(7, [*many, done], Named(), NOW))
    for message in (
        tasks_message(7, [*many, done], Named(), NOW),
        tasks_message(7, [done], Named(), NOW),
        nudge_message(task, 3, Named(), NOW),
    ):
        assert problems(message, surface="message") == []
        assert "<!channel>" not in str(message)
    assert "was due" in str(nudge_message(task, 3, Named(), NOW))
    assert "last reminder" in str(nudge_message(task, 3, Named(), NOW))


def texts(message: dict[str, Any]) -> str:
    return "\n".join(b["text"]["text"] for b in message["blocks"] if "text" in b)


def test_without_any_runbook_it_tells_of_the_product_and_of_what_proves_a_fix() -> None:
    product = Product(
        id="orders", name="Orders", owner="cy@example.com", tier=1, load_type=LoadType.SNAPSHOT,
        schedule="0 5 * * *",
    )  # fmt: skip
    book = rulebook(catalogue=Catalogue([product]))
    broken = incident(product="orders").but(pages=True, policy=USUAL)
    message = runbook_message(Scene(incident=broken, now=NOW, names=Named(), book=book), None, {})
    said = texts(message)
    assert said.startswith("*Orders* · owner ")
    assert "snapshot load · tier 1 · next run <!date^" in said
    assert "0 5 *" not in said
    assert (
        "*If you are stuck:* Escalate now. It goes to primary, then after 5 min secondary." in said
    )
    assert "*A fix is proved by* somebody who has looked" in said
    assert "runbook" not in said
    resolved = broken.resolve("ana", NOW)
    after = runbook_message(Scene(incident=resolved, now=NOW, names=Named(), book=book), None, {})
    assert "is proved by" not in texts(after)


def test_what_the_incident_s_message_tells_of_the_product_is_not_told_again() -> None:
    product = Product(id="orders", name="Orders", owner="cy@example.com", team="data", tier=1,
                      load_type=LoadType.SNAPSHOT)  # fmt: skip
    book = rulebook(catalogue=Catalogue([product, Product(id="bare", name="Bare", owner="dee")]))
    at = stakes(product="orders", owner="cy@example.com", tier=1)
    broken = incident(product="orders").but(stakes=at)
    said = texts(
        runbook_message(Scene(incident=broken, now=NOW, names=Named(), book=book), None, {})
    )
    assert said.startswith("*Orders* · snapshot load")
    assert "owner" not in said
    assert "tier" not in said
    bare = incident(product="bare").but(stakes=stakes(product="bare", owner="dee"))
    message = runbook_message(Scene(incident=bare, now=NOW, names=Named(), book=book), None, {})
    assert texts(message).startswith("*Bare*")
    assert "Neither a runbook nor a product" not in texts(message)
