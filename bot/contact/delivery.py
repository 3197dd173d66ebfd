"""Carries out the further steps of a page: by each method, while somebody is still waited for."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.contact.answering import Answering
from bot.contact.links import Claim, Links
from bot.contact_jobs import CONTACT, ContactOrderJob, key_of, lane_of, order_of
from bot.ports.contact import Backend, ContactReads, Receipts, Summons
from bot.ports.delivering import (
    Delivered,
    Deliverer,
    GiveUpError,
    LeaseLostError,
    MessageRef,
    RetryLaterError,
)
from bot.ports.jobs import Job
from bot.ports.store import Reader
from rules.contacting.contacts import address_of
from rules.contacting.method import TITLES, Method
from rules.hours import local_text
from rules.incident import Incident, Stakes, State
from rules.people import People
from rules.sentence import Value, Who, plain

ASK_AGAIN = timedelta(seconds=10)
ONE_CALL = timedelta(seconds=45)
"""So long a number is left alone after a call began: ringing, hearing it, pressing a key."""
_NOTHING = Delivered()
_PRIVATE = frozenset({Method.SMS, Method.VOICE, Method.PUSHOVER, Method.NTFY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What reaching people works with.

    `zone_of` is the region of a person's clocks; `receipts` are the services that are asked again.
    """

    backends: Mapping[Method, Backend]
    people: People
    zone_of: Callable[[str], str]
    reader: Reader
    contacts: ContactReads
    links: Links
    answering: Answering
    clock: Clock
    public_url: str = ""
    receipts: Mapping[Method, Receipts] = field(default_factory=dict)


class ContactDeliverer:
    """Delivers jobs of kind `contact`; one number is called for one thing at a time."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def deliver(self, job: Job) -> Delivered:
        """Send, unless nobody is waited for any more.

        Raises RetryLaterError, GiveUpError, or LeaseLostError when the job is another's by now.
        """
        order = order_of(job)
        incident = await self._means.reader.incident(job.incident_id)
        if incident is None:
            raise GiveUpError("there is no such incident any more")
        if not is_wanted(incident, forced=order.force):
            return _NOTHING
        backend = self._means.backends.get(order.method)
        if backend is None:
            raise GiveUpError(f"{TITLES[order.method]} is not configured any more: see `contact`")
        summons = self._summons(job, order, incident)
        if job.unsure:
            summons = replace(summons, recorded=await self._recorded(order, incident))
        if order.method is Method.VOICE:
            others = await self._means.answering.others(order.person, incident.id)
            summons = replace(summons, others=len(others))
        # a machine that slept since the lease was taken must not send what another has sent
        if not await job.still_ours():
            raise LeaseLostError
        try:
            sent = await backend.send(summons)
        except GiveUpError as refused:
            raise GiveUpError(_discreet(str(refused), order.method, summons.address)) from refused
        ref = MessageRef(CONTACT, order.method, sent.provider_id, order.person, order.page)
        if order.method is not Method.VOICE:
            return Delivered((ref,))
        rings_until = self._means.clock.now() + ONE_CALL
        return Delivered((ref,), busy=self._lines(summons.address), busy_until=rings_until)

    async def _recorded(self, order: ContactOrderJob, incident: Incident) -> frozenset[str]:
        """Return what the service calls all that is known to have gone to this person."""
        attempts = await self._means.contacts.attempts(incident.id)
        return frozenset(
            one.provider_id
            for one in attempts
            if (one.person, one.method) == (order.person, order.method) and one.provider_id
        )

    def _lines(self, number: str) -> tuple[str, ...]:
        """Return the lanes of all who are called at this number."""
        people = self._means.people
        return tuple(lane_of(Method.VOICE, one.key) for one in people if one.phone == number)

    def _summons(self, job: Job, order: ContactOrderJob, incident: Incident) -> Summons:
        means, person = self._means, self._means.people.by_key(order.person)
        address = address_of(person, order.method)
        if not address:
            words = f"{person.name} has no address for this method any more: add it to the roster"
            raise GiveUpError(words)
        zone = means.zone_of(order.person)
        claim = Claim(order.person, incident.id, order.page, order.method)
        return Summons(
            key=job.key,
            person=person.name,
            address=address,
            number=incident.number,
            title=incident.title,
            priority=incident.priority.value,
            why=order.reason.render(lambda value: self._shown(value, zone)),
            details=tuple(self._details(incident, zone)),
            ack_url=means.links.ack(claim, job.created_at),
            press_url=means.links.press(claim, job.created_at),
            status_url=means.links.status(claim, job.created_at),
            code=means.links.code(order.person, order.page),
            unsure=job.unsure,
            since=job.first_attempt_at or job.created_at,
        )

    def _details(self, incident: Incident, zone: str) -> list[tuple[str, str]]:
        stakes = incident.stakes
        base = self._means.public_url
        return [
            ("What", incident.description),
            ("Product", (stakes.product and stakes.name) if stakes else incident.product),
            ("Impact", stakes.impact_why if stakes else ""),
            _by_when(stakes, zone, self._means.clock.now()),
            ("Runbook", stakes.runbook if stakes else ""),
            ("Since", local_text(incident.opened_at, zone)),
            ("More", f"{base}/issues/{incident.number}" if base else ""),
        ]

    def _shown(self, value: Value, zone: str) -> str:
        match value:
            case Who(key):
                return self._means.people.by_key(key).name
            case datetime():
                return local_text(value, zone)
            case _:
                return plain(value)


def _by_when(stakes: Stakes | None, zone: str, now: datetime) -> tuple[str, str]:
    """Return until when it is to be mended, and what that instant is."""
    if stakes is None or stakes.deadline is None:
        return "Promised by", ""
    when = local_text(stakes.deadline, zone)
    late = stakes.deadline <= now
    if stakes.consumers is not None:
        where = f"in {stakes.promised}, " if stakes.promised else ""
        read = "its readers are there now" if late else f"read again from {when}"
        return "Wrong data", f"{where}{read}"
    whose = f" for {stakes.promised}" if stakes.promised else ""
    return "Promised by", f"{when}{whose}{', missed' if late else ''}"


def _discreet(why: str, method: Method, address: str) -> str:
    """Hide numbers, keys and topics that a service repeats: the channel reads why it refused."""
    return why.replace(address, "[hidden]") if method in _PRIVATE else why


class ReceiptDeliverer:
    """Asks a service whether somebody acknowledged there, until it is over one way or another."""

    def __init__(self, means: Means, answering: Answering) -> None:
        self._means = means
        self._answering = answering

    async def deliver(self, job: Job) -> Delivered:
        """Raises RetryLaterError while nobody has acknowledged, or GiveUpError."""
        order, receipt = order_of(job), str(job.payload["receipt"])
        service = self._means.receipts.get(order.method)
        incident = await self._means.reader.incident(job.incident_id)
        if service is None or incident is None:
            return _NOTHING
        if order.over or not is_wanted(incident, forced=order.force):
            await service.cancel(str(job.payload.get("sent_as") or key_of(order.page, order.step)))
            return _NOTHING
        found = await service.acknowledged(receipt)
        if found:
            await self._answering.acknowledge(incident.id, order.person, order.method, order.page)
        if found is False:
            raise RetryLaterError("not acknowledged there yet", after=ASK_AGAIN)
        return _NOTHING


class Watched:
    """Lets somebody hear of every attempt that a deliverer will have to make again."""

    def __init__(
        self, inner: Deliverer, failed: Callable[[Job, RetryLaterError], Awaitable[None]]
    ) -> None:
        self._inner = inner
        self._failed = failed

    async def deliver(self, job: Job) -> Delivered:
        try:
            return await self._inner.deliver(job)
        except RetryLaterError as error:
            await self._failed(job, error)
            raise


def is_wanted(incident: Incident, *, forced: bool) -> bool:
    """Tell whether a page of this incident still has somebody to wake."""
    if forced:
        return incident.is_open
    return incident.state is State.TRIGGERED and incident.muted is None and incident.pages
