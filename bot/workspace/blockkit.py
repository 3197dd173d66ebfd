"""Says what Slack would refuse in a message, a modal or a home, with JSON pointers."""

import json
from collections.abc import Callable
from typing import Literal

from bot.workspace.blockkit_elements import (
    IN_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    check_element,
    check_image,
)
from bot.workspace.blockkit_report import Json, Report, check_text

Surface = Literal["message", "modal", "home"]

MOST_BLOCKS: dict[Surface, int] = {"message": 50, "modal": 100, "home": 100}
MESSAGE_ONLY = frozenset({"markdown", "table", "file"})
VIEW_KEYS = frozenset(
    {
        *("type", "title", "blocks", "close", "submit", "private_metadata", "callback_id"),
        *("clear_on_close", "notify_on_close", "external_id", "submit_disabled"),
    }
)


def problems(payload: Json, *, surface: Surface) -> list[str]:
    """Every fault Slack would find, in its wording; an empty list means that Slack takes it.

    `payload` is the arguments of a post (`blocks`, `text`, `attachments`) for a message, and
    the view itself for a modal or a home.
    """
    report = Report()
    if surface == "message":
        _message(report, payload)
    else:
        _view(report, payload, surface)
    return report.faults


def _message(report: Report, payload: Json) -> None:
    text = payload.get("text")
    if isinstance(text, str) and len(text) > 40_000:
        report.add("must be less than 40001 characters", "/text")
    if payload.get("blocks") is not None:
        _blocks(report, payload["blocks"], "message", "/blocks")
    attachments = payload.get("attachments")
    if attachments is None:
        return
    for i, attachment in enumerate(report.items(attachments, 100, "/attachments", minimum=0)):
        if isinstance(attachment, dict) and "blocks" in attachment:
            _blocks(report, attachment["blocks"], "message", f"/attachments/{i}/blocks")


def _view(report: Report, view: Json, surface: Surface) -> None:
    report.unknown_keys(view, VIEW_KEYS, "/view")
    if view.get("type") != surface:
        report.add(f"must be {surface}", "/view/type")
    _blocks(report, view.get("blocks"), surface, "/view/blocks")
    report.optional_length(view, "private_metadata", 3000, "/view", minimum=0)
    report.optional_length(view, "callback_id", 255, "/view", minimum=0)
    report.optional_length(view, "external_id", 255, "/view", minimum=0)
    for key in ("clear_on_close", "notify_on_close", "submit_disabled"):
        report.flag(view, key, "/view")
    if surface == "modal":
        _modal(report, view)
    if len(json.dumps(view)) > 250_000:
        report.add("must be less than 250001 bytes", "/view")


def _modal(report: Report, view: Json) -> None:
    check_text(report, view.get("title"), 24, "/view/title", plain=True)
    for key in ("submit", "close"):
        if view.get(key) is not None:
            check_text(report, view[key], 24, f"/view/{key}", plain=True)
    blocks = view.get("blocks")
    has_input = isinstance(blocks, list) and any(
        isinstance(block, dict) and block.get("type") == "input" for block in blocks
    )
    if has_input and view.get("submit") is None:
        report.add("submit is required when an input is in blocks", "/view/submit")


def _blocks(report: Report, value: object, surface: Surface, at: str) -> None:
    blocks = report.items(value, MOST_BLOCKS[surface], at, minimum=0)
    seen: set[str] = set()
    for i, raw in enumerate(blocks):
        block = report.mapping(raw, f"{at}/{i}")
        if block is None:
            continue
        _block(report, block, surface, f"{at}/{i}")
        block_id = block.get("block_id")
        if isinstance(block_id, str):
            if block_id in seen:
                report.add(f"duplicate block_id: {block_id}", f"{at}/{i}/block_id")
            seen.add(block_id)


def _block(report: Report, block: Json, surface: Surface, at: str) -> None:
    kind = block.get("type")
    check = BLOCKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        report.add(f"unsupported type: {kind}", f"{at}/type")
        return
    if kind in MESSAGE_ONLY and surface != "message":
        report.add(f"unsupported type on this surface: {kind}", f"{at}/type")
    if kind in OWN_KEYS:
        report.unknown_keys(block, OWN_KEYS[str(kind)] | {"type", "block_id"}, at)
    report.optional_length(block, "block_id", 255, at)
    check(report, block, at)
    _unique_actions(report, block, at)


def _unique_actions(report: Report, block: Json, at: str) -> None:
    elements = block.get("elements")
    if block.get("type") != "actions" or not isinstance(elements, list):
        return
    seen: set[str] = set()
    for i, element in enumerate(elements):
        action_id = element.get("action_id") if isinstance(element, dict) else None
        if not isinstance(action_id, str):
            continue
        if action_id in seen:
            report.add(f"duplicate action_id: {action_id}", f"{at}/elements/{i}/action_id")
        seen.add(action_id)


def _section(report: Report, block: Json, at: str) -> None:
    if block.get("text") is None and not block.get("fields"):
        report.add("must have text or fields", at)
    if block.get("text") is not None:
        check_text(report, block["text"], 3000, f"{at}/text")
    if "fields" in block:
        for i, item in enumerate(report.items(block["fields"], 10, f"{at}/fields")):
            check_text(report, item, 2000, f"{at}/fields/{i}")
    if "accessory" in block:
        check_element(report, block["accessory"], IN_SECTION, f"{at}/accessory")
    report.flag(block, "expand", at)


def _header(report: Report, block: Json, at: str) -> None:
    check_text(report, block.get("text"), 150, f"{at}/text", plain=True)


def _context(report: Report, block: Json, at: str) -> None:
    for i, raw in enumerate(report.items(block.get("elements"), 10, f"{at}/elements")):
        where = f"{at}/elements/{i}"
        element = report.mapping(raw, where)
        if element is None:
            continue
        if element.get("type") == "image":
            check_image(report, element, where)
        else:
            check_text(report, element, 3000, where)


def _actions(report: Report, block: Json, at: str) -> None:
    for i, element in enumerate(report.items(block.get("elements"), 25, f"{at}/elements")):
        check_element(report, element, IN_ACTIONS, f"{at}/elements/{i}")


def _input(report: Report, block: Json, at: str) -> None:
    check_text(report, block.get("label"), 2000, f"{at}/label", plain=True)
    if block.get("hint") is not None:
        check_text(report, block["hint"], 2000, f"{at}/hint", plain=True)
    for key in ("optional", "dispatch_action"):
        report.flag(block, key, at)
    check_element(report, block.get("element"), IN_INPUT, f"{at}/element")


def _image(report: Report, block: Json, at: str) -> None:
    check_image(report, block, at)
    if "title" in block:
        check_text(report, block["title"], 2000, f"{at}/title", plain=True)


def _markdown(report: Report, block: Json, at: str) -> None:
    report.length(block.get("text"), 12_000, f"{at}/text")


def _rich_text(report: Report, block: Json, at: str) -> None:
    allowed = {
        "rich_text_section",
        "rich_text_list",
        "rich_text_quote",
        "rich_text_preformatted",
    }
    for i, element in enumerate(report.items(block.get("elements"), 1000, f"{at}/elements")):
        where = f"{at}/elements/{i}"
        part = report.mapping(element, where)
        if part is None:
            continue
        if part.get("type") not in allowed:
            report.add(f"unsupported element type: {part.get('type')}", f"{where}/type")
        report.items(part.get("elements"), 1000, f"{where}/elements", minimum=0)


def _table(report: Report, block: Json, at: str) -> None:
    for i, row in enumerate(report.items(block.get("rows"), 100, f"{at}/rows")):
        report.items(row, 20, f"{at}/rows/{i}")


def _video(report: Report, block: Json, at: str) -> None:
    check_text(report, block.get("title"), 200, f"{at}/title", plain=True)
    report.length(block.get("alt_text"), 2000, f"{at}/alt_text")
    for key in ("video_url", "thumbnail_url"):
        report.length(block.get(key), 3000, f"{at}/{key}")
        report.url(block, key, at)


def _nothing(_report: Report, _block: Json, _at: str) -> None:
    return


OWN_KEYS: dict[str, set[str]] = {
    "section": {"text", "fields", "accessory", "expand"},
    "header": {"text", "level"},
    "context": {"elements"},
    "actions": {"elements"},
    "divider": set(),
    "input": {"label", "element", "hint", "optional", "dispatch_action"},
    "markdown": {"text"},
}

BLOCKS: dict[str, Callable[[Report, Json, str], None]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "image": _image,
    "divider": _nothing,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "table": _table,
    "video": _video,
    "file": _nothing,
}
