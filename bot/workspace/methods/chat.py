"""chat.*: posting, editing and deleting messages."""

import json
from typing import Any

from bot.workspace import posting
from bot.workspace.blockkit import problems
from bot.workspace.errors import SlackError
from bot.workspace.methods.registry import Args, method
from bot.workspace.model import Channel, Json, Message
from bot.workspace.records import Change, Records
from bot.workspace.wire import message_json

MOST_IN_BLOCKS = 13_297
"""Characters of JSON, as people measured it (github.com/slackapi/bolt-js/issues/2509)."""


def reachable(records: Records, name: str) -> Channel:
    """The conversation a bot may post to under this id or name; a user id opens the IM."""
    if name in records.users:
        return records.im(name)
    channel = records.conversation(name)
    if channel.is_private and records.bot_user_id not in channel.members:
        raise SlackError("channel_not_found")
    if channel.is_archived:
        raise SlackError("is_archived")
    return channel


def found(records: Records, args: Args) -> Channel:
    """The conversation with this id; editing takes no names and no user ids, as in Slack."""
    name = args.required("channel", "channel_not_found")
    if name not in records.channels:
        raise SlackError("channel_not_found")
    return reachable(records, name)


def may_post(records: Records, channel: Channel) -> None:
    if records.bot_user_id not in channel.members and "chat:write.public" not in records.scopes:
        raise SlackError("not_in_channel")


def content(records: Records, args: Args) -> tuple[str, list[Json], list[Json]]:
    """Text, blocks and attachments, checked the way Slack checks them."""
    text = args.text("text") or ""
    blocks = args.json("blocks", "invalid_blocks_format")
    attachments = args.json("attachments") or []
    if blocks is not None and not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > MOST_IN_BLOCKS:
        raise SlackError("msg_blocks_too_long")
    if not isinstance(attachments, list):
        raise SlackError("invalid_attachments")
    if not text and not blocks and not attachments:
        raise SlackError("no_text")
    return checked(records, text, blocks or [], attachments)


def checked(
    records: Records, text: str, blocks: list[Json], attachments: list[Json]
) -> tuple[str, list[Json], list[Json]]:
    if len(text) > posting.MAX_TEXT:
        raise SlackError("msg_too_long")
    if len(attachments) > 100:
        raise SlackError("too_many_attachments")
    faults = problems({"blocks": blocks, "attachments": attachments}, surface="message")
    if faults:
        raise SlackError("invalid_blocks", messages=faults)
    return text, posting.with_ids(records, blocks), _attached(records, attachments)


def _attached(records: Records, attachments: list[Json]) -> list[Json]:
    return [
        {**a, "blocks": posting.with_ids(records, a["blocks"])} if a.get("blocks") else a
        for a in attachments
    ]


def metadata_of(args: Args) -> Json | None:
    """The metadata, {} when it shall be removed, None when it was not given."""
    metadata: Any = args.json("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if metadata == {}:
        return {}
    if (
        not isinstance(metadata, dict)
        or not isinstance(metadata.get("event_type"), str)
        or not isinstance(metadata.get("event_payload"), dict)
    ):
        raise SlackError("invalid_metadata_schema")
    return metadata


@method("chat.postMessage", "chat:write")
def post_message(records: Records, args: Args) -> Json:
    channel = reachable(records, args.required("channel", "channel_not_found"))
    may_post(records, channel)
    text, blocks, attachments = content(records, args)
    message = Message(
        channel=channel.id,
        ts=records.next_ts(),
        user=records.bot_user_id,
        text=text,
        blocks=blocks,
        attachments=attachments,
        thread_ts=args.text("thread_ts"),
        metadata=metadata_of(args) or None,
        bot_id=records.bot_id,
        username=args.text("username"),
        broadcast=args.flag("reply_broadcast"),
    )
    posting.add(records, channel, message)
    shown = message_json(records, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


@method("chat.update", "chat:write")
def update(records: Records, args: Args) -> Json:
    channel = found(records, args)
    message = channel.messages.get(args.required("ts"))
    if message is None or message.subtype == "tombstone":
        raise SlackError("message_not_found")
    if message.bot_id != records.bot_id:
        raise SlackError("cant_update_message")
    given = args.values
    if all(given.get(key) is None for key in ("text", "blocks", "attachments")):
        raise SlackError("no_text")
    text, blocks, attachments = content(records, args)
    # As in Slack: text alone takes the blocks away, and only text alone is marked as edited.
    if given.get("text") is not None:
        message.text = text
    if given.get("blocks") is not None or given.get("text") is not None:
        message.blocks = blocks
    if given.get("attachments") is not None:
        message.attachments = attachments
    metadata = metadata_of(args)
    if metadata is not None:
        message.metadata = metadata or None
    message.edited = None if message.blocks else records.next_ts()
    if args.flag("reply_broadcast"):
        message.broadcast = True
    records.changed(Change("message", channel.id, message.user, message.ts))
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": message_json(records, message, metadata=True),
    }


@method("chat.delete", "chat:write")
def delete(records: Records, args: Args) -> Json:
    channel = found(records, args)
    message = channel.messages.get(args.required("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.bot_id != records.bot_id:
        raise SlackError("cant_delete_message")
    posting.remove(records, channel, message.ts)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.postEphemeral", "chat:write")
def post_ephemeral(records: Records, args: Args) -> Json:
    channel = reachable(records, args.required("channel", "channel_not_found"))
    may_post(records, channel)
    user = args.required("user", "user_not_found")
    if user not in records.users or user not in channel.members:
        raise SlackError("user_not_in_channel")
    text, blocks, attachments = content(records, args)
    message = Message(
        channel=channel.id,
        ts=records.next_ts(),
        user=records.bot_user_id,
        text=text,
        blocks=blocks,
        attachments=attachments,
        thread_ts=args.text("thread_ts"),
        bot_id=records.bot_id,
        only_for=user,
    )
    posting.add_ephemeral(records, channel, message)
    return {"message_ts": message.ts}


@method("chat.getPermalink")
def get_permalink(records: Records, args: Args) -> Json:
    channel = found(records, args)
    ts = args.required("message_ts", "message_not_found")
    message = channel.messages.get(ts)
    if message is None:
        raise SlackError("message_not_found")
    query = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.is_reply else ""
    link = f"{records.base_url}/archives/{channel.id}/p{ts.replace('.', '')}{query}"
    return {"channel": channel.id, "permalink": link}
