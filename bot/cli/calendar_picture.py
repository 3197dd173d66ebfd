"""Draws the coming weeks of a rotation for a terminal: a row a role, a column a part of a day."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.table import Table
from rich.text import Text

from rules.calendar.event import gaps_of
from rules.people import People
from rules.plain_line import one_line
from rules.rotation import OnCall

_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green")
_WEEK = 7
_CELL = 7
"""A day's width, so that a week fits into 80 columns."""
_GAP = "nobody"
_MOST_GAPS = 20


def preview_picture(
    on_call: OnCall, rotation: str, people: People, now: datetime, days: int, zone: str
) -> Group:
    """Return a table with a line for each role and week, and the gaps in words below."""
    local = now.astimezone(ZoneInfo(zone))
    monday = local.date() - timedelta(days=local.weekday())
    weeks = (local.date() - monday + timedelta(days=days)).days // _WEEK + 1
    table = Table(
        title=f"{rotation} ({zone})", title_justify="left", box=None, padding=(0, 1, 0, 0)
    )
    for name in ("week", "role"):
        table.add_column(name, no_wrap=True, max_width=_CELL + 3)
    for name in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"):
        table.add_column(name, no_wrap=True, width=_CELL)
    shades = _shades(on_call, rotation)
    for week in range(weeks):
        first = monday + timedelta(weeks=week)
        starts = [_midnight(first + timedelta(days=n), zone) for n in range(_WEEK + 1)]
        for at, role in enumerate(on_call.roles(rotation)):
            cells = [
                _day(on_call, (rotation, role), (max(start, now), end), people, shades)
                if end > now
                else Text()
                for start, end in pairwise(starts)
            ]
            table.add_row(f"{first:%d %b}" if at == 0 else "", role, *cells)
    lines = _gap_lines(on_call, rotation, now, now + timedelta(days=days), zone)
    return Group(table, *lines)


def preview_json(
    on_call: OnCall, rotations: Sequence[str], start: datetime, end: datetime
) -> dict[str, Any]:
    """Return the spans and the gaps of [start, end)."""
    spans = [
        {"rotation": s.rotation, "role": s.role, "start": s.start.isoformat(),
         "end": s.end.isoformat(), "people": list(s.people)}
        for s in on_call.all_spans()
        if s.rotation in rotations and s.end > start and s.start < end
    ]  # fmt: skip
    gaps = [
        {"rotation": name, "role": role, "start": begins.isoformat(), "end": ends.isoformat()}
        for name in rotations
        for role in on_call.roles(name)
        for begins, ends in gaps_of(on_call, name, role, start, end)
    ]
    return {"spans": spans, "gaps": gaps}


def _day(
    on_call: OnCall,
    slot: tuple[str, str],
    day: tuple[datetime, datetime],
    people: People,
    shades: dict[tuple[str, ...], str],
) -> Text:
    """Return one day: whoever has it, one after another; red where nobody does."""
    start, end = day
    parts: list[tuple[datetime, str, str]] = [
        (max(span.start, start), _short(span.people, people), shades.get(span.people, ""))
        for span in on_call.spans(*slot)
        if span.people and span.start < end and span.end > start
    ]
    parts += [(at, _GAP, "bold white on red") for at, _ in gaps_of(on_call, *slot, start, end)]
    names = dict.fromkeys((name, style) for _, name, style in sorted(parts))
    room = max(1, (_CELL - len(names) + 1) // max(1, len(names)))
    cell = Text()
    for name, style in names:
        cell.append("/" if cell else "").append(name[:room], style)
    return cell


def _short(keys: Sequence[str], people: People) -> str:
    names = (one_line(people.by_key(key).name).split(" ")[0] for key in keys)
    return "+".join(name.split("@")[0] for name in names)


def _shades(on_call: OnCall, rotation: str) -> dict[tuple[str, ...], str]:
    spans = (span for role in on_call.roles(rotation) for span in on_call.spans(rotation, role))
    known = sorted({span.people for span in spans if span.people})
    return {people: _COLOURS[at % len(_COLOURS)] for at, people in enumerate(known)}


def _gap_lines(
    on_call: OnCall, rotation: str, start: datetime, end: datetime, zone: str
) -> Iterator[Text]:
    gaps = [
        (begins, ends, role)
        for role in on_call.roles(rotation)
        for begins, ends in gaps_of(on_call, rotation, role, start, end)
    ]
    for begins, ends, role in sorted(gaps)[:_MOST_GAPS]:
        first, last = (at.astimezone(ZoneInfo(zone)) for at in (begins, ends))
        words = f"Nobody is {role} from {first:%a %Y-%m-%d %H:%M} to {last:%a %Y-%m-%d %H:%M}."
        yield Text(words, style="red")
    if len(gaps) > _MOST_GAPS:
        yield Text(f"And {len(gaps) - _MOST_GAPS} more gaps.", style="red")
    if not gaps:
        yield Text("No gaps.", style="green")


def _midnight(day: Any, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))
