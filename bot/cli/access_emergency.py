"""`watchbill access revoke-all` and `reconcile --dry-run`: at the back-ends, with what is known."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.access.backends.kind import Surroundings
from bot.access.backends.registry import open_backend
from bot.access.emergency import CALL, Emptied, Emptying, Progress, empty
from bot.access.sync import Place
from bot.cli.access_stored import open_grants, put_in
from bot.cli.output import errors
from bot.clock import SystemClock
from bot.config.settings import Config
from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.slack.api import SlackApi, web_client
from rules.access.grant import Grant
from rules.access.group import AccessGroup
from rules.access.seeing import Seen, elsewhere, plan

_DATABASE = 10.0
"""Seconds the database has: in an emergency nothing waits for it."""
_LOST = "put in where the group is kept no more: set its `backend` and `group` back, or do it there"


@dataclass(frozen=True, slots=True)
class Emergency:
    """Whom to take out: everybody of these groups; `only` is "" for all groups."""

    config: Config
    groups: Sequence[str]
    only: str = ""
    why: str = ""
    everybody: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of every group; `database` says why the ledger could not be had, "" when it was."""

    groups: Sequence[Emptied]
    database: str

    @property
    def done(self) -> bool:
        return all(one.done for one in self.groups)


async def take_out(asked: Emergency) -> Outcome:
    """Tell the bot if it can be told, then empty one group after another, whatever fails."""
    try:
        async with asyncio.timeout(_DATABASE):
            grants = await put_in(asked.config, asked.only, asked.why)
    except TimeoutError:
        grants = f"the database did not answer within {_DATABASE:.0f} s"
    known = () if isinstance(grants, str) else grants
    here = [one for one in known if _is_here(asked.config, one)]
    clock, found = SystemClock(), []
    async with _around(asked.config, clock) as around:
        for name in asked.groups:
            mine = [one.account for one in here if one.group == name]
            it = _emptying(asked, name, None if isinstance(grants, str) else mine, around)
            if isinstance(it, Emptied):
                found.append(it)
                continue
            try:
                with _bar(name) as progress:
                    found.append(await empty(it, clock, progress))
            finally:
                await it.place.backend.close()
    found += _elsewhere([one for one in known if one not in here])
    return Outcome(found, grants if isinstance(grants, str) else "")


def _is_here(config: Config, grant: Grant) -> bool:
    """Tell whether the configuration still has the place where it was begun."""
    spec = config.access_groups.get(grant.group)
    return spec is not None and not elsewhere(grant, spec.place)


def _elsewhere(grants: Iterable[Grant]) -> Iterator[Emptied]:
    for one in grants:
        yield Emptied(one.group, left={one.account: _LOST})


def summary(outcome: Outcome) -> list[str]:
    """Say what became of every group, and what to do about the rest."""
    lines: list[str] = []
    for one in outcome.groups:
        state = "done" if one.done else "NOT DONE"
        lines.append(f"{one.group}: {state}; seen gone: {', '.join(one.gone) or 'nobody'}")
        lines += [f"  still in: {account} ({why})" for account, why in one.left.items()]
        lines += [f"  {one.trouble}"] if one.trouble else []
    if outcome.database:
        lines.append(f"The ledger could not be read or told ({outcome.database}).")
        lines.append(
            "Run this again when the database is back: until then a bot that starts would put"
            " people back whose grants have not ended."
        )
    if not outcome.done:
        lines.append("Take out by hand whoever is still in, then run this again.")
    return lines


def _emptying(
    asked: Emergency, name: str, known: Sequence[str] | None, around: Surroundings
) -> Emptying | Emptied:
    try:
        group, place = opened(asked.config, name, around)
    except ValueError as error:
        return Emptied(name, trouble=f"its back-end cannot be used: {error}")
    return Emptying(group=group, place=place, known=known, everybody=asked.everybody)


def opened(config: Config, name: str, around: Surroundings) -> tuple[AccessGroup, Place]:
    """Return a group's rules and its back-end. Raises ValueError."""
    spec, people = config.access_groups[name], config.directory()

    def find(written: str) -> str:
        return people.find(written).key

    return spec.rules(name, find), Place(open_backend(spec.backend, around), spec.group)


@dataclass(slots=True)
class Difference:
    """What a group has and the ledger has not, and the other way round."""

    group: str
    remove: Sequence[str] = ()
    strangers: Sequence[str] = ()
    missing: Sequence[str] = ()
    trouble: str = ""

    def lines(self) -> Iterator[str]:
        if self.trouble:
            yield f"{self.group}: cannot be compared: {self.trouble}"
            return
        same = not (self.remove or self.strangers or self.missing)
        yield f"{self.group}: {'as the ledger has it' if same else 'differs'}"
        yield from (f"  to take out: {one}" for one in self.remove)
        yield from (f"  nobody's: {one}" for one in self.strangers if one not in self.remove)
        yield from (f"  to put in: {one}" for one in self.missing)

    def json(self) -> dict[str, Any]:
        return {
            "group": self.group,
            "to_take_out": list(self.remove),
            "strangers": list(self.strangers),
            "to_put_in": list(self.missing),
            "trouble": self.trouble,
        }


async def differences(config: Config, names: Sequence[str]) -> list[Difference]:
    """Compare groups with the ledger; changes nothing."""
    found = []
    async with _around(config, SystemClock()) as around:
        for name in names:
            grants = [one for one in await open_grants(config, name) if _is_here(config, one)]
            found.append(await _difference(config, name, grants, around))
    return found


async def _difference(
    config: Config, name: str, grants: Sequence[Grant], around: Surroundings
) -> Difference:
    try:
        group, place = opened(config, name, around)
    except ValueError as error:
        return Difference(name, trouble=str(error))
    backend = place.backend
    try:
        if not backend.capabilities.can_list:
            return Difference(name, trouble="its back-end does not tell who is in it")
        async with asyncio.timeout(CALL):
            members = await backend.members(place.group)
    except TimeoutError:
        return Difference(name, trouble=f"no answer within {CALL:.0f} s")
    except (RetryLaterError, GiveUpError) as error:
        return Difference(name, trouble=str(error))
    finally:
        await backend.close()
    seen = [Seen(one.account, one.expires_at, one.pending) for one in members]
    wanted = plan(group, grants, seen, native_expiry=backend.capabilities.native_expiry)
    missing = [one.account for one in wanted.add]
    return Difference(name, wanted.remove, wanted.strangers, missing)


@asynccontextmanager
async def _around(config: Config, clock: SystemClock) -> AsyncIterator[Surroundings]:
    async with aiohttp.ClientSession() as session:
        yield Surroundings(clock=clock, session=session, slack=_slack(config, session))


def _slack(config: Config, session: aiohttp.ClientSession) -> "_SlackCalls | None":
    """Return calls to Slack, None for the built-in workspace, which lives in the bot's process."""
    if config.slack.mode == "local":
        return None
    token = config.slack.user_token.get_secret_value() or config.slack.bot_token.get_secret_value()
    return _SlackCalls(SlackApi(web_client(token, config.slack.api_url, session)))


class _SlackCalls:
    def __init__(self, api: SlackApi) -> None:
        self._api = api

    async def __call__(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._api.form(method, **arguments)


@contextmanager
def _bar(name: str) -> Iterator[Progress]:
    """Draw a bar on a terminal, and nothing into a pipe."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn())
    with Bar(
        *columns, console=errors.console, transient=True, disable=not errors.console.is_terminal
    ) as bar:
        task = bar.add_task(name, total=None)
        update: Callable[..., None] = bar.update
        yield lambda done, of: update(task, completed=done, total=of)
