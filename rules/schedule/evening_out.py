"""A proposal that evens out the load: which coming turns would change hands, and why each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.people import People
from rules.rotation import OnCall, Span
from rules.schedule.fairness import Calendar, Load, loads
from rules.schedule.held import Slot
from rules.schedule.load_report import availability, calendars, even, members_of
from rules.schedule.resolution import plan_at
from rules.schedule.roster import Away, Schedule
from rules.schedule.taking_part import takers_of
from rules.sentence import Sentence, Who, say
from rules.spreadsheet_cell import safe_cell

MIN_REST = timedelta(hours=12)
MOST_MOVES = 12
_LEAST_GAIN = 0.002
"""A move must make the index of evenness better by this much, or nobody is bothered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """`taker` would have the slot instead of `giver`; `reason` says why."""

    slot: Slot
    giver: str
    taker: str
    reason: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Moves in order of time; evenness of what was carried and is planned, without and with them."""

    moves: tuple[Move, ...]
    before: float
    after: float


@dataclass(slots=True)
class _Turn:
    span: Span
    person: str
    weight: float


def propose(
    on_call: OnCall,
    schedule: Schedule,
    past: tuple[datetime, datetime],
    ahead: tuple[datetime, datetime],
    *,
    everything: OnCall | None = None,
    min_rest: timedelta = MIN_REST,
) -> Proposal:
    """Return the moves of turns in `ahead` that even out `past` and `ahead` together.

    Only whole turns of one person move, to people who stand in the same role's order, are not
    away, have nothing else at the time, and rest `min_rest` before and after. Turns that begin
    before `ahead` or that a swap or an override has settled stay. `everything` is who is on call
    in other rotations, too. The same facts give the same proposal; it changes nothing.
    """
    members = members_of(schedule, on_call, past[0], ahead[1])
    able = availability(members, schedule, past[0], ahead[1])
    found = calendars(schedule, past[0], ahead[1])
    carried = _weights(loads(on_call, past[0], past[1], calendars=found), members)
    planned = _weights(loads(on_call, ahead[0], ahead[1], calendars=found), members)
    totals = {person: carried[person] + planned[person] for person in members}
    before = even(totals, able)
    plan = _Plan(everything or on_call, schedule, totals, able, min_rest)
    plan.peers = _peers(schedule, ahead[0])
    plan.turns = list(_turns(on_call, ahead, found))
    moves: list[Move] = []
    while len(moves) < MOST_MOVES and (best := plan.best()):
        moves.append(plan.apply(*best))
    moves.sort(key=lambda move: (move.slot.starts_at, move.slot.rotation, move.slot.role))
    return Proposal(moves=tuple(moves), before=before, after=even(plan.totals, able))


class _Plan:
    """The load as it would be with the moves chosen so far."""

    def __init__(
        self,
        on_call: OnCall,
        schedule: Schedule,
        totals: dict[str, float],
        able: Mapping[str, float],
        min_rest: timedelta,
    ) -> None:
        self.totals = totals
        self.turns: list[_Turn] = []
        self.peers: Mapping[tuple[str, str], Sequence[str]] = {}
        self._able = able
        self._away = schedule.absences
        self._min_rest = min_rest
        self._moved: set[int] = set()
        self._busy = {
            person: [span for span in on_call.all_spans() if person in span.people]
            for person in totals
        }

    def best(self) -> tuple[int, str] | None:
        """Return the turn and its taker that even out most, None when none is worth it."""
        now = even(self.totals, self._able)
        choices = sorted(
            (-gain, turn.span.start, turn.span.rotation, turn.span.role, taker, n)
            for n, turn in enumerate(self.turns)
            if n not in self._moved
            for taker in self._takers(turn)
            if (gain := self._with(turn, taker) - now) > _LEAST_GAIN
        )
        return (choices[0][-1], choices[0][-2]) if choices else None

    def apply(self, number: int, taker: str) -> Move:
        turn = self.turns[number]
        before = self._of_fair(taker)
        giver, slot = turn.person, _slot(turn.span)
        giver_before = self._of_fair(giver)
        self.totals[giver] -= turn.weight
        self.totals[taker] += turn.weight
        self._busy[giver] = [span for span in self._busy[giver] if span is not turn.span]
        self._busy[taker] = [*self._busy[taker], turn.span]
        turn.person = taker
        self._moved.add(number)
        reason = say(
            "{giver} carries {high} of a fair share and {taker} {low}; with this {taker} carries"
            " {after}.",
            giver=Who(giver),
            taker=Who(taker),
            high=f"{giver_before:.0%}",
            low=f"{before:.0%}",
            after=f"{self._of_fair(taker):.0%}",
        )
        return Move(slot=slot, giver=giver, taker=taker, reason=reason)

    def _of_fair(self, person: str) -> float:
        able, whole = sum(self._able.values()), sum(self.totals.values())
        fair = whole * self._able[person] / able if able else 0.0
        return self.totals[person] / fair if fair else 0.0

    def _with(self, turn: _Turn, taker: str) -> float:
        moved = {**self.totals}
        moved[turn.person] -= turn.weight
        moved[taker] += turn.weight
        return even(moved, self._able)

    def _takers(self, turn: _Turn) -> Iterator[str]:
        start, end = turn.span.start, turn.span.end
        for person in self.peers.get((turn.span.rotation, turn.span.role), ()):
            if person == turn.person or self._able.get(person, 0.0) <= 0:
                continue
            if any(_meets(away, person, start, end) for away in self._away):
                continue
            rest = self._min_rest
            if any(s.start < end + rest and s.end > start - rest for s in self._busy[person]):
                continue
            yield person


def proposal_rows(proposal: Proposal, people: People) -> str:
    """Write the moves as rows for the roster's Overrides tab, with a header: to paste."""
    lines = ["Rotation,Role,Start,End,Person,Instead of,Why"]
    for move in proposal.moves:
        slot = move.slot
        cells = (
            slot.rotation,
            slot.role,
            f"{slot.starts_at:%Y-%m-%dT%H:%MZ}",
            f"{slot.ends_at:%Y-%m-%dT%H:%MZ}",
            _written(people, move.taker),
            _written(people, move.giver),
            "to even out the load",
        )
        lines.append(",".join(map(_quoted, cells)))
    return "\n".join(lines)


def proposal_text(proposal: Proposal, people: People) -> str:
    """Render for a terminal: what it would bring, then each move with its reason."""
    if not proposal.moves:
        return "It cannot be made much more even by moving turns that are still ahead."
    lead = (
        f"Proposal: {len(proposal.moves)} turns change hands; evenness {proposal.before:.0%}"
        f" becomes {proposal.after:.0%}. Nothing is changed by this."
    )
    lines = [lead]
    for move in proposal.moves:
        slot = move.slot
        lines.append(
            f"  {slot.rotation} {slot.role} {slot.starts_at:%a %Y-%m-%d %H:%M} to"
            f" {slot.ends_at:%a %Y-%m-%d %H:%M} UTC: {people.by_key(move.taker).name} instead of"
            f" {people.by_key(move.giver).name}"
        )

        def named(value: object) -> str:
            return people.by_key(value.key).name if isinstance(value, Who) else str(value)

        lines.append(f"    {move.reason.render(named)}")
    return "\n".join(lines)


def _written(people: People, key: str) -> str:
    """Write a person so that the roster's reader finds them again."""
    return people.by_key(key).email or key


def _quoted(cell: str) -> str:
    safe = safe_cell(cell)
    return '"' + safe.replace('"', '""') + '"' if set(safe) & set(',"\r\n') else safe


def _weights(found: Mapping[str, Load], members: Sequence[str]) -> dict[str, float]:
    return {person: found.get(person, Load()).weighted() for person in members}


def _turns(
    on_call: OnCall, ahead: tuple[datetime, datetime], found: Mapping[str, Calendar]
) -> Iterator[_Turn]:
    start, end = ahead
    for span in on_call.all_spans():
        settled = span.source.startswith(("swap", "override", "moved up"))
        if settled or len(span.people) != 1 or span.start < start or span.end > end:
            continue
        alone = OnCall([span])
        carried = loads(alone, span.start, span.end, calendars=found)
        yield _Turn(span, span.people[0], carried[span.people[0]].weighted())


def _peers(schedule: Schedule, now: datetime) -> dict[tuple[str, str], list[str]]:
    """Return who may have each role: who takes turns in it by the roster in force."""
    plans = (plan_at(schedule, name, now) for name in {plan.name for plan in schedule.plans})
    return {
        (plan.name, role): sorted(people)
        for plan in plans
        if plan is not None
        for role, people in takers_of(plan).items()
    }


def _slot(span: Span) -> Slot:
    return Slot(rotation=span.rotation, role=span.role, starts_at=span.start, ends_at=span.end)


def _meets(away: Away, person: str, start: datetime, end: datetime) -> bool:
    return away.person == person and away.start < end and away.end > start
