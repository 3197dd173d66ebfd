"""Runs are reported first, then a task fails: who reads its data is known from the events alone."""

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.app.rules_in_force import RulesInForce
from bot.ports.inbox import Delivery, NewDelivery, Parsed
from bot.sources.kind import Source
from bot.sources.registry import read
from bot.store.opening import OpenedStore
from rules.catalogue import Asset, Catalogue, Product
from rules.claims import AssetPattern
from rules.incident import Stakes
from rules.lineage import Lineage
from rules.rulebook import RuleBook
from tests.fakes.clock import FakeClock
from tests.stories.story import Story, rulebook

LINEAGE = Source(name="lineage", kind="openlineage")
HOST = "postgres://warehouse:5432"


class FixedParts:
    """The rulebook's files, without the files."""

    def rulebook(self, **_: object) -> RuleBook:
        return rulebook()


class LiveStory(Story):
    """A story whose deliveries are read by their parser, and whose catalogue is the one in force."""

    live: RulesInForce

    async def begin(self) -> None:
        self.live = RulesInForce(FixedParts(), None, self.store.reader, self.clock)  # type: ignore[arg-type]
        await self.look()

    async def look(self) -> None:
        await self.live.refresh()
        self.rules.the_book = self.live.book()

    async def knows_files(self, catalogue: Catalogue, lineage: Lineage | None = None) -> None:
        await self.live.know(catalogue, lineage or Lineage(catalogue, {}))
        await self.look()

    async def reports(self, *events: dict[str, Any]) -> None:
        for event in events:
            body = json.dumps(event).encode()
            key = f"event-{next(self._numbers)}"
            await self.store.inbox.accept(NewDelivery(source="lineage", key=key, body=body))
        await self.settle()
        await self.look()

    def _read(self, delivery: Delivery) -> Parsed:
        if delivery.source == "lineage":
            return read(LINEAGE, delivery)
        return super()._read(delivery)

    async def stakes(self, number: int = 1) -> Stakes:
        found = (await self.incident(number)).stakes
        assert found is not None
        return found


@pytest.fixture
async def story(opened_store: OpenedStore, clock: FakeClock) -> LiveStory:
    told = LiveStory(opened_store, clock, rulebook())
    await told.begin()
    return told


def table(name: str, host: str = HOST, **facets: Any) -> dict[str, Any]:
    return {"namespace": host, "name": name, "facets": facets}


def owned(name: str) -> dict[str, Any]:
    return {"owners": [{"name": name, "type": "MAINTAINER"}]}


def run(
    name: str,
    kind: str = "COMPLETE",
    *,
    inputs: tuple[dict[str, Any], ...] = (),
    outputs: tuple[dict[str, Any], ...] = (),
    namespace: str = "airflow-prod",
    integration: str = "AIRFLOW",
    job_type: str = "TASK",
    **facets: Any,
) -> dict[str, Any]:
    job_facets = {"jobType": {"integration": integration, "jobType": job_type}, **facets}
    return {
        "eventType": kind,
        "eventTime": "2026-11-23T02:10:00Z",
        "run": {"runId": f"run-of-{name}", "facets": {}},
        "job": {"namespace": namespace, "name": name, "facets": job_facets},
        "inputs": list(inputs),
        "outputs": list(outputs),
    }


def board(name: str, *tables: str) -> dict[str, Any]:
    inputs = tuple(table(one) for one in tables)
    return run(name, inputs=inputs, namespace="tableau", integration="TABLEAU",
               job_type="DASHBOARD")  # fmt: skip


ORDERS = run(
    "load_orders.load",
    inputs=(table("shop.raw.orders"),),
    outputs=(table("shop.main.orders"),),
    ownership=owned("team:shop"),
)
REVENUE = run(
    "build.revenue",
    inputs=(table("shop.main.orders"),),
    outputs=(table("shop.main.revenue", ownership=owned("user:ana")),),
)
BOARDS = (board("Revenue board", "shop.main.revenue"), board("Order board", "shop.main.orders"))
TASK = {"dag_id": "load_orders", "task_id": "load"}


async def fails(story: LiveStory, **more: Any) -> None:
    await story.fires("load", labels=TASK, **more)


async def test_a_failing_task_names_the_consumers_that_only_events_know(story: LiveStory) -> None:
    await story.reports(ORDERS, REVENUE, *BOARDS)
    await fails(story)
    story.pages("ana")
    found = await story.stakes()
    assert (found.asset, found.exposures_hit) == ("task:load_orders.load", 2)
    assert found.readers == ("Order board", "Revenue board")
    assert found.path == ("load_orders.load", "shop.main.orders", "Order board")
    assert (found.team, found.owner, found.owner_how) == ("shop", "shop", "seen by lineage")


async def test_it_is_known_after_a_restart_too(story: LiveStory) -> None:
    await story.reports(ORDERS, REVENUE, *BOARDS)
    story.clock.advance(hours=5)
    story.restart()
    await story.begin()
    await fails(story)
    assert (await story.stakes()).readers == ("Order board", "Revenue board")


async def test_another_replica_knows_it_at_its_next_look(
    story: LiveStory, opened_store: OpenedStore, clock: FakeClock
) -> None:
    other = LiveStory(opened_store, clock, rulebook())
    await other.begin()
    await story.reports(ORDERS, *BOARDS)
    before = other.live.book().lineage
    await other.look()
    after = other.live.book().lineage
    assert before is None
    assert after is not None
    assert after.children("task:load_orders.load")


async def test_a_failed_assertion_tells_who_reads_the_table(story: LiveStory) -> None:
    await story.reports(ORDERS, REVENUE, *BOARDS)
    failed = {"assertion": "not_null", "column": "id", "success": False}
    checked = table("shop.main.revenue") | {
        "inputFacets": {"dataQualityAssertions": {"assertions": [failed]}}
    }
    await story.reports(run("check.revenue", inputs=(checked,)))
    found = await story.stakes()
    assert found.path == ("shop.main.revenue", "Revenue board")
    assert (found.owner, found.owner_how) == ("ana", "seen by lineage")


async def test_files_have_the_last_word(story: LiveStory) -> None:
    model = Asset(id="model.shop.orders", name="orders", kind="model", owner="cy@example.com",
                  relation='"shop"."main"."orders"')  # fmt: skip
    claim = AssetPattern("relation", "shop.main.rev*")
    revenue = Product(id="revenue", name="Revenue", owner="dee@example.com", assets=(claim,))
    catalogue = Catalogue([revenue], [model])
    await story.reports(ORDERS, REVENUE, *BOARDS)
    await story.knows_files(catalogue)
    await story.fires("orders", labels={"unique_id": "model.shop.orders"})
    found = await story.stakes()
    assert (found.owner, found.owner_how) == ("cy@example.com", "")
    assert found.readers == ("Order board", "Revenue board", "Revenue")
    assert found.products_hit == 1


async def test_a_product_claims_what_is_only_seen(story: LiveStory) -> None:
    claim = AssetPattern("relation", "shop.main.rev*")
    revenue = Product(id="revenue", name="Revenue", owner="dee@example.com", assets=(claim,))
    await story.reports(ORDERS, REVENUE, *BOARDS)
    await story.knows_files(Catalogue([revenue]))
    await story.fires("revenue", labels={"table": "main.revenue"})
    found = await story.stakes()
    assert (found.name, found.owner, found.owner_how) == ("Revenue", "dee@example.com", "")


async def test_a_dropped_table_hits_nobody_any_more(story: LiveStory) -> None:
    await story.reports(ORDERS, *BOARDS)
    gone = table("shop.main.orders", lifecycleStateChange={"lifecycleStateChange": "DROP"})
    await story.reports(run("cleanup", outputs=(gone,)))
    await fails(story)
    assert (await story.stakes()).exposures_hit == 0


async def test_lineage_that_nobody_tells_any_more_is_forgotten(story: LiveStory) -> None:
    await story.reports(ORDERS, *BOARDS)
    story.clock.advance(days=31)
    assert await story.store.forget_lineage(story.clock.now() - timedelta(days=30))
    await story.look()
    await fails(story)
    assert (await story.incident()).stakes is None


@pytest.mark.parametrize("kind", ["START", "RUNNING", "COMPLETE"])
async def test_every_event_of_a_run_that_goes_well_tells_it(story: LiveStory, kind: str) -> None:
    await story.reports(ORDERS | {"eventType": kind}, *BOARDS)
    await fails(story)
    assert (await story.stakes()).readers == ("Order board",)


async def test_a_cycle_does_no_harm(story: LiveStory) -> None:
    back = run("back", inputs=(table("shop.main.orders"),), outputs=(table("shop.raw.orders"),))
    await story.reports(ORDERS, back, *BOARDS)
    await fails(story)
    assert (await story.stakes()).exposures_hit == 1


async def test_equal_names_of_two_systems_do_not_mix(story: LiveStory) -> None:
    elsewhere = [
        json.loads(json.dumps(one).replace(HOST, "postgres://staging:5432").replace("prod", "dev"))
        for one in (ORDERS, board("Staging board", "shop.main.orders"))
    ]
    await story.reports(ORDERS, board("Order board", "shop.main.orders"), *elsewhere)
    labels = {"dataset": "shop.main.orders", "dataset_namespace": HOST}
    await story.fires("orders", labels=labels)
    assert (await story.stakes()).path == ("shop.main.orders", "Order board")
    await story.fires("either", labels={"table": "shop.main.orders"})
    assert (await story.incident(2)).stakes is None
