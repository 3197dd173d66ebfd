"""What belongs into an incident's thread never keeps the incident's own message out of the channel."""

from datetime import timedelta

from bot.ports.delivering import RetryLaterError
from bot.ports.jobs import Job
from tests.stories.conftest import Tell
from tests.stories.story import MONDAY_03


async def test_alarms_that_wait_for_their_thread_let_the_messages_go_first(tell: Tell) -> None:
    story = tell()
    back = MONDAY_03 + timedelta(minutes=16)

    def no_channel(job: Job) -> None:
        if job.kind == "show" and story.clock.now() < back:
            raise RetryLaterError("the channel is closed", after=timedelta(seconds=30))
        if job.kind == "tell" and not story.slack.of("show", job.incident_id):
            raise RetryLaterError("there is no message yet", after=timedelta(seconds=1))

    story.slack.fault = no_channel
    for thing in ("orders", "refunds", "stock"):
        await story.fires(thing)
    await story.after(minutes=15, seconds=50)
    assert story.slack.of("show") == story.slack.of("tell") == []
    await story.after(seconds=60)
    assert len({sent.job.incident_id for sent in story.slack.of("show")}) == 3
    assert len({sent.job.incident_id for sent in story.slack.of("tell")}) == 3
