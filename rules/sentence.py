"""A sentence whose outside parts stay apart from its words until somebody shows it.

The template is always ours; the values may come from anywhere. Slack escapes them, the
terminal prints them plain, and neither can be tricked by braces or angle brackets.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_NAMED = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Who:
    """A person by key; shown as a name."""

    key: str


Value = str | int | datetime | timedelta | Who


@dataclass(frozen=True, slots=True)
class Sentence:
    """`template` with {names}, and the value of each name."""

    template: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def render(self, show: Callable[[Value], str]) -> str:
        """Fill the template; `show` turns each value into text fit for the reader's medium."""
        return self.template.format_map({name: show(v) for name, v in self.values.items()})


def say(template: str, /, **values: Value) -> Sentence:
    """Write a sentence; every {name} in `template` must be among `values`."""
    return Sentence(template, values)


def together(*parts: Sentence) -> Sentence:
    """Join sentences to one, a space between; their values stay apart."""
    if len(parts) == 1:
        return parts[0]
    values = {f"p{n}_{name}": v for n, part in enumerate(parts) for name, v in part.values.items()}
    told = (_NAMED.sub(rf"{{p{n}_\1}}", part.template) for n, part in enumerate(parts))
    return Sentence(" ".join(told), values)


def plain(value: Value) -> str:
    """Show a value as plain text: UTC times, short durations."""
    match value:
        case Who(key):
            return key
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        case timedelta():
            return duration_text(value)
        case _:
            return str(value)


def counted(count: int, what: str, many: str = "") -> str:
    """Say "1 page" or "2 pages"; `many` where an s does not make it."""
    return f"{count:,} {what if count == 1 else many or f'{what}s'}"


@lru_cache(maxsize=4_096)
def duration_text(span: timedelta) -> str:
    """Show a duration in its two largest units: `1 h 12 min`, `3 d`, `45 s`."""
    left = max(0, round(span.total_seconds()))
    parts: list[str] = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
