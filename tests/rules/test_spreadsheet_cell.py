"""Cells that no spreadsheet takes for a formula."""

import pytest

from rules.spreadsheet_cell import safe_cell


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n1", " =cmd|' /C calc'!A0", "\uff1d1", "\u3000\uff0b1"],
)  # fmt: skip
def test_what_begins_as_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "plain text", "a=1", "1-2", "42", "2026-11-22T03:10:00Z"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


def test_no_cell_has_a_nul() -> None:
    assert safe_cell("a\0b") == "a\ufffdb"
