"""The load as a bot tells it after a week: pages and broken nights are those that went out."""

from datetime import timedelta

from bot.acts.roster import DrawLoad
from bot.loads import weigh
from rules.people import People, Person
from tests.stories.conftest import Tell
from tests.stories.rota import Rota, monday, week, weekly

HOUR = timedelta(hours=1)


async def test_pages_and_nights_come_from_what_was_delivered(tell: Tell) -> None:
    story = tell()
    story.clock.set(monday() + HOUR)
    rota = Rota(story, weekly())
    await story.fires("by day")
    await story.does("ana", "resolved")
    await story.until(monday() + 18 * HOUR)
    await story.fires("at night")
    await story.does("ana", "resolved", number=2)
    await rota.asks_cover("ana", week(0))
    await rota.on_cover("cy", "accept")
    await story.until(monday(1))
    reader = story.store.reader
    assert [who for who, _ in await reader.pages_sent(monday(), monday(1))] == ["ana", "ana"]
    assert await reader.pages_sent(monday(1), monday(2)) == []
    weighed = await weigh(
        reader,
        rota.rules.schedule,
        People([Person("ana", "Ana", zone="Europe/Berlin")]),
        start=monday(),
        end=monday(1),
        now=monday(1),
    )
    rows = {row.person: row for row in weighed.report.people}
    assert (rows["ana"].pages, rows["ana"].woken) == (2, 1)
    assert {who: row.load.hours for who, row in rows.items()} == {"ana": 18, "bo": 168, "cy": 150}


async def test_a_picture_that_is_asked_for_is_a_stored_job(tell: Tell) -> None:
    story = tell()
    story.clock.set(monday() + HOUR)
    Rota(story, weekly())
    await story.asks(DrawLoad(by="ana", starts_at=monday(-4), ends_at=monday()))
    await story.after(seconds=5)
    (job,) = story.sent("load_picture")
    assert job.payload["person"] == "ana"
    assert "The picture comes" in story.said()[-1]
