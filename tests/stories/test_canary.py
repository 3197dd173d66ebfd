"""The canary is decided like any alert, goes out like a page, and is kept like none."""

from dataclasses import replace
from datetime import timedelta

from bot.ports.inbox import NewDelivery
from bot.store.opening import OpenedStore
from rules.incident import State
from tests.stories.conftest import Tell
from tests.stories.story import Story, alert


async def arrives(story: Story, name: str = "bird-1") -> None:
    story.knows(name, replace(alert(name, story.clock.now()), source="canary"))
    await story.store.inbox.accept(NewDelivery(source="canary", key=name, body=b"{}"))
    await story.settle()


async def test_it_goes_out_and_no_incident_knows_of_it(tell: Tell) -> None:
    story = tell()
    await arrives(story)
    assert [job.key for job in story.sent("canary")] == ["canary:bird-1"]
    story.pages()
    assert await story.store.reader.incidents(states=tuple(State), limit=9) == []
    back = await story.store.audits.job_standing("canary:bird-1")
    assert back is not None
    assert back.state == "done"
    await story.fires()
    assert (await story.incident()).number == 1, "it used no number"
    assert await story.store.audits.job_standing("canary:unheard-of") is None


async def test_rules_that_break_keep_it_from_coming_back_and_page_nobody(tell: Tell) -> None:
    story = tell()
    story.rules.the_book = replace(story.rules.the_book, policies={})
    for _ in range(4):
        await arrives(story)
        story.clock.advance(seconds=30)
    story.pages()
    assert story.sent("canary") == []
    assert await story.store.audits.job_standing("canary:bird-1") is None
    assert await story.store.reader.incidents(states=tuple(State), limit=9) == []
    assert not await _undecided(story.store, story)


async def _undecided(store: OpenedStore, story: Story) -> bool:
    later = story.clock.now() + timedelta(hours=1)
    async with store.store.begin() as tx:
        return bool(await tx.take_deliveries(5, later))
