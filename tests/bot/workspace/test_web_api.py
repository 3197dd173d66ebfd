"""The Web API as the real slack-sdk sees it."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.server import RunningWorkspace
from bot.workspace.state import Workspace
from tests.bot.workspace.conftest import client_of

HOME = {"type": "home", "blocks": [{"type": "divider"}]}
MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Hi"},
    "blocks": [{"type": "divider"}],
}


async def refused(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


async def test_the_client_learns_who_it_is_and_what_it_may(client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["user_id"], answer["bot_id"]) == ("U0BOT", "B0LOCAL")
    assert "chat:write" in answer.headers["x-oauth-scopes"]


async def test_a_message_is_posted_edited_and_deleted(
    client: AsyncWebClient, workspace: Workspace
) -> None:
    posted = await client.chat_postMessage(channel="#data-alerts", text="one")
    channel, ts = posted["channel"], posted["ts"]
    await client.chat_update(channel=channel, ts=ts, text="two")
    message = workspace.message("data-alerts", ts)
    assert (message.text, bool(message.edited)) == ("two", True)
    await client.chat_delete(channel=channel, ts=ts)
    assert workspace.messages("data-alerts") == []
    assert (
        await refused(client.chat_update(channel=channel, ts=ts, text="x")) == "message_not_found"
    )


async def test_history_returns_metadata_only_when_asked(client: AsyncWebClient) -> None:
    metadata = {"event_type": "incident", "event_payload": {"key": "42"}}
    posted = await client.chat_postMessage(channel="data-alerts", text="a", metadata=metadata)
    channel = posted["channel"]
    quiet = await client.conversations_history(channel=channel)
    assert "metadata" not in quiet["messages"][0]
    full = await client.conversations_history(channel=channel, include_all_metadata=True)
    assert full["messages"][0]["metadata"] == metadata
    await client.chat_update(channel=channel, ts=posted["ts"], text="b")
    kept = await client.conversations_history(channel=channel, include_all_metadata=True)
    assert kept["messages"][0]["metadata"] == metadata
    await client.chat_update(channel=channel, ts=posted["ts"], text="b", metadata={})
    gone = await client.conversations_history(channel=channel, include_all_metadata=True)
    assert "metadata" not in gone["messages"][0]


async def test_history_is_newest_first_in_pages_and_between_times(client: AsyncWebClient) -> None:
    sent = [await client.chat_postMessage(channel="data-alerts", text=str(i)) for i in range(5)]
    channel = sent[0]["channel"]
    first = await client.conversations_history(channel=channel, limit=2)
    cursor = first["response_metadata"]["next_cursor"]
    second = await client.conversations_history(channel=channel, limit=2, cursor=cursor)
    texts = [m["text"] for m in first["messages"] + second["messages"]]
    assert texts == ["4", "3", "2", "1"]
    assert first["has_more"]
    later = await client.conversations_history(channel=channel, oldest=sent[2]["ts"])
    assert [m["text"] for m in later["messages"]] == ["4", "3"]
    whole = await client.conversations_history(
        channel=channel, oldest=sent[2]["ts"], latest=sent[3]["ts"], inclusive=True
    )
    assert [m["text"] for m in whole["messages"]] == ["3", "2"]


async def test_replies_stay_in_their_thread(client: AsyncWebClient) -> None:
    root = await client.chat_postMessage(channel="data-alerts", text="root")
    channel, ts = root["channel"], root["ts"]
    await client.chat_postMessage(channel=channel, text="reply", thread_ts=ts)
    replies = await client.conversations_replies(channel=channel, ts=ts)
    assert [m["text"] for m in replies["messages"]] == ["root", "reply"]
    assert replies["messages"][0]["reply_count"] == 1
    history = await client.conversations_history(channel=channel)
    assert [m["text"] for m in history["messages"]] == ["root"]
    missing = client.chat_postMessage(channel=channel, text="x", thread_ts="1.000000")
    assert await refused(missing) == "thread_not_found"


async def test_refusals_carry_slacks_words(client: AsyncWebClient, workspace: Workspace) -> None:
    post = client.chat_postMessage
    assert await refused(post(channel="nowhere", text="x")) == "channel_not_found"
    assert await refused(post(channel="secret", text="x")) == "channel_not_found"
    bare = {"channel": "data-alerts"}
    assert await refused(client.api_call("chat.postMessage", json=bare)) == "no_text"
    assert await refused(post(channel="data-alerts", text="x" * 40_001)) == "msg_too_long"
    many = [{"text": "x", "fallback": "x"}] * 101
    assert await refused(post(channel="data-alerts", attachments=many)) == "too_many_attachments"
    assert await refused(client.api_call("chat.fly")) == "unknown_method"
    assert await refused(client.users_info(user="U404")) == "user_not_found"
    assert await refused(client.users_lookupByEmail(email="x@example.com")) == "users_not_found"
    workspace.conversation("data-alerts").is_archived = True
    assert await refused(post(channel="data-alerts", text="x")) == "is_archived"


async def test_faulty_blocks_are_pointed_at(client: AsyncWebClient) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="data-alerts", text="x", blocks=blocks)
    answer = caught.value.response
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


async def test_tokens_and_scopes_are_checked(
    running: RunningWorkspace, client: AsyncWebClient, workspace: Workspace
) -> None:
    nobody = AsyncWebClient(base_url=running.api_url, retry_handlers=[])
    assert await refused(nobody.auth_test()) == "not_authed"
    wrong = AsyncWebClient(token="xoxb-wrong", base_url=running.api_url, retry_handlers=[])
    assert await refused(wrong.auth_test()) == "invalid_auth"
    assert await refused(client.apps_connections_open(app_token=workspace.bot_token)) == (
        "not_allowed_token_type"
    )
    workspace.scopes.discard("team:read")
    with pytest.raises(SlackApiError) as caught:
        await client.team_info()
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "team:read"


async def test_a_bot_outside_a_channel_cannot_read_it(
    client: AsyncWebClient, workspace: Workspace
) -> None:
    channel = workspace.add_channel(name="quiet", members=["ana"])
    assert await refused(client.conversations_history(channel=channel.id)) == "not_in_channel"
    workspace.scopes.discard("chat:write.public")
    assert await refused(client.chat_postMessage(channel="quiet", text="x")) == "not_in_channel"
    await client.conversations_join(channel=channel.id)
    await client.chat_postMessage(channel="quiet", text="x")
    assert (await client.conversations_members(channel=channel.id))["members"][-1] == "U0BOT"


async def test_direct_messages_are_opened_once(
    client: AsyncWebClient, workspace: Workspace
) -> None:
    ana = workspace.person("ana")
    opened = await client.conversations_open(users=ana.id)
    again = await client.conversations_open(users=[ana.id])
    assert opened["channel"]["id"] == again["channel"]["id"]
    await client.chat_postMessage(channel=ana.id, text="page")
    assert [m.text for m in workspace.messages("ana")] == ["page"]
    assert workspace.unread[ana.id] == {opened["channel"]["id"]: 1}


async def test_a_user_group_never_becomes_empty(
    client: AsyncWebClient, workspace: Workspace
) -> None:
    group = (await client.usergroups_list(include_users=True))["usergroups"][0]
    bo = workspace.person("bo").id
    await client.usergroups_users_update(usergroup=group["id"], users=[bo])
    assert (await client.usergroups_users_list(usergroup=group["id"]))["users"] == [bo]
    empty = client.usergroups_users_update(usergroup=group["id"], users=[])
    assert await refused(empty) == "no_users_provided"
    bots = client.usergroups_users_update(usergroup=group["id"], users=["U0BOT"])
    assert await refused(bots) == "invalid_users"


async def test_a_trigger_works_once_and_for_three_seconds(
    client: AsyncWebClient, workspace: Workspace
) -> None:
    now = [0.0]
    workspace.stopwatch = lambda: now[0]
    ana = workspace.person("ana").id
    trigger = workspace.new_trigger(ana)
    await client.views_open(trigger_id=trigger, view=MODAL)
    again = client.views_open(trigger_id=trigger, view=MODAL)
    assert await refused(again) == "exchanged_trigger_id"
    late = workspace.new_trigger(ana)
    now[0] = 3.1
    assert await refused(client.views_open(trigger_id=late, view=MODAL)) == "expired_trigger_id"
    top = workspace.top_view(ana)
    assert top is not None
    assert top.payload["title"]["text"] == "Hi"


async def test_modals_stack_three_deep(client: AsyncWebClient, workspace: Workspace) -> None:
    ana = workspace.person("ana").id
    await client.views_open(trigger_id=workspace.new_trigger(ana), view=MODAL)
    for _ in range(2):
        await client.views_push(trigger_id=workspace.new_trigger(ana), view=MODAL)
    deeper = client.views_push(trigger_id=workspace.new_trigger(ana), view=MODAL)
    assert await refused(deeper) == "push_limit_reached"


async def test_a_stale_hash_conflicts(client: AsyncWebClient, workspace: Workspace) -> None:
    ana = workspace.person("ana").id
    first = await client.views_publish(user_id=ana, view=HOME)
    old = first["view"]["hash"]
    await client.views_publish(user_id=ana, view=HOME, hash=old)
    stale = client.views_publish(user_id=ana, view=HOME, hash=old)
    assert await refused(stale) == "hash_conflict"
    broken = {"type": "home", "blocks": [{"type": "nonsense"}]}
    assert await refused(client.views_publish(user_id=ana, view=broken)) == "invalid_arguments"
    gone = client.views_update(view_id="V404", view=MODAL)
    assert await refused(gone) == "not_found"


async def test_reactions_pins_bookmarks_topics_and_links(
    client: AsyncWebClient, workspace: Workspace
) -> None:
    posted = await client.chat_postMessage(channel="data-alerts", text="x")
    channel, ts = posted["channel"], posted["ts"]
    await client.reactions_add(channel=channel, timestamp=ts, name="eyes")
    twice = client.reactions_add(channel=channel, timestamp=ts, name="eyes")
    assert await refused(twice) == "already_reacted"
    await client.pins_add(channel=channel, timestamp=ts)
    await client.conversations_setTopic(channel=channel, topic="quiet")
    link = "https://example.com"
    made = await client.bookmarks_add(channel_id=channel, title="Runbook", type="link", link=link)
    await client.bookmarks_edit(
        channel_id=channel, bookmark_id=made["bookmark"]["id"], title="Runbook 2"
    )
    listed = await client.bookmarks_list(channel_id=channel)
    assert [b["title"] for b in listed["bookmarks"]] == ["Runbook 2"]
    place = workspace.conversation("data-alerts")
    assert (place.topic, place.messages[ts].pinned) == ("quiet", True)
    permalink = (await client.chat_getPermalink(channel=channel, message_ts=ts))["permalink"]
    assert permalink.endswith(f"/archives/{channel}/p{ts.replace('.', '')}")


async def test_a_file_is_uploaded_as_a_message(
    client: AsyncWebClient, workspace: Workspace
) -> None:
    await client.files_upload_v2(
        channel=workspace.conversation("data-alerts").id,
        filename="timeline.txt",
        content="07:02 alert",
        initial_comment="The timeline",
    )
    [message] = workspace.messages("data-alerts")
    assert message.text == "The timeline"
    assert message.files[0]["size"] == len("07:02 alert")


async def test_concurrent_posts_have_increasing_stamps(running: RunningWorkspace) -> None:
    client = client_of(running)
    sent = [
        (await client.chat_postMessage(channel="data-alerts", text="x"))["ts"] for _ in range(20)
    ]
    assert sent == sorted(set(sent))


async def test_an_edit_replaces_what_it_names(client: AsyncWebClient, workspace: Workspace) -> None:
    blocks = [{"type": "divider"}]
    sent = await client.chat_postMessage(channel="data-alerts", text="a", blocks=blocks)
    channel, ts = sent["channel"], sent["ts"]
    message = workspace.message(channel, ts)
    await client.chat_update(channel=channel, ts=ts, text="b", blocks=blocks)
    assert (message.text, len(message.blocks), message.edited) == ("b", 1, None)
    await client.chat_update(channel=channel, ts=ts, text="c")
    assert (message.text, message.blocks, bool(message.edited)) == ("c", [], True)
    by_name = client.chat_update(channel="data-alerts", ts=ts, text="d")
    assert await refused(by_name) == "channel_not_found"


async def test_user_groups_need_a_paid_plan_and_permission(
    client: AsyncWebClient, workspace: Workspace, running: RunningWorkspace
) -> None:
    group, ana = next(iter(workspace.groups)), workspace.person("ana").id
    workspace.bot_may_edit_groups = False
    for write in (
        client.usergroups_users_update(usergroup=group, users=[ana]),
        client.usergroups_create(name="Other"),
        client.usergroups_disable(usergroup=group),
    ):
        assert await refused(write) == "permission_denied"
    assert (await client.usergroups_list())["ok"]
    person = AsyncWebClient(token=workspace.user_token, base_url=running.api_url, retry_handlers=[])
    assert (await person.usergroups_users_update(usergroup=group, users=[ana]))["ok"]
    workspace.paid_plan = False
    assert await refused(client.usergroups_list()) == "paid_teams_only"
    assert (
        await refused(person.usergroups_users_update(usergroup=group, users=[ana]))
        == "paid_teams_only"
    )


async def test_bookmarks_are_removed_and_limited(
    client: AsyncWebClient, workspace: Workspace
) -> None:
    channel = workspace.conversation("data-alerts").id
    made = await client.bookmarks_add(
        channel_id=channel, title="Runbook", type="link", link="https://x.example"
    )
    one = made["bookmark"]["id"]
    assert (
        await refused(client.bookmarks_edit(channel_id=channel, bookmark_id=one, title="x" * 256))
        == "invalid_arguments"
    )
    await client.bookmarks_remove(channel_id=channel, bookmark_id=one)
    assert (
        await refused(client.bookmarks_remove(channel_id=channel, bookmark_id=one)) == "not_found"
    )
    assert workspace.channels[channel].bookmarks == []
    workspace.channels[channel].bookmarks = [{"id": str(n)} for n in range(100)]
    assert (
        await refused(
            client.bookmarks_add(
                channel_id=channel, title="T", type="link", link="https://x.example"
            )
        )
        == "too_many_bookmarks"
    )
