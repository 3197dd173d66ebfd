"""The right word nearest to a wrong one."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant, None when nothing is near."""
    folded = {name.casefold(): name for name in sorted(known)}
    hits = difflib.get_close_matches(word.casefold()[:100], folded, n=1, cutoff=0.6)
    return folded[hits[0]] if hits else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of an error: the nearest word, else the few there are, else nothing."""
    names = sorted(known)
    if hit := nearest(word, names):
        return f"; did you mean `{hit}`?"
    if not names:
        return ""
    shown = ", ".join(f"`{name}`" for name in names[:8])
    return f"; known are {shown}" + (" and others" if len(names) > 8 else "")
