"""conversations.*: channels, direct messages, history and threads."""

from bot.workspace.errors import SlackError
from bot.workspace.methods.registry import Args, method, page_of, paged
from bot.workspace.model import Channel, Json, Message
from bot.workspace.records import Change, Records
from bot.workspace.wire import channel_json, message_json

READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")


def known(records: Records, args: Args) -> Channel:
    """The channel named by its id, when the bot may know of it."""
    channel = records.channels.get(args.required("channel", "channel_not_found"))
    if channel is None or (channel.is_private and records.bot_user_id not in channel.members):
        raise SlackError("channel_not_found")
    return channel


def joined(records: Records, args: Args) -> Channel:
    channel = known(records, args)
    if records.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _between(args: Args, messages: list[Message]) -> list[Message]:
    oldest, latest = args.text("oldest") or "0", args.text("latest") or ""
    inclusive = args.flag("inclusive")
    try:
        low, high = float(oldest), float(latest) if latest else float("inf")
    except ValueError as bad:
        raise SlackError("invalid_ts_oldest") from bad

    def inside(message: Message) -> bool:
        at = float(message.ts)
        return low < at < high or (inclusive and (message.ts in {oldest, latest}))

    return [message for message in messages if inside(message)]


@method("conversations.history", *HISTORY)
def history(records: Records, args: Args) -> Json:
    channel = joined(records, args)
    newest_first = _between(args, channel.timeline())[::-1]
    page, cursor = page_of(args, newest_first, default=100, most=999)
    metadata = args.flag("include_all_metadata")
    return {
        "messages": [message_json(records, m, metadata=metadata) for m in page],
        "has_more": bool(cursor),
        "pin_count": len(channel.pins),
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        **({"response_metadata": {"next_cursor": cursor}} if cursor else {}),
    }


@method("conversations.replies", *HISTORY)
def replies(records: Records, args: Args) -> Json:
    channel = joined(records, args)
    found = channel.messages.get(args.required("ts"))
    if found is None:
        raise SlackError("thread_not_found")
    thread = channel.thread(found.thread_ts or found.ts)
    root, rest = thread[:1], _between(args, thread[1:])
    page, cursor = page_of(args, [*root, *rest], default=1000)
    metadata = args.flag("include_all_metadata")
    return {
        "messages": [message_json(records, m, metadata=metadata) for m in page],
        "has_more": bool(cursor),
        **({"response_metadata": {"next_cursor": cursor}} if cursor else {}),
    }


@method("conversations.list", *READ)
def list_channels(records: Records, args: Args) -> Json:
    kinds = set(args.names("types")) or {"public_channel"}
    without_archived = args.flag("exclude_archived")
    found = [
        channel_json(records, channel)
        for channel in records.channels.values()
        if _kind(channel) in kinds
        and not (without_archived and channel.is_archived)
        and (not channel.is_private or records.bot_user_id in channel.members)
    ]
    page, cursor = page_of(args, found, default=100)
    return paged("channels", page, cursor)


def _kind(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    if channel.is_mpim:
        return "mpim"
    return "private_channel" if channel.is_private else "public_channel"


@method("conversations.info", *READ)
def info(records: Records, args: Args) -> Json:
    return {"channel": channel_json(records, known(records, args))}


@method("conversations.members", *READ)
def members(records: Records, args: Args) -> Json:
    page, cursor = page_of(args, known(records, args).members, default=100)
    return paged("members", page, cursor)


@method("conversations.open", "im:write", "mpim:write")
def open_conversation(records: Records, args: Args) -> Json:
    given = args.text("channel")
    users = args.names("users")
    if given:
        channel = known(records, args)
    elif not users:
        raise SlackError("users_list_not_supplied")
    elif any(user not in records.users for user in users):
        raise SlackError("user_not_found")
    elif any(records.users[user].deleted for user in users):
        raise SlackError("user_disabled")
    elif len(users) == 1:
        if users[0] == records.bot_user_id:
            raise SlackError("cannot_dm_bot")
        channel = records.im(users[0])
    else:
        channel = _group_dm(records, users)
    full = args.flag("return_im")
    return {"channel": channel_json(records, channel) if full else {"id": channel.id}}


def _group_dm(records: Records, users: list[str]) -> Channel:
    everyone = {records.bot_user_id, *users}
    for channel in records.channels.values():
        if channel.is_mpim and set(channel.members) == everyone:
            return channel
    names = "--".join(sorted(records.users[user].name for user in everyone))
    channel = Channel(
        id=records.next_id("G"),
        name=f"mpdm-{names}-1",
        is_private=True,
        is_mpim=True,
        created=records.seconds(),
        members=sorted(everyone),
    )
    records.channels[channel.id] = channel
    records.changed(Change("channel", channel.id))
    return channel


@method("conversations.create", "channels:manage", "groups:write")
def create(records: Records, args: Args) -> Json:
    name = args.required("name", "invalid_name_required")
    if len(name) > 80 or name != name.lower() or any(c in " .,'\"/#@" for c in name):
        raise SlackError("invalid_name_specials")
    if any(channel.name == name for channel in records.channels.values()):
        raise SlackError("name_taken")
    channel = Channel(
        id=records.next_id("C"),
        name=name,
        is_private=args.flag("is_private"),
        created=records.seconds(),
        members=[records.bot_user_id],
    )
    records.channels[channel.id] = channel
    records.changed(Change("channel", channel.id))
    return {"channel": channel_json(records, channel)}


@method("conversations.join", "channels:join")
def join(records: Records, args: Args) -> Json:
    channel = known(records, args)
    if channel.is_im or channel.is_private:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    out: Json = {"channel": channel_json(records, channel)}
    if records.bot_user_id in channel.members:
        out["warning"] = "already_in_channel"
    else:
        channel.members.append(records.bot_user_id)
        out["channel"] = channel_json(records, channel)
        records.changed(Change("channel", channel.id))
    return out


@method("conversations.invite", "channels:manage", "groups:write")
def invite(records: Records, args: Args) -> Json:
    channel = joined(records, args)
    users = args.names("users")
    if not users:
        raise SlackError("no_user")
    if any(user not in records.users for user in users):
        raise SlackError("user_not_found")
    fresh = [user for user in users if user not in channel.members]
    if not fresh:
        raise SlackError("already_in_channel")
    channel.members.extend(fresh)
    records.changed(Change("channel", channel.id))
    return {"channel": channel_json(records, channel)}


@method("conversations.archive", "channels:manage", "groups:write")
def archive(records: Records, args: Args) -> Json:
    channel = known(records, args)
    if channel.is_archived:
        raise SlackError("already_archived")
    channel.is_archived = True
    records.changed(Change("channel", channel.id))
    return {}


@method("conversations.setTopic", "channels:manage", "groups:write", "im:write")
def set_topic(records: Records, args: Args) -> Json:
    channel = joined(records, args)
    if channel.is_archived:
        raise SlackError("is_archived")
    topic = args.text("topic") or ""
    if len(topic) > 250:
        raise SlackError("too_long")
    channel.topic = topic
    records.changed(Change("channel", channel.id))
    return {"channel": channel_json(records, channel)}
