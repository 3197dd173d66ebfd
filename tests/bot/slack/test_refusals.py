"""What Slack refuses for good, and who hears of an incident all the same."""

from dataclasses import replace

import pytest

from bot.ports.delivering import GiveUpError
from bot.ports.tasks import NoTasks
from bot.slack.desk import Desk
from bot.slack.intake import Caller, Intake, Running
from bot.slack.text import md
from bot.slack.views.answers import said
from bot.slack.views.modals import loading
from bot.workspace.state import Workspace
from rules.tasks.task import Task
from tests.bot.slack.samples import ANA, BO, CY, NOW, incident
from tests.bot.slack.test_delivery import REASON, carry_out, job
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader


@pytest.mark.parametrize(
    "code",
    ["invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long",
     "invalid_arguments"],
)  # fmt: skip
async def test_a_layout_that_slack_refuses_is_told_in_plain_text(
    desk: Desk, reader: FakeReader, workspace: Workspace, code: str
) -> None:
    workspace.faults.add(method="chat.postMessage", kind="error", error=code, times=1)
    page = job("page", payload={"person": ANA, "reason": REASON})
    (ref,) = (await carry_out(desk, reader, page)).messages
    assert (ref.role, ref.person) == ("page", ANA)
    (sent,) = workspace.messages("ana")
    assert sent.text.startswith("P2 #42: daily_orders.load failed")
    assert "`/oncall ack` and the number" in sent.text
    assert sent.blocks == []
    assert await desk.places.posted(ref.channel, page.key, NOW) == (ref.channel, ref.ts)
    reader.put(incident().ack(BO, NOW, None))
    workspace.faults.add(method="chat.update", kind="error", error=code, times=1)
    await carry_out(desk, reader, job("show_page", payload={"person": ANA}))
    (edited,) = workspace.messages("ana")
    assert "Acknowledged by Bo." in edited.text
    assert edited.blocks == []


async def test_plain_text_that_slack_refuses_as_well_is_given_up(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    workspace.faults.add(method="chat.postMessage", kind="error", error="msg_too_long", times=2)
    with pytest.raises(GiveUpError, match="msg_too_long"):
        await carry_out(desk, reader, job("page", payload={"person": ANA, "reason": REASON}))
    assert [call.method for call in workspace.calls].count("chat.postMessage") == 2


@pytest.mark.parametrize("gone", ["archived", "deleted"])
async def test_a_channel_made_anew_under_its_name_gets_the_message_at_once(
    desk: Desk, reader: FakeReader, workspace: Workspace, gone: str
) -> None:
    old = workspace.conversation("data-alerts")
    assert await desk.places.channel("data-alerts") == old.id
    if gone == "archived":
        old.name, old.is_archived = "data-alerts-2025", True
    else:
        del workspace.channels[old.id]
    workspace.seed(channels=[{"name": "data-alerts"}])
    (ref,) = (await carry_out(desk, reader, job("show"))).messages
    assert ref.channel == workspace.conversation("data-alerts").id != old.id
    assert len(workspace.messages("data-alerts")) == 1


async def test_an_open_incident_follows_its_channel_that_was_made_anew(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    old = workspace.conversation("data-alerts")
    await carry_out(desk, reader, job("show"))
    old.is_archived = True
    with pytest.raises(GiveUpError, match=r"#data-alerts: .*archived"):
        await carry_out(desk, reader, job("show"))
    old.name = "data-alerts-2025"
    workspace.seed(channels=[{"name": "data-alerts"}])
    (ref,) = (await carry_out(desk, reader, job("show"))).messages
    assert ref.channel == workspace.conversation("data-alerts").id
    old.is_archived = False
    reader.put(incident().resolve(ANA, NOW))
    await carry_out(desk, reader, job("show"))
    assert "Resolved" in workspace.messages("data-alerts")[0].text


@pytest.mark.parametrize("paged_before", [True, False])
async def test_who_came_back_with_another_account_is_paged_there(
    desk: Desk, reader: FakeReader, workspace: Workspace, paged_before: bool
) -> None:
    page = {"person": CY, "reason": REASON}
    assert await desk.directory.user(CY) == "U0CY0001"
    if paged_before:
        await carry_out(desk, reader, job("page", "first", payload=page))
        workspace.faults.add(method="chat.postMessage", kind="error", error="channel_not_found")
    workspace.users["U0CY0001"].deleted = True
    workspace.users["U0CY0001"].email = ""
    workspace.add_user(name="cy2", real_name="Cy", email=CY, id="U0CYNEW1")
    (ref,) = (await carry_out(desk, reader, job("page", "second", payload=page))).messages
    assert ref.channel == workspace.dm("cy2").id
    assert desk.directory.key_of("U0CYNEW1") == CY
    assert desk.directory.key_of("U0CY0001") == "slack:U0CY0001"


class OneTask(NoTasks):
    """Holds what Cy has still to do."""

    async def task(self, task_id: str) -> Task | None:
        return Task(id=task_id, incident_id="i42", number=42, rule="tell", title="Tell them",
                    due_at=NOW, created_at=NOW, assignee=CY)  # fmt: skip


async def test_who_came_back_with_another_account_is_reminded_of_tasks_there(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    desk = replace(desk, tasks=OneTask())
    told = {"person": CY, "task": "t", "nudge": 1}
    await carry_out(desk, reader, job("nudge", "first", payload=told))
    workspace.faults.add(method="chat.postMessage", kind="error", error="channel_not_found")
    workspace.users["U0CY0001"].deleted = True
    workspace.users["U0CY0001"].email = ""
    workspace.add_user(name="cy2", real_name="Cy", email=CY, id="U0CYNEW1")
    await carry_out(desk, reader, job("nudge", "second", payload=told))
    assert len(workspace.messages("cy2")) == 1


async def test_who_left_for_good_is_given_up_with_what_to_do(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    for person, user in [(CY, "U0CY0001"), (ANA, "U0ANA001")]:
        assert await desk.directory.user(person) == user
        workspace.users[user].deleted = True
        page = job("page", person, payload={"person": person, "reason": REASON})
        with pytest.raises(GiveUpError, match="account is closed: take them off the roster"):
            await carry_out(desk, reader, page)


@pytest.mark.parametrize("code", ["restricted_action", "user_not_in_channel", "no_permission"])
async def test_what_cannot_be_said_in_the_channel_is_said_directly(
    desk: Desk, reader: FakeReader, workspace: Workspace, code: str
) -> None:
    workspace.faults.add(method="chat.postEphemeral", kind="error", error=code, times=2)
    channel = workspace.conversation("data-alerts").id
    told = {"answer_to": {"user": "U0ANA001", "channel": channel}, "text": "Done."}
    await carry_out(desk, reader, job("answer", payload=told))
    ana = Caller(user="U0ANA001", key=ANA, channel=channel, response_url=desk.workspace_url())
    await Intake(FakeInbox(), desk, Running()).whisper(ana, said(md("Please try again.")))
    assert [m.text for m in workspace.messages("ana")] == ["Done.", "Please try again."]


async def test_an_app_that_may_write_to_nobody_says_where_to_switch_it_on(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    workspace.faults.add(method="chat.postMessage", kind="error", error="messages_tab_disabled")
    with pytest.raises(GiveUpError, match=r"^Ana: .*switch the Messages tab on"):
        await carry_out(desk, reader, job("page", payload={"person": ANA, "reason": REASON}))


async def test_a_form_closed_before_it_was_filled_is_no_trouble(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    shown = loading(42)
    await desk.api.change_modal("V0CLOSED1", shown)
    workspace.faults.add(method="views.update", kind="error", error="no_permission")
    with pytest.raises(GiveUpError, match="install it again"):
        await desk.api.change_modal("V0CLOSED1", shown)
