"""files.*: an upload in three steps, and the message that shows it."""

from bot.workspace import posting
from bot.workspace.errors import SlackError
from bot.workspace.methods.conversations import joined
from bot.workspace.methods.extras import by_channel_id
from bot.workspace.methods.registry import Args, method
from bot.workspace.model import Json, Message
from bot.workspace.records import Records

LARGEST_FILE = 1_000_000
LONGEST_ALT = 1000
PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png"}
"""What the page shows as a picture, by its first bytes; all else is only ever downloaded."""


@method("files.getUploadURLExternal", "files:write")
def get_upload_url(records: Records, args: Args) -> Json:
    name, length = args.required("filename"), args.number("length", 0)
    if length <= 0:
        raise SlackError("missing_argument")
    if length > LARGEST_FILE:
        raise SlackError("file_upload_size_restricted")
    alt = args.text("alt_txt") or ""
    if len(alt) > LONGEST_ALT:
        raise SlackError("alt_txt_too_large")
    file_id = records.next_id("F")
    title = args.text("title") or name
    records.uploads[file_id] = {
        "id": file_id,
        "name": name,
        "title": title,
        "alt_txt": alt,
        "length": length,
        "content": None,
    }
    return {"upload_url": f"{records.base_url}/upload/{file_id}", "file_id": file_id}


@method("files.completeUploadExternal", "files:write")
def complete_upload(records: Records, args: Args) -> Json:
    files = [_shown(records, wanted) for wanted in args.json("files") or []]
    if not files:
        raise SlackError("invalid_arguments")
    if args.text("channel_id"):
        channel = joined(records, by_channel_id(args))
        message = Message(
            channel=channel.id,
            ts=records.next_ts(),
            user=records.bot_user_id,
            text=args.text("initial_comment") or "",
            thread_ts=args.text("thread_ts"),
            bot_id=records.bot_id,
            files=files,
        )
        posting.add(records, channel, message)
    return {"files": files}


def _shown(records: Records, wanted: object) -> Json:
    found = records.uploads.get(str(wanted.get("id", ""))) if isinstance(wanted, dict) else None
    if found is None or found["content"] is None:
        raise SlackError("file_not_found")
    if isinstance(wanted, dict):
        found["title"] = wanted.get("title") or found["title"]
    link = f"{records.base_url}/files/{found['id']}"
    shown = {key: found[key] for key in ("id", "name", "title", "alt_txt")}
    size, kind = len(found["content"]), picture_type(found["content"])
    return {**shown, "mimetype": kind, "url_private": link, "permalink": link, "size": size}


def picture_type(content: bytes) -> str:
    """Return the media type of a picture, "" for anything that is none."""
    return next((kind for start, kind in PICTURES.items() if content.startswith(start)), "")
