"""Messages sent through a response_url, or in the acknowledgement of a slash command."""

from typing import Any

from bot.workspace import posting
from bot.workspace.errors import SlackError
from bot.workspace.methods.chat import checked
from bot.workspace.model import Channel, Json, Message, ResponseHook
from bot.workspace.records import Change, Records


def respond(records: Records, hook: ResponseHook, body: Any) -> Message | None:
    """Post, replace or delete as the body says; returns the message that is there afterwards."""
    if isinstance(body, str):
        body = {"text": body}
    if not isinstance(body, dict):
        raise SlackError("invalid_payload", status=400)
    channel = records.conversation(hook.channel)
    current = channel.find(hook.message_ts) if hook.message_ts else None
    if body.get("delete_original"):
        if current is not None:
            posting.remove(records, channel, current.ts)
        return None
    text, blocks, attachments = _content(records, body)
    if body.get("replace_original") and current is not None:
        current.text, current.blocks, current.attachments = text, blocks, attachments
        current.edited = None if current.only_for else records.next_ts()
        records.changed(Change("message", channel.id, hook.user, current.ts))
        return current
    return _post(records, hook, channel, body, (text, blocks, attachments))


def _content(records: Records, body: Json) -> tuple[str, list[Json], list[Json]]:
    text = body.get("text") or ""
    blocks, attachments = body.get("blocks") or [], body.get("attachments") or []
    if not (text or blocks or attachments):
        raise SlackError("no_text", status=400)
    return checked(records, text, blocks, attachments)


def _post(
    records: Records,
    hook: ResponseHook,
    channel: Channel,
    body: Json,
    content: tuple[str, list[Json], list[Json]],
) -> Message:
    everybody = body.get("response_type", "ephemeral") == "in_channel"
    text, blocks, attachments = content
    message = Message(
        channel=channel.id,
        ts=records.next_ts(),
        user=records.bot_user_id,
        text=text,
        blocks=blocks,
        attachments=attachments,
        thread_ts=body.get("thread_ts"),
        bot_id=records.bot_id,
        only_for=None if everybody else hook.user,
    )
    if everybody:
        return posting.add(records, channel, message)
    return posting.add_ephemeral(records, channel, message)
