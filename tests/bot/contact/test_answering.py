"""One key takes a whole storm, in the time that a phone call has."""

import asyncio
from datetime import timedelta

from bot.contact.answering import PATIENCE, Answering
from rules.contacting.method import Method
from tests.bot.store.samples import incident
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader


async def test_taking_all_waits_no_longer_than_taking_one(clock: FakeClock) -> None:
    began = clock.now()
    storm = (incident(n, began, id=f"i{n}", paged=("ana",)) for n in range(1, 31))
    inbox = FakeInbox()
    answering = Answering(inbox, FakeReader(*storm), clock, str)
    async with asyncio.TaskGroup() as group:
        taken = group.create_task(answering.acknowledge_all("ana", Method.VOICE))
        while not taken.done():
            await asyncio.wait({taken}, timeout=0.001)
            clock.advance(milliseconds=100)
    assert taken.result() == 30
    assert len(inbox.deliveries) == 30
    assert clock.now() - began <= PATIENCE + timedelta(milliseconds=500)


async def test_nothing_to_take_is_no_fault(clock: FakeClock) -> None:
    answering = Answering(FakeInbox(), FakeReader(), clock, str)
    assert await answering.acknowledge_all("ana", Method.VOICE) == 0
