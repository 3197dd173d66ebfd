"""Stories with a rotation of real turns: weeks, handed over on Mondays at nine in Berlin."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.acts.roster import AskCover, AskSwap, MakeOverride, OnCover, OnSwap
from bot.ports.changes import RosterChange
from bot.wire import sentence_from_json
from rules.hours import to_instant
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.schedule.held import Slot
from rules.schedule.resolution import on_call
from rules.schedule.roster import Away, Change, Layer, RotationPlan, Schedule, Unit
from rules.sentence import plain
from tests.stories.story import Story

PEOPLE = ("ana", "bo", "cy")


def monday(weeks: int = 0) -> datetime:
    """Return a Monday's hand-off; week 0 begins on 2026-11-23, the day of the stories."""
    return to_instant(date(2026, 11, 23) + timedelta(weeks=weeks), time(9), "Europe/Berlin")


def week(number: int = 0, role: str = "primary", rotation: str = "data") -> Slot:
    """Return one week of a role; primaries are ana, bo, cy from week 0, secondaries one behind."""
    return Slot(rotation=rotation, role=role, starts_at=monday(number), ends_at=monday(number + 1))


def weekly(*, away: Sequence[Away] = ()) -> Schedule:
    """Return the schedule: three people in turns, the next one is secondary."""
    starts = datetime.combine(date(2026, 11, 2), time(9))
    layers = [
        Layer(
            role=role,
            order=tuple((who,) for who in order),
            unit=Unit.WEEK,
            starts=starts,
            zone="Europe/Berlin",
            source="row 2",
        )
        for role, order in (
            ("primary", PEOPLE),
            ("secondary", ("bo", "cy", "ana")),
        )
    ]
    plan = RotationPlan(name="data", zone="Europe/Berlin", layers=tuple(layers), away=tuple(away))
    return Schedule(plans=(plan,))


class Resolved:
    """The rules of a bot with this schedule; nothing is remembered between questions."""

    def __init__(self, book: RuleBook, schedule: Schedule) -> None:
        self.the_book = book
        self.plan = schedule

    def book(self) -> RuleBook:
        return self.the_book

    def schedule(self, changes: Sequence[Change]) -> Schedule:
        return self.plan.with_changes(changes)

    def on_call(self, changes: Sequence[Change], now: datetime) -> OnCall:
        start, end = now - timedelta(days=40), now + timedelta(days=120)
        return on_call(self.schedule(changes), start, end, whole=True)


class Rota:
    """What a story about the rotation does and sees."""

    def __init__(self, story: Story, schedule: Schedule) -> None:
        self.story = story
        self.rules = Resolved(story.rules.the_book, schedule)
        story.rules = self.rules  # type: ignore[assignment]
        story.restart()

    async def answer(self) -> OnCall:
        """Return who is on call, as everybody who reads the database has it."""
        now = self.story.clock.now()
        changes = await self.story.store.reader.changes(now - timedelta(days=1))
        return self.rules.on_call(changes, now)

    async def primary(self, at: datetime | None = None) -> tuple[str, ...]:
        return (await self.answer()).at("data", "primary", at or self.story.clock.now())

    async def secondary(self, at: datetime | None = None) -> tuple[str, ...]:
        return (await self.answer()).at("data", "secondary", at or self.story.clock.now())

    async def asks_cover(self, who: str, slot: Slot, **more: Any) -> None:
        await self.story.asks(AskCover(by=who, slot=slot, **more))

    async def on_cover(self, who: str, what: Any, request_id: str = "") -> None:
        its_id = request_id or (await self.requests())[-1].id
        await self.story.asks(OnCover(by=who, request_id=its_id, what=what))

    async def asks_swap(self, who: str, other: str, mine: Slot, theirs: Slot) -> None:
        await self.story.asks(AskSwap(by=who, other=other, mine=mine, theirs=theirs))

    async def on_swap(self, who: str, what: Any) -> None:
        its_id = (await self.swaps())[-1].id
        await self.story.asks(OnSwap(by=who, swap_id=its_id, what=what))

    async def overrides(self, who: str, person: str, slot: Slot, **more: Any) -> None:
        await self.story.asks(
            MakeOverride(
                by=who,
                person=person,
                rotation=slot.rotation,
                role=slot.role,
                starts_at=slot.starts_at,
                ends_at=slot.ends_at,
                **more,
            )
        )

    async def requests(self) -> Sequence[Any]:
        return await self.story.store.reader.cover_requests(monday(-52))

    async def swaps(self) -> Sequence[Any]:
        return await self.story.store.reader.swaps(monday(-52))

    async def audit(self) -> list[RosterChange]:
        """Return the audit, oldest first."""
        found = await self.story.store.reader.roster_changes(monday(-52), 100)
        return list(reversed(found))

    async def told(self, person: str) -> list[str]:
        """Return what a person was told in direct messages that page nobody, in order."""
        await self.story.after(seconds=5)
        jobs = [job for job in self.story.sent("tell_person") if job.payload["person"] == person]
        return [sentence_from_json(job.payload["sentence"]).render(plain) for job in jobs]

    @contextmanager
    def refused(self, words: str) -> Iterator[None]:
        """Check that what is done within is answered with a refusal."""
        before = len(self.story.said())
        yield
        (said,) = self.story.said()[before:]
        assert words in said, said


def hours(on_call_: OnCall, start: datetime, end: datetime) -> Mapping[str, float]:
    """Return everybody's hours in [start, end), over all roles."""
    found: dict[str, float] = {}
    for span in on_call_.all_spans():
        lasts = min(span.end, end) - max(span.start, start)
        for person in span.people if lasts > timedelta(0) else ():
            found[person] = found.get(person, 0.0) + lasts / timedelta(hours=1)
    return found
