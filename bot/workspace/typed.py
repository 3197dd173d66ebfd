"""Turns the @names and #channels a person types into the tokens Slack stores."""

import re

from bot.workspace.records import Records

_NAME = re.compile(r"(?<![\w<@])@([\w][\w.-]*)|(?<![\w<&])#([\w][\w-]*)")


def with_mentions(records: Records, text: str, *, labels: bool = False) -> str:
    """`labels` adds the |name that Slack sends with commands."""

    def token(match: re.Match[str]) -> str:
        name, channel = match.groups()
        if name:
            return _mention(records, name, labels=labels) or match.group()
        for known in records.channels.values():
            if known.name == channel:
                return f"<#{known.id}|{known.name}>" if labels else f"<#{known.id}>"
        return match.group()

    return _NAME.sub(token, text)


def _mention(records: Records, name: str, *, labels: bool) -> str | None:
    # A sentence may end right after a name.
    bare = name.rstrip(".-")
    rest = name[len(bare) :]
    for user in records.users.values():
        if user.name == bare:
            return (f"<@{user.id}|{user.name}>" if labels else f"<@{user.id}>") + rest
    for group in records.groups.values():
        if group.handle == bare:
            return (f"<!subteam^{group.id}|@{bare}>" if labels else f"<!subteam^{group.id}>") + rest
    return None
