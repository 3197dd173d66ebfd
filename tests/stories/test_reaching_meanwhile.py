"""What comes of reaching somebody while another has just answered."""

import pytest

from bot.ports.contact import Sent, Summons
from bot.ports.delivering import GiveUpError
from bot.store.opening import OpenedStore
from rules.contacting.method import Method
from rules.incident import State
from tests.fakes.clock import FakeClock
from tests.stories.reached import Phone, Reached, reaching
from tests.stories.story import PRIMARY, page, policy


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
