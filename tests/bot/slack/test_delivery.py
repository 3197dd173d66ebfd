from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.ports.delivering import (
    Delivered,
    GiveUpError,
    LeaseLostError,
    MessageRef,
    RetryLaterError,
)
from bot.ports.jobs import Job, JobPriority
from bot.slack.api import SlackApi, new_session, web_client
from bot.slack.delivery import deliverers
from bot.slack.desk import Desk
from bot.wire import sentence_to_json
from bot.workspace.model import Message
from bot.workspace.state import Workspace
from rules.catalogue import Catalogue, Product
from rules.incident import Mutedness
from rules.sentence import Who, say
from tests.bot.slack.samples import ANA, BO, BOOK, CY, NOW, incident
from tests.fakes.clock import FakeClock
from tests.fakes.reader import FakeReader

REASON = sentence_to_json(say("step 1 of default"))


def job(kind: str, key: str = "", **fields: Any) -> Job:
    given: dict[str, Any] = {
        "id": "j1",
        "key": key or f"{kind}:i42",
        "kind": kind,
        "lane": "",
        "priority": JobPriority.PAGE,
        "payload": {},
        "incident_id": "i42",
        "due_at": NOW,
        "created_at": NOW,
        "first_attempt_at": NOW,
        "attempts": 1,
        "lease": 1,
        "leased_until": NOW,
        "revision": 1,
        "unsure": False,
    }
    return Job(**{**given, **fields})


async def carry_out(desk: Desk, reader: FakeReader, done: Job) -> Delivered:
    """Deliver, and keep the places as the store would."""
    delivered = await deliverers(desk)[done.kind].deliver(done)
    reader.placed[done.incident_id].extend(delivered.messages)
    return delivered


def in_channel(workspace: Workspace, channel: str = "data-alerts") -> list[Message]:
    return workspace.messages(channel)


async def test_an_incident_gets_one_message_that_is_edited(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    first = await carry_out(desk, reader, job("show"))
    (ref,) = first.messages
    (posted,) = in_channel(workspace)
    assert (ref.role, ref.ts, ref.key) == ("root", posted.ts, "show:i42")
    reader.put(incident().ack(BO, NOW, None))
    assert await carry_out(desk, reader, job("show")) == Delivered()
    (edited,) = in_channel(workspace)
    assert edited.text.endswith("Acknowledged by Bo.")
    assert edited.metadata == {"event_type": "watchbill", "event_payload": {"key": "show:i42"}}


async def test_a_silenced_incident_shows_nothing_until_it_matters(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    muted = incident().mute(Mutedness(NOW + timedelta(hours=1), BO, "work"))
    reader.put(muted.but(hidden=True))
    assert await carry_out(desk, reader, job("show")) == Delivered()
    assert in_channel(workspace) == []


async def test_what_somebody_took_while_it_was_silenced_is_shown(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    muted = incident().mute(Mutedness(NOW + timedelta(hours=1), BO, "work"))
    reader.put(muted.but(hidden=False))
    await carry_out(desk, reader, job("show"))
    assert len(in_channel(workspace)) == 1


async def test_a_page_is_a_direct_message_with_the_two_buttons(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    await carry_out(desk, reader, job("show"))
    page = job("page", "i42:0.0.0:ana", payload={"person": ANA, "reason": REASON})
    (ref,) = (await carry_out(desk, reader, page)).messages
    (message,) = workspace.messages("ana")
    assert (ref.role, ref.person, ref.key) == ("page", ANA, "i42:0.0.0:ana")
    assert ref.channel == workspace.dm("ana").id
    assert "Ack within 3 min or Bo is paged." in message.text
    row = next(b for b in message.blocks if b["type"] == "actions")
    assert [e["action_id"] for e in row["elements"]] == ["ack", "resolve", "overflow"]


async def test_people_are_found_by_mail_by_id_and_by_handle(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    for person, user in [(CY, "cy"), ("slack:U0DEE001", "dee")]:
        page = job("page", f"k:{person}", payload={"person": person, "reason": REASON})
        await carry_out(desk, reader, page)
        assert len(workspace.messages(user)) == 1
    assert desk.directory.key_of("U0CY0001") == CY


async def test_a_page_for_nobody_is_given_up_with_what_to_do(
    desk: Desk, reader: FakeReader
) -> None:
    page = job("page", payload={"person": "gone@example.com", "reason": REASON})
    for _ in range(2):
        with pytest.raises(GiveUpError, match=r"gone@example.com has no Slack account.*e-mail"):
            await carry_out(desk, reader, page)


@pytest.mark.parametrize("state", ["acked", "resolved", "muted"])
async def test_nobody_is_paged_for_what_is_taken_care_of(
    desk: Desk, reader: FakeReader, workspace: Workspace, state: str
) -> None:
    now = {
        "acked": incident().ack(BO, NOW, None),
        "resolved": incident().resolve(BO, NOW),
        "muted": incident().mute(Mutedness(NOW, BO, "work")),
    }[state]
    reader.put(now)
    page = job("page", payload={"person": ANA, "reason": REASON})
    assert await carry_out(desk, reader, page) == Delivered()
    assert workspace.messages("ana") == []
    forced = replace(page, payload={**page.payload, "force": True})
    await carry_out(desk, reader, forced)
    assert len(workspace.messages("ana")) == (0 if state == "resolved" else 1)


async def test_a_page_shows_what_became_of_it(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    await carry_out(desk, reader, job("page", payload={"person": ANA, "reason": REASON}))
    reader.put(incident().ack(BO, NOW, None))
    await carry_out(desk, reader, job("show_page", payload={"person": ANA}))
    (message,) = workspace.messages("ana")
    assert message.text.endswith("Acknowledged by Bo.")
    assert await carry_out(desk, reader, job("show_page", payload={"person": CY})) == Delivered()


@pytest.mark.parametrize("kind", ["show", "show_page"])
async def test_who_slept_puts_nothing_old_over_what_another_has_shown(
    desk: Desk, reader: FakeReader, workspace: Workspace, kind: str
) -> None:
    async def lost() -> bool:
        return False

    page = {"person": ANA, "reason": REASON}
    await carry_out(desk, reader, job("show"))
    await carry_out(desk, reader, job("page", payload=page))
    reader.put(incident().ack(BO, NOW, None))
    await carry_out(desk, reader, job(kind, payload=page))
    reader.put(incident())
    with pytest.raises(LeaseLostError):
        await carry_out(desk, reader, job(kind, payload=page, still_ours=lost))
    (message,) = workspace.messages("data-alerts" if kind == "show" else "ana")
    assert message.text.endswith("Acknowledged by Bo.")


async def test_notes_wait_for_the_message_they_hang_on(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    said = sentence_to_json(say("{who} took it <!here>.", who=Who(BO)))
    note = job("tell", payload={"sentence": said, "loud": True})
    with pytest.raises(RetryLaterError) as waits:
        await carry_out(desk, reader, note)
    assert waits.value.after is None, "the outbox waits longer each time"
    await carry_out(desk, reader, job("show"))
    await carry_out(desk, reader, note)
    root, reply = in_channel(workspace)
    assert (reply.thread_ts, reply.broadcast) == (root.ts, True)
    assert reply.text == "Bo took it &lt;!here&gt;.", "a sentence mentions nobody"


async def test_a_group_is_mentioned_and_another_channel_follows(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    await carry_out(desk, reader, job("show"))
    await carry_out(desk, reader, job("page_user_group", payload={"group": "@data-oncall"}))
    group = next(iter(workspace.groups))
    assert in_channel(workspace)[1].text.startswith(f"<!subteam^{group}>")
    (copy,) = (
        await carry_out(desk, reader, job("page_channel", payload={"channel": "#others"}))
    ).messages
    assert copy.role == "copy"
    reader.put(incident().resolve(ANA, NOW))
    await carry_out(desk, reader, job("show"))
    (there,) = in_channel(workspace, "others")
    assert there.text.endswith("Resolved by Ana.")


async def test_the_acker_is_asked_only_while_they_have_it(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    ask = job("ask_acker", payload={"person": ANA})
    assert await carry_out(desk, reader, ask) == Delivered()
    reader.put(incident().ack(ANA, NOW, None))
    await carry_out(desk, reader, ask)
    (message,) = workspace.messages("ana")
    assert message.text.startswith("Still on #42?")


@pytest.mark.parametrize("kind", ["timeout_after_commit", "drop_after_commit"])
@pytest.mark.parametrize("what", ["show", "page", "tell"])
async def test_a_post_without_an_answer_is_looked_up_before_it_is_repeated(
    desk: Desk, reader: FakeReader, workspace: Workspace, clock: FakeClock, kind: Any, what: str,
    running: Any,
) -> None:  # fmt: skip
    where = "ana" if what == "page" else "data-alerts"
    if what == "tell":
        await carry_out(desk, reader, job("show"))
    payload = {"person": ANA, "reason": REASON, "sentence": sentence_to_json(say("Hello."))}
    sent = job(what, "the-key", payload=payload)
    workspace.faults.add(method="chat.postMessage", kind=kind)
    before = len(workspace.messages(where))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.3)) as session:
        client = web_client(workspace.bot_token, running.api_url, session)
        hasty = replace(desk, api=SlackApi(client))
        with pytest.raises(RetryLaterError) as lost:
            await carry_out(hasty, reader, sent)
    assert lost.value.unsure
    clock.advance(seconds=30)
    found = await carry_out(desk, reader, replace(sent, unsure=True, attempts=2))
    assert len(workspace.messages(where)) == before + 1
    assert found.messages[0].ts == workspace.messages(where)[-1].ts


async def test_an_earlier_post_that_is_found_says_what_is_true_now(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    workspace.faults.add(method="chat.postMessage", kind="drop_after_commit")
    with pytest.raises(RetryLaterError):
        await carry_out(desk, reader, job("show"))
    reader.put(incident().ack(BO, NOW, None))
    await carry_out(desk, reader, job("show", unsure=True))
    (message,) = in_channel(workspace)
    assert message.text.endswith("Acknowledged by Bo.")


async def test_a_checklist_whose_answer_was_lost_is_found_once_it_has_ended_and_stays_the_one(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    await carry_out(desk, reader, job("show"))
    workspace.faults.add(method="chat.postMessage", kind="drop_after_commit")
    with pytest.raises(RetryLaterError):
        await carry_out(desk, reader, job("runbook"))
    reader.put(incident().resolve(BO, NOW))
    await carry_out(desk, reader, job("runbook", unsure=True))
    reader.put(incident().resolve(BO, NOW).trigger())
    await carry_out(desk, reader, job("runbook"))
    assert len(in_channel(workspace)) == 2


async def test_an_unsure_post_that_never_arrived_goes_out(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    workspace.say("bo", "data-alerts", "anything new?")
    await carry_out(desk, reader, job("show", unsure=True))
    assert len(in_channel(workspace)) == 2


async def test_being_told_to_wait_carries_the_time(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    workspace.faults.add(method="chat.postMessage", kind="ratelimited", retry_after=17)
    with pytest.raises(RetryLaterError) as wait:
        await carry_out(desk, reader, job("show"))
    assert (wait.value.after, wait.value.throttled) == (timedelta(seconds=17), True)
    assert not wait.value.unsure


@pytest.mark.parametrize("kind", ["http_500", "http_502", "http_503", "http_504", "html"])
async def test_slacks_own_trouble_is_unsure_for_posts_and_not_for_edits(
    desk: Desk, reader: FakeReader, workspace: Workspace, kind: Any
) -> None:
    workspace.faults.add(method="chat.postMessage", kind=kind)
    with pytest.raises(RetryLaterError) as posting:
        await carry_out(desk, reader, job("show"))
    assert posting.value.unsure
    await carry_out(desk, reader, job("show", unsure=True))
    assert len(in_channel(workspace)) == 1
    workspace.faults.add(method="chat.update", kind=kind)
    with pytest.raises(RetryLaterError) as editing:
        await carry_out(desk, reader, job("show"))
    assert not editing.value.unsure


@pytest.mark.parametrize(
    "code", ["invalid_auth", "token_revoked", "account_inactive", "token_expired", "not_authed"]
)
async def test_a_bad_token_is_tried_again_later_and_says_what_to_do(
    desk: Desk, reader: FakeReader, workspace: Workspace, code: str
) -> None:
    workspace.faults.add(method="chat.postMessage", kind="error", error=code)
    with pytest.raises(RetryLaterError, match=code) as wait:
        await carry_out(desk, reader, job("show"))
    assert wait.value.after == timedelta(minutes=1)
    assert wait.value.ours
    assert not wait.value.unsure


async def test_a_channel_we_cannot_reach_says_how_to_invite_us(
    desk: Desk, reader: FakeReader
) -> None:
    for name in ("secret", "missing"):
        reader.put(replace(incident(), channel=name))
        with pytest.raises(GiveUpError, match=rf"#{name}.*/invite @Watchbill"):
            await carry_out(desk, reader, job("show"))


async def test_a_channel_that_only_the_catalogue_names_is_not_the_last_word(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    orders = Product(id="orders", name="Orders", channel="#missing")
    desk = replace(desk, rulebook=lambda: replace(BOOK, catalogue=Catalogue([orders])))
    reader.put(replace(incident(), channel="missing", product="orders"))
    await carry_out(desk, reader, job("show"))
    assert len(in_channel(workspace)) == 1
    reader.put(replace(incident(), channel="missing", product="users"))
    reader.placed["i42"].clear()
    with pytest.raises(GiveUpError, match=r"#missing.*/invite @Watchbill"):
        await carry_out(desk, reader, job("show"))


async def test_an_archived_channel_is_given_up(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    await desk.places.channel("data-alerts")
    workspace.conversation("data-alerts").is_archived = True
    with pytest.raises(GiveUpError, match=r"#data-alerts: .*archived"):
        await carry_out(desk, reader, job("show"))


async def test_a_public_channel_is_entered_when_needed(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    workspace.conversation("data-alerts").members.remove(workspace.bot_user_id)
    workspace.scopes.discard("chat:write.public")
    await carry_out(desk, reader, job("show"))
    assert len(in_channel(workspace)) == 1


async def test_a_deleted_message_is_posted_again_while_the_incident_is_open(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    gone = MessageRef("root", workspace.conversation("data-alerts").id, "1700000000.000100")
    reader.placed["i42"].append(gone)
    await carry_out(desk, reader, job("show"))
    assert [m.role for m in reader.placed["i42"]] == ["root", "root"]
    reader.put(incident().resolve(ANA, NOW))
    reader.placed["i42"].append(gone)
    assert await carry_out(desk, reader, job("show")) == Delivered()
    assert len(in_channel(workspace)) == 1


async def test_slack_out_of_reach_is_tried_again_and_never_unsure(
    desk: Desk, reader: FakeReader, unused_tcp_port: int
) -> None:
    async with new_session() as session:
        away = web_client("xoxb-1", f"http://127.0.0.1:{unused_tcp_port}/api/", session)
        lost = replace(desk, api=SlackApi(away))
        channel = await desk.places.channel("data-alerts")
        assert channel
        with pytest.raises(RetryLaterError) as refused:
            await carry_out(lost, reader, job("show"))
    assert not refused.value.unsure


def _answer(desk: Desk, **to: str) -> Job:
    said = sentence_to_json(say("{who} has #42 already.", who=Who(BO)))
    payload = {"answer_to": {"user": "U0ANA001", **to}, "sentence": said}
    return job("answer", "answer:d1", payload=payload)


async def test_an_answer_uses_the_response_url(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    channel = workspace.conversation("data-alerts").id
    url = workspace.new_response_url("U0ANA001", channel)
    await carry_out(desk, reader, _answer(desk, channel=channel, response_url=url))
    (seen,) = workspace.messages("data-alerts", viewer="ana")
    assert (seen.text, seen.only_for) == ("Bo has #42 already.", "U0ANA001")


async def test_a_used_up_response_url_falls_back_to_a_whisper_then_to_a_message(
    desk: Desk, reader: FakeReader, workspace: Workspace, running: Any
) -> None:
    channel = workspace.conversation("data-alerts").id
    dead = f"{running.url}/response/none"
    await carry_out(desk, reader, _answer(desk, channel=channel, response_url=dead))
    (seen,) = workspace.messages("data-alerts", viewer="ana")
    assert seen.only_for == "U0ANA001"
    workspace.conversation("data-alerts").members.remove("U0ANA001")
    await carry_out(desk, reader, _answer(desk, channel=channel, response_url="file:///etc"))
    assert [m.text for m in workspace.messages("ana")] == ["Bo has #42 already."]


async def test_home_shows_shifts_and_incidents(
    desk: Desk, reader: FakeReader, workspace: Workspace
) -> None:
    reader.put(incident().ack(ANA, NOW, None))
    await carry_out(desk, reader, job("home", payload={"user": "U0ANA001"}, incident_id=""))
    shown = str(workspace.homes["U0ANA001"].payload["blocks"])
    assert "primary: Ana until" in shown
    assert "*P2 #42* daily_orders.load failed (acknowledged, Ana" in shown
