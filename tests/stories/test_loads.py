"""The load as a bot tells it after a week: pages and broken nights are those that went out."""

from datetime import timedelta

import pytest

from bot.acts.roster import DrawLoad
from bot.loads import weigh
from bot.ports.delivering import GiveUpError
from bot.ports.jobs import Job
from bot.store.opening import OpenedStore
from rules.contacting.method import Method
from rules.people import People, Person
from tests.fakes.clock import FakeClock
from tests.stories.conftest import Tell
from tests.stories.reached import Reached, reaching
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
    assert len(await reader.pages_sent(monday(), monday(1), rotation="data")) == 2
    assert await reader.pages_sent(monday(), monday(1), rotation="ml") == []
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


@pytest.mark.parametrize("in_slack", [True, False])
async def test_a_page_counts_once_by_whatever_method_it_came(
    opened_store: OpenedStore, clock: FakeClock, *, in_slack: bool
) -> None:
    story = Reached(opened_store, clock, reaching())

    def unknown(job: Job) -> None:
        if job.kind == "page" and not in_slack:
            raise GiveUpError("Slack knows nobody with this e-mail")

    story.slack.fault = unknown
    begun = clock.now()
    await story.fires()
    await story.after(minutes=6)
    assert {method for method, _ in story.summonses} == {Method.EMAIL, Method.VOICE}
    await story.presses()
    pages = await story.store.reader.pages_sent(begun, clock.now())
    assert [one for one in pages if one[0] == "ana"] == [("ana", begun)]


async def test_a_picture_that_is_asked_for_is_a_stored_job(tell: Tell) -> None:
    story = tell()
    story.clock.set(monday() + HOUR)
    Rota(story, weekly())
    await story.asks(DrawLoad(by="ana", starts_at=monday(-4), ends_at=monday()))
    await story.after(seconds=5)
    (job,) = story.sent("load_picture")
    assert job.payload["person"] == "ana"
    assert "The picture comes" in story.said()[-1]
