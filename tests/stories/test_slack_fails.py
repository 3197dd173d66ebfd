"""Slack says wait, or says nothing: every page arrives once, pages first, nothing dead."""

from datetime import timedelta

import pytest

from bot.ports.delivering import RetryLaterError
from bot.ports.jobs import Job
from rules.rulebook import StormRule
from tests.stories.conftest import Tell
from tests.stories.story import (
    MONDAY_03,
    PRIMARY,
    SECONDARY,
    Story,
    alert,
    page,
    policy,
    rulebook,
)

MANY = StormRule(incidents=1_000, within=timedelta(minutes=1))
ALERTS = 200


def fails_until(story: Story, minutes: int, fault: RetryLaterError) -> None:
    end = MONDAY_03 + timedelta(minutes=minutes)

    def fails(_: Job) -> None:
        if story.clock.now() < end:
            raise fault

    story.slack.fault = fails


@pytest.mark.parametrize(
    ("minutes", "fault"),
    [
        (10, RetryLaterError("429", after=timedelta(seconds=30), throttled=True)),
        (60, RetryLaterError("connection refused", whole_lane=True)),
    ],
    ids=["429 for ten minutes", "down for an hour"],
)
async def test_every_page_arrives_once_and_first_when_slack_comes_back(
    tell: Tell, minutes: int, fault: RetryLaterError
) -> None:
    story = tell(rulebook(storm=MANY, steps=policy(page(PRIMARY, wait=600), page(SECONDARY))))
    fails_until(story, minutes, fault)
    now = story.clock.now()
    for minute in range(10):
        part = [alert(f"table-{n}", now) for n in range(minute * 20, minute * 20 + 20)]
        await story.hears(*part)
        await story.after(seconds=55)
    for number in range(1, 21):
        await story.does("ana", "acked", number=number)
    await story.until(MONDAY_03 + timedelta(minutes=minutes, seconds=-1))
    assert story.slack.sent == []
    await story.after(minutes=30)
    assert await story.store.reader.dead_jobs(10) == []
    pages = [s for s in story.slack.sent if s.kind == "page"]
    assert len({s.key for s in pages}) == len(pages) == ALERTS - 20
    assert {s.person for s in pages} == {"ana"}
    assert len({job.incident_id for job in story.sent("show")}) == ALERTS
    edits = [s.at for s in story.slack.sent if s.kind == "show_page"]
    assert max(s.at for s in pages) <= min(edits, default=story.clock.now())


async def test_nobody_is_called_to_help_with_what_was_resolved_before_slack_came_back(
    tell: Tell,
) -> None:
    story = tell()
    await story.fires()
    await story.does("ana", "acked")
    fails_until(story, 60, RetryLaterError("connection refused", whole_lane=True))
    await story.does("ana", "looped_in", person="cy")
    await story.after(minutes=5)
    await story.does("ana", "resolved")
    await story.after(minutes=90)
    assert [sent.person for sent in story.slack.sent if sent.kind == "page"] == ["ana"]
