"""Faults that are built in on purpose: the net must catch each of them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.access.keeping import Keeper
from bot.acts.act import SLACK
from bot.engine.engine import Engine
from bot.outbox import Outbox
from bot.ports.delivering import Delivered, MessageRef, Outcome, Retry, RetryLaterError
from bot.ports.inbox import NewDelivery
from bot.ports.jobs import Job
from bot.slack.api import SlackApi
from bot.slack.direct import messages_with
from bot.slack.places import Places
from rules.incident import Incident
from tests.simulation.around import Around, lose_one_in
from tests.simulation.chance import FAIR, Weather
from tests.simulation.planted_contact import PLANTED_CONTACT
from tests.simulation.planted_journal import PLANTED_JOURNAL
from tests.simulation.planted_runs import PLANTED_RUNS
from tests.simulation.weathers import SLEEPY
from tests.simulation.world import Lives, Parts


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


class EarlyOutbox(Outbox):
    """Gives the lease of every third job back before it has gone out."""

    _counted = 0

    async def _attempt(self, job: Job) -> Outcome:
        self._counted += 1
        if self._counted % 3 == 0:
            await self._queue.release([job], self._clock.now(), unsure=False)
        return await super()._attempt(job)


class TrustingOutbox(Outbox):
    """Takes a lease for granted that has ended while its machine slept."""

    async def _has_time(self, job: Job) -> bool:
        return True


class SleepyKeeper(Keeper):
    """Never looks at grants again."""

    async def tick(self) -> bool:
        return False


def forget_wake_ups(store: Any) -> None:
    """Save incidents without the timer they asked for, once a few have been saved with it."""
    begin = store.store.begin
    saved = [0]

    def begins() -> Any:
        return Around(begin(), lambda tx: _without_timer(tx, saved))

    store.store.begin = begins


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
    lose_one_in(store, "page", 5)


def stand_still(store: Any) -> None:
    """Page the first step again and again: the policy never moves on."""
    begin = store.store.begin

    def change(tx: Any) -> None:
        save = tx.save
        tx.save = lambda incident: save(incident.but(step=0) if incident.step == 1 else incident)

    store.store.begin = lambda: Around(begin(), change)


def forget_clicks(store: Any) -> None:
    """Take what people asked for while the process was down for done."""
    begin, first = store.store.begin, [True]

    def change(tx: Any) -> None:
        take = tx.take_deliveries

        async def takes(limit: int, now: datetime, **named: Any) -> Any:
            taken = await take(limit, now, **named)
            if first[0]:
                first[0] = False
                for one in taken:
                    if one.source == SLACK:
                        tx.finish_delivery(one.id)
                return [one for one in taken if one.source != SLACK]
            return taken

        tx.take_deliveries = takes

    store.store.begin = lambda: Around(begin(), change)


def send_first(bot: Any) -> None:
    """Send pages while they are decided; what is decided then may never be stored."""
    store, desk, sending = bot.store.store, bot.desk, dict[str, asyncio.Task[Any]]()
    begin, deliverer = store.begin, bot.outbox._deliverers["page"]

    async def send(job: Any) -> MessageRef:
        channel = await messages_with(desk, job.payload["person"])
        at, ts = await desk.api.post(channel, {"text": "a page"}, job.key)
        return MessageRef("page", at, ts, job.payload["person"], job.key)

    class Late:
        async def deliver(self, job: Job) -> Delivered:
            if job.key in sending:
                with suppress(RetryLaterError):
                    return Delivered((await sending[job.key],))
            found: Delivered = await deliverer.deliver(replace(job, unsure=True))
            return found

    def change(tx: Any) -> None:
        enqueue = tx.enqueue

        def enqueues(job: Any) -> None:
            enqueue(job)
            if job.kind == "page" and job.key not in sending:
                loop = asyncio.get_running_loop()
                sending[job.key] = loop.create_task(send(job))

        tx.enqueue = enqueues

    store.begin = lambda: Around(begin(), change)
    bot.outbox._deliverers["page"] = Late()


def page_anyway(bot: Any) -> None:
    """Send pages of what somebody has taken care of: neither taken back nor looked at again."""
    store, deliverer = bot.store.store, bot.outbox._deliverers["page"]
    begin = store.begin

    class Blind:
        async def deliver(self, job: Job) -> Delivered:
            forced = replace(job, payload={**job.payload, "force": True})
            found: Delivered = await deliverer.deliver(forced)
            return found

    def change(tx: Any) -> None:
        tx.cancel_jobs = lambda _incident_id, _kinds: None

    store.begin = lambda: Around(begin(), change)
    bot.outbox._deliverers["page"] = Blind()


def ignore_zones(bot: Any) -> None:
    """Hand over at the hour that it is in Berlin on other days of the year."""
    schedule = bot.rules.schedule

    def wrong(changes: Any) -> Any:
        found = schedule(changes)
        plans = tuple(
            replace(plan, layers=tuple(replace(one, zone="Etc/GMT-3") for one in plan.layers))
            for plan in found.plans
        )
        return replace(found, plans=plans)

    bot.rules.schedule = wrong


class UnfinishedEngine(Engine):
    """Takes deliveries again that were decided already: the mark is not in the same commit."""

    async def _decide(self, tx: Any, taken: Sequence[Any], now: datetime) -> None:
        finish = tx.finish_delivery
        tx.finish_delivery = lambda its_id, **how: (
            None if int(its_id[-1], 16) % 4 == 0 and now.minute % 2 else finish(its_id, **how)
        )
        await super()._decide(tx, taken, now)


_LOST = Lives(weathers=(Weather(lost_before=0.2, lost_after=0.3),))
_THROTTLED = Lives(weathers=(Weather(throttled=0.3),))
_FULL = Lives(weathers=(Weather(commit_fails=0.2, commit_unheard=0.1),))
_DYING = Lives(weathers=(FAIR, Weather(die=0.02)), replicas=1)
_SLEEPING = Lives(weathers=SLEEPY, replicas=2)

PLANTED: dict[str, Parts] = {
    "drops the metadata look-up": Parts(places=NoLookUp),
    "forgets to re-arm a wake-up": Parts(opened=forget_wake_ups, audits=False),
    "sends before the commit": Parts(built=send_first, lives=_FULL),
    "releases a lease early": Parts(outbox=EarlyOutbox),
    "ignores Retry-After": Parts(api=DeafApi, lives=_THROTTLED),
    "answers before the commit": Parts(opened=answer_before_commit, lives=_FULL),
    "takes no answer for no request": Parts(api=SureApi, lives=_LOST),
    "forgets that it may have gone out": Parts(outbox=ForgetfulOutbox, lives=_LOST),
    "counts what failed as delivered": Parts(outbox=HopefulOutbox),
    "sends though it slept": Parts(outbox=TrustingOutbox, lives=_SLEEPING),
    "loses pages on the way to the outbox": Parts(opened=lose_pages, audits=False),
    "pages though somebody has it": Parts(built=page_anyway, lives=_THROTTLED),
    "pages the same person for ever": Parts(opened=stand_still),
    "forgets clicks of before a crash": Parts(opened=forget_clicks, lives=_DYING),
    "never ends a grant": Parts(keeper=SleepyKeeper),
    "decides deliveries twice": Parts(engine=UnfinishedEngine),
    "hands over at the wrong hour": Parts(built=ignore_zones),
    **PLANTED_CONTACT,
    **PLANTED_JOURNAL,
    **PLANTED_RUNS,
}
LIVING = {
    "pages though somebody has it": "I5 ack stops it",
    "ignores Retry-After": "I12 Retry-After is respected",
}
"""What these must be caught by: it is noted while a life goes on, and can be broken in no other way."""
