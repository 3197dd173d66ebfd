"""Checklist, tasks, proof and journal by real clicks and forms, in the whole application."""

from pathlib import Path
from typing import Any

from bot.workspace.model import Message
from tests.bot.app.conftest import Running, started
from tests.bot.app.test_corrections import top

RUNBOOK = """---
matches: {source: generic}
owner: cy@example.com
reviewed_on: 2026-11-20
steps:
  - Look at the log.
  - do: Clear the task.
    action: clear-task
verify: rows of today are there.
---
# Orders is late
"""
CATALOGUE = """
products:
  - {id: orders, name: Orders, owner: cy@example.com, load_type: snapshot, tier: 1}
"""
MORE = """
catalogue: [{folder}/catalogue.yaml]
runbooks:
  folders: [{folder}/runbooks]
  actions:
    clear-task:
      command: [/bin/sh, -c, "echo cleared $0 with $TOKEN", "{{dag_id}}"]
      placeholders: [dag_id]
      env: {{TOKEN: token-of-airflow}}
tasks:
  - {{name: tidy, title: Tidy up, blocks: true}}
  - {{name: repair-snapshot, off: true}}
  - {{name: tell-users, off: true}}
"""
BROKEN = {
    "title": "orders is late",
    "severity": "critical",
    "id": "orders",
    "labels": {"product": "orders", "dag_id": "daily"},
}


def settings(folder: Path) -> str:
    (folder / "runbooks").mkdir()
    (folder / "runbooks" / "late.md").write_text(RUNBOOK)
    (folder / "catalogue.yaml").write_text(CATALOGUE)
    return MORE.format(folder=folder)


async def click(running: Running, who: str, message: Message, action: str, **more: Any) -> None:
    assert (await running.workspace.click(who, message.channel, message.ts, action, **more)).acked


async def test_from_the_first_step_to_the_last_task(database_url: str, tmp_path: Path) -> None:
    async with started(database_url, tmp_path, more=settings(tmp_path)) as running:
        who, workspace = running.order[0], running.workspace
        assert await running.post("generic", BROKEN) == 202
        root = await running.until_said("data-alerts", "#1 orders is late")
        steps = await running.until_said("data-alerts", "Look at the log.")
        assert steps.thread_ts == root.ts
        assert "Orders" in str(steps.blocks)
        await click(running, who, steps, "runbook_did_not_help", block_id="step:0")
        await running.until_said("data-alerts", "did not help, ")
        await click(running, who, steps, "runbook_run", block_id="step:1")
        await running.until_said("data-alerts", "cleared daily with [hidden]")
        await workspace.command(who, "data-alerts", "/oncall resolve 1 reloaded")
        tasks = await running.until_said("data-alerts", "Tidy up")
        assert tasks.thread_ts == root.ts
        store = running.app.store
        incident = await store.reader.incident_numbered(1)
        assert incident is not None
        assert (incident.is_pending, incident.blocking_tasks) == (True, 1)
        (tidy,) = [t for t in await store.tasks.of_incident(incident.id) if t.rule == "tidy"]
        await workspace.select_overflow(
            who, tasks.channel, tasks.ts, "task_menu", f"task_drop:{tidy.id}"
        )
        form = await top(running, who, "task_drop")
        refused = await workspace.submit(form.id, {"why": {"why": " "}})
        assert "why" in str(refused)
        assert (await workspace.submit(form.id, {"why": {"why": "nothing to tidy"}})).acked
        await running.until_said("data-alerts", "nothing to tidy")
        await click(
            running, who, await running.until_said("data-alerts", "Mark verified"), "verify"
        )
        proof = await top(running, who, "verify")
        values = {"how": {"how": "verified"}, "words": {"words": "counted the rows"}}
        assert (await workspace.submit(proof.id, values)).acked
        await running.until_said("data-alerts", "counted the rows")
        closed = await store.reader.incident_numbered(1)
        assert closed is not None
        assert closed.is_closed
        assert closed.closed_at is not None
        refusals = [c for c in workspace.calls if c.answer.startswith("invalid")]
        assert refusals == []
