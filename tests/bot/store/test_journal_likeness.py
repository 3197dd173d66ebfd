"""Forty incidents that came again in other words find their predecessors among thousands."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from bot.config.file import load
from bot.store.opening import OpenedStore
from rules.journal.entry import Facts, JournalEntry, Told
from rules.journal.similarity import subject_of
from tests.bench.journal_past import past_entries
from tests.fakes.clock import FakeClock

REPO = Path(__file__).resolve().parents[3]
PAIRS = yaml.safe_load((REPO / "tests/payloads/journal_reworded.yaml").read_text())
DISTRACTORS = 2_500
ENOUGH = 35


def facts(written: list[str]) -> Facts:
    source, product, asset, category, title, description = written
    return Facts(
        source=source,
        product=product,
        asset=asset,
        category=category,
        title=title,
        description=description,
        thing=f"{source}\n{title}",
    )


def past(number: int, pair: dict[str, list[str]], now: datetime) -> JournalEntry:
    cause, fix = pair["told"]
    return JournalEntry(
        id=f"pair{number}",
        number=number,
        at=now - timedelta(days=90),
        changed_at=now,
        changed_by="bo",
        by="bo",
        told=Told(cause=cause, fix=fix),
        facts=facts(pair["was"]),
    )


def test_the_set_is_whole() -> None:
    assert len(PAIRS) == 40
    assert all(pair["was"][4] != pair["again"][4] for pair in PAIRS)


async def test_a_reworded_incident_finds_its_predecessor(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now, chance = clock.now(), random.Random(7)
    shared = sorted({(pair["was"][1], pair["was"][2]) for pair in PAIRS})
    entries = list(past_entries(DISTRACTORS, now, first=1_000, known=shared))
    entries += [past(n, pair, now) for n, pair in enumerate(PAIRS, 1)]
    chance.shuffle(entries)
    for at in range(0, len(entries), 500):
        async with opened_store.store.begin() as tx:
            for entry in entries[at : at + 500]:
                tx.journal.save_entry(entry)
    loaded = load(REPO / "config.yaml", {})
    assert loaded.parts is not None
    same = loaded.parts.journal.same_words
    missed = []
    for number, pair in enumerate(PAIRS, 1):
        subject = replace(subject_of(facts(pair["again"]), 9_999), thing="")
        seen = await opened_store.journal.seen(subject, same)
        if number not in [one.entry.number for one in seen.similar]:
            found = [one.entry.facts.title for one in seen.similar]
            missed.append((number, pair["again"][4], found))
    assert len(PAIRS) - len(missed) >= ENOUGH, missed
