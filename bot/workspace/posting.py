"""Putting messages into channels and taking them out, with unread marks and threads."""

from bot.workspace.errors import SlackError
from bot.workspace.model import Channel, Json, Message
from bot.workspace.records import Change, Records

MAX_TEXT = 40_000
KEPT_MESSAGES = 20_000


def with_ids(records: Records, blocks: list[Json]) -> list[Json]:
    """The blocks as Slack stores them: each with a block_id, each element with an action_id."""
    out: list[Json] = []
    for block in blocks:
        kept = dict(block)
        kept.setdefault("block_id", records.next_id("b"))
        for key in ("element", "accessory"):
            element = kept.get(key)
            if isinstance(element, dict) and element.get("type") != "image":
                kept[key] = {"action_id": records.next_id("a"), **element}
        if kept["type"] == "actions":
            kept["elements"] = [
                {"action_id": records.next_id("a"), **element} for element in kept["elements"]
            ]
        out.append(kept)
    return out


def add(records: Records, channel: Channel, message: Message) -> Message:
    """Store a message and mark it unread for everybody else in the channel."""
    if message.thread_ts is not None:
        root = channel.messages.get(message.thread_ts)
        if root is None:
            raise SlackError("thread_not_found")
        # A reply to a reply belongs to the root, as in Slack.
        root = channel.messages.get(root.thread_ts or "", root)
        message.thread_ts = root.thread_ts = root.ts
        root.replies.append(message.ts)
        if message.user not in root.reply_users:
            root.reply_users.append(message.user)
    channel.messages[message.ts] = message
    if len(channel.messages) > KEPT_MESSAGES:
        del channel.messages[next(iter(channel.messages))]
    for member in channel.members:
        if member != message.user:
            marks = records.unread.setdefault(member, {})
            marks[channel.id] = marks.get(channel.id, 0) + 1
    records.changed(Change("message", channel.id, message.user, message.ts))
    return message


def add_ephemeral(records: Records, channel: Channel, message: Message) -> Message:
    channel.ephemerals[message.ts] = message
    if len(channel.ephemerals) > 500:
        del channel.ephemerals[next(iter(channel.ephemerals))]
    records.changed(Change("message", channel.id, message.only_for, message.ts))
    return message


def remove(records: Records, channel: Channel, ts: str) -> None:
    """Delete a message; a root with replies leaves a tombstone, as in Slack."""
    if channel.ephemerals.pop(ts, None) is not None:
        records.changed(Change("message", channel.id, None, ts))
        return
    message = channel.messages.get(ts)
    if message is None:
        raise SlackError("message_not_found")
    if message.replies:
        message.subtype, message.text = "tombstone", "This message was deleted."
        message.blocks, message.attachments, message.metadata = [], [], None
    else:
        del channel.messages[ts]
        root = channel.messages.get(message.thread_ts or "")
        if root is not None and ts in root.replies:
            root.replies.remove(ts)
    records.changed(Change("message", channel.id, message.user, ts))


def react(records: Records, channel: Channel, ts: str, name: str, user: str) -> None:
    message = channel.messages.get(ts)
    if message is None:
        raise SlackError("message_not_found")
    who = message.reactions.setdefault(name, [])
    if user in who:
        raise SlackError("already_reacted")
    who.append(user)
    records.changed(Change("message", channel.id, user, ts))


def unreact(records: Records, channel: Channel, ts: str, name: str, user: str) -> None:
    message = channel.messages.get(ts)
    if message is None:
        raise SlackError("message_not_found")
    who = message.reactions.get(name, [])
    if user not in who:
        raise SlackError("no_reaction")
    who.remove(user)
    if not who:
        del message.reactions[name]
    records.changed(Change("message", channel.id, user, ts))


def mark_read(records: Records, channel: Channel, user: str) -> None:
    if records.unread.get(user, {}).pop(channel.id, None):
        records.changed(Change("channel", channel.id, user))
