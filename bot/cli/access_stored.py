"""What commands about elevated access do with the database of a bot."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from bot.acts.access import OPERATOR, AccessAct, RevokeAccess, RevokeAll
from bot.acts.act import SLACK, ActPayload, AnswerTo, act_to_json
from bot.cli.output import fail
from bot.cli.stored import beside, exists
from bot.clock import Clock, SystemClock
from bot.config.settings import Config
from bot.engine.access.jobs import sync_job
from bot.ports.inbox import NewDelivery, NotStoredError
from bot.store.errors import StoreInUseError, StoreUnfitError
from bot.store.opening import OpenedStore, open_store
from rules.access.grant import Grant
from rules.access.ledger import Entry
from rules.access.seeing import fold, stays_anyway

_LOOK_BACK = timedelta(days=62)
"""Grants of a rotation begin before the month that a review is of."""
_MOST = 100_000
T = TypeVar("T")
_PATIENCE = timedelta(seconds=60)
_LOOK_EVERY = timedelta(seconds=0.5)


async def open_grants(config: Config, group: str) -> Sequence[Grant]:
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return await store.access.open_grants(group)


def _whole(found: Sequence[T], most: int) -> Sequence[T]:
    """Return all of it, or say that there is more: what is missing must not look like nothing."""
    if len(found) > most:
        raise fail(f"There is more than {most:,} of it. Ask for less at a time, with --since and "
                   "--until or a shorter past.")  # fmt: skip
    return found


async def grants_since(config: Config, start: datetime) -> Sequence[Grant]:
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return _whole(await store.access.grants(start - _LOOK_BACK, _MOST + 1), _MOST)


async def ledger(
    config: Config, start: datetime, end: datetime, grant: str, *, most: int = _MOST
) -> Sequence[Entry]:
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        found = await store.access.ledger(start, end, grant=grant, limit=most + 1)
        return _whole(found, most)


async def revoke_one(config: Config, grant_id: str, why: str) -> tuple[bool, str]:
    """Ask the running bot to end a grant; return whether it was seen gone, and what to say."""
    clock = SystemClock()
    async with beside(config, clock) as store:
        grant = await store.access.grant(grant_id)
        if grant is None:
            raise fail(f"There is no grant {grant_id}; see `watchbill access list`.")
        if not grant.is_open:
            return True, f"{grant.person} is not in {grant.group} by {grant_id}: {grant.state}."
        act = RevokeAccess(by=OPERATOR, grant=grant_id, why=why)
        await _ask(store, act, clock)
        until = clock.now() + _PATIENCE
        while clock.now() < until:
            await clock.sleep_until(clock.now() + _LOOK_EVERY)
            now = await store.access.grant(grant_id)
            if now is not None and not now.is_open:
                return await gone(config, store, now)
    trouble = f" ({now.trouble})" if now is not None and now.trouble else ""
    state = "not begun: is the bot running?" if now is None or now.is_wanted else now.state.value
    return False, (
        f"It is stored, but {grant.person} was not seen gone from {grant.group} within a minute"
        f"{trouble}: {state} `watchbill access revoke-all --group {grant.group}` goes"
        " straight to the back-end."
    )


async def gone(config: Config, store: OpenedStore, ended: Grant) -> tuple[bool, str]:
    """Return whether the person is out by the end of this grant, and what to say."""
    stays = f"{ended.id} is {ended.state}, but {ended.person} stays in {ended.group}"
    others = [
        one.id
        for one in await store.access.open_grants(ended.group)
        if one.is_wanted and fold(one.account) == fold(ended.account)
    ]
    if others:
        return False, f"{stays} by {', '.join(others)}. End that, too."
    spec = config.access_groups.get(ended.group)
    if spec is not None and ended.started_at and stays_anyway(spec.rules(ended.group, str), ended):
        return False, f"{stays}: they were in it before. Take them out there if that is to end."
    return True, f"{ended.person} is out of {ended.group}: {ended.state}."


async def ask_to_reconcile(config: Config, groups: Sequence[str]) -> None:
    clock = SystemClock()
    async with beside(config, clock) as store, store.store.begin() as tx:
        for group in groups:
            tx.enqueue(sync_job(group, clock.now()))


async def put_in(config: Config, group: str, why: str) -> Sequence[Grant] | str:
    """Have the bot end everybody's grants; return those that have put somebody in.

    Returns why not, in words, when there is no database to be had: nothing may depend on it.
    """
    clock = SystemClock()
    if not exists(config.database):
        return "there is no database yet"
    try:
        store = await open_store(config.database, clock, beside=True)
    except (StoreInUseError, StoreUnfitError, NotStoredError, OSError) as error:
        return str(error)
    try:
        open_ones = await store.access.open_grants(group)
        await _ask(store, RevokeAll(by=OPERATOR, group=group, why=why), clock)
    except (NotStoredError, OSError) as error:
        return str(error)
    finally:
        await store.close()
    return [one for one in open_ones if one.started_at and not one.was_member]


async def _ask(store: OpenedStore, act: AccessAct, clock: Clock) -> None:
    body = act_to_json(ActPayload(act=act, answer_to=AnswerTo(user="")))
    key = f"cli:{act.kind}:{clock.now().timestamp():.6f}"
    await store.inbox.accept(
        NewDelivery(source=SLACK, key=key, body=body, content_type="application/json")
    )
