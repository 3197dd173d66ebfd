"""Entries for other places: a Markdown file each, for git, and rows of a table."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime

from rules.journal.entry import JournalEntry
from rules.journal.telling import reference
from rules.spreadsheet_cell import safe_cell

Name = Callable[[str], str]
"""Tells what a person is called, by key."""

COLUMNS = (
    *("incident", "at", "title", "product", "asset", "category", "priority", "source"),
    *("symptom", "cause_class", "cause", "fix", "page_needed", "page_needed_why", "follow_up"),
    *("opened_at", "acked_at", "resolved_at", "verified_at", "resolved_by", "people", "interval"),
    *("steps", "verification", "grants", "notes", "written_by", "written_at", "version"),
)
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#!~&])")
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9-]")


def row_of(entry: JournalEntry, name: Name) -> tuple[str, ...]:
    """Return the cells of one entry, in the order of COLUMNS; no cell is taken for a formula."""
    facts, told = entry.facts, entry.told
    cells = (
        str(entry.number or ""), _instant(entry.at), facts.title, facts.product, facts.asset,
        facts.category, facts.priority, facts.source, told.symptom, told.cause_class, told.cause,
        told.fix, _yes(told.needed), told.needed_why, told.follow_up, _instant(facts.opened_at),
        _instant(facts.acked_at), _instant(facts.resolved_at), _instant(facts.verified_at),
        name(facts.resolved_by), ", ".join(map(name, facts.people)), facts.interval,
        "; ".join(facts.steps), facts.verification, "; ".join(facts.grants),
        "\n".join(note.text for note in entry.notes), name(entry.by), _instant(entry.written_at),
        str(entry.version),
    )  # fmt: skip
    return tuple(map(safe_cell, cells))


def file_name(entry: JournalEntry) -> str:
    """Return where an entry's file stands, by year: `2026/2026-11-22-0042.md`."""
    last = f"{entry.number:04}" if entry.number is not None else _NOT_A_NAME.sub("", entry.id)[-8:]
    return f"{entry.at:%Y}/{entry.at:%Y-%m-%d}-{last}.md"


def markdown_of(entry: JournalEntry, causes: Mapping[str, str], name: Name) -> str:
    """Return one entry as Markdown with front matter; what people wrote is only ever text."""
    facts, told = entry.facts, entry.told
    front = {
        "incident": entry.number,
        "at": _instant(entry.at),
        "product": facts.product,
        "asset": facts.asset,
        "category": facts.category,
        "priority": facts.priority,
        "cause": told.cause_class,
        "page_needed": told.needed,
        "resolved_at": _instant(facts.resolved_at),
        "resolved_by": name(facts.resolved_by),
        "people": [name(person) for person in facts.people],
        "interval": facts.interval,
        "verification": facts.verification,
        "written_by": name(entry.by),
        "version": entry.version,
    }
    lines = ["---", *(f"{key}: {_yaml(value)}" for key, value in front.items()
                      if value not in ("", None, [])), "---", ""]  # fmt: skip
    lines += [f"# {_line(reference(entry))} {_line(facts.title)}", ""]
    kind = causes.get(told.cause_class, told.cause_class)
    for heading, text in (
        ("What users saw", told.symptom),
        ("Root cause", ": ".join(part for part in (kind, told.cause) if part)),
        ("Fix", told.fix),
        ("Was the page needed", ": ".join(p for p in (_yes(told.needed), told.needed_why) if p)),
        ("Still to do", told.follow_up),
        ("Steps tried", "\n".join(facts.steps)),
        ("Access used", "\n".join(facts.grants)),
        ("Notes", "\n\n".join(note.text for note in entry.notes)),
    ):
        if text.strip():
            lines += [f"## {heading}", "", _text(text), ""]
    return "\n".join(lines)


def _yaml(value: object) -> str:
    """Write a value as JSON that YAML reads alike: one escape for each character, no pairs."""
    return "".join(map(_ascii, json.dumps(value, ensure_ascii=False)))


def _ascii(char: str) -> str:
    code = ord(char)
    if " " <= char <= "~":
        return char
    if "\ud800" <= char <= "\udfff":
        return r"\ufffd"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _text(text: str) -> str:
    return "\n".join(_line(line) for line in text.replace("\0", "\ufffd").splitlines())


def _line(text: str) -> str:
    """Escape what Markdown or HTML would read; a number or dash at the start is no list."""
    shown = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return re.sub(r"^(\d+)([.)])|^([-+=:])", r"\1\\\2\3", shown)


def _instant(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""


def _yes(needed: bool | None) -> str:  # noqa: FBT001 - it is the value
    return {True: "yes", False: "no", None: ""}[needed]
