"""Real Airflow, real failures, the shipped client, a running bot: who is paged, and when it ends."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.ports.inbox import Delivery
from bot.sources.airflow import parse
from bot.sources.kind import Source
from rules.alert import AlertStatus
from tests.process.harness import SECRET, Json, until
from tests.real import transcript
from tests.real.airflow_run import Airflow, airflow
from tests.real.environments import environment
from tests.real.watchbill import ON_CALL, Watchbill, shown, watching

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

SOURCE = Source(name="airflow", kind="airflow")
WAIT = 180.0


class Night:
    """One Airflow and one Watchbill, and the story they wrote so far."""

    def __init__(self, running: Airflow, watchbill: Watchbill) -> None:
        self.airflow = running
        self.watchbill = watchbill
        self.lines: list[str] = []
        self._written = 0

    async def came(self, event: str, dag: str | None, task: str | None = None) -> None:
        """Wait for an event of a DAG or of one of its tasks to be understood."""

        async def taken() -> bool:
            return any(
                body["event"] == event
                and body["dag"]["dag_id"] == dag
                and (task is None or (body.get("task") or {}).get("task_id") == task)
                for body in map(body_of, self.watchbill.deliveries("airflow"))
            )

        await until(taken, f"{event} of {dag}.{task}", WAIT)
        await self.watchbill.settled()

    async def listed(self, dag: str) -> None:
        await until(later(lambda: dag in self.airflow("dags", "list")), f"{dag} is listed", WAIT)

    async def write(self, step: str) -> None:
        """Put what came since the last step, and what Slack was then told, into the story."""
        taken = self.watchbill.deliveries("airflow")
        self.lines.append(step)
        for one in taken[self._written :]:
            body = body_of(one)
            task = (body.get("task") or {}).get("task_id")
            what = ".".join(part for part in (body["dag"]["dag_id"], task) if part)
            what = what or body["import_error"]["file"]
            self.lines.append(f"{body['event']} {what} ({body['origin']})")
            self.lines += transcript.told(parse(SOURCE, one).alerts)
        self._written = len(taken)
        self.lines += [*await self.watchbill.told(), ""]


def body_of(one: Delivery) -> Json:
    body: Json = json.loads(one.body)
    return body


def later(holds: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return holds()

    return check


@pytest.mark.parametrize("version", [2, 3])
async def test_airflow_tells_failures_retries_and_repairs(version: int, tmp_path: Path) -> None:
    tools = environment(f"airflow{version}")
    async with watching(tmp_path / "watchbill", [("airflow", "airflow")]) as watchbill:
        url, home = watchbill.hook("airflow"), tmp_path / "airflow"
        with airflow(tools, home, three=version == 3, url=url, secret=SECRET) as running:
            night = Night(running, watchbill)
            await night.listed("daily_orders")
            await _retry_then_fail(night)
            await _fail_while_watchbill_is_away(night)
            await _repair(night)
            if version == 3:
                await _miss_a_deadline(night)
            await watchbill.settled()
            assert not waiting_in(home), "everything left the spool"
            shown_version = running("version").strip().splitlines()[-1]
        _check(watchbill)
    title = f"Airflow {shown_version}: what the client sent, and what Slack was then told (>)"
    transcript.write(f"airflow{version}", title, night.lines)


async def _retry_then_fail(night: Night) -> None:
    """A try that will be repeated wakes nobody; the last one pages once."""
    watchbill = night.watchbill
    night.airflow("dags", "trigger", "daily_orders", "--run-id", "manual__one")
    await night.came("task_retry", "daily_orders", "load")
    assert await watchbill.slack.roots() == []
    assert await watchbill.pages() == []
    await night.write("$ airflow dags trigger daily_orders   (load fails, and will be tried again)")
    await night.came("task_failed", "daily_orders", "load")
    await night.came("dag_run_failed", "daily_orders")
    root = await watchbill.root("daily_orders.load failed: KeyError: 'amount' (try 2 of 2)")
    assert "2 of 2 alerts firing" in shown(root), "the task and its run are one incident"
    assert len(await watchbill.slack.roots()) == 1
    assert await watchbill.people_paged() == [ON_CALL]
    await night.write("(load fails for the last time)")


async def _fail_while_watchbill_is_away(night: Night) -> None:
    """What happens meanwhile waits in the spool; the next event brings it along."""
    watchbill, home = night.watchbill, night.airflow.home
    assert await watchbill.bot.process.terminate() == 0
    night.airflow("dags", "trigger", "plain_orders", "--run-id", "manual__two")
    wanted = {"task_failed", "dag_run_failed"}
    await until(later(lambda: wanted <= waiting_in(home)), "the spool holds the failure", WAIT)
    await watchbill.bot.start()
    assert len(await watchbill.slack.roots()) == 1


async def _repair(night: Night) -> None:
    watchbill = night.watchbill
    night.airflow.broken.unlink()
    clear = ("tasks", "clear", "-y", "--downstream", "--task-regex")
    night.airflow(*clear, "load", "daily_orders")
    await night.came("task_failed", "plain_orders", "check")
    await watchbill.root("plain_orders.check failed: ValueError: 37 rows have no customer")
    await night.came("task_succeeded", "daily_orders", "load")
    await night.came("dag_run_succeeded", "daily_orders")
    night.airflow(*clear, "check", "plain_orders")
    await night.came("dag_run_succeeded", "plain_orders")
    roots = [shown(one) for one in await watchbill.slack.roots()]
    assert len(roots) == 2
    assert all("*Resolved* by airflow" in said for said in roots), roots
    pages = await watchbill.pages()
    assert [who for who, _ in pages] == [ON_CALL, ON_CALL]
    assert all("*Resolved* by airflow" in said for _, said in pages)
    step = "(Watchbill is stopped; plain_orders fails; Watchbill is back; both are cleared)"
    await night.write(step)


async def _miss_a_deadline(night: Night) -> None:
    watchbill = night.watchbill
    (night.airflow.home / "dags" / "bad.py").write_text("import not_there  # a DAG of airflow\n")
    await night.came("import_error", None)
    await watchbill.root("bad.py cannot be imported, so its DAGs do not run: ModuleNotFoundError")
    await night.write("(a DAG file cannot be imported)")
    night.airflow.add_dag("late.py")
    await night.listed("late_orders")
    night.airflow("dags", "trigger", "late_orders", "--run-id", "manual__three")
    await night.came("deadline_missed", "late_orders")
    late = await watchbill.root("DAG late_orders missed its deadline “by nine”")
    await night.write("$ airflow dags trigger late_orders   (which misses its deadline)")
    await night.came("dag_run_succeeded", "late_orders")
    ended = await watchbill.root("DAG late_orders missed its deadline “by nine”")
    assert ended["ts"] == late["ts"]
    assert "*Resolved* by airflow" in shown(ended)
    assert await watchbill.people_paged() == [ON_CALL] * 4
    await night.write("(it ends)")


def waiting_in(home: Path) -> set[str]:
    """Return the names of the events in the client's spool."""
    found = set()
    for file in (home / "watchbill-spool").glob("*.json"):
        try:
            found.add(json.loads(file.read_text())["event"])
        except FileNotFoundError:  # it was sent meanwhile
            continue
    return found


def _check(watchbill: Watchbill) -> None:
    found = watchbill.alerts("airflow", "airflow")
    of_load = [one for one in found if one.dedup_key == "test-airflow/daily_orders/load"]
    order = [AlertStatus.INFO, AlertStatus.FIRING, AlertStatus.RESOLVED]
    assert list(dict.fromkeys(one.status for one in of_load)) == order
    failed = next(one for one in of_load if one.status is AlertStatus.FIRING)
    assert failed.title == "daily_orders.load failed: KeyError: 'amount' (try 2 of 2)"
    told_by_callback = next(one for one in of_load if one.labels.get("product"))
    assert told_by_callback.labels["product"] == "orders"
    run = {one.group_key for one in found if one.labels.get("dag_id") == "daily_orders"}
    assert run == {"daily_orders/manual__one"}
    # mart never ran: it says nothing before it succeeds.
    mart = [one.status for one in found if one.labels.get("task_id") == "mart"]
    assert set(mart) == {AlertStatus.RESOLVED}
    late = [one for one in found if one.dedup_key.endswith("late_orders/#deadline")]
    assert not late or late[0].group_key == "late_orders/manual__three"
