"""Keeps accepted versions of the roster in the database, and takes from there what others accept."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from bot.clock import Clock
from bot.ports.roster_versions import AcceptedPlan, Confirmation, RosterVersions
from bot.roster.acceptance import Loaded, content
from bot.roster.files import FileSource
from bot.roster.last_good import Good
from bot.roster.roster import LOOK_BACK, RosterFile
from rules.schedule.roster import RotationPlan

log = structlog.get_logger(__name__)

FOLLOW_EVERY = timedelta(seconds=2)


class RosterKeeper:
    """One roster, the same in every process on one database and after every restart.

    `shared` when other processes may accept versions, too: their newest is then in force here,
    and a copy of the roster that was superseded elsewhere is not taken at start.
    """

    def __init__(
        self, roster: RosterFile, versions: RosterVersions, clock: Clock, *, shared: bool = False
    ) -> None:
        self.roster = roster
        self._versions = versions
        self._clock = clock
        self._shared = shared
        self._number = -1
        self._kept: dict[str, RotationPlan] = {}
        self._follow_at = self._followed_at = clock.now()
        self._has_news = False

    async def begin(self) -> Loaded:
        """Put in force what was accepted before, then read. Raises NotStoredError."""
        await self._restore()
        # each process may have a copy of its own of a file; of a sheet there is only one
        if self._shared and isinstance(self.roster.source, FileSource):
            self.roster.older = superseded(await self._versions.versions())
        await asyncio.to_thread(self.roster.load, self._clock.now())
        await self._keep()
        await self._confirmed()
        return self.roster.loaded

    async def look(
        self, on_change: Callable[[Loaded], Awaitable[None]], *, pace: float = 1.0
    ) -> None:
        """Look once; `on_change` gets what is in force after a change, anew until it succeeds.

        Raises NotStoredError.
        """
        # A file on a slow network drive must not hold up everything else.
        if await asyncio.to_thread(self.roster.poll, self._clock.now()):
            self._has_news = True
        if await self.follow(FOLLOW_EVERY * pace):
            self._has_news = True
        if self._has_news:
            await on_change(self.roster.loaded)
            self._has_news = False

    async def confirm(self, version: str, by: str) -> None:
        """Store that a held version is meant; it is then in force everywhere within seconds.

        Raises NotStoredError.
        """
        await self._versions.confirm(Confirmation(version, by, self._clock.now()))

    async def follow(self, pause: timedelta = timedelta(0)) -> bool:
        """Keep what is new here, take what is new elsewhere; tell whether that changed anything.

        Raises NotStoredError.
        """
        await self._keep()
        now = self._clock.now()
        if self._followed_at <= now < self._follow_at:  # before: the clock was set back
            return False
        self._followed_at, self._follow_at = now, now + pause
        if await self._versions.roster_number() == self._number:
            return False
        before = self.roster.loaded
        await self._restore()
        await self._confirmed()
        after = self.roster.loaded
        return (before.rows_version, before.held) != (after.rows_version, after.held)

    async def _restore(self) -> None:
        self._number = await self._versions.roster_number()
        accepted = await self._versions.accepted(self._clock.now() - LOOK_BACK)
        good, earlier = in_force(accepted)
        before, self._kept = self._kept, {n: content(entry.plan) for n, entry in good.items()}
        self.roster.restore(good, earlier)
        if self._shared and before and before != self._kept:
            # others have taken something else since: what was read here is behind it
            self.roster.older |= {self.roster.loaded.version} - {""}
        self.roster.older -= {one.version for one in accepted[-1:]}

    async def _keep(self) -> None:
        fresh = {
            name: entry
            for name, entry in self.roster.good.items()
            if self._kept.get(name) != content(entry.plan)
        }
        if not fresh:
            return
        await self._versions.accept(
            [
                AcceptedPlan(
                    plan=entry.plan,
                    version=entry.version,
                    accepted_at=entry.accepted_at,
                    source=self.roster.name,
                    author=entry.author,
                )
                for entry in fresh.values()
            ]
        )
        self._kept.update({name: content(entry.plan) for name, entry in fresh.items()})

    async def _confirmed(self) -> None:
        """Accept a held version that somebody confirmed, in Slack or at a terminal."""
        loaded = self.roster.loaded
        if not loaded.held:
            return
        confirmation = await self._versions.confirmation(loaded.version)
        if confirmation is None:
            return
        by, version = confirmation.by, confirmation.version
        log.info("roster confirmed", action="confirm_roster", version=version, by=by)
        await asyncio.to_thread(self.roster.confirm, self._clock.now(), version)
        await self._keep()


def in_force(accepted: Sequence[AcceptedPlan]) -> tuple[dict[str, Good], list[RotationPlan]]:
    """Return what is in force of accepted plans, the oldest first, and those before it."""
    newest = {one.plan.name: one for one in accepted}
    good = {
        name: Good(one.version, one.accepted_at, one.plan, one.author)
        for name, one in newest.items()
    }
    return good, [one.plan for one in accepted if newest[one.plan.name] is not one]


def superseded(versions: Sequence[str]) -> frozenset[str]:
    """Return which of these, the oldest first, are not in force any more."""
    return frozenset(versions) - {*versions[-1:]}
