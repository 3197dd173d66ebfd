"""The picture over the real client: shared once, in the thread, whatever Slack does meanwhile."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.ports.delivering import GiveUpError, MessageRef, RetryLaterError
from bot.ports.jobs import Job, JobPriority
from bot.slack.desk import Desk
from bot.slack.pictures import show_picture
from bot.workspace.model import Message
from bot.workspace.state import Workspace
from rules.incident import Stakes, State
from rules.priority import Impact, Urgency
from tests.bot.picture.samples import DEADLINE, lineage
from tests.bot.slack.samples import ANA, BOOK, NOW, incident
from tests.fakes.reader import FakeReader

STAKES = Stakes(
    name="Orders",
    impact=Impact.SIGNIFICANT,
    urgency=Urgency.HIGH,
    product="orders",
    asset="m.fct",
    owner=ANA,
    exposures_hit=3,
    products_hit=4,
    deadline=DEADLINE,
)


@pytest.fixture
def seeing(desk: Desk, reader: FakeReader) -> Desk:
    """A desk whose rulebook knows a lineage, and whose incident is about an asset of it."""
    reader.put(incident(stakes=STAKES))
    book = replace(BOOK, lineage=lineage())
    return replace(desk, rulebook=lambda: book)


def job(**more: Any) -> Job:
    given: dict[str, Any] = {
        "id": "j1",
        "key": "i42:picture:m.fct",
        "kind": "picture",
        "lane": "pictures",
        "priority": JobPriority.PICTURE,
        "payload": {},
        "incident_id": "i42",
        "due_at": NOW,
        "created_at": NOW,
        "first_attempt_at": None,
        "attempts": 1,
        "lease": 1,
        "leased_until": NOW,
        "revision": 0,
        "unsure": False,
    }
    return Job(**{**given, **more})


async def posted(desk: Desk, reader: FakeReader) -> MessageRef:
    channel, ts = await desk.api.post("data-alerts", {"text": "broken"}, "root")
    ref = MessageRef("root", channel, ts)
    reader.placed["i42"].append(ref)
    return ref


def pictures(workspace: Workspace) -> list[Message]:
    return [message for message in workspace.messages("data-alerts") if message.files]


async def test_the_picture_comes_into_the_thread_with_its_words(
    seeing: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    root = await posted(seeing, reader)
    await show_picture(seeing, job())
    [message] = pictures(workspace)
    assert message.thread_ts == root.ts
    assert message.text == "Who is hit while Orders is broken"
    assert message.files[0]["mimetype"] == "image/png"
    assert message.files[0]["alt_txt"].startswith("Blast radius of fct_orders: 3 dashboards")
    assert not message.broadcast


async def test_it_waits_for_the_message_it_belongs_to(seeing: Desk) -> None:
    with pytest.raises(RetryLaterError, match="no message in the channel yet"):
        await show_picture(seeing, job())


@pytest.mark.parametrize(
    "changes",
    [{"state": State.RESOLVED}, {"stakes": None}, {"stakes": replace(STAKES, exposures_hit=0,
                                                                    products_hit=3)}],
    ids=["resolved", "nothing at stake", "few consumers"],
)  # fmt: skip
async def test_what_needs_no_picture_any_more_gets_none(
    seeing: Desk, reader: FakeReader, workspace: Workspace, changes: dict[str, Any]
) -> None:
    await posted(seeing, reader)
    reader.put(incident(**{"stakes": STAKES, **changes}))
    await show_picture(seeing, job())
    assert pictures(workspace) == []


STEPS = ("files.getUploadURLExternal", "upload", "files.completeUploadExternal")


@pytest.mark.parametrize("step", STEPS)
async def test_a_rate_limit_says_when_to_come_back(
    seeing: Desk, reader: FakeReader, workspace: Workspace, step: str
) -> None:
    await posted(seeing, reader)
    workspace.faults.add(method=step, kind="ratelimited", retry_after=7)
    with pytest.raises(RetryLaterError) as caught:
        await show_picture(seeing, job())
    assert caught.value.throttled
    assert caught.value.after is not None
    assert caught.value.after.total_seconds() == 7
    await show_picture(seeing, job())
    assert len(pictures(workspace)) == 1


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["http_502", "http_503", "drop_before"])
async def test_trouble_at_slack_is_tried_again(
    seeing: Desk, reader: FakeReader, workspace: Workspace, step: str, kind: Any
) -> None:
    await posted(seeing, reader)
    workspace.faults.add(method=step, kind=kind)
    with pytest.raises(RetryLaterError) as caught:
        await show_picture(seeing, job())
    assert caught.value.unsure == (step == "files.completeUploadExternal")
    await show_picture(seeing, job(unsure=caught.value.unsure))
    assert len(pictures(workspace)) == 1


@pytest.mark.parametrize("kind", ["drop_after_commit", "timeout_after_commit"])
async def test_a_lost_answer_shares_it_only_once(
    seeing: Desk, reader: FakeReader, workspace: Workspace, kind: Any
) -> None:
    await posted(seeing, reader)
    workspace.faults.add(method="files.completeUploadExternal", kind=kind)
    with pytest.raises(RetryLaterError) as caught:
        await show_picture(seeing, job())
    assert caught.value.unsure
    await show_picture(seeing, job(unsure=True))
    assert len(pictures(workspace)) == 1


async def test_a_clock_ahead_of_slack_s_shares_it_only_once(
    seeing: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    await posted(seeing, reader)
    await show_picture(seeing, job())
    await show_picture(seeing, job(unsure=True, first_attempt_at=NOW + timedelta(minutes=1)))
    assert len(pictures(workspace)) == 1


async def test_without_the_scope_it_is_given_up_with_what_to_do(
    seeing: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    await posted(seeing, reader)
    workspace.scopes.discard("files:write")
    with pytest.raises(GiveUpError, match="watchbill manifest"):
        await show_picture(seeing, job())


async def test_it_enters_the_channel_to_share_a_file(
    seeing: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    await posted(seeing, reader)
    workspace.conversation("data-alerts").members.remove(workspace.bot_user_id)
    await show_picture(seeing, job())
    assert len(pictures(workspace)) == 1


async def test_another_cause_is_another_picture(
    seeing: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    await posted(seeing, reader)
    await show_picture(seeing, job())
    await show_picture(seeing, job(key="i42:picture:m.other", unsure=True))
    assert len(pictures(workspace)) == 2
