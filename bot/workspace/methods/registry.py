"""The table of Web API methods, and the arguments they read."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.workspace.errors import SlackError
from bot.workspace.model import Json
from bot.workspace.records import Records


class Args:
    """Arguments of one call, from a form or from JSON: both spell lists and flags differently."""

    def __init__(self, values: Json, *, token: str) -> None:
        self.values = values
        self.token = token

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is None:
            return None
        return value if isinstance(value, str) else str(value)

    def required(self, name: str, error: str = "invalid_arguments") -> str:
        value = self.text(name)
        if not value:
            raise SlackError(error, messages=[f"[ERROR] missing required field: {name}"])
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.values.get(name)
        if value is None:
            return default
        return value in {True, "1", "true", "True"}

    def number(self, name: str, default: int) -> int:
        value = self.values.get(name)
        if value in {None, ""}:
            return default
        try:
            return int(str(value))
        except ValueError as bad:
            raise SlackError("invalid_arguments") from bad

    def names(self, name: str) -> list[str]:
        """A list, or one string with commas."""
        value = self.values.get(name)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [part.strip() for part in str(value or "").split(",") if part.strip()]

    def json(self, name: str, error: str = "invalid_arguments") -> Any:
        """The value itself, or parsed when it came as a JSON string."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except json.JSONDecodeError as bad:
            raise SlackError(error, messages=[f"[ERROR] {name} is not valid JSON"]) from bad


Handler = Callable[[Records, Args], Json]


@dataclass(frozen=True)
class Method:
    """`scopes` are alternatives: any one of them allows the call."""

    handler: Handler
    scopes: tuple[str, ...]
    app_level: bool = False


METHODS: dict[str, Method] = {}


def method(name: str, *scopes: str, app_level: bool = False) -> Callable[[Handler], Handler]:
    """Register a handler under Slack's name for it."""

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(handler, scopes, app_level)
        return handler

    return register


def page_of(args: Args, items: list[Any], default: int, most: int = 1000) -> tuple[list[Any], str]:
    """One page of `items`, and the cursor of the next one (empty at the end)."""
    limit = args.number("limit", default)
    if not 1 <= limit <= most:
        raise SlackError("invalid_limit")
    cursor = args.text("cursor") or "0"
    if not cursor.removeprefix("c").isdigit():
        raise SlackError("invalid_cursor")
    start = int(cursor.removeprefix("c"))
    end = start + limit
    return items[start:end], f"c{end}" if end < len(items) else ""


def paged(name: str, items: list[Any], cursor: str) -> Json:
    return {name: items, "response_metadata": {"next_cursor": cursor}}
