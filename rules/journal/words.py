"""Texts as the words they are found by: identifiers taken apart, endings cut, run ids dropped."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

MOST_WORDS = 250
_LONGEST_TEXT = 6_000
_LONGEST_WORD = 40
_NAME = re.compile(r"[^\W_]+(?:_+[^\W_]+)*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_RUN_ID = re.compile(r"(?=.*\d)(?:[0-9a-f]{8,}|\d{4,}t?\d*z?|0x[0-9a-f]+)")
_CODE = re.compile(r"[1-5]\d\d")
_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "more",
        "most",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "out",
        "over",
        "per",
        "she",
        "should",
        "so",
        "some",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "too",
        "under",
        "until",
        "up",
        "us",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "will",
        "with",
        "would",
        "you",
        "your",
        "http",
        "https",
        "www",
        "com",
    ]
)
_TAKEN_APART = 4


def words_of(*texts: str, most: int = MOST_WORDS) -> tuple[str, ...]:
    """Return the words of texts in the order in which they first stand, each once.

    `load_orders` gives "load", "order" and "loadorders": its parts, and itself as one word.
    Numbers, dates and the ids of runs say nothing and are left out, but for codes like 404. Of
    more than `most` words the first are returned.
    """
    return _collected(texts, _of_name, most)


def parts_of(*texts: str) -> tuple[str, ...]:
    """Return the words of texts where identifiers are no more than their parts."""
    return _collected(texts, _parts_of_name, MOST_WORDS)


@lru_cache(maxsize=50_000)
def spellings(word: str) -> tuple[str, ...]:
    """Return a word as it is and, if it has accents, without them."""
    if word.isascii():
        return (word,)
    bare = stem(_bare(word))
    return (word, bare) if bare != word and bare.isalnum() else (word,)


@dataclass(frozen=True)
class SameWords:
    """Groups of words that mean one thing here: "late", "stale" and "overdue"."""

    groups: Sequence[Sequence[str]] = ()
    _of: Mapping[str, tuple[str, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        known: dict[str, tuple[str, ...]] = {}
        for group in self.groups:
            stems = tuple(dict.fromkeys(word for one in group for word in words_of(one)))
            for word in stems:
                known[word] = tuple(dict.fromkeys((*known.get(word, ()), *stems)))
        object.__setattr__(self, "_of", known)

    def like(self, word: str) -> tuple[str, ...]:
        """Return the words that mean the same, itself among them."""
        return self._of.get(word, (word,))

    def meanings(self, words: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """Return what words mean, each meaning once, as all the words that mean it."""
        return tuple(dict.fromkeys(self.like(word) for word in words))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text[:_LONGEST_TEXT])


def _collected(
    texts: Iterable[str], of_name: Callable[[str], Iterable[str]], most: int
) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in texts:
        for name in _NAME.findall(_plain(text)):
            found.update(dict.fromkeys(of_name(name)))
        if len(found) > most:
            break
    return tuple(found)[:most]


def _parts(name: str) -> list[str]:
    pieces = [one for one in name.split("_") if not _RUN_ID.fullmatch(one.casefold())]
    return [_folded(part) for piece in pieces for part in _CAMEL.split(piece) if part]


def _parts_of_name(name: str) -> list[str]:
    return [stem for part in _parts(name) if (stem := _word(part))]


def _of_name(name: str) -> Iterable[str]:
    parts = _parts(name)
    stems = [stem for part in parts if (stem := _word(part))]
    yield from stems
    joined = "".join(parts)
    if len(stems) > 1 and len(joined) <= _LONGEST_WORD and joined.isalnum():
        yield joined


def _folded(part: str) -> str:
    """Return a part without case; of `İ` a mark would be left that is no letter."""
    folded = part.casefold()
    return folded if folded.isalnum() else _bare(folded)


def _bare(word: str) -> str:
    apart = unicodedata.normalize("NFKD", word)
    kept = "".join(char for char in apart if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", kept)


@lru_cache(maxsize=50_000)
def _word(word: str) -> str:
    """Return a word's stem, "" when it says nothing."""
    if word in _STOP or len(word) > _LONGEST_WORD or _RUN_ID.fullmatch(word):
        return ""
    if word.isdigit():
        return word if _CODE.fullmatch(word) else ""
    return stem(word) if len(word) > 1 and word.isalnum() else ""


def stem(word: str) -> str:
    """Cut the commonest endings of English; the rest need not be a word."""
    if len(word) > _TAKEN_APART and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) >= _TAKEN_APART and word.endswith("s") and word[-2] not in "suia":
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = _undoubled(word[: -len(ending)])
            break
    return word[:-1] if len(word) >= _TAKEN_APART and word.endswith("e") else word


def _undoubled(word: str) -> str:
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz"
    return word[:-1] if doubled else word
