"""What people read about the past of an incident, in one sentence."""

from rules.journal.entry import JournalEntry
from rules.journal.similarity import SeenBefore
from rules.sentence import Sentence, Value, Who, say

_LONGEST_FIX = 180


def seen_sentence(seen: SeenBefore) -> Sentence | None:
    """Say how often it was seen and who fixed it how the last time; None when it never was."""
    entry = seen.shown
    if entry is None:
        return None
    lead, done = _lead(seen, entry), _done(entry)
    values: dict[str, Value] = {**lead.values, **done.values}
    return Sentence(f"{lead.template} {done.template}", values)


def reference(entry: JournalEntry) -> str:
    """Return what people call an entry by: its incident's number, else its own id."""
    return f"#{entry.number}" if entry.number is not None else entry.id[-8:]


def _lead(seen: SeenBefore, entry: JournalEntry) -> Sentence:
    if seen.latest is None:
        return say("Like {ref} of {at}:", ref=reference(entry), at=entry.at)
    if seen.times == 1:
        return say("Seen once before ({ref}, {at}):", ref=reference(entry), at=entry.at)
    return say("Seen {times} times; last time ({ref}, {at})", times=seen.times,
               ref=reference(entry), at=entry.at)  # fmt: skip


def _done(entry: JournalEntry) -> Sentence:
    fix = _short(entry.told.fix)
    cause = _short(entry.told.cause)
    person = entry.facts.resolved_by or entry.by
    if fix and person:
        return say("{who} fixed it: “{fix}”", who=Who(person), fix=fix)
    if fix:
        return say("fixed by “{fix}”", fix=fix)
    if cause:
        return say("the cause was “{cause}”", cause=cause)
    return say("{who} wrote it down", who=Who(person))


def _short(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST_FIX else line[: _LONGEST_FIX - 1].rstrip() + "…"
