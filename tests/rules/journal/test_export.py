"""What leaves the journal: Markdown that is only text, cells that are no formulas."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import yaml

from rules.journal.entry import Facts, JournalEntry, Note, Told
from rules.journal.export import COLUMNS, file_name, markdown_of, row_of

AT = datetime(2026, 11, 22, 3, 10, tzinfo=UTC)
ENTRY = JournalEntry(
    id="a" * 32,
    number=42,
    at=AT,
    changed_at=AT,
    changed_by="bo",
    by="bo",
    told=Told(cause_class="source_change", cause="A new column", fix="1. Full refresh\n- then wait",
              needed=False, needed_why="Nobody read it"),
    facts=Facts(title="orders <script>alert(1)</script> [x](javascript:y)", product='a"b: c'),
)  # fmt: skip


def named(key: str) -> str:
    return {"bo": "Bo Lind"}.get(key, key)


def test_the_front_matter_is_yaml_whatever_stands_in_it() -> None:
    text = markdown_of(ENTRY, {"source_change": "The source changed"}, named)
    front = yaml.safe_load(text.split("---\n")[1])
    assert (front["incident"], front["product"], front["page_needed"]) == (42, 'a"b: c', False)
    assert front["written_by"] == "Bo Lind"


def test_texts_from_outside_stay_text_in_markdown() -> None:
    text = markdown_of(ENTRY, {"source_change": "The source changed"}, named)
    assert r"\<script\>" in text
    assert "](javascript" not in text.replace(r"\]", "")
    assert "1\\. Full refresh\n\\- then wait" in text
    assert "The source changed: A new column" in text


def test_files_are_named_by_day_and_number_and_never_by_outside_text() -> None:
    assert file_name(ENTRY) == "2026/2026-11-22-0042.md"
    alone = replace(ENTRY, number=None, id="../../etc/passwd")
    assert file_name(alone) == "2026/2026-11-22-tcpasswd.md"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =cmd|' /C calc'!A0", "\uff1d1"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    row = row_of(
        replace(ENTRY, told=Told(fix=text), notes=(Note(text=text, by="bo", at=AT),)), named
    )
    assert not [cell for cell in row if cell[:1] in {"=", "+", "-", "@", "\t", "\r", " "}]


def test_a_row_has_a_cell_for_each_column() -> None:
    row = dict(zip(COLUMNS, row_of(ENTRY, named), strict=True))
    assert (row["incident"], row["at"], row["page_needed"]) == ("42", "2026-11-22 03:10 UTC", "no")


def test_front_matter_says_the_same_to_whatever_reads_yaml() -> None:
    hostile = 'a "b" \\ c: #d \U0001f986 \x7f\x85\u2028\ufeff \ud800 \\ud83e é'
    made = JournalEntry(id="e", number=1, at=AT, changed_at=AT, changed_by="bo",
                        facts=Facts(asset=hostile, product=hostile))  # fmt: skip
    front = markdown_of(made, {}, str).split("---\n")[1]
    told = yaml.safe_load(front)
    assert told["asset"] == hostile.replace("\ud800", "\ufffd")
    assert front.isascii()
