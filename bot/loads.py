"""How the load of the rotation stands, from what is stored: for Slack and for commands."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from rules.people import People
from rules.schedule.evening_out import Proposal, propose
from rules.schedule.load_report import Facts, LoadReport, only, report
from rules.schedule.resolution import on_call
from rules.schedule.roster import Change, Schedule

LOOK_BACK = timedelta(weeks=4)
LOOK_AHEAD = timedelta(weeks=4)
_REST = timedelta(days=2)
"""Turns just outside are read as well, so that rest is known."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What was carried, and what would even it out in the weeks ahead."""

    report: LoadReport
    proposal: Proposal


class LoadReads(Protocol):
    """What weighing asks of the database; each may raise NotStoredError."""

    async def changes(self, since: datetime) -> Sequence[Change]: ...
    async def pages_sent(
        self, start: datetime, end: datetime, *, rotation: str = ""
    ) -> Sequence[tuple[str, datetime]]: ...


class NothingStored:
    """Where there is no database yet."""

    async def changes(self, since: datetime) -> Sequence[Change]:  # noqa: ARG002 - the port's
        return ()

    async def pages_sent(
        self,
        start: datetime,  # noqa: ARG002 - the port's
        end: datetime,  # noqa: ARG002 - the port's
        *,
        rotation: str = "",  # noqa: ARG002 - the port's
    ) -> Sequence[tuple[str, datetime]]:
        return ()


Scheduled = Callable[[Sequence[Change]], Schedule]
"""Returns the roster in force with these changes."""


async def weigh(
    reader: LoadReads,
    scheduled: Scheduled,
    people: People,
    *,
    start: datetime,
    end: datetime,
    now: datetime,
    rotation: str = "",
) -> Weighed:
    """Weigh [start, end), and propose for the weeks after `now`. Raises NotStoredError."""
    schedule = scheduled(await reader.changes(start - _REST))
    pages = await reader.pages_sent(start, end, rotation=rotation)
    ahead = now, now + LOOK_AHEAD

    def work() -> Weighed:
        whole = on_call(schedule, start - _REST, max(end, ahead[1]) + _REST, whole=True)
        mine = only(whole, rotation)
        known = facts_of(schedule, rotation)
        facts = Facts(schedule=known, people=people, pages=pages)
        past = (min(start, now), min(end, now))
        return Weighed(
            report(mine, facts, start, end, rotation=rotation),
            propose(mine, known, past, ahead, everything=whole),
        )

    # a month of many rotations takes a while, which nobody else should wait for
    return await asyncio.to_thread(work)


def facts_of(schedule: Schedule, rotation: str) -> Schedule:
    """Return the schedule of one rotation, of all by ""."""
    if not rotation:
        return schedule
    return replace(schedule, plans=tuple(p for p in schedule.plans if p.name == rotation))
