"""A runbook is read strictly: every fault has its line."""

from datetime import date

import pytest

from rules.documents.runbook_document import LARGEST_RUNBOOK, read_runbook
from rules.runbooks.runbook import Matches, RunbookStep

GOOD = """---
matches: {product: orders, category: [freshness, pipeline_failure]}
owner: cy@example.com
reviewed_on: 2026-10-01
steps:
  - Look at the log of the failed task.
  - do: Clear the task, once.
    action: clear-task
verify: fct_orders has rows of today.
---
# Orders is late

More words.
"""


def faults(text: str) -> list[str]:
    runbook, _, found = read_runbook(text, "r.md", "r")
    assert runbook is None
    return [str(one) for one in found]


def test_front_matter_becomes_a_runbook() -> None:
    runbook, document, found = read_runbook(GOOD, "r.md", "orders/late")
    assert found == []
    assert document is not None
    assert runbook is not None
    assert runbook.title == "Orders is late"
    assert runbook.matches == Matches(
        product=("orders",), category=("freshness", "pipeline_failure")
    )
    assert runbook.steps == (
        RunbookStep("Look at the log of the failed task."),
        RunbookStep("Clear the task, once.", "clear-task"),
    )
    assert (runbook.owner, runbook.reviewed_on) == ("cy@example.com", date(2026, 10, 1))
    assert runbook.verify == "fct_orders has rows of today."
    assert runbook.id == "orders/late"


def test_files_of_windows_and_with_a_mark_are_read_too() -> None:
    runbook, _, found = read_runbook("\ufeff" + GOOD.replace("\n", "\r\n"), "r.md", "r")
    assert found == []
    assert runbook is not None


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("owner: cy@example.com", "ownr: cy", 3, "unknown key `ownr`"),
        ("2026-10-01", "2026-02-30", 4, "no day of the calendar"),
        ("2026-10-01", "soon", 4, "write it like 2026-10-31"),
        ("[freshness, pipeline_failure]", "[freshnes]", 2, 'no category "freshnes"'),
        ("{product: orders, category: [freshness, pipeline_failure]}", "{}", 2, "name a product"),
        ("{product: orders, category: [freshness, pipeline_failure]}", '{product: "*"}', 2,
         "fits everything"),
        ("action: clear-task", 'action: "rm -rf /"', 8, "cannot be the name of an action"),
        ("action: clear-task", "command: [rm]", 8, "unknown key `command`"),
        ("owner: cy@example.com", "owner: cy\nowner: bo", 4, "here twice"),
        ("verify:", "\tverify:", 9, "not YAML"),
    ],
)  # fmt: skip
def test_a_fault_says_where_it_is(old: str, new: str, line: int, words: str) -> None:
    found = faults(GOOD.replace(old, new))
    assert any(one.startswith(f"r.md:{line}:") and words in one for one in found), found


def test_what_lacks_front_matter_or_is_too_large_says_so() -> None:
    assert "begin the file with a line `---`" in faults("# Only words\n")[0]
    assert "begin the file with a line `---`" in faults("---\nmatches: {product: a}\n")[0]
    assert "larger than 64,000" in faults(GOOD + "x" * LARGEST_RUNBOOK)[0]


def test_more_steps_than_fit_a_message_are_a_fault() -> None:
    many = "".join(f"  - step {n}\n" for n in range(21))
    text = GOOD.replace("  - Look at the log of the failed task.\n", many)
    assert any("steps" in one for one in faults(text))


@pytest.mark.parametrize("fence", ["```", "~~~", "````bash"])
def test_a_comment_in_a_block_of_code_is_no_heading(fence: str) -> None:
    code = f"First:\n{fence}\n# clear it\nairflow tasks clear\n{fence.rstrip('bash')}\n"
    runbook, _, _ = read_runbook(GOOD.replace("# Orders is late", f"{code}# Orders"), "r.md", "r")
    assert runbook is not None
    assert runbook.title == "Orders"
    runbook, _, _ = read_runbook(GOOD.replace("# Orders is late", code), "r.md", "the/id")
    assert runbook is not None
    assert runbook.title == "the/id"
    runbook, _, _ = read_runbook(
        GOOD.replace("# Orders is late", f"# Orders\n{fence}"), "r.md", "r"
    )
    assert runbook is not None
    assert runbook.title == "Orders"
