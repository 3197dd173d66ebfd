"""Which past incident an incident is like: the same thing, asset or trouble, and rare words shared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

from rules.incident import Incident
from rules.journal.entry import Facts, JournalEntry
from rules.journal.words import SameWords, spellings, words_of

SAME_THING, SAME_ASSET, SAME_PRODUCT, SAME_CATEGORY = 0.5, 0.35, 0.12, 0.06
LIKE = 0.42
"""From this likeness on, of 0 to about 2, an entry is worth showing."""
SAME_WORDING = 0.45
"""The share of what an incident's words say that makes it the same trouble of one product."""
MOST_OF_ENTRY = 2_000
"""Words: more than a form holds whose every field is full."""
MOST_CHOSEN = 12
MOST_FOUND = 300
"""So many entries are compared for the words they share, the rarest words first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an incident is about, as far as it can be compared."""

    words: tuple[str, ...]
    thing: str = ""
    asset: str = ""
    product: str = ""
    category: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A past entry as far as it can be compared; `seq` grows with every entry."""

    seq: int
    words: frozenset[str]
    thing: str = ""
    asset: str = ""
    product: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    candidate: Candidate
    score: float
    same: bool


@dataclass(frozen=True, slots=True)
class Similar:
    """An entry with its likeness; `same` says that it was the same trouble, not one like it."""

    entry: JournalEntry
    score: float
    same: bool


@dataclass(frozen=True, slots=True)
class SeenBefore:
    """What the journal knows of an incident's trouble.

    `times` counts entries of the same trouble and `latest` is the newest of them; `similar` are
    the entries most like it, best first.
    """

    times: int = 0
    latest: JournalEntry | None = None
    similar: tuple[Similar, ...] = ()

    @property
    def shown(self) -> JournalEntry | None:
        """Return the entry to read first."""
        return self.latest or (self.similar[0].entry if self.similar else None)


def subject_of(facts: Facts, number: int | None = None) -> Subject:
    """Return what can be compared of an incident."""
    return Subject(
        words=words_about(facts),
        thing=facts.thing,
        asset=facts.asset,
        product=facts.product,
        category=facts.category,
        number=number,
    )


def thing_name(incident: Incident) -> str:
    return f"{incident.source}\n{incident.dedup_key}"


def words_about(facts: Facts) -> tuple[str, ...]:
    """Return the words that say what an incident is about."""
    return words_of(
        facts.title,
        facts.asset,
        facts.product,
        *(value for _, value in facts.labels),
        facts.category,
        facts.description,
    )


def words_in(entry: JournalEntry) -> tuple[str, ...]:
    """Return all words an entry is found by, those with accents in both spellings.

    What it is about comes first, so that no length of what people wrote hides it.
    """
    told, facts = entry.told, entry.facts
    words = words_of(
        facts.title,
        facts.asset,
        facts.product,
        facts.category,
        told.cause_class,
        told.cause,
        told.fix,
        told.symptom,
        told.follow_up,
        told.needed_why,
        *(note.text for note in reversed(entry.notes)),
        facts.note,
        *(value for _, value in facts.labels),
        facts.description,
        most=MOST_OF_ENTRY,
    )
    return tuple(dict.fromkeys(one for word in words for one in spellings(word)))


@dataclass(frozen=True, slots=True)
class Weighed:
    """What one meaning of a subject weighs: its words, and in how many entries they stand."""

    words: tuple[str, ...]
    count: int
    weight: float


def weighed(
    subject: Subject, counts: Mapping[str, int], total: int, same: SameWords
) -> list[Weighed]:
    """Weigh what a subject's words mean, the rarest first.

    `counts` tells in how many of `total` entries a word stands. What stands in none weighs as
    little as what stands in all: it is often a number of no meaning, but while the journal is
    small it is what tells another trouble from the few that are known.
    """
    found = []
    for meaning in same.meanings(subject.words):
        count = sum(counts.get(word, 0) for word in meaning)
        found.append(Weighed(meaning, count, log(1 + total / count) if count else log(2)))
    return sorted(found, key=lambda one: (one.count, one.words))


def chosen(meanings: Sequence[Weighed]) -> list[Weighed]:
    """Return the rarest meanings, as many as a look-up may ask for."""
    taken: list[Weighed] = []
    total = 0
    known = [one for one in meanings if one.count]
    for one in known[:MOST_CHOSEN]:
        total += one.count
        if taken and total > MOST_FOUND:
            break
        taken.append(one)
    return taken


def ranked(
    subject: Subject, candidates: Iterable[Candidate], meanings: Sequence[Weighed]
) -> list[Match]:
    """Sort candidates by likeness, best first; of equals the newest."""
    every = sum(one.weight for one in meanings) or 1.0
    found = [_match(subject, one, meanings, every) for one in candidates]
    return sorted(found, key=lambda match: (-round(match.score, 6), -match.candidate.seq))


def _match(
    subject: Subject, candidate: Candidate, meanings: Sequence[Weighed], every: float
) -> Match:
    shared = (
        sum(one.weight for one in meanings if not candidate.words.isdisjoint(one.words)) / every
    )
    thing = bool(subject.thing) and subject.thing == candidate.thing
    asset = bool(subject.asset) and subject.asset == candidate.asset
    product = bool(subject.product) and subject.product == candidate.product
    category = bool(subject.category) and subject.category == candidate.category
    score = (
        shared
        + SAME_THING * thing
        + SAME_ASSET * asset
        + SAME_PRODUCT * product
        + SAME_CATEGORY * category
    )
    same = thing or (category and (asset or product) and shared >= SAME_WORDING)
    return Match(candidate, score, same or (asset and category))
