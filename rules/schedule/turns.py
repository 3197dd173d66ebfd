"""The turns of a layer as instants: when each begins, whose it is, and the hours it is cut to."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.hours import DAYS, Hours, to_instant
from rules.schedule.roster import AdvanceOn, Holiday, Layer, OnHolidays, Unit
from rules.schedule.timeline import Piece, Reason, Timeline

_FAR = datetime.max.replace(tzinfo=UTC)
_LENGTHS = {
    Unit.HOUR: timedelta(hours=1),
    Unit.DAY: timedelta(days=1),
    Unit.WEEK: timedelta(weeks=1),
    Unit.MONTH: timedelta(days=31),
}
"""At most this long, but for an hour or two where clocks change."""

Stretch = tuple[datetime, datetime]


def hand_off(layer: Layer, number: int) -> datetime:
    """Return the instant at which turn `number` begins.

    Days, weeks and months are counted from the start each time and then looked up in the zone,
    so the clock reads the same; a month without the day has its last day. They never go
    backwards: clocks skip a day at most, and then two turns begin at once.
    """
    steps = number * layer.every
    try:
        match layer.unit:
            case Unit.HOUR:
                return _instant(layer, layer.starts) + timedelta(hours=steps)
            case Unit.MONTH:
                return _instant(layer, _months_after(layer.starts, steps))
            case unit:
                return _instant(layer, layer.starts + _LENGTHS[unit] * steps)
    except (OverflowError, ValueError):  # after the year 9999
        return _FAR


def turns(layer: Layer, start: datetime, end: datetime) -> Iterator[tuple[int, datetime, datetime]]:
    """Yield number, beginning and end of each turn that touches [start, end), whole.

    Turns of no length, where clocks skip a day, are counted and left out.
    """
    number = _about(layer, start)
    begins = hand_off(layer, number)
    while begins < end and begins < _FAR:
        ends = hand_off(layer, number + 1)
        if begins < ends and ends > start:
            yield number, begins, ends
        number, begins = number + 1, ends


def expand(layer: Layer, holidays: Sequence[Holiday], start: datetime, end: datetime) -> Timeline:
    """Return who has the layer's role by it, cut to [start, end) and to the layer's windows."""
    start = max(start, layer.effective_from or start)
    end = min(end, layer.effective_until or end)
    if start >= end:
        return []
    why = (Reason(layer.source or "rotation", layer.where),)
    source = layer.source or "rotation"
    return [
        Piece(max(begins, start), min(ends, end), people, source, why)
        for people, begins, ends in _held(layer, holidays, start, end)
        if people and begins < end and ends > start
    ]


def turn_at(layer: Layer, at: datetime) -> tuple[int, datetime, datetime] | None:
    """Return number, beginning and end of the turn that holds `at`, hours not looked at."""
    return next((turn for turn in turns(layer, at, at + timedelta.resolution)), None)


def _held(
    layer: Layer, holidays: Sequence[Holiday], start: datetime, end: datetime
) -> Iterator[tuple[tuple[str, ...], datetime, datetime]]:
    order, count = layer.order, len(layer.order)
    opens = _opening_rule(layer, holidays)
    if opens is None:
        for number, begins, ends in turns(layer, start, end):
            yield order[number % count], begins, ends
        return
    if layer.advance_on is AdvanceOn.CALENDAR:
        counted = turns(layer, start, end)
        for number, parts in _cut(counted, _openings(opens, start, end)):
            for begins, ends in parts:
                yield order[number % count], begins, ends
        return
    first = hand_off(layer, 0)
    cut = _cut(turns(layer, first, end), _openings(opens, first, end))
    for number, (_, parts) in enumerate((n, parts) for n, parts in cut if parts):
        for begins, ends in parts:
            yield order[number % count], begins, ends


def _cut(
    counted: Iterator[tuple[int, datetime, datetime]], openings: Sequence[Stretch]
) -> Iterator[tuple[int, list[Stretch]]]:
    """Yield each turn's number with what the openings leave of it."""
    at = 0
    for number, begins, ends in counted:
        while at < len(openings) and openings[at][1] <= begins:
            at += 1
        parts: list[Stretch] = []
        look = at
        while look < len(openings) and openings[look][0] < ends:
            opens, closes = openings[look]
            parts.append((max(opens, begins), min(closes, ends)))
            look += 1
        yield number, parts


class _OpeningRule:
    """On which days windows open."""

    def __init__(self, layer: Layer, holidays: frozenset[date]) -> None:
        self.windows = layer.windows or (Hours(time(0), time(0), layer.zone),)
        self._skipped = layer.skip_dates
        self._rule = layer.on_holidays
        self._holidays = holidays

    def allows(self, window: Hours, day: date) -> bool:
        usual = DAYS[day.weekday()] in window.days
        if day in self._skipped:
            return False
        if self._rule is OnHolidays.ONLY:
            return usual and day in self._holidays
        if day not in self._holidays:
            return usual
        return usual if self._rule is OnHolidays.AS_USUAL else self._rule is OnHolidays.ALSO


def _opening_rule(layer: Layer, holidays: Sequence[Holiday]) -> _OpeningRule | None:
    """Return None for a layer that is always open."""
    usual = layer.on_holidays is OnHolidays.AS_USUAL
    if usual and not layer.windows and not layer.skip_dates:
        return None
    return _OpeningRule(layer, frozenset(h.day for h in holidays if h.is_of(layer.place)))


def _openings(rule: _OpeningRule, start: datetime, end: datetime) -> Sequence[Stretch]:
    """Return when the layer is open around [start, end), windows that meet made one."""
    found: list[Stretch] = []
    for window in rule.windows:
        zone = ZoneInfo(window.zone)
        overnight = timedelta(days=window.closes <= window.opens)
        # The day before may have a window that lasts until now.
        day = start.astimezone(zone).date() - timedelta(days=1)
        last = end.astimezone(zone).date()
        while day <= last:
            if rule.allows(window, day):
                opens = to_instant(day, window.opens, window.zone)
                found.append((opens, to_instant(day + overnight, window.closes, window.zone)))
            day += timedelta(days=1)
    return _joined(found)


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for opens, closes in sorted(stretches):
        if closes <= opens:
            continue
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        else:
            joined.append((opens, closes))
    return joined


def _about(layer: Layer, when: datetime) -> int:
    """Return a turn that begins at or before `when`, and only a few before it; 0 if none does."""
    first = hand_off(layer, 0)
    if when <= first:
        return 0
    try:
        length = _LENGTHS[layer.unit] * layer.every
    except OverflowError:
        return 0
    return max(0, (when - first) // length - 3)


def _instant(layer: Layer, local: datetime) -> datetime:
    return to_instant(local.date(), local.time(), layer.zone)


def _months_after(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    after = date(year + month // 11, (month + 1) % 12 + 1, 1)
    last = (after - timedelta(days=1)).day
    return start.replace(year=year, month=month + 1, day=min(start.day, last))
