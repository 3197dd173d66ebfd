"""Decisions about one incident are serial, across tasks and replicas."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import asyncpg
import pytest

from bot.acts.act import SLACK, ActPayload, AnswerTo, OnIncident, act_to_json
from bot.engine.engine import Engine
from bot.ports.inbox import ConflictError, NewDelivery
from bot.ports.store import Store, Transaction
from bot.store.opening import open_store
from rules.alert import AlertStatus
from rules.incident import Incident, State
from tests.databases import Databases
from tests.fakes.clock import FakeClock
from tests.stories.story import Story, alert, rulebook

WAYS = ("acked", "unacked", "resolved", "reopened", "escalated", "ack_confirmed")
PEOPLE = ("ana", "bo", "cy")
ACTS = 60


async def work_off(story: Story) -> None:
    """Work as a replica does: a conflict means that another was faster, so look again."""
    while True:
        try:
            if not await story.engine.run_due():
                return
        except ConflictError:
            continue


@pytest.mark.parametrize("seed", range(5))
async def test_two_replicas_never_decide_about_one_incident_at_once(
    database_url: str, clock: FakeClock, seed: int
) -> None:
    stores = [await open_store(database_url, clock, beside=number > 0) for number in range(2)]
    replicas = [Story(store, clock, rulebook()) for store in stores]
    dice = random.Random(seed)
    now = clock.now()
    heard = [alert(dice.choice(("orders", "customers")), now) for _ in range(30)]
    for number, one in enumerate(heard):
        key = f"delivery-{number}"
        for replica in replicas:
            replica.knows(key, one)
        await stores[0].inbox.accept(NewDelivery(source="airflow", key=key, body=b"{}"))
    await asyncio.gather(*(work_off(replica) for replica in replicas))
    for number in range(ACTS):
        act = OnIncident(
            number=dice.choice((1, 2)), event=dice.choice(WAYS), by=dice.choice(PEOPLE)
        )
        body = act_to_json(ActPayload(act=act, answer_to=AnswerTo(user="U1")))
        await stores[0].inbox.accept(NewDelivery(source=SLACK, key=f"act-{number}", body=body))
    await asyncio.gather(*(work_off(replica) for replica in replicas))
    found = [await replicas[0].incident(number) for number in (1, 2)]
    assert {i.dedup_key for i in found} == {"orders", "customers"}
    assert sum(_received(i) for i in found) == len(heard)
    await replicas[0].after(minutes=10)
    assert len(replicas[0].sent("answer")) == ACTS
    for store in stores:
        await store.close()


async def test_what_an_older_configuration_does_not_know_is_left_to_a_newer_one(
    postgresql_url: str, clock: FakeClock
) -> None:
    stores = [await open_store(postgresql_url, clock, beside=number > 0) for number in range(2)]
    older, newer = (Story(store, clock, rulebook()) for store in stores)
    older.engine = Engine(replace(older.engine._parts, known=frozenset({SLACK})))
    newer.knows("delivery-1", one := alert("orders", clock.now()))
    await older.hears(one, settle=False)
    assert await older.engine.take_deliveries() == 0
    assert await newer.engine.take_deliveries() == 1
    assert not (await newer.incident()).unreadable
    for store in stores:
        await store.close()


def _received(incident: Incident) -> int:
    return sum(one.count for one in incident.alerts)


@pytest.fixture
def postgresql_url(postgresql_databases: Databases) -> Iterator[str]:
    with postgresql_databases.migrated() as url:
        yield url


@dataclass
class Slow:
    """A store whose replica is held up right after it has taken deliveries."""

    store: Store
    has_taken: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self.store.begin() as tx:
            take = tx.take_deliveries

            async def taken(*given: Any, **named: Any) -> Any:
                found = await take(*given, **named)
                self.has_taken.set()
                await self.go_on.wait()
                return found

            tx.take_deliveries = taken  # type: ignore[method-assign]
            yield tx


async def until_somebody_waits(url: str, task: asyncio.Task[Any]) -> None:
    """Return once the task is over, or a connection of the database waits for another."""
    connection = await asyncpg.connect(url)
    waits = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"
    while not task.done() and not await connection.fetchval(waits):
        await asyncio.wait([task], timeout=0.01)
    await connection.close()


async def test_a_slow_replica_is_not_overtaken_by_what_came_later(
    postgresql_url: str, clock: FakeClock
) -> None:
    """An end that is heard before its beginning would leave open what is over."""
    stores = [await open_store(postgresql_url, clock, beside=number > 0) for number in range(2)]
    slow, quick = (Story(store, clock, rulebook()) for store in stores)
    held = Slow(slow.engine._parts.store)
    slow.engine = Engine(replace(slow.engine._parts, store=cast("Store", held)))
    begun = alert("orders", clock.now())
    over = replace(begun, status=AlertStatus.RESOLVED)
    for number, one in enumerate((begun, over), start=1):
        for replica in (slow, quick):
            replica.knows(f"delivery-{number}", one)
    await slow.hears(begun, settle=False)
    async with asyncio.TaskGroup() as group:
        group.create_task(slow.engine.take_deliveries())
        await asyncio.wait_for(held.has_taken.wait(), 10)
        await slow.hears(over, settle=False)
        second = group.create_task(quick.engine.take_deliveries())
        await until_somebody_waits(postgresql_url, second)
        clock.advance(seconds=3)
        held.go_on.set()
    found = await slow.store.reader.incident_numbered(1)
    assert found is not None
    assert found.state is State.RESOLVED
    assert found.resolved_at == clock.now(), "it is decided when its turn has come"
    for store in stores:
        await store.close()
