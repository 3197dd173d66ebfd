"""What will go wrong with the roster soon: gaps ahead, the end of the rows, unreachable people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.roster.table import Problem, Severity
from rules.coverage import Gap, gaps
from rules.people import People
from rules.roster import LOOK_AHEAD, Shift
from rules.rotation import OnCall
from rules.sentence import duration_text


def outlook(
    on_call: OnCall,
    rows: Sequence[Shift],
    people: People,
    now: datetime,
    *,
    zones: Mapping[str, str],
) -> list[Problem]:
    """Return warnings about the 14 days from `now`; past gaps are nobody's business."""
    ends: dict[str, datetime] = {}
    for row in rows:
        ends[row.rotation] = max(row.end, ends.get(row.rotation, row.end))
    ending = {name: end for name, end in sorted(ends.items()) if end < now + LOOK_AHEAD}
    ahead = gaps(on_call, now, now + LOOK_AHEAD)
    return [
        *(_ends_soon(name, end, now, zones) for name, end in ending.items()),
        *(_gap(gap, zones) for gap in ahead if gap.start < ending.get(gap.rotation, gap.end)),
        *_unreachable(on_call, people, now),
    ]


def _ends_soon(rotation: str, end: datetime, now: datetime, zones: Mapping[str, str]) -> Problem:
    when = _local(end, rotation, zones)
    if end <= now:
        text = f"the last row of {rotation} ended {when}. Nobody follows; add rows."
    else:
        text = f"the last row of {rotation} ends {when}, in {_days(end - now)}. Add rows."
    return Problem("", text, Severity.WARNING, rotation)


def _gap(gap: Gap, zones: Mapping[str, str]) -> Problem:
    start, end = (_local(at, gap.rotation, zones) for at in (gap.start, gap.end))
    length = duration_text(gap.end - gap.start)
    text = f"nobody is {gap.role} of {gap.rotation} from {start} to {end} ({length})."
    return Problem("", text, Severity.WARNING, gap.rotation)


def _unreachable(on_call: OnCall, people: People, now: datetime) -> Iterable[Problem]:
    seen: dict[str, str] = {}
    for rotation in on_call.rotations:
        for role in on_call.roles(rotation):
            for span in on_call.spans(rotation, role):
                if span.end > now and span.start < now + LOOK_AHEAD:
                    seen.update(dict.fromkeys(span.people, rotation) | seen)
    for key, rotation in sorted(seen.items()):
        person = people.by_key(key)
        if not (person.slack or person.email or "@" in key or key.startswith("slack:")):
            text = f"{person.name} has neither a Slack id nor an e-mail and cannot be paged."
            yield Problem("", f"{text} Add one to people.", Severity.WARNING, rotation)


def _local(at: datetime, rotation: str, zones: Mapping[str, str]) -> str:
    return f"{at.astimezone(ZoneInfo(zones.get(rotation, 'UTC'))):%a %Y-%m-%d %H:%M}"


def _days(left: timedelta) -> str:
    if left < timedelta(days=1):
        return duration_text(left)
    return f"{left.days} day{'s' if left.days > 1 else ''}"
