"""A crash at any await while somebody is reached: nobody is lost, and doubles are as documented."""

from collections import Counter
from datetime import datetime
from itertools import count

import pytest

from bot.ports.contact import Sent, Summons
from bot.store.opening import OpenedStore
from rules.contacting.method import Method
from rules.incident import State
from tests.fakes.clock import FakeClock
from tests.stories.reached import Phone, Reached, reaching
from tests.stories.story import PRIMARY, page, policy
from tests.stories.test_access_crashes import Crashed, _is_crash

SECONDS = 15
ORDER = "email 4s, voice 9s"


class Killed:
    """Kills at the `at`-th point that comes by, and remembers when that was."""

    def __init__(self, story: Reached, at: int) -> None:
        self._story = story
        self._counted = count(1)
        self._at = at
        self.died_at: datetime | None = None

    def point(self) -> None:
        if self.died_at is None and next(self._counted) == self._at:
            self.died_at = self._story.clock.now()
            raise Crashed

    def around(self) -> None:
        """Die on both sides of every send and of every commit."""
        for phone in self._story.phones.values():
            phone.fault = phone.lost = self.point
        begin, point = self._story.store.store.begin, self.point

        class Watched:
            def __init__(self) -> None:
                self._inner = begin()

            async def __aenter__(self) -> object:
                point()
                return await self._inner.__aenter__()

            async def __aexit__(self, *how: object) -> object:
                ended = await self._inner.__aexit__(*how)  # type: ignore[arg-type]
                if how[0] is None:
                    point()
                return ended

        self._story.store.store.begin = Watched  # type: ignore[assignment, method-assign]

    def never(self) -> None:
        del self._story.store.store.begin
        for phone in self._story.phones.values():
            phone.fault = phone.lost = lambda: None


def doubled(story: Reached) -> dict[str, int]:
    """Return what went out more than once, by the key that a service would know it by."""
    keys = Counter(summons.key for _, summons in story.summonses)
    return {key: times for key, times in keys.items() if times > 1}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("slack_is_down", [False, True])
async def test_a_crash_at_any_await_reaches_everybody_and_doubles_only_what_had_left(
    opened_store: OpenedStore, clock: FakeClock, slack_is_down: bool
) -> None:
    book = reaching(order=ORDER, steps=policy(page(PRIMARY, wait=60)))
    story = Reached(opened_store, clock, book)
    died = twice = 0
    for at in count(1, 3 if slack_is_down else 1):
        if slack_is_down:
            story.slack_is_down(minutes=30)
        killed = Killed(story, at)
        killed.around()
        try:
            await story.fires(f"orders-{at}")
            await story.after(seconds=SECONDS)
        except BaseException as crash:
            if not _is_crash(crash):
                raise
        finally:
            killed.never()
        if killed.died_at is not None:
            story.restart()
            await opened_store.queue.release_all(clock.now())
        await story.after(seconds=SECONDS)
        by = Counter(method for method, _ in story.summonses)
        assert by[Method.EMAIL] >= 1, f"nobody was written to after a crash at {at}"
        assert by[Method.VOICE] >= 1, f"nobody was called after a crash at {at}"
        again = doubled(story)
        early = [key for key in again if story.first_sent[key] != killed.died_at]
        assert not early, f"{early} was recorded long before the crash at {at}, and doubled"
        assert all(times == 2 for times in again.values())
        twice += bool(again)
        story.slack.fault = lambda _: None
        number = (await opened_store.reader.incidents(states=[State.TRIGGERED], limit=1))[0].number
        await story.does("ana", "resolved", number=number)
        story.summonses.clear()
        await story.after(minutes=1)  # so that the line is free again
        if killed.died_at is None:
            break
        died += 1
    assert died > 10
    assert twice >= 1, "the window is there: a call and an e-mail that left just before the end"


class Unsure(Phone):
    """A service that can be asked what it took, as Twilio and ntfy can."""

    async def send(self, summons: Summons) -> Sent:
        if summons.unsure:
            taken = [one.key for _, one in self.story.summonses]
            if summons.key in taken:
                return Sent("found")
        return await super().send(summons)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_a_service_remembers_is_never_doubled(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    story = Reached(opened_store, clock, reaching(order="sms 1m"))
    story.phones[Method.SMS] = phone = Unsure(story, Method.SMS)
    story.restart()
    dead = iter([True])

    def dies_after_sending() -> None:
        if next(dead, False):
            raise Crashed

    phone.lost = dies_after_sending
    await story.fires()
    with pytest.raises(BaseExceptionGroup, check=_is_crash):
        await story.after(minutes=2)
    story.restart()
    await opened_store.queue.release_all(clock.now())
    await story.after(minutes=2)
    assert len(story.summonses) == 1
    assert "sms sent" in " ".join(await story.ledger())
