"""Partial answers: `fields=sheets(properties,merges)` read, and applied."""

from typing import Any

from bot.local_google.errors import BreachError

Mask = dict[str, "Mask"]
"""Field name to what of it is wanted; all of it when that is empty."""

_ENDS = ",()/"


def read_mask(text: str) -> Mask:
    """Read Google's notation: commas, slashes and brackets. Raises BreachError."""
    mask, at = _fields(text, 0)
    if at != len(text):
        raise BreachError(f"Invalid field selection {text}")
    return mask


def masked(value: Any, mask: Mask) -> Any:
    """Return what the mask leaves of a value; lists are masked item by item."""
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [masked(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: masked(value[name], inner) for name, inner in mask.items() if name in value}


def _fields(text: str, at: int) -> tuple[Mask, int]:
    mask: Mask = {}
    while True:
        name, inner, at = _field(text, at)
        mask[name] = {**mask.get(name, {}), **inner} if inner else {}
        if at >= len(text) or text[at] != ",":
            return mask, at
        at += 1


def _field(text: str, at: int) -> tuple[str, Mask, int]:
    start = at
    while at < len(text) and text[at] not in _ENDS:
        at += 1
    name = text[start:at].strip()
    if not name:
        raise BreachError(f"Invalid field selection {text}")
    following = text[at : at + 1]
    if following == "/":
        inner_name, inner, at = _field(text, at + 1)
        return name, {inner_name: inner}, at
    if following == "(":
        inner, at = _fields(text, at + 1)
        if text[at : at + 1] != ")":
            raise BreachError(f"Invalid field selection {text}")
        return name, inner, at + 1
    return name, {}, at
