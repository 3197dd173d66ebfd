"""Journal entries and prompts as rows, and back."""

import json
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row

from bot.store import rows
from bot.store.columns import stored_key, stored_text
from rules.journal.entry import JournalEntry
from rules.journal.prompt import JournalPrompt, PromptState
from rules.journal.similarity import Candidate, words_in

_ENTRY = TypeAdapter(JournalEntry)


def body_of(entry: JournalEntry) -> str:
    written = json.dumps(_ENTRY.dump_python(entry, mode="json"), ensure_ascii=False)
    return stored_text(written)


def entry_of(body: str) -> JournalEntry:
    return _ENTRY.validate_python(json.loads(body))


def words_text(entry: JournalEntry) -> str:
    return " ".join(words_in(entry))


def entry_values(entry: JournalEntry) -> rows.Values:
    facts = entry.facts
    return {
        "id": stored_key(entry.id),
        "number": entry.number,
        "version": entry.version,
        "written": int(entry.is_written),
        "product": stored_key(facts.product),
        "asset": stored_key(facts.asset),
        "category": stored_key(facts.category),
        "thing": stored_key(facts.thing),
        "cause": stored_key(entry.told.cause_class),
        "month": entry.month,
        "at": entry.at,
        "changed_at": entry.changed_at,
        "body": body_of(entry),
        "words": words_text(entry),
    }


def version_values(entry: JournalEntry) -> rows.Values:
    return {
        "entry_id": stored_key(entry.id),
        "version": entry.version,
        "at": entry.changed_at,
        "by": stored_text(entry.changed_by),
        "body": body_of(entry),
    }


def candidate(row: Row[Any]) -> Candidate:
    return Candidate(
        seq=row.seq,
        words=frozenset(row.words.split(" ")),
        thing=row.thing,
        asset=row.asset,
        product=row.product,
        category=row.category,
    )


def prompt_values(prompt: JournalPrompt) -> rows.Values:
    return {
        "incident_id": prompt.incident_id,
        "number": prompt.number,
        "person": stored_key(prompt.person),
        "title": stored_text(prompt.title),
        "key": stored_key(prompt.key),
        "state": prompt.state.value,
        "asked_at": prompt.asked_at,
        "changed_at": prompt.changed_at,
        "by": stored_text(prompt.by),
        "why": stored_text(prompt.why),
    }


def prompt(row: Row[Any]) -> JournalPrompt:
    return JournalPrompt(
        incident_id=row.incident_id,
        number=row.number,
        person=row.person,
        title=row.title,
        key=row.key,
        state=PromptState(row.state),
        asked_at=row.asked_at,
        changed_at=row.changed_at,
        by=row.by,
        why=row.why,
    )
