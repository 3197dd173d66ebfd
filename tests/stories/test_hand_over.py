"""What is decided goes out at once: the deciding commit has leased it for the running outbox."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.engine.engine import BREATH, LONGEST_BREATH
from bot.ports.delivering import Delivered
from bot.ports.jobs import Job, JobPriority
from tests.stories.conftest import Tell
from tests.stories.story import Story, alert


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0)  # noqa: TID251 - gives way, takes no time


def count_claims(story: Story) -> list[int]:
    """Count from now on what the outbox claims by itself."""
    counted: list[int] = []
    claim = story.store.queue.claim

    async def claims(now: datetime, limit: int) -> Sequence[Job]:
        jobs = await claim(now, limit)
        counted.append(len(jobs))
        return jobs

    story.store.queue.claim = claims  # type: ignore[method-assign]
    return counted


async def test_an_alert_and_a_step_that_is_due_page_without_another_commit(tell: Tell) -> None:
    story = tell()
    story.engine.hands = story.outbox
    async with asyncio.TaskGroup() as group:
        group.create_task(story.outbox.run())
        await until(lambda: story.outbox.room() > 0 and story.clock._moved is not None)
        claims = count_claims(story)
        await story.hears(alert("orders", story.clock.now()), settle=False)
        assert await story.engine.run_due()
        await until(lambda: bool(story.sent("page") and story.sent("show")))
        assert [job.payload["person"] for job in story.sent("page")] == ["ana"]
        assert not any(claims)
        await until(lambda: story.outbox.room() == 32)
        story.clock.advance(minutes=5)
        async with asyncio.timeout(20):
            while not await story.engine.run_due():
                pass  # the outbox has its incident for a moment
        await until(lambda: len(story.sent("page")) == 2)
        assert story.sent("page")[-1].payload["person"] == "bo"
        await story.outbox.drain(story.clock.now())


async def test_a_page_that_left_before_the_channel_knew_is_edited_soon(tell: Tell) -> None:
    story = tell()
    deliver = story.slack.deliver

    async def early(job: Job) -> Delivered:
        delivered = await deliver(job)
        return Delivered(delivered.messages, early=job.kind == "page")

    story.slack.deliver = early  # type: ignore[method-assign]
    await story.fires()
    assert not story.sent("show_page")
    await story.after(seconds=2)
    (edit,) = story.sent("show_page")
    (page,) = story.sent("page")
    assert edit.priority is JobPriority.MACHINE
    assert edit.lane != page.lane
    assert edit.payload == {"person": "ana", "reason": page.payload["reason"]}


async def test_a_page_that_knew_the_channels_message_is_not_edited(tell: Tell) -> None:
    story = tell()
    await story.fires()
    await story.after(seconds=10)
    assert not story.sent("show_page")


async def test_timers_wait_no_longer_than_a_breath_for_what_is_decided(tell: Tell) -> None:
    story = tell()
    await story.fires()
    story.engine.hands = story.outbox
    story.clock.advance(minutes=5)  # the first step is due
    await story.hears(alert("a", story.clock.now()), settle=False)
    assert await story.engine.run_due() == 1, "the delivery alone"
    assert await story.engine.next_look() == story.clock.now() + BREATH
    assert await story.engine.run_due() == 1, "nothing came: the timer"
    await story.hears(alert("b", story.clock.now()), settle=False)
    story.clock.advance(minutes=5)  # the next one, of "a"
    assert await story.engine.run_due() == 1
    story.clock.advance(milliseconds=LONGEST_BREATH.total_seconds() * 1000)
    await story.hears(alert("c", story.clock.now()), settle=False)
    assert await story.engine.run_due() > 1, "however many deliveries there are"


async def test_a_page_does_not_wait_for_the_link_in_an_older_one(tell: Tell) -> None:
    story = tell()
    deliver = story.slack.deliver

    async def early(job: Job) -> Delivered:
        delivered = await deliver(job)
        return Delivered(delivered.messages, early=job.kind == "page")

    story.slack.deliver = early  # type: ignore[method-assign]
    await story.fires("orders")
    await story.after(seconds=2)
    assert len(story.sent("show_page")) == 1
    await story.hears(alert("payments", story.clock.now()))
    assert len(story.sent("page")) == 2
