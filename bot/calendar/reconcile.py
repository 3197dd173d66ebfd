"""Makes one calendar show one rotation: lists, plans, writes only what differs, and looks again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.calendar.budget import Budget
from bot.calendar.google import BATCH, CalendarApi, Written
from bot.calendar.google_events import Json, present_of
from bot.calendar.google_faults import LaterError, Outcome
from bot.clock import Clock
from rules.calendar.plan import Act, CalendarPlan, Wanted, plan

_ROUNDS = 4
Progress = Callable[[int, int], None]
"""Told how many writes of how many are done."""


@dataclass(slots=True)
class Report:
    """What one reconciliation did. `problems` are about single events, in sentences."""

    events: int = 0
    calls: int = 0
    writes: dict[Act, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def written(self) -> int:
        return sum(self.writes.values())


def _silent(_done: int, _of: int) -> None:
    return


class Reconciler:
    """One rotation's calendar, as far as it is known; what it forgets it lists again."""

    def __init__(
        self, api: CalendarApi, calendar: str, rotation: str, *, clock: Clock, budget: Budget
    ) -> None:
        self.calendar = calendar
        self.rotation = rotation
        self._api = api
        self._clock = clock
        self._budget = budget
        self._token = ""
        self._known: dict[str, Json] = {}
        self._unseen: set[str] = set()

    async def reconcile(self, wanted: Sequence[Wanted], on_progress: Progress = _silent) -> Report:
        """Write what differs. Raises LaterError or RefusedError; what was written stays."""
        report = Report()
        for _ in range(_ROUNDS):
            await self._look(report)
            found = plan(
                wanted,
                map(present_of, self._known.values()),
                rotation=self.rotation,
                now=self._clock.now(),
            )
            report.problems = [
                f"The event {key} is not ours and has the id we need; delete it for good."
                for key in found.taken
            ]
            if not await self._carry_out(found, report, on_progress):
                report.events = len(wanted) - len(report.problems)
                return report
        self._token = ""
        raise LaterError("Somebody changes the same events at the same time")

    async def _look(self, report: Report) -> None:
        await self._budget.take(1)
        listing = await self._api.changes(self.calendar, self._token)
        self._budget.spend(listing.calls - 1)
        report.calls += listing.calls
        if listing.whole:
            # an id that is taken and not listed was deleted long ago: it can be put back
            self._known = {key: {"id": key, "status": "cancelled"} for key in self._unseen}
        self._known |= {item["id"]: item for item in listing.items}
        self._unseen.clear()
        self._token = listing.token

    async def _carry_out(self, found: CalendarPlan, report: Report, on_progress: Progress) -> bool:
        """Write everything, and tell whether to look again. Raises LaterError."""
        operations, again = found.operations, False
        for at in range(0, len(operations), BATCH):
            part = operations[at : at + BATCH]
            await self._budget.take(len(part))
            written = await self._api.write(self.calendar, part, self._known)
            report.calls += 1
            for one in written:
                again = self._learn(one, report) or again
            _raise_later(written)
            on_progress(min(at + BATCH, len(operations)), len(operations))
        return again

    def _learn(self, one: Written, report: Report) -> bool:
        operation = one.operation
        if one.outcome is Outcome.DONE:
            report.writes[operation.act] = report.writes.get(operation.act, 0) + 1
            if one.item is not None:
                self._known[operation.id] = one.item
        elif one.outcome is Outcome.EXISTS:
            self._unseen.add(operation.id)
            self._token = ""
        elif one.outcome is Outcome.REFUSED:
            report.problems.append(f"Google refuses the event {operation.id}: {one.why}")
        elif one.outcome is Outcome.CONFLICT and not operation.etag:
            # it is not there at all, though its id was taken: forget it, and list from scratch
            self._known.pop(operation.id, None)
            self._token = ""
        return one.outcome in {Outcome.EXISTS, Outcome.CONFLICT}


def _raise_later(written: Sequence[Written]) -> None:
    late = [one for one in written if one.outcome is Outcome.LATER]
    if late:
        waits = [one.after for one in late if one.after is not None]
        raise LaterError(f"Google answers: {late[0].why}", max(waits, default=None))
