"""Takes everybody out of a group, straight at its back-end, without a database or Slack."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TypeVar

from bot.access.sync import Place
from bot.clock import Clock
from bot.ports.delivering import GiveUpError, RetryLaterError
from rules.access.group import AccessGroup
from rules.access.seeing import fold

CALL = 20.0
"""Seconds one request to a back-end may take."""
TRIES = 3
WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(seconds=5)

T = TypeVar("T")
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Emptied:
    """What became of a group: who was seen gone, who may still be in and why, what nobody knows."""

    group: str
    gone: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    trouble: str = ""

    @property
    def done(self) -> bool:
        return not (self.left or self.trouble)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptying:
    """A group to empty. `known` are the accounts of open grants, None: nobody can tell.

    `everybody` takes all members out even where only our own are ours to take.
    """

    group: AccessGroup
    place: Place
    known: Sequence[str] | None
    everybody: bool = False

    @property
    def whole(self) -> bool:
        """Whether all members go, but for the permanent ones."""
        return self.everybody or (self.group.owned and not self.group.dry_run)


async def empty(
    it: Emptying, clock: Clock, progress: Progress = lambda _done, _of: None
) -> Emptied:
    """Take them out, look again, and say who is gone; one back-end's trouble ends nothing else."""
    found = Emptied(it.group.name)
    try:
        there = await _members(it, clock)
    except (RetryLaterError, GiveUpError) as error:
        there = None
        found.trouble = f"its members cannot be read: {error}"
    wanted = _wanted(it, there)
    hidden = [] if there is None or not _lists(it) else _not_among(there, wanted)
    for number, account in enumerate(wanted):
        progress(number, len(wanted))
        revoke = partial(it.place.backend.revoke, it.place.group, account)
        try:
            await _tried(revoke, clock)
        except (RetryLaterError, GiveUpError) as error:
            found.left[account] = str(error)
    refused = dict(found.left)
    progress(len(wanted), len(wanted))
    await _look_again(it, wanted, found, clock)
    # what no list showed was seen to go by nobody: only the call's own answer counts
    found.gone = [one for one in found.gone if one not in hidden]
    found.left |= {one: refused[one] for one in hidden if one in refused}
    if it.known is None and not it.whole:
        rest = ", ".join(there or ()) or "nobody, as far as can be seen"
        found.trouble = (
            "the group is shared, and without the database nobody can tell whose membership is a"
            f" grant. In it: {rest}. Take them out by hand, or use --everybody."
        )
    return found


def _wanted(it: Emptying, there: Sequence[str] | None) -> list[str]:
    """Return whom to take out, the permanent ones never."""
    stay = {fold(one) for one in it.group.permanent}
    shown = {fold(one): one for one in there or ()}
    known = {fold(one): one for one in it.known or ()}
    return [one for key, one in ((shown if it.whole else {}) | known).items() if key not in stay]


def _not_among(shown: Sequence[str], accounts: Sequence[str]) -> list[str]:
    known = {fold(one) for one in shown}
    return [one for one in accounts if fold(one) not in known]


async def _look_again(it: Emptying, wanted: Sequence[str], found: Emptied, clock: Clock) -> None:
    """Sort into gone and left by what the back-end shows afterwards."""
    try:
        still = {fold(one) for one in await _members(it, clock)}
    except (RetryLaterError, GiveUpError) as error:
        found.trouble = found.trouble or f"whether they are gone cannot be seen: {error}"
        found.left |= {one: found.left.get(one, "not seen gone") for one in wanted}
        return
    for account in wanted:
        if fold(account) in still:
            found.left.setdefault(account, "the back-end still shows them")
        elif account not in found.left or _lists(it):
            found.left.pop(account, None)
            found.gone.append(account)


def _lists(it: Emptying) -> bool:
    return it.place.backend.capabilities.can_list


async def _members(it: Emptying, clock: Clock) -> list[str]:
    if not _lists(it):
        return []
    members = await _tried(lambda: it.place.backend.members(it.place.group), clock)
    return [one.account for one in members]


async def _tried(call: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """Try a few times while it may pass; raises RetryLaterError or GiveUpError."""
    tries = 0
    while True:
        tries += 1
        try:
            async with asyncio.timeout(CALL):
                return await call()
        except TimeoutError as error:
            trouble = RetryLaterError(f"no answer within {CALL:.0f} s")
            trouble.__cause__ = error
        except RetryLaterError as error:
            trouble = error
        if tries >= TRIES:
            raise trouble
        await clock.sleep_until(clock.now() + min(trouble.after or WAIT, LONGEST_WAIT))
