"""The ledger of elevated access and its monthly review as documents: JSON, CSV, text."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from rules.access.grant import Grant
from rules.access.ledger import Entry
from rules.access.review import Review, Reviewed
from rules.sentence import duration_text
from rules.spreadsheet_cell import safe_cell

COLUMNS = ("at", "what", "group", "person", "by", "why", "incident", "grant", "evidence")
FILTERS = ("group", "person", "grant", "what")


def read_filters(written: Iterable[str]) -> dict[str, str]:
    """Read filters such as `group=warehouse-admin`. Raises ValueError, in words."""
    found: dict[str, str] = {}
    for one in written:
        name, equals, value = one.partition("=")
        if not equals or name not in FILTERS:
            raise ValueError(f'"{one}" is no filter; write one of {", ".join(FILTERS)}, then =.')
        found[name] = value.strip()
    return found


def chosen(entries: Iterable[Entry], filters: Mapping[str, str]) -> list[Entry]:
    """Return the entries that fit every filter; people without regard to case."""
    group, what = filters.get("group", ""), filters.get("what", "")
    person = filters.get("person", "").lower()
    return [
        one
        for one in entries
        if group in {"", one.group}
        and person in {"", one.person.lower(), one.by.lower()}
        and what in {"", one.what.value}
        and filters.get("grant", "") in {"", one.grant}
    ]


def entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "what": entry.what.value,
        "group": entry.group,
        "person": entry.person,
        "by": entry.by or "watchbill",
        "why": entry.why,
        "incident": entry.incident or None,
        "grant": entry.grant,
        "evidence": dict(entry.evidence),
    }


def entries_csv(entries: Iterable[Entry]) -> str:
    """Write the ledger for a spreadsheet; no cell begins as a formula does."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        written = entry_json(entry)
        evidence = "; ".join(f"{name}={value}" for name, value in entry.evidence.items())
        row = {**written, "incident": entry.incident or "", "evidence": evidence}
        writer.writerow([safe_cell(str(row[name])) for name in COLUMNS])
    return out.getvalue()


def entry_line(entry: Entry) -> str:
    parts = [
        f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        entry.what.value.replace("_", " "),
        entry.group,
        entry.person,
        f"by {entry.by}" if entry.by else "",
        f"#{entry.incident}" if entry.incident else "",
        entry.grant,
        f"({entry.why})" if entry.why else "",
    ]
    return "  ".join(part for part in parts if part)


def grant_json(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "group": grant.group,
        "person": grant.person,
        "account": grant.account,
        "state": grant.state.value,
        "origin": grant.origin.value,
        "requested_at": grant.requested_at.isoformat(),
        "active_since": _iso(grant.active_since),
        "until": _iso(grant.until),
        "gone_since": _iso(grant.gone_since),
        "why": grant.why,
        "incident": grant.incident or None,
        "approved_by": grant.approved_by,
        "break_glass": grant.break_glass,
        "extensions": grant.extensions,
        "ended_by": grant.ended_by,
        "end_reason": grant.end_reason,
        "trouble": grant.trouble,
    }


def grant_line(grant: Grant) -> str:
    until = f"until {grant.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if grant.until else ""
    parts = [
        grant.id,
        grant.group,
        grant.person,
        grant.state.value,
        until,
        f"#{grant.incident}" if grant.incident else "",
        "break-glass" if grant.break_glass else "",
        f"({grant.why})" if grant.why else "",
        f"trouble: {grant.trouble}" if grant.trouble else "",
    ]
    return "  ".join(part for part in parts if part)


def month_of(written: str, now: datetime) -> tuple[datetime, datetime]:
    """Read `2026-11` as [start, end) in UTC, the last full month by "". Raises ValueError."""
    if written:
        first = date.fromisoformat(f"{written}-01")
    else:
        first = now.astimezone(UTC).date().replace(day=1)
        first = first.replace(
            year=first.year - (first.month == 1), month=(first.month - 2) % 12 + 1
        )
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return _midnight(first), _midnight(after)


def review_json(found: Review) -> dict[str, Any]:
    return {
        "from": found.start.isoformat(),
        "to": found.end.isoformat(),
        "grants": [
            {
                **grant_json(one.grant),
                "lasted_seconds": round(one.lasted.total_seconds()),
                "late_seconds": round(one.late.total_seconds()),
            }
            for one in found.grants
        ],
        "unused_groups": list(found.unused_groups),
        "unused_people": {name: list(people) for name, people in found.unused_people.items()},
    }


def review_lines(found: Review) -> list[str]:
    month = f"{found.start:%B %Y}"
    count = len(found.grants)
    lines = [f"Elevated access in {month}: {count} grants, {duration_text(found.lasted)} in all."]
    for group in dict.fromkeys(one.grant.group for one in found.grants):
        lines += ["", group, *(_review_line(o) for o in found.grants if o.grant.group == group)]
    if found.unused_groups:
        lines += ["", "Nobody used: " + ", ".join(found.unused_groups) + ". Still needed?"]
    lines += _idle_lines(found.unused_people)
    return lines


def _idle_lines(unused: Mapping[str, Sequence[str]]) -> list[str]:
    if not unused:
        return []
    named = [f"  {group}: {', '.join(people)}" for group, people in unused.items()]
    return ["", "May ask by name, and never had it:", *named]


def _review_line(one: Reviewed) -> str:
    grant = one.grant
    parts = [
        f"  {grant.requested_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        grant.person,
        f"had it {duration_text(one.lasted)}"
        if grant.active_since
        else f"never had it: {grant.state}",
        "by rotation" if grant.origin == "rotation" else "",
        "BREAK-GLASS" if grant.break_glass else "",
        f"approved by {grant.approved_by}" if grant.approved_by else "",
        f"#{grant.incident}" if grant.incident else "",
        f"extended {grant.extensions}x" if grant.extensions else "",
        f"{duration_text(one.late)} LATE" if one.late.total_seconds() > 300 else "",
        f"({grant.why})" if grant.why else "(no reason given)" if grant.origin == "asked" else "",
    ]
    return "  ".join(part for part in parts if part)


def _iso(when: datetime | None) -> str | None:
    return when.isoformat() if when else None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
