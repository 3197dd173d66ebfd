"""A note for whoever comes on call next, as the engine keeps it."""

from datetime import timedelta

from bot.acts.duties import LeaveNote
from tests.stories.conftest import Tell


async def test_a_note_is_kept_and_the_later_one_counts(tell: Tell) -> None:
    story = tell()
    at = story.clock.now() + timedelta(minutes=30)
    for text in ("first", "Orders is late again"):
        await story.asks(LeaveNote(by="ana", rotation="data", boundary_at=at, note=text))
    (note,) = await story.store.reader.notes("data", at)
    assert (note.person, note.note, note.noted_at) == (
        "ana", "Orders is late again", story.clock.now(),
    )  # fmt: skip
    assert story.said()[-1].startswith("Thanks. It will be told at the hand-off")
    assert story.sent("late_note") == []


async def test_a_note_that_comes_late_is_told_by_itself(tell: Tell) -> None:
    story = tell()
    at = story.clock.now()
    await story.after(minutes=5)
    await story.asks(LeaveNote(by="ana", rotation="data", boundary_at=at, note="One more thing"))
    (job,) = story.sent("late_note")
    assert (job.payload["rotation"], job.payload["person"]) == ("data", "ana")
    assert "it is told now" in story.said()[-1]
