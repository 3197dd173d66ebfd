"""The table as CSV: for spreadsheets, which must not take a title for a formula."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from rules.issues.issue import Issue
from rules.spreadsheet_cell import safe_cell

HEADER = (
    "number", "opened_at", "title", "product", "tier", "category", "impact", "urgency", "priority",
    "status", "owner", "on_call", "holder", "ttd_seconds", "tta_seconds", "ttm_seconds",
    "ttr_seconds", "ttv_seconds", "promised_by", "healthy_at", "sla_breached", "root_cause",
    "recurrence_of", "follow_up",
)  # fmt: skip


def lines(issues: Sequence[Issue], now: datetime, name: Callable[[str], str]) -> bytes:
    """Return issues as rows; times are UTC, durations whole seconds."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([safe_cell(cell) for cell in _cells(issue, now, name)] for issue in issues)
    return out.getvalue().encode()


def header() -> bytes:
    return (",".join(HEADER) + "\r\n").encode()


def _cells(issue: Issue, now: datetime, name: Callable[[str], str]) -> Sequence[str]:
    m = issue.measures
    return (
        str(issue.number),
        _at(issue.opened_at),
        issue.title,
        issue.product,
        str(issue.tier or ""),
        issue.category.value if issue.category else "",
        issue.impact.value if issue.impact else "",
        issue.urgency.value if issue.urgency else "",
        issue.priority.value,
        issue.standing.words,
        name(issue.owner) if issue.owner else "",
        name(issue.on_call) if issue.on_call else "",
        name(issue.holder) if issue.holder else "",
        *(_seconds(span) for span in (m.ttd, m.tta, m.ttm, m.ttr, m.ttv)),
        _at(issue.deadline),
        _at(issue.healthy_at),
        {True: "yes", False: "no", None: ""}[issue.breached(now)],
        issue.cause,
        str(issue.recurs or ""),
        issue.follow_up,
    )


def _at(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _seconds(span: timedelta | None) -> str:
    return "" if span is None else str(span // timedelta(seconds=1))
