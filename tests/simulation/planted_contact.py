"""Faults in reaching people besides Slack that are built in on purpose."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.contact.delivery import ContactDeliverer
from bot.contact_jobs import CONTACT, PAGE
from bot.ports.contact import Sent, Summons
from bot.ports.delivering import Delivered, Deliverer, RetryLaterError
from bot.ports.inbox import Accepted, NewDelivery
from bot.ports.jobs import Job
from rules.contacting.method import Method
from rules.incident import Incident, State
from tests.simulation.around import Around
from tests.simulation.chance import Weather
from tests.simulation.world import Lives, Parts


def wait_for_slack(bot: Any) -> None:
    """Let every other method keep its time, though Slack takes no page."""
    if not bot.contact:
        return
    bot.outbox._deliverers[PAGE] = bot.outbox._deliverers[PAGE]._inner
    begin = bot.store.store.begin

    async def nothing_goes(*_: Any, **__: Any) -> None: ...

    def change(tx: Any) -> None:
        tx.contact.lane_shut = nothing_goes

    bot.store.store.begin = lambda: Around(begin(), change)


def look_for_nothing(bot: Any) -> None:
    """Send again what may have gone out, without asking the service for it."""

    class Blind:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        async def send(self, summons: Summons) -> Sent:
            sent: Sent = await self._inner.send(replace(summons, unsure=False))
            return sent

    if bot.contact:
        backends = bot.contact.means.backends
        for method in (Method.SMS, Method.NTFY):
            backends[method] = Blind(backends[method])


def call_anyway(bot: Any) -> None:
    """Reach people about what somebody has taken care of: neither taken back nor looked at."""
    if not bot.contact:
        return
    means, begin = bot.contact.means, bot.store.store.begin

    class Anyone:
        def __getattr__(self, name: str) -> Any:
            return getattr(means.reader, name)

        async def incident(self, its_id: str) -> Incident | None:
            found: Incident | None = await means.reader.incident(its_id)
            return found and found.but(state=State.TRIGGERED, muted=None)

    def change(tx: Any) -> None:
        cancel = tx.cancel_jobs
        tx.cancel_jobs = lambda its_id, kinds: cancel(its_id, [k for k in kinds if k != CONTACT])

    bot.store.store.begin = lambda: Around(begin(), change)
    blind: Any = Anyone()
    _carry_by(bot, ContactDeliverer(replace(means, reader=blind)))


def ignore_services(bot: Any) -> None:
    """Try again after a second, however long a service asks to wait."""
    if bot.contact:
        _carry_by(bot, _Retrying(bot.contact.means, after=None))


def take_silence_for_no(bot: Any) -> None:
    """Take a service that does not answer for one that has not taken it."""
    if bot.contact:
        _carry_by(bot, _Retrying(bot.contact.means, unsure=False))


class _Retrying(ContactDeliverer):
    """Changes what is said of an attempt that is to be made again."""

    def __init__(self, means: Any, **change: Any) -> None:
        super().__init__(means)
        self._change: Mapping[str, Any] = change

    async def deliver(self, job: Job) -> Delivered:
        if "unsure" in self._change:
            job = replace(job, unsure=False)
        try:
            return await super().deliver(job)
        except RetryLaterError as error:
            known = {"unsure": error.unsure, "throttled": error.throttled, "after": error.after}
            if "after" in self._change:
                known["throttled"] = False
            raise RetryLaterError(str(error), **{**known, **self._change}) from error


def _carry_by(bot: Any, deliverer: Deliverer) -> None:
    bot.outbox._deliverers[CONTACT]._inner = deliverer


def forget_attempts(store: Any) -> None:
    """Write down two of three attempts."""
    begin, counted = store.store.begin, [0]

    def change(tx: Any) -> None:
        record = tx.contact.record

        def records(attempt: Any) -> None:
            counted[0] += 1
            if counted[0] % 3:
                record(attempt)

        tx.contact.record = records

    store.store.begin = lambda: Around(begin(), change)


def wait_in_shut_lanes(store: Any) -> None:
    """Let whoever is paged wait for a service that asked to wait, though another would go."""
    begin = store.store.begin

    async def nothing_moves(keys: Any, now: Any) -> tuple[()]:
        return ()

    def change(tx: Any) -> None:
        tx.contact._pass_shut = nothing_moves

    store.store.begin = lambda: Around(begin(), change)


def forget_answers(bot: Any) -> None:
    """Say that an answer is taken, and keep nothing of it."""

    class Full:
        async def accept(self, delivery: NewDelivery) -> Accepted:
            return Accepted(delivery.key, repeated=False)

    if bot.contact:
        bot.contact.answering._inbox = Full()


_REACHED = Lives(reached=True)
_DOWN = replace(_REACHED, weathers=(Weather(unreachable=1.0),))
_THROTTLED = replace(_REACHED, weathers=(Weather(unreachable=1.0, service_throttles=0.5),))
_AT_TIMES = replace(_REACHED, weathers=(Weather(unreachable=1.0, service_throttles=0.1),))
_UNHEARD = replace(_REACHED, weathers=(Weather(unreachable=1.0, service_done_silent=0.4),))

PLANTED_CONTACT: dict[str, Parts] = {
    "waits for Slack before it calls": Parts(built=wait_for_slack, lives=_DOWN),
    "texts again without looking": Parts(built=look_for_nothing, lives=_UNHEARD),
    "calls though somebody has it": Parts(built=call_anyway, lives=_REACHED),
    "calls again before it may": Parts(built=ignore_services, lives=_THROTTLED),
    "waits for a service that asked to wait": Parts(opened=wait_in_shut_lanes, lives=_AT_TIMES),
    "takes a service's silence for no": Parts(built=take_silence_for_no, lives=_UNHEARD),
    "leaves attempts out of the ledger": Parts(opened=forget_attempts, lives=_REACHED),
    "forgets answers by other ways": Parts(built=forget_answers, lives=_REACHED),
}
