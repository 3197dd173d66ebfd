"""A correction in the whole application: form, trial, saved rule, and the next alert."""

from bot.workspace.model import View
from tests.bot.app.conftest import Running

STALE = {
    "title": "orders is stale",
    "severity": "error",
    "id": "orders",
    "labels": {"test": "custom_orders", "model": "orders"},
}


async def top(running: Running, person: str, callback: str) -> View:
    workspace = running.workspace
    user = workspace.person(person).id

    def found() -> list[View]:
        stack = [workspace.views[v] for v in workspace.stacks.get(user, [])]
        return [v for v in stack[-1:] if v.payload["callback_id"] == callback]

    await workspace.until(found, seconds=10)
    return found()[0]


async def test_a_correction_is_learned_and_decides_the_next_alert(running: Running) -> None:
    workspace, primary = running.workspace, running.order[0]
    assert await running.post("generic", STALE) == 202
    root = await running.until_said("data-alerts", "orders is stale")
    await workspace.select_overflow(primary, root.channel, root.ts, "overflow", "correct:1")
    form = await top(running, primary, "correct")
    values = {"category": {"category": "completeness"}, "why": {"why": "rows were missing"}}
    assert (await workspace.submit(form.id, values)).acked
    await running.until_said("data-alerts", "rows were missing")
    tried = await top(running, primary, "correct_rule")
    assert "Would have changed *1* of the 1 alerts" in str(tried.payload["blocks"])
    assert not running.app.rules.book().categories.learned
    assert (await workspace.submit(tried.id, {})).acked
    learned = running.app.rules
    assert await workspace.until(lambda: bool(learned.book().categories.learned), seconds=10)
    await running.post("generic", {**STALE, "status": "resolved"})
    await running.until_said("data-alerts", "Resolved")
    assert await running.post("generic", STALE) == 202
    again = await running.until_said("data-alerts", "#2 orders is stale")
    assert "*Completeness*" in str(again.blocks)
    (rule,) = await running.app.store.lessons.learned_rules()
    assert f"by {primary}" in rule.yaml
    await workspace.command(primary, "data-alerts", f"/oncall rules remove {rule.id}")
    assert await workspace.until(lambda: not learned.book().categories.learned, seconds=10)
