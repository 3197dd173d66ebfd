"""Reads `/oncall journal`."""

import re

from bot.slack.wishes import AskJournalPages, Typed, Typist, bare

_NUMBER = re.compile(r"#?(\d{1,9})")
_LONGEST = 200


def read_journal(words: list[str], _typist: Typist) -> Typed:
    """Read a number, `trends`, `search <words>`, or just words; alone: the newest entries."""
    if not words:
        return Typed(AskJournalPages())
    first = bare(words[0])
    if len(words) == 1 and (hit := _NUMBER.fullmatch(first)):
        return Typed(AskJournalPages(number=int(hit[1])))
    if first == "trends" and len(words) == 1:
        return Typed(AskJournalPages(trends=True))
    if first == "search":
        words = words[1:]
        if not words:
            raise ValueError("Say what to look for.")
    return Typed(AskJournalPages(query=" ".join(words)[:_LONGEST]))
