"""Matchers as a YAML map: `{team: [finance, risk], dag_id: "daily_*", env: {not: staging}}`."""

import re
from collections.abc import Mapping

from rules.matching.matcher import Operator, matcher_fault, unchecked
from rules.nearest import did_you_mean

_LABEL = re.compile(r"[A-Za-z_][\w.:-]*")
_KEYS = {"not": True, "regex": False, "not_regex": True}


def label_of(written: str) -> str:
    if not _LABEL.fullmatch(written):
        raise ValueError(f'"{written[:60]}" cannot be a label; it begins with a letter or _')
    return written


def written_of(asked: Mapping[str, object]) -> tuple[str, ...]:
    """Return each label's matchers, as they are written in a row; values have been checked."""
    return tuple(" ".join(_matchers(label, value)) for label, value in asked.items())


def checked_value(value: object) -> object:
    """Raise ValueError, in words, when a value of the map cannot be read."""
    _matchers("label", value)
    return value


def _matchers(label: str, value: object) -> list[str]:
    if not isinstance(value, dict):
        return [_one(label, value, negated=False)]
    if not value:
        raise ValueError("says nothing; write a value, a list, or {not: staging}")
    found: list[str] = []
    for key, inner in value.items():
        if key not in _KEYS:
            raise ValueError(f"unknown key `{key}`{did_you_mean(str(key), _KEYS)}")
        if key == "not":
            found.append(_one(label, inner, negated=True))
            continue
        if not isinstance(inner, str):
            raise ValueError(f"`{key}` must be text")  # noqa: TRY004  pydantic's
        sign = Operator.NOT_MATCHES if _KEYS[key] else Operator.MATCHES
        found.append(_said(label, sign, inner))
    return found


def _one(label: str, value: object, *, negated: bool) -> str:
    if isinstance(value, list):
        values = [_text(one) for one in value]
        if any("*" in one for one in values):
            return _said(label, Operator.NOT_LIKE if negated else Operator.LIKE, values)
        return _said(label, Operator.NOT_IN if negated else Operator.IN, values)
    text = _text(value)
    if "*" in text:
        return _said(label, Operator.NOT_LIKE if negated else Operator.LIKE, [text])
    return _said(label, Operator.NOT_EQUAL if negated else Operator.EQUAL, text)


def _said(label: str, sign: Operator, value: str | list[str]) -> str:
    made = unchecked(label, sign, value)
    if fault := matcher_fault(made):
        raise ValueError(fault)
    return str(made)


def _text(value: object) -> str:
    """Return a scalar as labels have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if not isinstance(value, str):
        words = 'has no value; for an absent label write ""' if value is None else "must be text"
        raise ValueError(words)  # noqa: TRY004  pydantic's
    return value
