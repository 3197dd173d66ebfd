"""What a person put into interactive elements, in the shapes of `actions` and `state.values`."""

from collections.abc import Iterator
from typing import Any

from bot.workspace.errors import ActionRefusedError
from bot.workspace.model import Json

# element type -> (key in the payload, initial_ key, is it a list)
SHAPES: dict[str, tuple[str, str, bool]] = {
    "plain_text_input": ("value", "initial_value", False),
    "email_text_input": ("value", "initial_value", False),
    "url_text_input": ("value", "initial_value", False),
    "number_input": ("value", "initial_value", False),
    "static_select": ("selected_option", "initial_option", False),
    "external_select": ("selected_option", "initial_option", False),
    "radio_buttons": ("selected_option", "initial_option", False),
    "multi_static_select": ("selected_options", "initial_options", True),
    "multi_external_select": ("selected_options", "initial_options", True),
    "checkboxes": ("selected_options", "initial_options", True),
    "users_select": ("selected_user", "initial_user", False),
    "multi_users_select": ("selected_users", "initial_users", True),
    "conversations_select": ("selected_conversation", "initial_conversation", False),
    "multi_conversations_select": ("selected_conversations", "initial_conversations", True),
    "channels_select": ("selected_channel", "initial_channel", False),
    "multi_channels_select": ("selected_channels", "initial_channels", True),
    "datepicker": ("selected_date", "initial_date", False),
    "timepicker": ("selected_time", "initial_time", False),
    "datetimepicker": ("selected_date_time", "initial_date_time", False),
}
WITH_OPTIONS = frozenset({"overflow", "radio_buttons", "checkboxes"}) | {
    kind for kind in SHAPES if kind.endswith(("static_select", "external_select"))
}


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every (block, element) pair that a person can use."""
    for block in blocks:
        for element in (block.get("element"), block.get("accessory")):
            if isinstance(element, dict) and element.get("type") != "image":
                yield block, element
        if block.get("type") == "actions":
            for element in block["elements"]:
                yield block, element


def find(blocks: list[Json], action_id: str, block_id: str | None = None) -> tuple[Json, Json]:
    for block, element in elements(blocks):
        if element.get("action_id") == action_id and block_id in {None, block["block_id"]}:
            return block, element
    raise ActionRefusedError(f"There is nothing with the action_id {action_id!r} to click here.")


def options_of(element: Json) -> list[Json]:
    grouped = [o for group in element.get("option_groups", []) for o in group["options"]]
    return [*element.get("options", []), *grouped]


def _option(element: Json, value: Any) -> Json:
    wanted = value.get("value") if isinstance(value, dict) else value
    for option in options_of(element):
        if option.get("value") == wanted:
            return option
    if element["type"].endswith("external_select") and isinstance(value, dict):
        return value
    raise ActionRefusedError(f"{wanted!r} is not among the options of this {element['type']}.")


def entry(element: Json, value: Any) -> Json:
    """What `state.values` says of an element holding `value` (a string, a list, or None)."""
    kind = element["type"]
    key, _, many = SHAPES[kind]
    if kind in WITH_OPTIONS:
        if many:
            value = [_option(element, item) for item in value or []]
        elif value is not None and value != "":
            value = _option(element, value)
        else:
            value = None
    elif many:
        value = list(value or [])
    elif value == "":
        value = None
    elif kind == "datetimepicker" and value is not None:
        value = int(value)
    return {"type": kind, key: value}


def initial(element: Json) -> Json:
    """The entry before anybody touched the element."""
    key, initial_key, many = SHAPES[element["type"]]
    return {"type": element["type"], key: element.get(initial_key, [] if many else None)}


def state_of(blocks: list[Json], kept: Json) -> Json:
    """`state.values`: everything that can hold a value, as kept or as it began."""
    out: Json = {}
    for block, element in elements(blocks):
        if element["type"] in SHAPES:
            block_id, action_id = block["block_id"], element["action_id"]
            known = kept.get(block_id, {}).get(action_id)
            out.setdefault(block_id, {})[action_id] = known or initial(element)
    return out


def with_values(blocks: list[Json], kept: Json, values: Json) -> Json:
    """`kept` after a person filled in {block_id: {action_id: value}}."""
    out = {block_id: dict(entries) for block_id, entries in kept.items()}
    for block_id, entries in values.items():
        for action_id, value in entries.items():
            _, element = find(blocks, action_id, block_id)
            out.setdefault(block_id, {})[action_id] = entry(element, value)
    return out


def action_of(block: Json, element: Json, value: Any, action_ts: str) -> Json:
    """One item of `actions` in a block_actions payload."""
    kind = element["type"]
    out: Json = {
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "type": kind,
        "action_ts": action_ts,
    }
    if kind == "button":
        for key in ("text", "value", "style", "url"):
            if key in element:
                out[key] = element[key]
    elif kind == "overflow":
        out["selected_option"] = _option(element, value)
    else:
        out |= entry(element, value)
        if "placeholder" in element:
            out["placeholder"] = element["placeholder"]
    return out


def missing(blocks: list[Json], state: Json) -> dict[str, str]:
    """What Slack's own form complains about before it sends anything, by block_id."""
    out: dict[str, str] = {}
    for block, element in elements(blocks):
        if block["type"] != "input" or element["type"] not in SHAPES:
            continue
        key = SHAPES[element["type"]][0]
        value = state[block["block_id"]][element["action_id"]].get(key)
        complaint = _complaint(element, value, optional=block.get("optional", False))
        if complaint:
            out[block["block_id"]] = complaint
    return out


def _complaint(element: Json, value: Any, *, optional: bool) -> str | None:
    if value is None or value == []:
        return None if optional else "Please complete this required field."
    if element["type"] == "plain_text_input":
        low, high = element.get("min_length", 0), element.get("max_length", 3000)
        if len(value) < low:
            return f"Please use at least {low} characters."
        if len(value) > high:
            return f"Please use at most {high} characters."
    if element["type"] == "number_input":
        return _number_complaint(element, str(value))
    return None


def _number_complaint(element: Json, value: str) -> str | None:
    try:
        number = float(value) if element.get("is_decimal_allowed") else int(value)
    except ValueError:
        return "Please enter a valid number."
    if "min_value" in element and number < float(element["min_value"]):
        return f"Please enter at least {element['min_value']}."
    if "max_value" in element and number > float(element["max_value"]):
        return f"Please enter at most {element['max_value']}."
    return None
