"""Block Kit pieces that keep Slack's limits whatever they are filled with."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.slack.text import (
    LONGEST_SECTION,
    Mrkdwn,
    beginning,
    clean,
    cut,
    one_line,
    safe_url,
    units,
)

Json = dict[str, Any]

MOST_BLOCKS = 50
MOST_SIZE = 12_000
"""Characters of JSON in the blocks of a message: Slack refuses about 13,300, however few they are
(github.com/slackapi/bolt-js/issues/2509)."""
_SHORTER = (1_500, 700, 350, 150)
MOST_FIELDS = 10


def plain(text: str, limit: int = 75) -> Json:
    """A plain_text object; outside text needs no escaping here, Slack shows it as it is."""
    return {"type": "plain_text", "text": cut(clean(text), limit) or "–", "emoji": False}


def mrkdwn(text: Mrkdwn) -> Json:
    # verbatim: Slack shall not make links and mentions of what merely looks like them.
    return {"type": "mrkdwn", "text": _fitting(text, LONGEST_SECTION), "verbatim": True}


def section(text: Mrkdwn, accessory: Json | None = None) -> Json:
    block: Json = {"type": "section", "text": mrkdwn(text)}
    return {**block, "accessory": accessory} if accessory else block


def plain_section(text: str, limit: int = 1500) -> Json:
    """Outside text to read and copy exactly as it came."""
    return {"type": "section", "text": plain(text, limit)}


def fields(pairs: Iterable[Mrkdwn]) -> list[Json]:
    """A section of up to ten short facts in two columns; nothing when there are none."""
    shown = [
        {"type": "mrkdwn", "text": _fitting(text, 2000), "verbatim": True} for text in pairs if text
    ]
    return [{"type": "section", "fields": shown[:MOST_FIELDS]}] if shown else []


def header(text: str) -> Json:
    return {"type": "header", "text": plain(one_line(text), 150)}


def context(*texts: Mrkdwn) -> list[Json]:
    shown = [mrkdwn(text) for text in texts if text]
    return [{"type": "context", "elements": shown[:MOST_FIELDS]}] if shown else []


def divider() -> Json:
    return {"type": "divider"}


def actions(block_id: str, *elements: Json) -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def button(label: str, action_id: str, value: str, *, style: str = "") -> Json:
    made: Json = {
        "type": "button",
        "text": plain(label),
        "action_id": action_id,
        "value": cut(value, 2000),
    }
    return {**made, "style": style} if style else made


def link_button(label: str, url: str, action_id: str) -> list[Json]:
    """A button that opens a page; nothing when the URL is not one to send a person to."""
    target = safe_url(url)
    if not target:
        return []
    return [{"type": "button", "text": plain(label), "url": target, "action_id": action_id}]


def option(label: str, value: str) -> Json:
    return {"text": plain(label), "value": beginning(value, 150)}


def overflow(action_id: str, choices: Sequence[tuple[str, str]]) -> Json:
    """A menu of at most five (label, value)."""
    options = [option(label, value) for label, value in choices[:5]]
    return {"type": "overflow", "action_id": action_id, "options": options}


def select(action_id: str, choices: Sequence[tuple[str, str]], initial: str = "") -> Json:
    options = [option(label, value) for label, value in choices[:100]]
    first = [o for o in options if o["value"] == initial]
    made: Json = {"type": "static_select", "action_id": action_id, "options": options}
    return {**made, "initial_option": first[0]} if first else made


def users_select(action_id: str, placeholder: str, initial: str = "") -> Json:
    made: Json = {
        "type": "users_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, 150),
    }
    return {**made, "initial_user": initial} if initial else made


def text_input(
    action_id: str,
    *,
    placeholder: str = "",
    initial: str = "",
    multiline: bool = False,
    longest: int = 2000,
) -> Json:
    made: Json = {
        "type": "plain_text_input",
        "action_id": action_id,
        "multiline": multiline,
        "max_length": longest,
    }
    if placeholder:
        made["placeholder"] = plain(placeholder, 150)
    if initial:
        made["initial_value"] = beginning(clean(initial), longest)
    return made


def datetime_picker(action_id: str, initial: datetime | None = None) -> Json:
    made: Json = {"type": "datetimepicker", "action_id": action_id}
    return {**made, "initial_date_time": int(initial.timestamp())} if initial else made


def input_block(
    block_id: str, label: str, element: Json, *, optional: bool = False, hint: str = ""
) -> Json:
    block: Json = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 2000),
        "element": element,
        "optional": optional,
    }
    return {**block, "hint": plain(hint, 2000)} if hint else block


def modal(
    callback_id: str, title: str, blocks: Sequence[Json], *, submit: str = "", metadata: str = ""
) -> Json:
    view: Json = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, 24),
        "close": plain("Cancel" if submit else "Close", 24),
        "private_metadata": metadata[:3000],
        "blocks": list(blocks)[:100],
    }
    return {**view, "submit": plain(submit, 24)} if submit else view


def home(blocks: Sequence[Json]) -> Json:
    return {"type": "home", "callback_id": "home", "blocks": list(blocks)[:100]}


def message(text: Mrkdwn, blocks: Sequence[Json]) -> Json:
    """The arguments of a post: `text` is what a phone shows, `blocks` what the channel shows."""
    return {
        "text": _fitting(text, LONGEST_SECTION),
        "blocks": list(blocks)[:MOST_BLOCKS],
    }


def sized(blocks: Sequence[Json]) -> list[Json]:
    """Shorten the texts of blocks that are too large to be posted; what can be clicked stays."""
    made = list(blocks)
    for limit in _SHORTER:
        if size_of(made) <= MOST_SIZE:
            return made
        made = [_shortened(block, limit) for block in made]
    while size_of(made) > MOST_SIZE:
        made = [*made[:-2], *context(Mrkdwn("… and more than Slack takes in one message"))]
    return made


def size_of(blocks: Sequence[Json]) -> int:
    """Return how large Slack finds blocks, in characters."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def _shortened(part: Json, limit: int) -> Json:
    match part:
        case {"type": "mrkdwn", "text": str(text)}:
            return {**part, "text": _fitting(Mrkdwn(text), limit)}
        case {"type": "plain_text", "text": str(text)}:
            return {**part, "text": cut(text, limit)}
    return {
        name: _shortened(value, limit)
        if isinstance(value, dict)
        else [_shortened(one, limit) if isinstance(one, dict) else one for one in value]
        if isinstance(value, list)
        else value
        for name, value in part.items()
    }


def _fitting(text: Mrkdwn, limit: int) -> str:
    """Cut mrkdwn at a line end, so that no token or entity is cut in two."""
    if not text:
        return "–"
    if units(text) <= limit:
        return text
    kept = beginning(text, limit - 20)
    lines = kept.rsplit("\n", 1)[0] if "\n" in kept else ""
    if not lines:
        opened, closed = kept.rfind("<"), kept.rfind(">")
        kept = kept[:opened] if opened > closed else kept
        ampersand = kept.rfind("&")
        lines = kept[:ampersand] if ampersand > len(kept) - 6 else kept
    left = text[len(lines) :].count("\n")
    return f"{lines}\n… ({left} more)" if left else f"{lines}…"
