"""Names and patterns with `*`, found by their first and last letters instead of one by one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

LONGEST_NAME = 256
LONGEST_PATTERN = 200

T = TypeVar("T")


def glob_fault(pattern: str) -> str:
    """Say why a pattern cannot be used, "" when it can."""
    if len(pattern) > LONGEST_PATTERN:
        return f"longer than {LONGEST_PATTERN} characters"
    if not pattern.strip("* "):
        return "has no letters, so it would match every test; write its name"
    if pattern.startswith("*") and pattern.endswith("*"):
        return f'"{pattern}" begins and ends with a *; begin or end it with letters'
    return ""


def fits(parts: Sequence[str], name: str) -> bool:
    """Tell whether a name is these parts with anything between them; one part alone is the name."""
    first, *inner = parts
    if not inner:
        return name == first
    last = inner.pop()
    if len(name) < len(first) + len(last):
        return False
    if not (name.startswith(first) and name.endswith(last)):
        return False
    at, end = len(first), len(name) - len(last)
    for part in inner:
        at = name.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


@dataclass(frozen=True, slots=True)
class _Glob(Generic[T]):
    pattern: str
    parts: tuple[str, ...]
    """What stands between the stars; first and last may be empty."""
    value: T

    def fits(self, name: str) -> bool:
        return fits(self.parts, name)


class GlobIndex(Generic[T]):
    """Of the patterns that fit a name the one with the most letters is found.

    Names and patterns compare without regard to case. Only patterns whose literal beginning
    and end are the name's own are ever tried, so many others cost nothing.
    """

    def __init__(self, entries: Iterable[tuple[str, T]] = ()) -> None:
        self._exact: dict[str, tuple[str, T]] = {}
        self._globs: dict[str, dict[str, list[_Glob[T]]]] = {}
        for pattern, value in entries:
            folded = pattern.casefold()
            if "*" in folded:
                parts = tuple(folded.split("*"))
                ends = self._globs.setdefault(parts[0], {})
                ends.setdefault(parts[-1], []).append(_Glob(pattern, parts, value))
            else:
                self._exact[folded] = (pattern, value)
        self._lengths = {
            begin: sorted({len(end) for end in ends}) for begin, ends in self._globs.items()
        }
        self._begins = sorted({len(begin) for begin in self._globs})

    def exact(self, name: str) -> tuple[str, T] | None:
        """Return the pattern without stars that is this name, and its value."""
        return self._exact.get(name.casefold())

    def glob(self, name: str) -> tuple[str, T] | None:
        """Return the most telling pattern with stars that fits, and its value."""
        folded = name[:LONGEST_NAME].casefold()
        fitting = [one for one in self.candidates(folded) if one.fits(folded)]
        if not fitting:
            return None
        best = max(fitting, key=lambda one: len(one.pattern.replace("*", "")))
        return best.pattern, best.value

    def candidates(self, folded: str) -> Iterator[_Glob[T]]:
        """Yield the patterns that are tried on a name, which is already folded."""
        for begin in self._begins:
            ends = self._globs.get(folded[:begin])
            if ends is None:
                continue
            for end in self._lengths[folded[:begin]]:
                yield from ends.get(folded[len(folded) - end :] if end else "", ())
