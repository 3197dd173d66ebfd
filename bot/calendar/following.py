"""Follows the plan: writes a calendar soon after a change, and looks for drift now and then."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.calendar.google_faults import LaterError, RefusedError
from bot.clock import Clock
from bot.ports.calendars import Following
from bot.ports.inbox import NotStoredError
from rules.calendar.plan import Act, Wanted

_LONGEST_PAUSE = timedelta(minutes=10)
_IDLE = timedelta(seconds=10)
_SHOWN_PROBLEMS = 3
_log = structlog.get_logger(__name__)


class Reported(Protocol):
    """What a reconciliation tells; see bot.calendar.reconcile.Report."""

    events: int
    writes: dict[Act, int]
    problems: list[str]

    @property
    def written(self) -> int: ...


class Reconciling(Protocol):
    """Raises LaterError or RefusedError."""

    calendar: str

    async def reconcile(self, wanted: Sequence[Wanted]) -> Reported: ...


@dataclass(slots=True)
class _Followed:
    reconciler: Reconciling
    state: Following
    saved: Following
    due: datetime
    goal: tuple[Wanted, ...] | None = None
    failures: int = 0


@dataclass(slots=True, kw_only=True)
class FollowerSettings:
    """`every` is how often drift is looked for, `random` in [0, 1); both callbacks are told
    of a rotation: `save` how it stands after each attempt, `observe` what was written, None for
    an attempt that failed.
    """

    every: timedelta
    random: Callable[[], float]
    save: Callable[[Following], Awaitable[None]]
    observe: Callable[[str, Mapping[Act, int] | None], None]
    may_write: Callable[[], bool] = field(default=lambda: True)


class Followers:
    """Every configured calendar, by rotation."""

    def __init__(
        self, reconcilers: Mapping[str, Reconciling], clock: Clock, settings: FollowerSettings
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._kick = asyncio.Event()
        now = clock.now()
        self._all = {
            name: _Followed(one, state, state, now)
            for name, one in reconcilers.items()
            for state in (Following(name=name, calendar=one.calendar),)
        }

    @property
    def states(self) -> tuple[Following, ...]:
        return tuple(one.state for one in self._all.values())

    def restore(self, stored: Iterable[Following]) -> None:
        """Take up how the calendars stood when another process followed them."""
        for old in stored:
            one = self._all.get(old.name)
            if one is not None and one.state.calendar == old.calendar:
                one.state = one.saved = old

    def want(self, rotation: str, wanted: Sequence[Wanted], now: datetime) -> None:
        """Say what a calendar should show; when that is new, it is written at once."""
        one, goal = self._all[rotation], tuple(wanted)
        if goal == one.goal:
            return
        one.goal = goal
        one.state = replace(one.state, behind_since=one.state.behind_since or now)
        if not one.failures:
            one.due = now
        self._kick.set()

    def leave(self, rotation: str, why: str) -> None:
        """Say why a calendar cannot be followed now; it stays as it is."""
        one = self._all[rotation]
        one.goal = None
        one.state = replace(one.state, problem=why)
        self._kick.set()

    async def run(self) -> None:
        while True:
            await self.follow_due()
            await self._clock.wait(self._kick, self._next_look())
            self._kick.clear()

    async def follow_due(self) -> None:
        """Bring every calendar up to date whose time has come, one after another."""
        for rotation, one in self._all.items():
            if not self._settings.may_write():
                continue
            if one.goal is not None and one.due <= self._clock.now():
                await self._follow(rotation, one)
            if one.state != one.saved:
                await self._save(one)

    def _next_look(self) -> datetime:
        idle = self._clock.now() + _IDLE
        if not self._settings.may_write():
            return idle
        return min((idle, *(one.due for one in self._all.values() if one.goal is not None)))

    async def _save(self, one: _Followed) -> None:
        try:
            await self._settings.save(one.state)
            one.saved = one.state
        except NotStoredError as error:
            _log.warning("calendar", action="save_following", error=str(error))

    async def _follow(self, rotation: str, one: _Followed) -> None:
        goal = one.goal or ()
        try:
            report = await one.reconciler.reconcile(goal)
        except LaterError as error:
            self._failed(rotation, one, str(error), error.after)
        except RefusedError as error:
            self._failed(rotation, one, str(error), None)
        except Exception as error:  # noqa: BLE001 - an edge: a calendar must never stop the paging
            _log.exception("calendar", action="follow_calendar", rotation=rotation)
            self._failed(rotation, one, f"failed ({type(error).__name__}); see the log", None)
        else:
            self._done(rotation, one, report, goal)

    def _done(
        self, rotation: str, one: _Followed, report: Reported, goal: tuple[Wanted, ...]
    ) -> None:
        now = self._clock.now()
        changed_since = one.goal != goal
        one.failures = 0
        one.due = now if changed_since else now + self._settings.every
        one.state = replace(
            one.state,
            tried_at=now,
            synced_at=now,
            behind_since=one.state.behind_since if changed_since or report.problems else None,
            problem=_told(report.problems),
            events=report.events,
            writes=one.state.writes + report.written,
        )
        self._settings.observe(rotation, report.writes)
        if report.written or report.problems:
            _log.info(
                "calendar written",
                action="follow_calendar",
                rotation=rotation,
                problem=one.state.problem,
                **{act.value: count for act, count in report.writes.items()},
            )

    def _failed(self, rotation: str, one: _Followed, why: str, after: timedelta | None) -> None:
        now = self._clock.now()
        one.failures += 1
        pause = min(timedelta(seconds=2.0 ** min(one.failures, 12)), _LONGEST_PAUSE)
        pause *= 0.5 + self._settings.random() / 2
        one.due = now + max(pause, after or pause)
        one.state = replace(
            one.state, tried_at=now, problem=why, behind_since=one.state.behind_since or now
        )
        self._settings.observe(rotation, None)
        _log.warning("calendar waits", action="follow_calendar", rotation=rotation, error=why)


def _told(problems: Sequence[str]) -> str:
    shown = list(dict.fromkeys(problems))[:_SHOWN_PROBLEMS]
    more = len(problems) - len(shown)
    return " ".join(shown) + (f" And {more} more." if more > 0 else "")
