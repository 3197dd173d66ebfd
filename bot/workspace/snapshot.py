"""Writes the workspace to a JSON file and reads it back, so that a killed process finds its past."""

import base64
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from bot.workspace.model import Channel, Json, Message, User, UserGroup, View
from bot.workspace.records import Records

PLAIN = (
    *("team_id", "team_name", "app_id", "bot_id", "bot_user_id", "bot_token", "app_token"),
    *("signing_secret", "unread", "stacks", "_last_ts", "_serial"),
)
VERSION = 1


def dump(records: Records) -> Json:
    """Everything that must survive; dataclasses are written as their fields."""
    out: Json = {"version": VERSION} | {name: getattr(records, name) for name in PLAIN}
    for name in ("users", "channels", "groups", "views", "homes"):
        out[name] = list(getattr(records, name).values())
    out["uploads"] = [_written(one) for one in records.uploads.values() if one["content"]]
    return out


def _written(upload: Json) -> Json:
    return {**upload, "content": base64.b64encode(upload["content"]).decode()}


def save(records: Records, path: Path) -> None:
    """Replace the file in one step: a reader sees the old or the new one, never half of one."""
    text = json.dumps(dump(records), default=vars, separators=(",", ":"))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)


def load(records: Records, path: Path) -> bool:
    """Take the past from the file; False when there is none. Raises ValueError on a bad file."""
    if not path.exists():
        return False
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']}")
        _restore(records, data)
    except (ValueError, KeyError, TypeError, AttributeError) as bad:
        raise ValueError(f"{path} is not a snapshot of this workspace: {bad}") from bad
    return True


def _restore(records: Records, data: Json) -> None:
    for name in PLAIN:
        setattr(records, name, data[name])
    records.users = {item["id"]: User(**item) for item in data["users"]}
    records.groups = {item["id"]: UserGroup(**item) for item in data["groups"]}
    records.views = {item["id"]: View(**item) for item in data["views"]}
    records.homes = {item["user"]: View(**item) for item in data["homes"]}
    records.channels = {item["id"]: _channel(item) for item in data["channels"]}
    for item in data.get("uploads", ()):  # a snapshot of an older version has none
        records.uploads[item["id"]] = {**item, "content": base64.b64decode(item["content"])}


def _channel(item: dict[str, Any]) -> Channel:
    for name in ("messages", "ephemerals"):
        item[name] = {ts: Message(**message) for ts, message in item[name].items()}
    return Channel(**item)
