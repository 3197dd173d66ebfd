"""What people do reaches a real Bolt app, and what it answers reaches them."""

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.state import Workspace

BUTTON = {
    "type": "actions",
    "block_id": "buttons",
    "elements": [
        {
            "type": "button",
            "action_id": "ack",
            "value": "42",
            "text": {"type": "plain_text", "text": "Acknowledge"},
        }
    ],
}


async def test_a_click_is_acknowledged_and_updates_the_message(
    app: AsyncApp, bolt: AsyncSocketModeHandler, client: AsyncWebClient, workspace: Workspace
) -> None:
    seen: list[dict] = []

    @app.action("ack")
    async def on_ack(ack, body, client) -> None:
        await ack()
        seen.append(body)
        await client.chat_update(
            channel=body["channel"]["id"], ts=body["message"]["ts"], text="taken by ana"
        )

    posted = await client.chat_postMessage(channel="data-alerts", text="broken", blocks=[BUTTON])
    outcome = await workspace.click("ana", "data-alerts", posted["ts"], "ack")
    assert outcome.acked
    message = workspace.message("data-alerts", posted["ts"])
    await workspace.until(lambda: message.edited)
    assert message.text == "taken by ana"
    assert message.blocks == []
    assert seen[0]["user"]["id"] == workspace.person("ana").id
    assert seen[0]["actions"][0]["value"] == "42"
    assert seen[0]["container"]["message_ts"] == posted["ts"]
