"""One broken model, 695 nodes skipped, three tests failing: one incident, one page, one cause."""

import json
import random
from collections.abc import Mapping
from typing import Any

from bot.sources.dbt import parse
from bot.sources.kind import Source
from rules.alert import Alert
from rules.catalogue import Asset, Catalogue, Product
from rules.incident import State
from rules.lineage import Lineage
from rules.rulebook import RuleBook
from rules.shown_alert import Bond
from tests.fakes.deliveries import delivery
from tests.stories.conftest import Tell
from tests.stories.story import rulebook

ROOT = "model.shop.stg_orders"
SKIPPED = 695
TESTED = (400, 500, 650)


def model(number: int) -> str:
    return f"model.shop.m{number}" if number else ROOT


def parent(number: int) -> str:
    """Return the model that a model is made from: a tree of five branches, four deep or more."""
    return model((number - 1) // 5)


def build() -> Mapping[str, Any]:
    """Return what the dbt pusher sends of a build in which the root fails, tests first."""
    results: list[dict[str, Any]] = [
        _result(f"test.shop.not_null_m{n}_id.1a2b{n}", "fail", n, failures=n) for n in TESTED
    ]
    results += [_result(model(n), "skipped", n) for n in range(1, SKIPPED + 1)]
    results.append(
        _result(ROOT, "error", 0, message='Database Error\n  relation "raw.orders" is locked')
    )
    random.Random(7).shuffle(results)
    metadata = {"invocation_id": "run-1", "generated_at": "2026-11-23T03:00:00Z"}
    return {"metadata": metadata, "project": "shop", "results": results}


def _result(unique_id: str, status: str, number: int, **more: object) -> dict[str, Any]:
    kind, _, name = unique_id.split(".")[:3]
    node: dict[str, Any] = {"resource_type": kind, "name": name, "package_name": "shop"}
    if kind == "test":
        node["attached_node"] = model(number)
        node["attached"] = {"name": model(number).rpartition(".")[2]}
        node["test"] = {"name": "not_null"}
        node["column"] = "id"
    elif number:
        node["depends_on"] = [parent(number)]
    return {"unique_id": unique_id, "status": status, "node": node, **more}


def alerts(document: Mapping[str, Any]) -> tuple[Alert, ...]:
    source = Source(name="dbt", kind="dbt")
    return parse(source, delivery(json.dumps(document).encode())).alerts


def known() -> RuleBook:
    """Return rules that know the whole tree, and a first-tier product at its end."""
    assets = [Asset(id=model(n), name=model(n).rpartition(".")[2]) for n in range(SKIPPED + 1)]
    tests = {f"test.shop.not_null_m{n}_id.1a2b{n}": model(n) for n in TESTED}
    finance = Product(id="finance", name="Finance", tier=1)
    assets[-1] = Asset(id=model(SKIPPED), name=f"m{SKIPPED}", product="finance")
    catalogue = Catalogue([finance], assets, tests)
    children: dict[str, list[str]] = {}
    for n in range(1, SKIPPED + 1):
        children.setdefault(parent(n), []).append(model(n))
    return rulebook(catalogue=catalogue, lineage=Lineage(catalogue, children))


async def test_one_incident_one_page_the_cause_named_and_the_consequences_counted(
    tell: Tell,
) -> None:
    story = tell(known())
    await story.hears(*alerts(build()))
    await story.after(seconds=2)
    story.pages("ana")
    incident = await story.incident()
    assert await story.store.reader.open_count() == 1
    assert incident.title.startswith("model stg_orders failed")
    assert incident.asset == ROOT
    assert (incident.alert_count, incident.consequences, incident.skipped) == (4, 3, SKIPPED)
    bonds = sorted(a.bond for a in incident.alerts)
    assert bonds == [Bond.CAUSE, *[Bond.CONSEQUENCE] * 3]
    await story.does("ana", "acked")
    await story.after(hours=1)
    story.pages()


async def test_tests_of_a_later_command_join_as_consequences(tell: Tell) -> None:
    story = tell(known())
    told = alerts(build())
    broken = [a for a in told if a.labels["unique_id"] == ROOT]
    tests = [a for a in told if a.labels["unique_id"] != ROOT]
    assert len(broken) == 1
    await story.hears(*broken)
    await story.after(minutes=30)
    story.pages("ana", "bo", "dee")
    await story.hears(*tests)
    story.pages()
    incident = await story.incident()
    assert (incident.consequences, incident.skipped) == (3, SKIPPED)
    assert incident.state is State.TRIGGERED


async def test_without_a_catalogue_the_run_still_names_what_held_back_the_rest(
    tell: Tell,
) -> None:
    story = tell()
    await story.hears(*alerts(build()))
    await story.after(seconds=2)
    story.pages("ana")
    incident = await story.incident()
    assert incident.title.startswith("model stg_orders failed")
    assert (incident.alert_count, incident.skipped) == (4, SKIPPED)
    assert await story.store.reader.open_count() == 1
