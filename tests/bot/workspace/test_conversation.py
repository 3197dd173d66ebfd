"""What people do reaches a real Bolt app, and what it answers reaches them."""

import asyncio
from functools import partial
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.workspace.errors import ActionRefusedError
from bot.workspace.link import Ack
from bot.workspace.model import Json
from bot.workspace.state import Workspace
from tests.bot.workspace.conftest import seeded
from tests.fakes.clock import FakeClock


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


BUTTONS: Json = {
    "type": "actions",
    "block_id": "buttons",
    "elements": [
        {"type": "button", "action_id": "ack", "value": "42", "text": plain("Acknowledge")},
        {
            "type": "overflow",
            "action_id": "more",
            "options": [{"text": plain(t), "value": t} for t in ("snooze", "escalate")],
        },
        {"type": "users_select", "action_id": "assign"},
    ],
}
MODAL: Json = {
    "type": "modal",
    "callback_id": "snooze",
    "private_metadata": "42",
    "notify_on_close": True,
    "title": plain("Snooze"),
    "submit": plain("Snooze"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Why"),
            "element": {"type": "plain_text_input", "action_id": "text", "min_length": 3},
        },
        {
            "type": "input",
            "block_id": "long",
            "label": plain("How long"),
            "element": {
                "type": "static_select",
                "action_id": "pick",
                "options": [{"text": plain(t), "value": t} for t in ("1h", "2h")],
                "initial_option": {"text": plain("1h"), "value": "1h"},
            },
        },
    ],
}


async def post(client: AsyncWebClient) -> str:
    sent = await client.chat_postMessage(channel="data-alerts", text="broken", blocks=[BUTTONS])
    return sent["ts"]


async def test_a_click_is_acknowledged_and_updates_the_message(
    app: AsyncApp, bolt: AsyncSocketModeHandler, client: AsyncWebClient, workspace: Workspace
) -> None:
    seen: list[dict] = []

    @app.action("ack")
    async def on_ack(ack, body, client) -> None:
        await ack()
        seen.append(body)
        channel, ts = body["channel"]["id"], body["message"]["ts"]
        await client.chat_update(channel=channel, ts=ts, text="taken by ana")

    ts = await post(client)
    outcome = await workspace.click("ana", "data-alerts", ts, "ack")
    assert outcome.acked
    message = workspace.message("data-alerts", ts)
    await workspace.until(lambda: message.edited)
    assert (message.text, message.blocks) == ("taken by ana", [])
    assert seen[0]["user"]["id"] == workspace.person("ana").id
    assert seen[0]["actions"][0]["value"] == "42"
    assert seen[0]["container"]["message_ts"] == ts


async def test_menus_send_what_was_chosen(
    app: AsyncApp, bolt: AsyncSocketModeHandler, client: AsyncWebClient, workspace: Workspace
) -> None:
    seen: list[dict] = []

    @app.action("more")
    @app.action("assign")
    async def on_choice(ack, body) -> None:
        await ack()
        seen.append(body)

    ts, bo = await post(client), workspace.person("bo").id
    await workspace.select_overflow("ana", "data-alerts", ts, "more", "escalate")
    await workspace.click("ana", "data-alerts", ts, "assign", bo)
    assert seen[0]["actions"][0]["selected_option"]["value"] == "escalate"
    assert seen[1]["actions"][0]["selected_user"] == bo
    assert seen[1]["state"]["values"]["buttons"]["assign"]["selected_user"] == bo
    with pytest.raises(ActionRefusedError):
        await workspace.click("ana", "data-alerts", ts, "more", "reboot")
    with pytest.raises(ActionRefusedError):
        await workspace.click("ana", "data-alerts", ts, "gone")


async def test_a_click_that_nobody_answers_shows_an_error(
    bolt: AsyncSocketModeHandler, client: AsyncWebClient, workspace: Workspace
) -> None:
    workspace.ack_seconds = 0.2
    ts = await post(client)
    outcome = await workspace.click("ana", "data-alerts", ts, "ack")
    assert not outcome.acked
    assert outcome.error is not None
    assert "did not answer" in outcome.error


async def test_a_page_in_a_direct_message_is_clicked_inside_an_attachment(
    app: AsyncApp, bolt: AsyncSocketModeHandler, client: AsyncWebClient, workspace: Workspace
) -> None:
    seen: list[dict] = []

    @app.action("ack")
    async def on_ack(ack, body) -> None:
        await ack()
        seen.append(body)

    bare = {**BUTTONS, "elements": BUTTONS["elements"][:1]}
    del bare["block_id"]
    sent = await client.chat_postMessage(
        channel=workspace.person("ana").id,
        text="page",
        attachments=[{"fallback": "page", "blocks": [bare]}],
    )
    assert (await workspace.click("ana", "ana", sent["ts"], "ack")).acked
    assert seen[0]["channel"] == {"id": workspace.dm("ana").id, "name": "directmessage"}


async def test_without_a_connection_everything_fails_at_once(workspace: Workspace) -> None:
    outcome = await workspace.command("ana", "data-alerts", "/oncall who")
    assert outcome.error == "/oncall failed with the error “dispatch_failed”."
    message = workspace.say("ana", "data-alerts", "hi")
    shortcut = await workspace.shortcut("ana", "create", message)
    assert shortcut.error == "The app is not connected. Is it running?"


async def open_modal(
    app: AsyncApp, workspace: Workspace, client: AsyncWebClient, view: Json
) -> str:
    @app.action("ack")
    async def on_ack(ack, body, client) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    await workspace.click("ana", "data-alerts", await post(client), "ack")
    ana = workspace.person("ana").id
    shown = await workspace.until(lambda: workspace.top_view(ana))
    return shown.id


async def test_a_modal_is_filled_in_refused_and_taken(
    app: AsyncApp, bolt: AsyncSocketModeHandler, client: AsyncWebClient, workspace: Workspace
) -> None:
    seen: list[dict] = []

    @app.view("snooze")
    async def on_submit(ack, body) -> None:
        seen.append(body)
        text = body["view"]["state"]["values"]["why"]["text"]["value"]
        if text == "nope":
            await ack(response_action="errors", errors={"why": "Say why."})
        else:
            await ack()

    view_id = await open_modal(app, workspace, client, MODAL)
    early = await workspace.submit(view_id, {})
    assert early.field_errors == {"why": "Please complete this required field."}
    short = await workspace.submit(view_id, {"text": "a"})
    assert short.field_errors == {"why": "Please use at least 3 characters."}
    assert seen == []
    refused = await workspace.submit(view_id, {"text": "nope"})
    assert refused.field_errors == {"why": "Say why."}
    taken = await workspace.submit(view_id, {"why": {"text": "vendor"}, "long": {"pick": "2h"}})
    assert taken.acked
    assert workspace.top_view(workspace.person("ana").id) is None
    values = seen[-1]["view"]["state"]["values"]
    assert values["long"]["pick"]["selected_option"]["value"] == "2h"
    assert seen[-1]["view"]["private_metadata"] == "42"


@pytest.mark.parametrize(("action", "depth"), [("update", 1), ("push", 2), ("clear", 0)])
async def test_a_submission_can_change_the_stack(
    app: AsyncApp,
    bolt: AsyncSocketModeHandler,
    client: AsyncWebClient,
    workspace: Workspace,
    action: str,
    depth: int,
) -> None:
    after = {"type": "modal", "title": plain("Done"), "blocks": [{"type": "divider"}]}

    @app.view("snooze")
    async def on_submit(ack) -> None:
        view = {} if action == "clear" else {"view": after}
        await ack(response_action=action, **view)

    view_id = await open_modal(app, workspace, client, MODAL)
    outcome = await workspace.submit(view_id, {"text": "vendor"})
    assert outcome.error is None
    ana = workspace.person("ana").id
    assert len(workspace.stacks.get(ana, [])) == depth
    top = workspace.top_view(ana)
    assert top is None or top.payload["title"]["text"] == "Done"


async def test_a_faulty_view_in_an_answer_is_shown_as_trouble(
    app: AsyncApp, bolt: AsyncSocketModeHandler, client: AsyncWebClient, workspace: Workspace
) -> None:
    @app.view("snooze")
    async def on_submit(ack) -> None:
        await ack({"response_action": "update", "view": {"type": "modal", "blocks": []}})

    view_id = await open_modal(app, workspace, client, MODAL)
    outcome = await workspace.submit(view_id, {"text": "vendor"})
    assert outcome.error is not None
    assert "json-pointer:/view/title" in outcome.error


async def test_closing_a_modal_is_told(
    app: AsyncApp, bolt: AsyncSocketModeHandler, client: AsyncWebClient, workspace: Workspace
) -> None:
    seen: list[dict] = []

    @app.view_closed("snooze")
    async def on_close(ack, body) -> None:
        await ack()
        seen.append(body)

    view_id = await open_modal(app, workspace, client, MODAL)
    await workspace.close_view(view_id)
    assert seen[0]["view"]["id"] == view_id
    assert workspace.top_view(workspace.person("ana").id) is None


async def test_a_command_is_answered_to_its_author_alone(
    app: AsyncApp, bolt: AsyncSocketModeHandler, workspace: Workspace
) -> None:
    seen: list[dict] = []

    @app.command("/oncall")
    async def on_command(ack, command) -> None:
        seen.append(command)
        await ack("It is you.")

    await workspace.command("ana", "data-alerts", "/oncall page @bo in #data-alerts")
    bo, channel = workspace.person("bo"), workspace.conversation("data-alerts")
    assert seen[0]["text"] == f"page <@{bo.id}|bo> in <#{channel.id}|data-alerts>"
    assert [m.text for m in workspace.messages("data-alerts", viewer="ana")] == ["It is you."]
    assert workspace.messages("data-alerts", viewer="bo") == []


async def test_a_response_url_answers_five_times(
    app: AsyncApp, bolt: AsyncSocketModeHandler, workspace: Workspace
) -> None:
    urls: list[str] = []

    @app.command("/oncall")
    async def on_command(ack, command, respond) -> None:
        await ack()
        urls.append(command["response_url"])
        await respond("for all", response_type="in_channel")

    await workspace.command("ana", "data-alerts", "/oncall")
    await workspace.until(lambda: workspace.messages("data-alerts"))
    hook = AsyncWebhookClient(urls[0])
    answers = [(await hook.send(text="again")).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 404]


async def test_an_ephemeral_message_is_replaced_and_deleted(
    app: AsyncApp, bolt: AsyncSocketModeHandler, client: AsyncWebClient, workspace: Workspace
) -> None:
    @app.action("ack")
    async def on_ack(ack, body, respond) -> None:
        await ack()
        if body["actions"][0]["value"] == "42":
            again = {**BUTTONS["elements"][0], "value": "43"}
            blocks = [{"type": "actions", "elements": [again]}]
            await respond(text="sure?", blocks=blocks, replace_original=True)
        else:
            await respond(delete_original=True)

    ana = workspace.person("ana").id
    sent = await client.chat_postEphemeral(
        channel="data-alerts", user=ana, text="really?", blocks=[BUTTONS]
    )
    ts = sent["message_ts"]
    await workspace.click("ana", "data-alerts", ts, "ack")
    message = workspace.message("data-alerts", ts)
    await workspace.until(lambda: message.text == "sure?")
    await workspace.click("ana", "data-alerts", ts, "ack")
    await workspace.until(lambda: not workspace.messages("data-alerts", viewer="ana"))


async def test_the_home_is_published_when_it_is_opened_and_clicked(
    app: AsyncApp, bolt: AsyncSocketModeHandler, workspace: Workspace
) -> None:
    seen: list[dict] = []

    @app.event("app_home_opened")
    async def on_home(event, client) -> None:
        await client.views_publish(
            user_id=event["user"], view={"type": "home", "blocks": [BUTTONS]}
        )

    @app.action("ack")
    async def on_ack(ack, body) -> None:
        await ack()
        seen.append(body)

    ana = workspace.person("ana").id
    await workspace.open_home("ana")
    home = await workspace.until(lambda: workspace.homes.get(ana))
    await workspace.click_view(home.id, "ack")
    assert seen[0]["container"] == {"type": "view", "view_id": home.id}
    assert seen[0]["view"]["type"] == "home"


async def test_a_message_shortcut_carries_the_message(
    app: AsyncApp, bolt: AsyncSocketModeHandler, workspace: Workspace
) -> None:
    seen: list[dict] = []

    @app.shortcut("journal")
    async def on_shortcut(ack, shortcut) -> None:
        await ack()
        seen.append(shortcut)

    message = workspace.say("bo", "data-alerts", "We turned it off and on.")
    assert (await workspace.shortcut("ana", "journal", message)).acked
    assert (await workspace.shortcut("ana", "journal")).acked
    assert seen[0]["type"] == "message_action"
    assert seen[0]["message"]["text"] == "We turned it off and on."
    assert seen[1]["type"] == "shortcut"


async def test_mentions_and_direct_messages_are_events(
    app: AsyncApp, bolt: AsyncSocketModeHandler, workspace: Workspace
) -> None:
    seen: list[tuple[str, str]] = []
    done = asyncio.Event()

    @app.event("app_mention")
    @app.event("message")
    async def on_event(event) -> None:
        seen.append((event["type"], event["text"]))
        if len(seen) == 2:
            done.set()

    workspace.say("ana", "data-alerts", "nobody is told")
    workspace.say("ana", "data-alerts", "<@U0BOT> who")
    workspace.say("ana", "@watchbill", "hello")
    async with asyncio.timeout(5):
        await done.wait()
    assert sorted(seen) == [("app_mention", "<@U0BOT> who"), ("message", "hello")]


async def test_an_unanswered_event_is_sent_again_after_a_minute_and_five() -> None:
    clock = FakeClock()
    workspace = seeded(clock=clock)
    link = Deaf()
    workspace.link = link
    await workspace.background.open()
    await workspace.open_home("ana")
    for number, minutes in ((2, 1), (3, 5)):
        await workspace.until(partial(link.heard, number))
        clock.advance(minutes=minutes)
    await workspace.until(lambda: len(link.retries) == 4)
    await workspace.background.close()
    assert link.retries == [None, 1, 2, 3]


class Deaf:
    """An app that never answers."""

    def __init__(self) -> None:
        self.retries: list[int | None] = []

    async def send(self, kind: str, payload: Json, retry: Any = None) -> Any:
        self.retries.append(retry.number if retry else None)
        return Ack(ok=False, reason="http_timeout")

    def heard(self, times: int) -> bool:
        return len(self.retries) >= times

    async def close(self) -> None:
        return
