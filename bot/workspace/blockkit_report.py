"""The ground of the Block Kit checker: faults with their place, text objects, lengths."""

import re
from collections.abc import Collection
from typing import Any

Json = dict[str, Any]


class Report:
    """Collects faults in Slack's wording, each with the JSON pointer of its place."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def add(self, message: str, pointer: str) -> None:
        self.faults.append(f"[ERROR] {message} [json-pointer:{pointer or '/'}]")

    def unknown_keys(self, value: Json, allowed: Collection[str], at: str) -> None:
        for key in value:
            if key not in allowed:
                self.add(f"no more items allowed: {key}", f"{at}/{key}")

    def mapping(self, value: object, at: str) -> Json | None:
        if isinstance(value, dict):
            return value
        self.add("must be an object", at)
        return None

    def length(self, value: object, maximum: int, at: str, *, minimum: int = 1) -> bool:
        """Check a string's length; an empty string is a fault unless `minimum` is 0."""
        if not isinstance(value, str):
            self.add("must be a string", at)
            return False
        if len(value) < minimum:
            self.add(f"must be more than {minimum - 1} characters", at)
            return False
        if len(value) > maximum:
            self.add(f"must be less than {maximum + 1} characters", at)
            return False
        return True

    def optional_length(
        self, holder: Json, key: str, maximum: int, at: str, *, minimum: int = 1
    ) -> None:
        if key in holder and holder[key] is not None:
            self.length(holder[key], maximum, f"{at}/{key}", minimum=minimum)

    def items(self, value: object, maximum: int, at: str, *, minimum: int = 1) -> list[Any]:
        """The list, or an empty one with a fault when it is none or its length is wrong."""
        if not isinstance(value, list):
            self.add("must be an array", at)
            return []
        if len(value) < minimum:
            self.add(f"must have at least {minimum} item(s)", at)
        if len(value) > maximum:
            self.add(f"no more than {maximum} items allowed", at)
        return value

    def flag(self, holder: Json, key: str, at: str) -> None:
        if key in holder and not isinstance(holder[key], bool):
            self.add("must be a boolean", f"{at}/{key}")

    def one_of(self, holder: Json, key: str, allowed: Collection[str], at: str) -> None:
        if key in holder and holder[key] not in allowed:
            self.add(f"must be one of: {', '.join(sorted(allowed))}", f"{at}/{key}")

    def matches(self, holder: Json, key: str, pattern: str, at: str) -> None:
        if key in holder and not re.fullmatch(pattern, str(holder[key])):
            self.add(f"must match {pattern}", f"{at}/{key}")

    def url(self, holder: Json, key: str, at: str) -> None:
        if key not in holder:
            return
        where = f"{at}/{key}"
        if self.length(holder[key], 3000, where) and not re.match(
            r"(https?|mailto|slack|ftp|tel):", holder[key]
        ):
            self.add("must be a valid URL", where)


def check_text(
    report: Report,
    value: object,
    maximum: int,
    at: str,
    *,
    plain: bool = False,
) -> None:
    """A text object; `plain` where Slack takes plain_text only."""
    text = report.mapping(value, at)
    if text is None:
        return
    kind = text.get("type")
    allowed = {"plain_text"} if plain else {"plain_text", "mrkdwn"}
    if kind not in allowed:
        wanted = "plain_text" if plain else "plain_text or mrkdwn"
        report.add(f"must be a {wanted} text object", f"{at}/type")
    keys = {"type", "text", "emoji"} if kind == "plain_text" else {"type", "text", "verbatim"}
    report.unknown_keys(text, keys, at)
    for key in ("emoji", "verbatim"):
        report.flag(text, key, at)
    report.length(text.get("text"), maximum, f"{at}/text")
