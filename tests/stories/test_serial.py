"""Decisions about one incident are serial, across tasks and replicas."""

import asyncio
import random

import pytest

from bot.acts.act import SLACK, ActPayload, AnswerTo, OnIncident, act_to_json
from bot.ports.inbox import ConflictError, NewDelivery
from bot.store.opening import open_store
from rules.incident import Incident
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


def _received(incident: Incident) -> int:
    return sum(one.count for one in incident.alerts)
