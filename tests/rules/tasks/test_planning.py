"""Which tasks an incident leaves behind, for whom, and when they are reminded of."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from rules.catalogue import Asset, Catalogue, LoadType, Product
from rules.category import Category
from rules.documents.tasks_parts import task_rules
from rules.documents.tasks_spec import TaskRuleSpec
from rules.hours import Hours
from rules.incident import Incident, Mutedness, Stakes, State
from rules.priority import Impact, Urgency
from rules.tasks.nudging import nudge_at, nudges_due
from rules.tasks.planning import blocking, tasks_for
from rules.tasks.task import AssignTo, Task, TaskState
from tests.rules.runbooks.test_choosing import incident as made

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
OPENED = datetime(2026, 11, 23, 3, tzinfo=UTC)


def rules(*specs: dict[str, Any]) -> Any:
    return task_rules([[TaskRuleSpec.model_validate(one) for one in specs]])


BACKFILL = {
    "name": "backfill",
    "title": "Backfill {interval} of {product}",
    "match": {"load_type": "incremental", "category": {"not": ["access"]}},
    "due": "1d",
    "blocks": True,
}


def catalogue(load: LoadType = LoadType.INCREMENTAL) -> Catalogue:
    return Catalogue([Product(id="orders", name="Orders", load_type=load)])


def resolved(**more: Any) -> Incident:
    usual: dict[str, Any] = {
        "product": "orders", "category": Category.FRESHNESS, "state": State.RESOLVED,
        "resolved_by": "ana", "resolved_at": NOW, "first_paged_at": OPENED,
    }  # fmt: skip
    return made(**{**usual, **more})


def test_an_incremental_load_is_to_be_filled_in_again_with_its_interval() -> None:
    (task,) = tasks_for(resolved(), rules(BACKFILL), catalogue(), NOW)
    assert task.title == "Backfill 2026-11-23 03:00 to 2026-11-23 09:00 UTC of Orders"
    assert (task.assignee, task.blocks, task.due_at) == ("ana", True, NOW + timedelta(days=1))
    assert tasks_for(resolved(), rules(BACKFILL), catalogue(LoadType.FULL), NOW) == ()
    wrong = resolved(category=Category.ACCESS)
    assert tasks_for(wrong, rules(BACKFILL), catalogue(), NOW) == ()


@pytest.mark.parametrize(
    ("told", "begins"),
    [
        ("2026-11-22T00:00:00+00:00", "2026-11-22 00:00"),
        ("2026-11-22T00:00:00+02:00", "2026-11-21 22:00"),
        ("2026-11-22", "2026-11-22 00:00"),
        ("junk", "2026-11-23 03:00"),
        ("0001-01-01T00:00:00+14:00", "2026-11-23 03:00"),
    ],
)
def test_the_interval_begins_where_the_run_says_its_data_does(told: str, begins: str) -> None:
    at = resolved(labels={"data_interval_start": told})
    (task,) = tasks_for(at, rules(BACKFILL), catalogue(), NOW)
    assert task.title.startswith(f"Backfill {begins} to")


def test_what_nobody_worked_on_leaves_nothing_behind() -> None:
    every = rules({"name": "tell", "title": "Tell"})
    assert tasks_for(resolved(), every, catalogue(), NOW)
    quiet = resolved(first_paged_at=None, resolved_by="")
    assert tasks_for(quiet, every, catalogue(), NOW) == ()
    assert tasks_for(resolved(hidden=True), every, catalogue(), NOW) == ()
    assert tasks_for(resolved(source="@person"), every, catalogue(), NOW) == ()
    muted = resolved(muted=Mutedness(NOW, "ana", "planned"))
    assert tasks_for(muted, every, catalogue(), NOW)


def test_rules_may_ask_who_resolved_it() -> None:
    asks = rules({"name": "fix-test", "match": {"resolved_by": "person"}})
    assert tasks_for(resolved(), asks, catalogue(), NOW)
    assert tasks_for(resolved(resolved_by=""), asks, catalogue(), NOW) == ()


def test_people_read_names_and_not_ids() -> None:
    known = Asset(id="model.shop.fct_orders", name="fct_orders", load_type=LoadType.FULL)
    every = rules({"name": "refresh", "title": "Refresh {asset} of {product}"})
    at = resolved(labels={"asset": known.id})
    (task,) = tasks_for(at, every, Catalogue([Product(id="orders", name="Orders")], [known]), NOW)
    assert task.title == "Refresh fct_orders of Orders"
    (task,) = tasks_for(at, every, Catalogue([]), NOW)
    assert task.title == "Refresh model.shop.fct_orders of orders"


def test_who_gets_a_task_is_the_rule_s_to_say() -> None:
    named = [{"name": one.value, "assign": one.value} for one in AssignTo]
    at = Stakes(
        name="Orders", impact=Impact.MODERATE, urgency=Urgency.LOW, product="orders", owner="cy"
    )
    found = tasks_for(resolved(stakes=at), rules(*named), catalogue(), NOW)
    assert [task.assignee for task in found] == ["ana", "cy", ""]
    assert [task.title for task in found] == ["Resolver", "Owner", "Nobody"]


def test_a_later_document_replaces_or_drops_a_task() -> None:
    first = [TaskRuleSpec(name="a", title="A"), TaskRuleSpec(name="b", title="B")]
    later = [TaskRuleSpec(name="b", title="B2"), TaskRuleSpec(name="a", off=True)]
    assert [(one.name, one.title) for one in task_rules([first, later])] == [("b", "B2")]


def test_only_open_blocking_tasks_hold_an_incident_open() -> None:
    (task,) = tasks_for(resolved(), rules(BACKFILL), catalogue(), NOW)
    assert blocking([task]) == 1
    done = replace(task, state=TaskState.DONE)
    assert blocking([done, replace(task, blocks=False)]) == 0


def task(**more: Any) -> Task:
    usual = Task(
        id="t", incident_id="i", number=7, rule="r", title="T", due_at=NOW, created_at=OPENED,
        assignee="ana",
    )  # fmt: skip
    return replace(usual, **more)


def test_reminders_begin_when_it_is_due_come_daily_and_end() -> None:
    assert nudge_at(task(), None) == NOW
    assert nudge_at(task(nudges=1, nudged_at=NOW), None) == NOW + timedelta(days=1)
    assert nudge_at(task(nudges=3, nudged_at=NOW), None) is None
    assert nudge_at(task(state=TaskState.DONE), None) is None
    assert nudge_at(task(assignee=""), None) is None
    assert nudge_at(task(most_nudges=0), None) is None


def test_nobody_is_reminded_in_the_night() -> None:
    night = Hours(time(22), time(8), "UTC")
    late = task(due_at=NOW.replace(hour=23))
    assert nudge_at(late, night) == NOW.replace(hour=8) + timedelta(days=1)
    assert nudges_due([late], NOW.replace(hour=23, minute=30), lambda _: night) == []
    assert nudges_due([late], NOW + timedelta(days=1), lambda _: night) == [late]
