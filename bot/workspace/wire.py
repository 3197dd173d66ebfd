"""Users, channels, messages and views in the shapes that Slack sends them in."""

import re

from bot.workspace.model import Channel, Json, Message, User, UserGroup, View
from bot.workspace.records import Records


def user_json(records: Records, user: User, *, with_email: bool = True) -> Json:
    profile: Json = {
        "real_name": user.real_name,
        "display_name": user.name,
        "real_name_normalized": user.real_name,
        "display_name_normalized": user.name,
        "team": records.team_id,
    }
    if with_email and user.email:
        profile["email"] = user.email
    if user.is_bot:
        profile |= {"bot_id": records.bot_id, "api_app_id": records.app_id}
    return {
        "id": user.id,
        "team_id": user.team or records.team_id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": 0,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_restricted": user.guest,
        "is_ultra_restricted": False,
        "updated": 0,
    }


def channel_json(records: Records, channel: Channel) -> Json:
    if channel.is_im:
        return {
            "id": channel.id,
            "created": channel.created,
            "is_im": True,
            "is_archived": False,
            "is_open": True,
            "user": channel.im_user,
            "is_user_deleted": False,
            "context_team_id": records.team_id,
        }
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private and not channel.is_mpim,
        "is_im": False,
        "is_mpim": channel.is_mpim,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_member": records.bot_user_id in channel.members,
        "is_general": False,
        "is_shared": False,
        "created": channel.created,
        "creator": "",
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": channel.purpose, "creator": "", "last_set": 0},
        "num_members": len(channel.members),
        "context_team_id": records.team_id,
    }


def group_json(records: Records, group: UserGroup, *, include_users: bool = False) -> Json:
    out: Json = {
        "id": group.id,
        "team_id": records.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": group.description,
        "handle": group.handle,
        "is_external": False,
        "date_create": group.created,
        "date_update": group.updated,
        "date_delete": group.updated if group.disabled else 0,
        "updated_by": group.updated_by,
        "user_count": len(group.users),
    }
    if include_users:
        out["users"] = list(group.users)
    return out


def message_json(records: Records, message: Message, *, metadata: bool = False) -> Json:
    out: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": records.team_id,
    }
    if message.bot_id:
        out |= {"bot_id": message.bot_id, "app_id": records.app_id}
        out["bot_profile"] = {
            "id": message.bot_id,
            "app_id": records.app_id,
            "user_id": message.user,
            "name": records.users[message.user].real_name if message.user in records.users else "",
            "team_id": records.team_id,
        }
    for key in ("subtype", "blocks", "attachments", "thread_ts", "files", "username"):
        value = getattr(message, key)
        if value:
            out[key] = value
    if message.edited:
        out["edited"] = {"user": message.user, "ts": message.edited}
    if message.replies:
        out |= {
            "reply_count": len(message.replies),
            "reply_users_count": len(message.reply_users),
            "reply_users": message.reply_users[:5],
            "latest_reply": message.replies[-1],
        }
    if message.reactions:
        out["reactions"] = [
            {"name": name, "users": list(who), "count": len(who)}
            for name, who in message.reactions.items()
        ]
    if message.pinned:
        out["pinned_to"] = [message.channel]
    if metadata and message.metadata:
        out["metadata"] = message.metadata
    return out


def view_json(records: Records, view: View) -> Json:
    payload = view.payload
    return {
        "id": view.id,
        "team_id": records.team_id,
        "type": view.type,
        "blocks": payload["blocks"],
        "private_metadata": payload.get("private_metadata", ""),
        "callback_id": payload.get("callback_id", ""),
        "state": {"values": view.values},
        "hash": payload["hash"],
        "title": payload.get("title", {"type": "plain_text", "text": "View Title", "emoji": True}),
        "clear_on_close": payload.get("clear_on_close", False),
        "notify_on_close": payload.get("notify_on_close", False),
        "submit_disabled": payload.get("submit_disabled", False),
        "close": payload.get("close"),
        "submit": payload.get("submit"),
        "previous_view_id": view.previous_id,
        "root_view_id": view.root_id,
        "app_id": records.app_id,
        "external_id": payload.get("external_id", ""),
        "app_installed_team_id": records.team_id,
        "bot_id": records.bot_id,
    }


def channel_name(records: Records, channel: Channel, viewer: str | None = None) -> str:
    """What a person reads above the messages."""
    if channel.is_im:
        other = records.bot_user_id if viewer == channel.im_user else channel.im_user
        return records.users[other].real_name if other in records.users else "Direct message"
    return channel.name


def payload_channel_name(channel: Channel) -> str:
    if channel.is_im:
        return "directmessage"
    return "privategroup" if channel.is_private else channel.name


_CONTROL = re.compile(r"[&<>]")
_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def as_typed(text: str) -> str:
    """What a person typed, as Slack stores it: the three control characters escaped."""
    return _CONTROL.sub(lambda m: _ENTITY[m.group()], text)
