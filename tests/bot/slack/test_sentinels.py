"""The auditor's word in Slack, and the canary's visit that leaves nothing behind."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.ports.delivering import Delivered, GiveUpError, RetryLaterError
from bot.ports.jobs import Job
from bot.slack.desk import Desk
from bot.slack.sentinels import sentinel_deliverers
from bot.wire import sentence_to_json
from bot.workspace.state import Workspace
from rules.sentence import say
from tests.bot.slack.samples import NOW
from tests.bot.slack.test_delivery import job


async def deliver(desk: Desk, given: Job, channel: str = "others") -> Delivered:
    return await sentinel_deliverers(desk, channel)[given.kind].deliver(given)


async def test_the_canary_is_posted_and_deleted(desk: Desk, workspace: Workspace) -> None:
    assert await deliver(desk, job("canary", key="canary:1", incident_id="")) == Delivered()
    assert workspace.messages("others") == []
    assert [call.method for call in workspace.calls][-2:] == ["chat.postMessage", "chat.delete"]


async def test_one_that_cannot_be_deleted_has_still_come_through(
    desk: Desk, workspace: Workspace
) -> None:
    workspace.faults.add(method="chat.delete", kind="http_503")
    assert await deliver(desk, job("canary", key="canary:1", incident_id="")) == Delivered()


async def test_a_slack_that_is_away_keeps_the_canary(desk: Desk, workspace: Workspace) -> None:
    workspace.faults.add(method="chat.postMessage", kind="http_503")
    with pytest.raises(RetryLaterError):
        await deliver(desk, job("canary", key="canary:1", incident_id=""))


async def test_a_channel_that_is_not_there_is_told_of(desk: Desk) -> None:
    with pytest.raises(GiveUpError, match="Slack shows no channel #nowhere"):
        await deliver(desk, job("canary", key="canary:1", incident_id=""), "nowhere")


async def test_a_canary_that_nobody_waits_for_stays_at_home(
    desk: Desk, workspace: Workspace
) -> None:
    old = replace(job("canary", key="canary:1"), created_at=NOW - timedelta(minutes=11))
    assert await deliver(desk, old) == Delivered()
    assert list(workspace.calls) == []


async def test_an_alarm_reaches_the_channel_and_a_person_as_text(
    desk: Desk, workspace: Workspace
) -> None:
    words = sentence_to_json(
        say("#{number} {title}: it stopped.", number=4, title="<!channel> *x*")
    )
    payload = {"sentences": [words], "channel": "data-alerts"}
    await deliver(desk, job("alarm", key="audit:1", payload=payload, incident_id=""))
    (said,) = workspace.messages("data-alerts")
    assert said.text == "#4 &lt;!channel&gt; ∗x∗: it stopped."
    payload = {"sentences": [words], "person": "ana@example.com"}
    await deliver(desk, job("alarm", key="audit:1:ana", payload=payload, incident_id=""))
    assert len(workspace.messages(workspace.dm("ana").id)) == 1
