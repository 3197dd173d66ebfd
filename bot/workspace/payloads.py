"""The payloads an app receives, exactly as Slack shapes them."""

from typing import Any

from bot.workspace.model import Channel, Json, Message, View
from bot.workspace.records import Records
from bot.workspace.wire import message_json, payload_channel_name, view_json

VERIFICATION_TOKEN = "local-verification-token"  # noqa: S105  # Slack's old token, kept for shape


def _envelope(records: Records, kind: str, user_id: str) -> Json:
    user = records.user(user_id)
    return {
        "type": kind,
        "team": {"id": records.team_id, "domain": records.team_domain},
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": records.team_id,
        },
        "api_app_id": records.app_id,
        "token": VERIFICATION_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _channel(channel: Channel) -> Json:
    return {"id": channel.id, "name": payload_channel_name(channel)}


def block_actions_on_message(
    records: Records, user: str, channel: Channel, message: Message, action: Json, state: Json
) -> Json:
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.only_for is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    out = _envelope(records, "block_actions", user) | {
        "container": container,
        "trigger_id": records.new_trigger(user),
        "channel": _channel(channel),
        "state": {"values": state},
        "response_url": records.new_response_url(user, channel.id, message.ts),
        "actions": [action],
    }
    if message.only_for is None:
        out["message"] = message_json(records, message)
    return out


def block_actions_on_view(records: Records, user: str, view: View, action: Json) -> Json:
    return _envelope(records, "block_actions", user) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": records.new_trigger(user),
        "view": view_json(records, view),
        "actions": [action],
    }


def view_submission(records: Records, view: View) -> Json:
    return _envelope(records, "view_submission", view.user) | {
        "trigger_id": records.new_trigger(view.user),
        "view": view_json(records, view),
        "response_urls": [],
    }


def view_closed(records: Records, view: View, *, is_cleared: bool) -> Json:
    return _envelope(records, "view_closed", view.user) | {
        "view": view_json(records, view),
        "is_cleared": is_cleared,
    }


def message_action(
    records: Records, user: str, callback_id: str, channel: Channel, message: Message
) -> Json:
    return _envelope(records, "message_action", user) | {
        "action_ts": records.next_ts(),
        "channel": _channel(channel),
        "callback_id": callback_id,
        "trigger_id": records.new_trigger(user),
        "response_url": records.new_response_url(user, channel.id),
        "message_ts": message.ts,
        "message": message_json(records, message),
    }


def global_shortcut(records: Records, user: str, callback_id: str) -> Json:
    return _envelope(records, "shortcut", user) | {
        "action_ts": records.next_ts(),
        "callback_id": callback_id,
        "trigger_id": records.new_trigger(user),
    }


def slash_command(records: Records, user_id: str, channel: Channel, name: str, text: str) -> Json:
    user = records.user(user_id)
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": records.team_id,
        "team_domain": records.team_domain,
        "channel_id": channel.id,
        "channel_name": payload_channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": records.app_id,
        "is_enterprise_install": "false",
        "response_url": records.new_response_url(user.id, channel.id),
        "trigger_id": records.new_trigger(user.id),
    }


def event_callback(records: Records, event: Json) -> Json:
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": records.team_id,
        "context_team_id": records.team_id,
        "context_enterprise_id": None,
        "api_app_id": records.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": records.next_id("Ev"),
        "event_time": records.seconds(),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": records.team_id,
                "user_id": records.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": records.next_id("EC"),
    }


def message_event(records: Records, channel: Channel, message: Message) -> Json:
    kind = "im" if channel.is_im else "group" if channel.is_private else "channel"
    event: Json = {
        "client_msg_id": records.secret(),
        "type": "message",
        "user": message.user,
        "text": message.text,
        "team": records.team_id,
        "ts": message.ts,
        "event_ts": message.ts,
        "channel": channel.id,
        "channel_type": "mpim" if channel.is_mpim else kind,
    }
    if message.thread_ts:
        event["thread_ts"] = message.thread_ts
        root = channel.messages.get(message.thread_ts)
        if root is not None:
            event["parent_user_id"] = root.user
    return event


def app_mention(records: Records, channel: Channel, message: Message) -> Json:
    event = message_event(records, channel, message)
    del event["channel_type"]
    return event | {"type": "app_mention"}


def app_home_opened(records: Records, user: str, tab: str, view: View | None) -> Json:
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": records.im(user).id,
        "tab": tab,
        "event_ts": records.next_ts(),
    }
    if view is not None:
        event["view"] = view_json(records, view)
    return event


def reaction(
    records: Records, kind: str, user: str, channel: Channel, message: Message, name: str
) -> dict[str, Any]:
    return {
        "type": kind,
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": channel.id, "ts": message.ts},
        "item_user": message.user,
        "event_ts": records.next_ts(),
    }
