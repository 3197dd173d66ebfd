"""What comes of reaching somebody while something else happens: an answer, a restart, a fault."""

from dataclasses import replace

import pytest

from bot.ports.contact import Sent, Summons
from bot.ports.delivering import GiveUpError
from bot.ports.inbox import NotStoredError
from bot.store.opening import OpenedStore
from rules.contacting.method import Method
from rules.incident import State
from tests.fakes.clock import FakeClock
from tests.stories.reached import ANA, BO, DEE, Phone, Reached, reaching
from tests.stories.story import PRIMARY, SECONDARY, page, policy


class Meanwhile(Phone):
    """A service that refuses, and while it does so somebody else acknowledges."""

    async def send(self, summons: Summons) -> Sent:
        incident = await self.story.incident()
        await self.story.answering.acknowledge(incident.id, "bo", Method.EMAIL)
        raise GiveUpError("it answered 400 (no such number)")


@pytest.mark.parametrize("method", [Method.SMS, Method.VOICE])
async def test_what_is_refused_after_somebody_else_answered_is_in_the_ledger(
    opened_store: OpenedStore, clock: FakeClock, method: Method
) -> None:
    book = reaching(order=f"{method} 1m, email 5m", steps=policy(page(PRIMARY, wait=30)))
    story = Reached(opened_store, clock, book)
    story.phones[method] = Meanwhile(story, method)
    story.restart()
    await story.fires()
    await story.after(minutes=1)
    assert await story.state() is State.ACKNOWLEDGED
    assert await story.ledger() == [
        "03:00:00 slack sent",
        f"03:01:00 {method} failed: it answered 400 (no such number)",
    ]
    assert any("did not reach ana: it answered 400" in line for line in await story.story())
    await story.after(minutes=30)
    assert story.summonses == [], "nobody is waited for any more"
    assert not any("did not reach" in line for line in story.said())


def calls(story: Reached) -> list[str]:
    return [line for line in story.timetable() if line.endswith("voice")]


async def test_a_number_is_not_called_again_by_a_bot_that_has_just_started(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    book = reaching(order="voice 1m", steps=policy(page(PRIMARY, wait=30)))
    story = Reached(opened_store, clock, book)
    await story.fires("orders")
    await story.fires("customers")
    await story.after(minutes=1)
    story.restart()
    await story.after(minutes=1)
    assert calls(story) == ["03:01:00 Ana by voice", "03:01:45 Ana by voice"]


async def test_who_shares_a_number_is_called_once_the_line_is_free(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    both = policy(page(PRIMARY, wait=1), page(SECONDARY, wait=30))
    people = replace(ANA, contact="slack, voice 70s"), replace(BO, phone=ANA.phone)
    book = reaching(*people, order="voice 15s", steps=both)
    story = Reached(opened_store, clock, book)
    await story.fires()
    await story.after(minutes=3)
    assert calls(story) == ["03:01:10 Ana by voice", "03:01:55 Bo by voice"]


async def test_who_shares_a_number_and_is_paged_during_the_call_is_called_after_it(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    both = policy(page(PRIMARY, wait=1), page(SECONDARY, wait=30))
    people = replace(ANA, contact="slack, voice 50s"), replace(BO, phone=ANA.phone)
    book = reaching(*people, order="voice", steps=both)
    story = Reached(opened_store, clock, book)
    await story.fires()
    await story.after(minutes=3)
    assert calls(story) == ["03:00:50 Ana by voice", "03:01:35 Bo by voice"]


async def test_a_call_that_could_not_be_written_down_does_not_ring_twice_at_once(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    book = reaching(order="voice 1m", steps=policy(page(PRIMARY, wait=30)))
    story = Reached(opened_store, clock, book)
    await story.fires()
    begin, phone = story.store.store.begin, story.phones[Method.VOICE]

    def fails() -> None:
        raise NotStoredError("the disk is full")

    def breaks() -> None:
        story.store.store.begin = fails  # type: ignore[assignment, method-assign]

    phone.lost = breaks
    await story.after(minutes=1)
    phone.lost = lambda: None
    story.store.store.begin = begin  # type: ignore[method-assign]
    await story.after(minutes=2)
    assert calls(story) == ["03:01:00 Ana by voice", "03:01:45 Ana by voice"]


async def test_who_replies_to_what_is_over_by_then_hears_that_it_is(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    book = reaching(order="sms 1m", steps=policy(page(PRIMARY, wait=30)))
    story = Reached(opened_store, clock, book)
    await story.fires()
    await story.after(minutes=1)
    _, text = story.summonses[-1]
    await story.does("bo", "resolved")
    told = await story.replies.hear(ANA.phone, text.code)
    assert told == "#1 is already resolved. You need not do anything."
    assert (await story.replies.hear(BO.phone, text.code)).startswith("That code is not known")


class HandedOn(Phone):
    """A service that takes it, and while it does so the incident is handed to somebody else."""

    async def send(self, summons: Summons) -> Sent:
        sent = await super().send(summons)
        await self.story.does("bo", "reassigned", person="dee")
        return sent


async def test_an_emergency_that_goes_out_while_it_is_handed_on_does_not_ring_on(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    loud = replace(ANA, pushover="a" * 30)
    book = reaching(loud, BO, DEE, order="pushover 1m", steps=policy(page(PRIMARY, wait=30)))
    story = Reached(opened_store, clock, book)
    story.phones[Method.PUSHOVER] = pushover = HandedOn(story, Method.PUSHOVER)
    story.restart()
    await story.fires()
    await story.after(minutes=2)
    assert [one.person for _, one in story.summonses] == ["Ana"]
    assert pushover.cancelled == [story.summonses[0][1].key]
