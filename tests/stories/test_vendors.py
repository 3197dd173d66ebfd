"""What vendors send makes one incident, pages once, and recovers; remarks page nobody."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.acts.act import SplitOff, alert_ref
from rules.alert import AlertStatus, Severity
from rules.incident import State
from rules.priority import Priority
from tests.fakes.deliveries import payload
from tests.fakes.vendors import alert_of
from tests.stories.conftest import Tell
from tests.stories.story import Story, alert

BROKEN_AND_WHOLE: Sequence[tuple[str, Sequence[str], str]] = [
    ("dbt_cloud", ["started", "errored", "completed_with_error"], "completed"),
    ("sentry", ["issue_created", "event_alert", "issue_archived"], "issue_resolved"),
    ("grafana", ["firing", "firing"], "resolved"),
    ("opsgenie", ["create", "acknowledge"], "close"),
    ("pagerduty", ["triggered", "acknowledged", "annotated"], "resolved"),
    ("jira_service_management", ["created", "updated"], "done"),
    ("github", ["pull_request_failure", "failure"], "success"),
]
REMARKS = [
    ("dbt_cloud", "started"),
    ("dbt_cloud", "cancelled"),
    ("sentry", "issue_archived"),
    ("opsgenie", "acknowledge"),
    ("pagerduty", "annotated"),
    ("jira_service_management", "updated"),
    ("github", "pull_request_failure"),
]


async def hears(story: Story, kind: str, *names: str) -> None:
    for name in names:
        await story.hears(alert_of(kind, name))
        await story.after(seconds=1)


async def incidents(story: Story) -> int:
    number = 0
    while await story.store.reader.incident_numbered(number + 1) is not None:
        number += 1
    return number


@pytest.mark.parametrize(
    ("kind", "broken", "whole"), BROKEN_AND_WHOLE, ids=[kind for kind, *_ in BROKEN_AND_WHOLE]
)
async def test_a_broken_thing_is_one_incident_and_one_page_until_it_is_whole(
    tell: Tell, kind: str, broken: Sequence[str], whole: str
) -> None:
    story = tell()
    await hears(story, kind, *broken)
    story.pages("ana")
    assert await incidents(story) == 1
    await hears(story, kind, whole)
    assert await story.state() is State.RESOLVED
    await story.after(hours=1)
    story.pages()


@pytest.mark.parametrize(("kind", "name"), REMARKS, ids=[f"{k}-{n}" for k, n in REMARKS])
async def test_a_remark_opens_nothing(tell: Tell, kind: str, name: str) -> None:
    story = tell()
    await hears(story, kind, name)
    story.pages()
    assert await incidents(story) == 0


async def test_a_second_attempt_that_fails_again_pages_nobody_anew(tell: Tell) -> None:
    story = tell()
    await hears(story, "github", "failure")
    story.pages("ana")
    again = json.loads(payload("github/failure.json"))
    again["workflow_run"]["run_attempt"] = 2
    await story.hears(alert_of("github", again))
    await story.after(seconds=1)
    story.pages()
    assert await incidents(story) == 1


async def test_two_issues_of_a_run_are_one_incident(tell: Tell) -> None:
    story = tell()
    other = json.loads(payload("sentry/event_alert.json"))
    other["data"]["event"]["issue_id"] = "2"
    await story.hears(alert_of("sentry", "event_alert"))
    await story.hears(alert_of("sentry", other))
    story.pages("ana")
    assert await incidents(story) == 1


async def test_a_remark_about_what_fires_does_not_let_the_incident_end(tell: Tell) -> None:
    story = tell()
    await story.hears(*(alert(one, story.clock.now(), group_key="run") for one in ("ship", "load")))
    remark = alert("load", story.clock.now(), status=AlertStatus.INFO, severity=Severity.INFO)
    await story.hears(replace(remark, title="load will be tried again"))
    await story.recovers("ship")
    assert await story.state() is State.TRIGGERED
    await story.asks(SplitOff(number=1, alert=alert_ref("airflow", "load"), by="bo"))
    own = await story.incident(2)
    assert (own.title, own.priority, own.firing_count) == ("load failed", Priority.P2, 1)
    await story.recovers("load")
    assert await story.state(2) is State.RESOLVED
