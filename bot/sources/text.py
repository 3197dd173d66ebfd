"""Text from outside, made safe to store and to read: bounded, and without hidden characters."""

import re
from collections.abc import Iterable, Mapping

from bot.sources.kind import digest

TITLE_LENGTH = 300
DESCRIPTION_LENGTH = 8_000
URL_LENGTH = 2_000
KEY_LENGTH = 255
LABELS = 64
LABEL_NAME_LENGTH = 128
LABEL_VALUE_LENGTH = 1_024
DROPPED_LABELS = "watchbill_dropped_labels"

_SURROGATES = re.compile("[\ud800-\udfff]")
# Controls, marks that reorder a line, tag characters and the byte order mark: all invisible.
_HIDDEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
    "\U000e0000-\U000e007f"
)
_HIDDEN_IN_TEXT = re.compile(f"[{_HIDDEN}]")
_SPACES = re.compile(r"\s+")
_HTTP = re.compile(r"https?://[^\s<>|\"]+\Z", re.IGNORECASE)

_TIMES = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?|\d\d?:\d\d(?::\d\d)?"
)


def clip(text: str, length: int) -> str:
    """Return at most `length` characters; a cut text ends in "… (+123)", the number left out."""
    if len(text) <= length:
        return text
    kept = max(0, length - len(f"… (+{len(text)})"))
    return f"{text[:kept]}… (+{len(text) - kept})"[:length]


def clean(text: str, length: int = DESCRIPTION_LENGTH) -> str:
    """Return text of several lines without hidden characters, at most `length` long."""
    if len(text) <= length and text.isascii() and text.replace("\n", "").isprintable():
        return text.strip()
    # What is cut away need not be cleaned: 5 MB in one field must not cost seconds.
    whole = len(text)
    head = text[: length * 4]
    head = _SURROGATES.sub("\ufffd", head.replace("\r\n", "\n").replace("\r", "\n"))
    head = _HIDDEN_IN_TEXT.sub("", head).strip()
    if whole > length * 4:
        head += " " * (whole - length * 4)
    return clip(head, length)


def line(text: str, length: int = TITLE_LENGTH) -> str:
    """Return one line without hidden characters, at most `length` long."""
    if text.isascii() and text.isprintable() and len(text) <= length and "  " not in text:
        return text.strip()
    whole = len(text)
    head = _SURROGATES.sub("\ufffd", text[: length * 4])
    head = _SPACES.sub(" ", _HIDDEN_IN_TEXT.sub("", head)).strip()
    if whole > length * 4:
        head += " " * (whole - length * 4)
    return clip(head, length)


def without_times(text: str) -> str:
    """Return words whose dates and times are left out: these tell runs apart, not things."""
    return _TIMES.sub("*", text[:DESCRIPTION_LENGTH])


def key(text: str) -> str:
    """Return a key of at most 255 safe characters; different texts stay different keys."""
    if len(text) <= KEY_LENGTH and text.isascii() and text.isprintable():
        return text
    safe = line(text, KEY_LENGTH)
    if safe == text:
        return text
    return f"{line(text, 180)}#{digest(text)}"


def key_of(*parts: str) -> str:
    """Return the key of what several names name; other names, or other borders, other keys."""
    return key("/".join(one.replace("~", "~~").replace("/", "~s") for one in parts))


def labels(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return at most 64 safe labels; the last one counts those that did not fit."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    kept: dict[str, str] = {}
    dropped = 0
    for name, value in items:
        safe = line(name, LABEL_NAME_LENGTH)
        if not safe or safe in kept:
            continue
        if len(kept) < LABELS - 1:
            kept[safe] = line(value, LABEL_VALUE_LENGTH)
        else:
            dropped += 1
    if dropped:
        kept[DROPPED_LABELS] = str(dropped)
    return kept


def link(text: str) -> str:
    """Return an http(s) address that can stand in a message, or nothing."""
    stripped = text.strip()
    if len(stripped) > URL_LENGTH or not _HTTP.match(stripped):
        return ""
    return stripped if line(stripped, URL_LENGTH) == stripped else ""
