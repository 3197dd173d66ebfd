"""JSON from outside: any bytes give a value or an UnreadableError, never anything else."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite

from bot.sources.kind import UnreadableError

DEPTH = 64
DIGITS = 40

JsonValue = object
"""None, bool, int, float, str, list or dict with str keys; narrow with isinstance."""


def _whole_number(digits: str) -> int | str:
    # int() of a long text raises, and a number nobody can hold is text anyway.
    return int(digits) if len(digits) <= DIGITS else digits


def _fraction(digits: str) -> float | str:
    # 1e999 is written as a number, and comes as infinity.
    number = float(digits)
    return number if isfinite(number) else digits


_DECODER = json.JSONDecoder(
    parse_int=_whole_number, parse_float=_fraction, parse_constant=str, strict=False
)


def decode(body: bytes) -> str:
    """Return the body as text; bytes that are not text become replacement characters."""
    return body.decode(json.detect_encoding(body), "replace").removeprefix("\ufeff")


def read_json(body: bytes) -> JsonValue:
    """Return the value of a JSON body.

    Numbers of more than 40 digits, NaN and infinities come as text. Raises UnreadableError for
    what is not JSON, is empty, or is nested more than 64 deep.
    """
    if not body.strip():
        raise UnreadableError("The body is empty.")
    try:
        value = _DECODER.decode(decode(body))
    except RecursionError as error:
        raise UnreadableError(f"The JSON is nested more than {DEPTH} deep.") from error
    except ValueError as error:
        raise UnreadableError("The body is not JSON.", str(error)) from error
    if body.count(b"[") + body.count(b"{") > DEPTH and _deeper(value, DEPTH):
        raise UnreadableError(f"The JSON is nested more than {DEPTH} deep.")
    return value


def read_object(body: bytes) -> Mapping[str, JsonValue]:
    """Return a JSON object, as `read_json` does; anything else is unreadable."""
    value = read_json(body)
    if not isinstance(value, dict):
        raise UnreadableError("The body is JSON, but not an object.")
    return value


def _deeper(value: JsonValue, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        below: list[JsonValue] = []
        for one in level:
            if isinstance(one, dict):
                below.extend(one.values())
            elif isinstance(one, list):
                below.extend(one)
        level = [one for one in below if isinstance(one, dict | list)]
        if not level:
            return False
    return True


def text_of(value: JsonValue) -> str:
    """Return a scalar as a person would write it, and a structure as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


_NOTHING: Mapping[str, JsonValue] = {}


def object_of(value: JsonValue) -> Mapping[str, JsonValue]:
    """Return `value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else _NOTHING


def list_of(value: JsonValue) -> Sequence[JsonValue]:
    """Return `value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def inside(value: JsonValue, *names: str) -> JsonValue:
    """Return what stands under `names`, one inside the other, or None."""
    for name in names:
        value = object_of(value).get(name)
    return value
