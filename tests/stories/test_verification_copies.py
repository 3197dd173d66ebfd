"""A copy of a mapped task fails, and the next run has fewer copies: the others prove the fix."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.verification import Verdict
from tests.stories.airflow import airflow_tells
from tests.stories.conftest import Tell
from tests.stories.fixes import FRIDAY, MONDAY_RUN, timeline, verdict, waits
from tests.stories.story import Story


async def tells(
    story: Story,
    event: str,
    began: datetime,
    *,
    task: str = "",
    copy: int = -1,
    settle: bool = True,
) -> None:
    """Let Airflow tell an event of the run that began then, through the real parser."""
    now = story.clock.now()
    run: dict[str, Any] = {"run_id": f"scheduled__{began:%d}", "start_date": began.isoformat()}
    document = {
        "event": event,
        "dag": {"dag_id": "shop_daily"},
        "dag_run": {**run, "end_date": now.isoformat()},
        "task": {"task_id": task, "map_index": copy} if task else None,
    }
    await airflow_tells(story, document, settle=settle)


@pytest.mark.parametrize(
    ("copies", "ran", "proved"),
    [
        ("load", "same", Verdict.PASSED),
        ("load", "another", Verdict.PENDING),
        ("load", "before", Verdict.PENDING),
        ("send", "same", Verdict.PENDING),
        ("", "same", Verdict.PENDING),
    ],
)
@pytest.mark.parametrize("at_once", [False, True])
async def test_a_copy_of_a_mapped_task_that_is_gone_is_proved_by_the_others(
    tell: Tell, copies: str, ran: str, proved: Verdict, at_once: bool
) -> None:
    story = tell(waits())
    began = FRIDAY - timedelta(minutes=20)
    story.clock.set(FRIDAY)
    await tells(story, "task_failed", began, task="load", copy=7)
    await story.does("ana", "acked")
    await story.does("ana", "resolved")
    await story.until(MONDAY_RUN + timedelta(minutes=9))
    first = began if ran == "before" else MONDAY_RUN - timedelta(days=ran == "another")
    if copies:
        await tells(story, "task_succeeded", first, task=copies, copy=0, settle=not at_once)
        await tells(story, "task_succeeded", first, task=copies, copy=1, settle=not at_once)
    if not at_once:
        await story.until(MONDAY_RUN + timedelta(minutes=10))
    last = began if ran == "before" else MONDAY_RUN
    await tells(story, "dag_run_succeeded", last)
    assert await verdict(story) is proved
    if proved is Verdict.PASSED:
        assert "Proved: Run scheduled__30 of shop_daily." in await timeline(story)
