"""Slack says wait, or says nothing: every page arrives once, pages first, nothing dead."""

from datetime import timedelta

import pytest

from bot.ports import Job, RetryLaterError
from rules.rulebook import StormRule
from tests.stories.conftest import Tell
from tests.stories.story import MONDAY_03, Story, rulebook

MANY = StormRule(incidents=1_000, within=timedelta(minutes=1))


def until(story: Story, minutes: int, fault: RetryLaterError) -> None:
    end = MONDAY_03 + timedelta(minutes=minutes)

    def fails(_: Job) -> None:
        if story.clock.now() < end:
            raise fault

    story.slack.fault = fails


@pytest.mark.parametrize(
    ("minutes", "fault"),
    [
        (10, RetryLaterError("429", after=timedelta(seconds=30), throttled=True)),
        (60, RetryLaterError("connection refused")),
    ],
    ids=["429 for ten minutes", "down for an hour"],
)
async def test_two_hundred_alerts_while_slack_fails(
    tell: Tell, minutes: int, fault: RetryLaterError
) -> None:
    story = tell(rulebook(storm=MANY))
    until(story, minutes, fault)
    for number in range(200):
        await story.fires(f"table-{number}")
        await story.after(seconds=1)
    await story.until(MONDAY_03 + timedelta(minutes=minutes))
    for number in range(1, 201):
        await story.does("ana", "acked", number=number) if number > 100 else None
    await story.after(hours=2)
    dead = await story.store.reader.dead_jobs(10)
    assert dead == []
    keys = [s.key for s in story.slack.sent if s.kind == "page"]
    assert len(keys) == len(set(keys))
    for number in range(1, 101):
        incident = await story.incident(number)
        paged = {s.person for s in story.slack.of("page", incident.id)}
        assert "ana" in paged
    first_edit = min(s.at for s in story.slack.sent if s.kind == "show_page")
    first_page = min(s.at for s in story.slack.sent if s.kind == "page")
    assert first_page <= first_edit
