"""Reactions, pins, bookmarks and the door to Socket Mode."""

from bot.workspace import posting
from bot.workspace.errors import SlackError
from bot.workspace.methods.conversations import joined
from bot.workspace.methods.registry import Args, method
from bot.workspace.model import Json
from bot.workspace.records import Change, Records
from bot.workspace.wire import message_json

MOST_BOOKMARKS = 100
LONGEST_TITLE = 255


@method("reactions.add", "reactions:write")
def reactions_add(records: Records, args: Args) -> Json:
    channel = joined(records, args)
    name = args.required("name", "no_reaction_name").strip(":")
    posting.react(records, channel, args.required("timestamp"), name, records.bot_user_id)
    return {}


@method("reactions.remove", "reactions:write")
def reactions_remove(records: Records, args: Args) -> Json:
    channel = joined(records, args)
    name = args.required("name", "no_reaction_name").strip(":")
    posting.unreact(records, channel, args.required("timestamp"), name, records.bot_user_id)
    return {}


@method("reactions.get", "reactions:read")
def reactions_get(records: Records, args: Args) -> Json:
    channel = joined(records, args)
    message = channel.messages.get(args.required("timestamp"))
    if message is None:
        raise SlackError("message_not_found")
    shown = message_json(records, message)
    return {"type": "message", "channel": channel.id, "message": shown}


@method("pins.add", "pins:write")
def pins_add(records: Records, args: Args) -> Json:
    channel = joined(records, args)
    message = channel.messages.get(args.required("timestamp", "no_item_specified"))
    if message is None:
        raise SlackError("message_not_found")
    if message.pinned:
        raise SlackError("already_pinned")
    message.pinned = True
    channel.pins.append(message.ts)
    records.changed(Change("message", channel.id, None, message.ts))
    return {}


@method("pins.remove", "pins:write")
def pins_remove(records: Records, args: Args) -> Json:
    channel = joined(records, args)
    message = channel.messages.get(args.required("timestamp", "no_item_specified"))
    if message is None or not message.pinned:
        raise SlackError("no_pin")
    message.pinned = False
    channel.pins.remove(message.ts)
    records.changed(Change("message", channel.id, None, message.ts))
    return {}


def by_channel_id(args: Args) -> Args:
    """Some methods call the channel channel_id."""
    args.values = {**args.values, "channel": args.values.get("channel_id")}
    return args


@method("bookmarks.add", "bookmarks:write")
def bookmarks_add(records: Records, args: Args) -> Json:
    channel = joined(records, by_channel_id(args))
    link = args.required("link", "invalid_link")
    if not link.startswith(("http://", "https://")):
        raise SlackError("invalid_link")
    if len(channel.bookmarks) >= MOST_BOOKMARKS:
        raise SlackError("too_many_bookmarks")
    bookmark: Json = {
        "id": records.next_id("Bk"),
        "channel_id": channel.id,
        "title": _title(args.required("title")),
        "link": link,
        "emoji": args.text("emoji") or "",
        "type": args.required("type"),
        "date_created": records.seconds(),
        "date_updated": 0,
        "app_id": records.app_id,
        "last_updated_by_user_id": records.bot_user_id,
    }
    channel.bookmarks.append(bookmark)
    records.changed(Change("channel", channel.id))
    return {"bookmark": bookmark}


@method("bookmarks.edit", "bookmarks:write")
def bookmarks_edit(records: Records, args: Args) -> Json:
    channel = joined(records, by_channel_id(args))
    wanted = args.required("bookmark_id")
    for bookmark in channel.bookmarks:
        if bookmark["id"] == wanted:
            _title(args.text("title") or "")
            for key in ("title", "link", "emoji"):
                bookmark[key] = args.text(key) or bookmark[key]
            bookmark["last_updated_by_user_id"] = records.bot_user_id
            bookmark["date_updated"] = records.seconds()
            records.changed(Change("channel", channel.id))
            return {"bookmark": bookmark}
    raise SlackError("not_found")


@method("bookmarks.list", "bookmarks:read")
def bookmarks_list(records: Records, args: Args) -> Json:
    return {"bookmarks": list(joined(records, by_channel_id(args)).bookmarks)}


@method("bookmarks.remove", "bookmarks:write")
def bookmarks_remove(records: Records, args: Args) -> Json:
    channel = joined(records, by_channel_id(args))
    wanted = args.required("bookmark_id")
    kept = [bookmark for bookmark in channel.bookmarks if bookmark["id"] != wanted]
    if len(kept) == len(channel.bookmarks):
        raise SlackError("not_found")
    channel.bookmarks = kept
    records.changed(Change("channel", channel.id))
    return {}


def _title(text: str) -> str:
    if len(text) > LONGEST_TITLE:
        raise SlackError("invalid_arguments", messages=["[ERROR] title is too long"])
    return text


@method("apps.connections.open", "connections:write", app_level=True)
def connections_open(records: Records, _args: Args) -> Json:
    ticket = records.secret()
    records.tickets[ticket] = records.stopwatch()
    host = records.base_url.removeprefix("http://")
    return {"url": f"ws://{host}/socket?ticket={ticket}&app_id={records.app_id}"}
