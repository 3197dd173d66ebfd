"""Says beside the rows themselves how it is read: version, problems, who is on call now and next."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from bot.app.roster.given_up import RowsGivenUp
from bot.app.roster.rows import RosterRows
from bot.clock import Clock
from bot.ports.changes import ChangeReads
from bot.roster.google_faults import SheetFaultError
from bot.roster.roster import LOOK_BACK, Roster
from bot.roster.table import Severity
from rules.schedule.roster import Change

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)
"""The shortest time between two looks, and so between two writes."""
AGAIN = timedelta(minutes=10)
"""After so long the time of the last read is told although nothing else is new."""
_MOST_PROBLEMS = 30
_NEVER = datetime.min.replace(tzinfo=UTC)


class WritesLines(Protocol):
    def write(self, lines: Sequence[Sequence[str]]) -> None:
        """Replace the tab's lines. Blocks; raises SheetFaultError."""
        ...


class RosterStatus:
    """Keeps one Status tab or file; what cannot be written is logged once and tried a minute later."""

    def __init__(
        self,
        roster: Roster,
        tab: WritesLines,
        reader: ChangeReads,
        clock: Clock,
        *,
        speed: float = 1.0,
    ) -> None:
        self._roster = roster
        self._tab = tab
        self._reader = reader
        self._clock = clock
        self._speed = speed
        self._looked_at = _NEVER
        self._written_at = _NEVER
        self._said: list[list[str]] = []
        self._fault = ""

    async def tick(self) -> bool:
        """Write what is new, at most once a minute; tell whether it did. Raises NotStoredError."""
        now = self._clock.now()
        if now - self._looked_at < EVERY * self._speed:
            return False
        lines = await self._lines(now)
        self._looked_at = now
        if lines == self._said and now - self._written_at < AGAIN * self._speed:
            return False
        read = self._roster.file.seen.as_of
        head = [
            ["Watchbill reads this roster", "Written by Watchbill, and by nobody else"],
            ["Last read", "never" if read == _NEVER else f"{read:%Y-%m-%d %H:%M:%S} UTC"],
        ]
        try:
            await asyncio.to_thread(self._tab.write, [*head, *lines])
        except SheetFaultError as fault:
            if str(fault) != self._fault:
                log.warning("status not written", action="write_status", problem=str(fault))
            self._fault = str(fault)
            return False
        self._said, self._written_at, self._fault = lines, now, ""
        return True

    async def _lines(self, now: datetime) -> list[list[str]]:
        changes = await self._reader.changes(now - LOOK_BACK)
        loaded = self._roster.file.loaded
        said = [["Version", loaded.version or "not read"]]
        if loaded.held:
            said.append(["Held until it is confirmed", ", ".join(loaded.held)])
        order = list(Severity)
        problems = [*loaded.problems, *self._roster.outlook(changes, now)]
        problems.sort(key=lambda problem: order.index(problem.severity))
        # a tab has an end, and who is on call must stand before it
        said += [[], ["On call", "Now", "Next"], *self._on_call(changes, now)]
        said += [[], ["Problems", str(len(problems))]]
        for problem in problems[:_MOST_PROBLEMS]:
            link = self._roster.file.link(problem.address)
            said.append([problem.severity.value, str(problem), link])
        return said

    def _on_call(self, changes: Sequence[Change], now: datetime) -> list[list[str]]:
        on_call = self._roster.on_call(changes, now)
        found = []
        for rotation in on_call.rotations:
            zone = ZoneInfo(self._roster.zone(rotation))
            for role in on_call.roles(rotation):
                following = on_call.next_after(rotation, role, now)
                present = on_call.at(rotation, role, now)
                if not (present or following or on_call.expects(rotation, role)):
                    continue
                people = self._names(present) or "nobody"
                after = ""
                if following is not None:
                    at = following.start.astimezone(zone)
                    after = f"{self._names(following.people)} from {at:%a %Y-%m-%d %H:%M}"
                found.append([f"{rotation}: {role}", people, after])
        return found

    def _names(self, people: Sequence[str]) -> str:
        return ", ".join(self._roster.file.people.by_key(key).name for key in people)


@dataclass(frozen=True, slots=True)
class RosterKeeping:
    """What writes to the roster: rows on both sides, those given up, and the status."""

    rows: RosterRows
    status: RosterStatus
    given_up: RowsGivenUp

    async def tick(self) -> bool:
        return await self.rows.tick()

    async def show(self) -> None:
        await self.given_up.tick()
        await self.status.tick()
