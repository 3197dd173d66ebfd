"""How alike an incident and the past are."""

from rules.journal.similarity import LIKE, Candidate, Subject, chosen, ranked, weighed
from rules.journal.words import SameWords


def test_a_journal_of_one_entry_is_not_like_everything() -> None:
    known = Candidate(seq=1, words=frozenset({"warehouse", "orders", "unique", "failed"}))
    other = Subject(words=("staging", "failed", "warehouse", "disk", "full", "node", "seven"))
    counts = dict.fromkeys(known.words, 1)
    meanings = weighed(other, counts, 1, SameWords(()))
    (match,) = ranked(other, [known], meanings)
    assert match.score < LIKE
    assert [one.words for one in chosen(meanings)] == [("failed",), ("warehouse",)]
