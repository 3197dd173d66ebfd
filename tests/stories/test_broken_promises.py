"""A promise that is broken too often is told once, in working hours, in the product's channel."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.app.broken_promises import tell_broken
from bot.app.learning import learn_from
from bot.wire import sentence_from_json
from rules.catalogue import Catalogue
from rules.rulebook import RuleBook
from tests.stories.conftest import Tell
from tests.stories.story import Story
from tests.stories.test_learning import MONDAY, two_products

FRIDAY, SATURDAY = (MONDAY - timedelta(days=days) for days in (3, 2))


async def look(story: Story, book: RuleBook) -> None:
    """Reckon as the application does every five minutes, and tell what is new."""
    now = story.clock.now()
    known = await learn_from(story.store.past, book, now)
    await tell_broken(
        story.store.store, replace(book, reliability=known.reliability), "data-alerts", now
    )


async def broken(story: Story, day: datetime) -> None:
    """Let it break before the deadline of 08:00 and be repaired after it."""
    story.clock.set(day.replace(hour=7))
    await story.fires("orders", labels={"product": "orders"}, source="dbt")
    story.clock.set(day.replace(hour=9))
    await story.recovers("orders", labels={"product": "orders"}, source="dbt")


async def test_the_second_miss_is_told_once_when_working_hours_begin(tell: Tell) -> None:
    book = two_products()
    products = [
        replace(one, channel="#orders-readers" if one.id == "orders" else "")
        for one in book.catalogue.products
    ]
    book = replace(book, catalogue=Catalogue(products, book.catalogue.assets))
    story = tell(book)
    story.clock.set(MONDAY - timedelta(days=20))
    await story.fires("something else")
    await broken(story, FRIDAY)
    await look(story, book)
    await broken(story, SATURDAY)
    for _ in range(3):
        await look(story, book)
        story.restart()
    opens = MONDAY.replace(hour=9)
    await story.until(opens - timedelta(seconds=1))
    assert not story.sent("announce")
    await story.until(opens + timedelta(hours=1))
    (job,) = story.sent("announce")
    assert job.payload["channel"] == "orders-readers"
    first, second = (sentence_from_json(one).render(str) for one in job.payload["sentences"])
    assert first.endswith("2 of the last 5 due days were missed.")
    assert "/oncall slo orders" in second


async def test_a_product_without_a_channel_is_told_of_where_alerts_are(tell: Tell) -> None:
    story = tell(book := two_products())
    story.clock.set(MONDAY - timedelta(days=20))
    await story.fires("something else")
    await broken(story, FRIDAY)
    await broken(story, SATURDAY)
    await look(story, book)
    await story.until(MONDAY.replace(hour=10))
    assert [job.payload["channel"] for job in story.sent("announce")] == ["data-alerts"]
