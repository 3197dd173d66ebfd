"""What can never be delivered is said, and the rest goes on."""

from bot.ports.delivering import GiveUpError
from bot.ports.jobs import Job
from tests.stories.conftest import Tell


async def test_a_channel_that_is_gone_stands_in_the_story_and_the_page_still_arrives(
    tell: Tell,
) -> None:
    story = tell()

    def archived(job: Job) -> None:
        if job.kind == "show":
            raise GiveUpError("#data-alerts: the channel is archived")

    story.slack.fault = archived
    await story.fires()
    await story.after(seconds=10)
    story.pages("ana")
    incident = await story.incident()
    lines = {
        entry.sentence.render(str)
        for entry in await story.store.reader.timeline(incident.id, 50)
        if entry.what == "GivenUp"
    }
    assert lines == {"The channel message was given up: #data-alerts: the channel is archived"}
    dead = await story.store.reader.dead_jobs(10)
    assert [job.kind for job, _ in dead] == ["show"]


async def test_what_was_given_up_can_be_tried_again(tell: Tell) -> None:
    story = tell()
    refused = True

    def sometimes(job: Job) -> None:
        if job.kind == "show" and refused:
            raise GiveUpError("not in the channel")

    story.slack.fault = sometimes
    await story.fires()
    await story.after(seconds=10)
    (job, _), *_ = await story.store.reader.dead_jobs(10)
    refused = False
    assert await story.outbox.retry_dead(job.id)
    await story.after(seconds=2)
    assert len(story.sent("show")) == 1
    assert await story.store.reader.dead_jobs(10) == []
