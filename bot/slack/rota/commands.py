"""Reads what people type about the rotation: take, override, cover, swap, load."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.acts.roster import AskCover, AskSwap
from bot.slack.wishes import (
    ENDS,
    AskLoad,
    Typed,
    Typist,
    ahead_of,
    find_role,
    first_of,
    override,
    person_of,
)
from rules.hours import to_instant
from rules.people import UnknownPersonError
from rules.schedule.held import Slot
from rules.schedule.roster import OverrideKind
from rules.schedule.who import Turn, find_rotation, shifts_of, take_until
from rules.spoken_time import Moment, UnclearTimeError, is_day, read_moment, take_moment

_HOWS = {"add": OverrideKind.ADD, "remove": OverrideKind.REMOVE}
_BETWEEN = {"for", "with", "and", "against"}
_DAY = timedelta(days=1)
_LONGEST_WHY = 300


def read_take(words: list[str], typist: Typist) -> Typed:
    named = words and not words[0][0].isdigit() and words[0].lower() not in {"until", "for"}
    place, rest = first_of(words) if named else ("", words)
    written, _, role = place.partition("/")
    rotation = find_rotation(typist.on_call, written, person=typist.by)
    role = find_role(typist.on_call, rotation, role)
    if rest:
        moment = ahead_of(read_moment(" ".join(rest), typist.now, typist.zone), typist.now)
        end, note = moment.at, moment.note
    else:
        end, note = take_until(typist.on_call, rotation, role, typist.now), ""
    return Typed(override(typist, typist.by, f"{rotation}/{role}", typist.now, end), note)


def read_override(words: list[str], typist: Typist) -> Typed:
    """`[add|remove] @person [instead of @person] <from> <to> [rotation]`."""
    how = _HOWS.get(words[0].lower()) if words else None
    person, rest = _person(words[1:] if how else words, typist)
    instead = ""
    if [word.lower() for word in rest[:2]] == ["instead", "of"]:
        if how is not None:
            raise ValueError("Say either add or remove, or instead of whom.")
        instead, rest = _person(rest[2:], typist)
        how = OverrideKind.REPLACE
    start, end, rest, note = _from_to(rest, typist)
    place = _place(rest)
    act = override(
        typist, person, place, start, end, how=how or OverrideKind.COVER, instead_of=instead
    )
    return Typed(act, note)


def read_cover(words: list[str], typist: Typist) -> Typed:
    """`[from to] [rotation]`: without times, all of the present or the next shift."""
    note = ""
    place = _place(words)
    if words and not _is_rotation(place, typist):
        start, end, rest, note = _from_to(words, typist)
        place = _place(rest)
        mine = [t for t in _shifts(typist, typist.by, place) if _touches(t, start, end)]
    else:
        mine = _shifts(typist, typist.by, place)
        start = end = typist.now
    if not mine:
        raise ValueError("You have no shift then. `/oncall next` shows who has.")
    turn = mine[0]
    whole = start == end
    slot = Slot(
        rotation=turn.rotation,
        role=turn.role,
        starts_at=turn.start if whole else start,
        ends_at=_last(turn, typist) if whole else end,
    )
    return Typed(AskCover(by=typist.by, slot=slot), note)


def read_swap(words: list[str], typist: Typist) -> Typed:
    """`<my shift> [for] <their shift>`: a day, or `next`, and of others `@person [day]`."""
    mine, rest = _shift(words, typist, typist.by)
    while rest and rest[0].lower() in _BETWEEN:
        rest = rest[1:]
    if not rest:
        raise ValueError("Say for which shift: `@bo`, or the day of theirs.")
    theirs, rest = _other_shift(rest, typist, mine)
    other = next((p.key for p in theirs.people if p.key != typist.by), typist.by)
    return Typed(
        AskSwap(
            by=typist.by,
            other=other,
            mine=_slot(mine, typist),
            theirs=_slot(theirs, typist),
            why=" ".join(rest)[:_LONGEST_WHY],
        )
    )


def read_load(words: list[str], typist: Typist) -> Typed:
    """`[rotation]`: how the last four weeks and the next were spread."""
    written = " ".join(words)
    return Typed(AskLoad(find_rotation(typist.on_call, written) if written else ""))


def _person(words: list[str], typist: Typist) -> tuple[str, list[str]]:
    target, rest = first_of(words)
    if not target:
        raise ValueError("Say who.")
    return person_of(target, typist), rest


def _from_to(words: list[str], typist: Typist) -> tuple[datetime, datetime, list[str], str]:
    start, rest = take_moment(words, typist.now, typist.zone)
    end, rest = take_moment(rest, max(start.at, typist.now), typist.zone, said_at=typist.now)
    if end.at <= start.at:
        raise ValueError("It must end after it starts.")
    return start.at, end.at, rest, _notes(start, end)


def _notes(*moments: Moment) -> str:
    return " ".join(moment.note for moment in moments if moment.note)


def _place(words: list[str]) -> str:
    """Return a rotation as it is called; a name of several words may stand in quotes."""
    return " ".join(words).rstrip(ENDS).strip('"')


def _is_rotation(word: str, typist: Typist) -> bool:
    bare = word.lstrip("#@").partition("/")[0].casefold()
    return any(name.casefold() == bare for name in typist.on_call.rotations)


def _shifts(typist: Typist, person: str, place: str = "") -> list[Turn]:
    written, _, role = place.partition("/")
    rotation = find_rotation(typist.on_call, written) if written else ""
    found = [
        turn
        for turn in shifts_of(typist.on_call, typist.people, person, typist.now)
        if rotation in {"", turn.rotation} and role.lower() in {"", turn.role}
    ]
    return sorted(found, key=lambda turn: turn.start)


def _touches(turn: Turn, start: datetime, end: datetime) -> bool:
    return turn.start < end and _end(turn) > start


def _shift(words: list[str], typist: Typist, person: str) -> tuple[Turn, list[str]]:
    """Read one person's shift: `next`, a day, or a time within it; return what is left."""
    if words and words[0].lower() == "next":
        ahead = [turn for turn in _shifts(typist, person) if turn.start > typist.now]
        return _only(ahead, person, typist), words[1:]
    start, end, rest = _day(words, typist)
    turns = _shifts(typist, person)
    begins = [turn for turn in turns if start <= turn.start < end]
    return _only(begins or [t for t in turns if _touches(t, start, end)], person, typist), rest


def _other_shift(words: list[str], typist: Typist, mine: Turn) -> tuple[Turn, list[str]]:
    """Read a shift of somebody else; one of the same role is meant before others."""
    if is_day(words[0]):  # "sun" is no Sunita
        return _shift_of_others(words, typist, mine)
    try:
        person, rest = _person(words, typist)
    except UnknownPersonError:
        return _shift_of_others(words, typist, mine)
    try:
        return _shift(rest, typist, person)
    except UnclearTimeError:
        ahead = [turn for turn in _shifts(typist, person) if turn.start > typist.now]
        ahead.sort(key=lambda turn: (turn.role != mine.role, turn.start))
        return _only(ahead, person, typist), rest


def _shift_of_others(words: list[str], typist: Typist, mine: Turn) -> tuple[Turn, list[str]]:
    start, end, rest = _day(words, typist)
    spans = [
        turn
        for role in typist.on_call.roles(mine.rotation)
        for turn in _others(typist, mine, role)
        if _touches(turn, start, end)
    ]
    spans.sort(key=lambda t: (t.role != mine.role, not start <= t.start < end, t.start))
    return _only(spans, "", typist), rest


def _others(typist: Typist, mine: Turn, role: str) -> list[Turn]:
    people = {p for span in typist.on_call.spans(mine.rotation, role) for p in span.people}
    return [
        turn
        for person in sorted(people - {typist.by})
        for turn in _shifts(typist, person, f"{mine.rotation}/{role}")
    ]


def _day(words: list[str], typist: Typist) -> tuple[datetime, datetime, list[str]]:
    """Read a day or a moment from the front, as [start, end)."""
    if not words:
        raise UnclearTimeError("Say which shift: a day such as 2026-12-01, or next.")
    zone = typist.zone
    try:
        day = date.fromisoformat(words[0])
    except ValueError:
        named = words[0].lower().rstrip(",.")
        if named in {"today", "tomorrow"}:
            today = typist.now.astimezone(ZoneInfo(zone)).date()
            day = today + (_DAY if named == "tomorrow" else timedelta(0))
        else:
            return _named_day(words, typist)
    if len(words) > 1 and words[1][:1].isdigit() and ":" in words[1]:
        moment, rest = take_moment(words, typist.now, zone)
        return moment.at, moment.at + timedelta(minutes=1), rest
    start = to_instant(day, datetime.min.time(), zone)
    return start, to_instant(day + _DAY, datetime.min.time(), zone), words[1:]


def _named_day(words: list[str], typist: Typist) -> tuple[datetime, datetime, list[str]]:
    """Read "fri", or any other moment."""
    try:
        noon = read_moment(f"{words[0]} 12:00", typist.now, typist.zone).at
    except UnclearTimeError:
        moment, rest = take_moment(words, typist.now, typist.zone)
        return moment.at, moment.at + timedelta(minutes=1), rest
    day = noon.astimezone(ZoneInfo(typist.zone)).date()
    start = to_instant(day, datetime.min.time(), typist.zone)
    return start, to_instant(day + _DAY, datetime.min.time(), typist.zone), words[1:]


def _only(turns: list[Turn], person: str, typist: Typist) -> Turn:
    if turns:
        return turns[0]
    if person == typist.by:
        raise ValueError("You have no shift then. `/oncall next` shows who has.")
    if not person:
        raise ValueError("Nobody else has a shift then.")
    raise ValueError(f"{typist.people.by_key(person).name} has no shift then.")


def _slot(turn: Turn, typist: Typist) -> Slot:
    ends_at = _last(turn, typist)
    return Slot(rotation=turn.rotation, role=turn.role, starts_at=turn.start, ends_at=ends_at)


def _last(turn: Turn, typist: Typist) -> datetime:
    """Return when a shift ends that is meant as a whole."""
    if typist.on_call.known(turn.end) is None:
        raise ValueError(
            f"Nobody follows in {turn.rotation}, so that shift has no end. "
            "Say from when to when: `/oncall cover 18:00 22:00`."
        )
    return _end(turn)


def _end(turn: Turn) -> datetime:
    return turn.end or turn.start
