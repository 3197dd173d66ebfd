"""Why a value does not fit its place, in plain words."""

import re
from collections.abc import Mapping

from rules.nearest import did_you_mean

_SIMPLE = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must be a map of keys and values",
    "float_type": "must be a number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "mapping_type": "must be a map of keys and values",
    "model_attributes_type": "must be a map of keys and values",
    "model_type": "must be a map of keys and values",
    "string_too_short": "is empty",
    "too_short": "is empty",
    "string_too_long": "is too long",
    "tuple_type": "must be a list",
}
_BOUNDS = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}


def misfit(kind: str, facts: Mapping[str, object], value: object) -> str | None:
    """Say what is wrong, as the end of "`key` ..."; None for a kind that has no words here.

    `kind` and `facts` are an error's type and context as pydantic names them.
    """
    if value is None and kind not in {"enum", "literal_error", "value_error"}:
        return "has no value"
    if kind in _BOUNDS:
        fact, words = _BOUNDS[kind]
        return f"{words} {facts[fact]}"
    if kind in {"enum", "literal_error"}:
        expected = re.findall(r"'([^']*)'", str(facts.get("expected", "")))
        return f"cannot be {_shown(value)}{did_you_mean(str(value), expected)}"
    if kind == "string_type":
        return _not_text(value)
    return _SIMPLE.get(kind)


def _not_text(value: object) -> str:
    if isinstance(value, bool):
        return "must be text, not true or false; put it in quotes if it is text"
    if isinstance(value, int | float):
        return "must be text, not a number; put it in quotes if it is text"
    return "must be text"


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    return f'"{str(value)[:80]}"' if isinstance(value, str) else str(value).lower()
