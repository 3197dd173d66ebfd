"""Phrases looked for in an alert's text: whole words in a row, and `*` for a short gap."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

LONGEST_PHRASE = 200
LONGEST_TEXT = 1_000
"""So many characters of a text's beginning, and of its end, are read."""
MOST_GAPS = 3
_GAP = 120
_WORD = re.compile(r"[^\W_]+")
_BLANKED = "".join(chr(n) if chr(n).isalnum() else " " for n in range(128))

T = TypeVar("T")


def phrase_fault(phrase: str) -> str:
    """Say why a phrase cannot be used, "" when it can."""
    if len(phrase) > LONGEST_PHRASE:
        return f"longer than {LONGEST_PHRASE} characters"
    if not _WORD.search(phrase):
        return f'"{phrase[:40]}" has no word to look for'
    parts = phrase.split("*")
    if len(parts) - 1 > MOST_GAPS:
        return f'"{phrase[:40]}" has more than {MOST_GAPS} gaps (*); write several phrases'
    if not all(_WORD.search(part) for part in parts):
        return f'"{phrase[:40]}" needs words on both sides of each *'
    return ""


def words_of(text: str) -> str:
    """Return a text's words in lower case, one space around each; long texts lose their middle."""
    return _spaced(_words(text))


def _spaced(words: Iterable[str]) -> str:
    return f" {' '.join(words)} "


def _words(text: str) -> list[str]:
    if len(text) > 2 * LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]} {text[-LONGEST_TEXT:]}"
    text = text.casefold()
    # the same words either way; of ASCII, which most texts are, five times as fast
    return text.translate(_BLANKED).split() if text.isascii() else _WORD.findall(text)


@dataclass(frozen=True, slots=True)
class _Phrase(Generic[T]):
    phrase: str
    parts: tuple[str, ...]
    at: int
    value: T

    def found_in(self, text: str) -> bool:
        for part in self.parts:
            if part not in text:
                return False  # else each of many first parts would be gone on from in vain
        if len(self.parts) == 1:
            return True
        first, *rest = self.parts
        at = text.find(first)
        while at >= 0:
            if self._goes_on(text, at + len(first) - 1, rest):
                return True
            at = text.find(first, at + 1)
        return False

    def _goes_on(self, text: str, at: int, rest: Sequence[str]) -> bool:
        for part in rest:
            found = text.find(part, at, at + _GAP + len(part))
            if found < 0:
                return False
            at = found + len(part) - 1
        return True


class PhraseIndex(Generic[T]):
    """Entries of phrases, in order; only phrases whose longest word is in a text are tried."""

    def __init__(self, entries: Iterable[tuple[Sequence[str], T]] = ()) -> None:
        self._by_word: dict[str, list[_Phrase[T]]] = {}
        for at, (phrases, value) in enumerate(entries):
            for phrase in phrases:
                made = _Phrase(phrase, tuple(map(words_of, phrase.split("*"))), at, value)
                word = max("".join(made.parts).split(), key=len)
                self._by_word.setdefault(word, []).append(made)

    def hits(self, text: str) -> list[tuple[str, T]]:
        """Return the entries found in a text, in their order, each with its first phrase."""
        words = _words(text)
        read = _spaced(words)
        found: dict[int, tuple[str, T]] = {}
        for one in self.candidates(words):
            if one.at not in found and one.found_in(read):
                found[one.at] = (one.phrase, one.value)
        return [found[at] for at in sorted(found)]

    def candidates(self, words: Iterable[str]) -> Iterator[_Phrase[T]]:
        """Yield the phrases that are tried on a text of these words."""
        for word in sorted(self._by_word.keys() & words):
            yield from self._by_word[word]
