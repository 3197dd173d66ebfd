"""Faults that are built in on purpose: the net must catch each of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.access.keeping import Keeper
from bot.engine.engine import Engine
from bot.outbox import Outbox
from bot.ports.delivering import Delivered, Outcome, Retry, RetryLaterError
from bot.ports.inbox import NewDelivery
from bot.ports.jobs import Job
from bot.slack.api import SlackApi
from bot.slack.places import Places
from rules.incident import Incident
from tests.simulation.bot import Parts


class NoLookUp(Places):
    """Never finds an earlier post: the metadata is not looked at."""

    async def posted(self, *_: Any, **__: Any) -> None:
        return None


class DeafApi(SlackApi):
    """Does not hear how long Slack asks to wait."""

    async def _ask(self, method: str, *, repeatable: bool, **how: Any) -> Any:
        try:
            return await super()._ask(method, repeatable=repeatable, **how)
        except RetryLaterError as error:
            if error.throttled:
                raise RetryLaterError(str(error), after=timedelta(seconds=1)) from error
            raise


class SureApi(SlackApi):
    """Takes a request without an answer for one that was never made."""

    async def _ask(self, method: str, *, repeatable: bool, **how: Any) -> Any:
        return await super()._ask(method, repeatable=True, **how)


class HopefulOutbox(Outbox):
    """Counts what failed as delivered."""

    async def _attempt(self, job: Job) -> Outcome:
        outcome = await super()._attempt(job)
        return Delivered() if isinstance(outcome, Retry) else outcome


class ForgetfulOutbox(Outbox):
    """Does not remember that an attempt may have gone out."""

    async def _record(self, job: Job, outcome: Outcome) -> None:
        if isinstance(outcome, Retry):
            outcome = replace(outcome, unsure=False)
        await super()._record(job, outcome)


class SleepyKeeper(Keeper):
    """Never looks at grants again."""

    async def tick(self) -> bool:
        return False


def forget_wake_ups(store: Any) -> None:
    """Save incidents without the timer they asked for, once a few have been saved with it."""
    begin = store.store.begin
    saved = [0]

    def begins() -> Any:
        return _Around(begin(), lambda tx: _without_timer(tx, saved))

    store.store.begin = begins


class _Around:
    def __init__(self, inner: Any, change: Any) -> None:
        self._inner, self._change = inner, change

    async def __aenter__(self) -> Any:
        tx = await self._inner.__aenter__()
        self._change(tx)
        return tx

    async def __aexit__(self, *how: object) -> Any:
        return await self._inner.__aexit__(*how)


def _without_timer(tx: Any, saved: list[int]) -> None:
    save = tx.save

    def saves(incident: Incident) -> None:
        saved[0] += 1
        if saved[0] % 3 == 0 and incident.step_due_at:
            incident = incident.but(step_due_at=None)
        save(incident)

    tx.save = saves


def answer_before_commit(store: Any) -> None:
    """Say 202 first and store later, which a death in between makes a lie."""
    accept = store.inbox.accept

    async def accepts(delivery: NewDelivery) -> Any:
        try:
            return await accept(delivery)
        except Exception:  # noqa: BLE001 - this is the fault
            return None

    store.inbox.accept = accepts


def lose_pages(store: Any) -> None:
    """Drop every fifth effect of a page between the decision and the outbox."""
    begin, counted = store.store.begin, [0]

    def change(tx: Any) -> None:
        enqueue = tx.enqueue

        def enqueues(job: Any) -> None:
            counted[0] += job.kind == "page"
            if job.kind != "page" or counted[0] % 5:
                enqueue(job)

        tx.enqueue = enqueues

    store.store.begin = lambda: _Around(begin(), change)


class UnfinishedEngine(Engine):
    """Takes deliveries again that were decided already: the mark is not in the same commit."""

    async def _decide(self, tx: Any, taken: Sequence[Any], now: datetime) -> None:
        finish = tx.finish_delivery
        tx.finish_delivery = lambda its_id, **how: (
            None if int(its_id[-1], 16) % 4 == 0 and now.minute % 2 else finish(its_id, **how)
        )
        await super()._decide(tx, taken, now)


PLANTED: dict[str, Parts] = {
    "drops the metadata look-up": Parts(places=NoLookUp),
    "forgets to re-arm a wake-up": Parts(opened=forget_wake_ups, audits=False),
    "answers before the commit": Parts(opened=answer_before_commit),
    "ignores Retry-After": Parts(api=DeafApi),
    "takes no answer for no request": Parts(api=SureApi),
    "forgets that it may have gone out": Parts(outbox=ForgetfulOutbox),
    "counts what failed as delivered": Parts(outbox=HopefulOutbox),
    "loses pages on the way to the outbox": Parts(opened=lose_pages, audits=False),
    "never ends a grant": Parts(keeper=SleepyKeeper),
    "decides deliveries twice": Parts(engine=UnfinishedEngine),
}
