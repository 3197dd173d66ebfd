"""Stories about reaching people: a story's bot with every method, and people who answer by them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.contact.answering import Answered, Answering
from bot.contact.delivery import ContactDeliverer, Means, ReceiptDeliverer, Watched
from bot.contact.links import Links, Purpose
from bot.contact.replies import Replies
from bot.contact_jobs import CONTACT, PAGE, RECEIPT
from bot.engine.reaching import Reaching
from bot.outbox import Outbox, OutboxSettings
from bot.ports.contact import Result, Sent, Summons
from bot.ports.delivering import RetryLaterError
from bot.ports.inbox import Accepted, NewDelivery
from bot.ports.jobs import Job
from bot.ports.store import TimelineEntry
from rules.contacting.contacts import Contacts
from rules.contacting.method import Method, read_order
from rules.people import People, Person
from rules.rulebook import RuleBook
from rules.sentence import Value, Who, plain
from tests.stories.story import Story, _EveryKind, rulebook

METHODS = (Method.EMAIL, Method.SMS, Method.VOICE, Method.PUSHOVER, Method.NTFY, Method.WEBHOOK)
ANA = Person("ana", "Ana", "ana@example.com", phone="+4917012345678")
BO = Person("bo", "Bo", "bo@example.com", phone="+4917087654321")
DEE = Person("dee", "Dee", "dee@example.com")
ORDER = "email 2m, voice 5m"
BASE = "https://watchbill.example"


@dataclass
class Phone:
    """A service that takes everything; `fault` may raise what a real one raises."""

    story: "Reached"
    method: Method
    fault: Callable[[], None] = lambda: None
    lost: Callable[[], None] = lambda: None
    acknowledged_at: dict[str, bool] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    asked: int = 0

    async def send(self, summons: Summons) -> Sent:
        self.fault()
        self.story.summonses.append((self.method, summons))
        self.story.first_sent.setdefault(summons.key, self.story.clock.now())
        self.story.table.append(
            f"{self.story.clock.now():%H:%M:%S} {summons.person} by {self.method}"
        )
        self.lost()
        return Sent(f"{self.method}-{len(self.story.summonses)}")

    async def acknowledged(self, receipt: str) -> bool | None:
        self.asked += 1
        self.fault()
        return self.acknowledged_at.get(receipt, False)

    async def cancel(self, key: str) -> None:
        self.cancelled.append(key)


class EagerInbox:
    """Lets the engine decide what is accepted at once, as it would a moment later."""

    def __init__(self, story: "Reached") -> None:
        self._story = story

    async def accept(self, delivery: NewDelivery) -> Accepted:
        accepted = await self._story.store.inbox.accept(delivery)
        await self._story.engine.run_due()
        return accepted


def reaching(
    *people: Person, order: str = ORDER, methods: tuple[Method, ...] = METHODS, **more: Any
) -> RuleBook:
    """Return the usual rulebook, with people who can be reached."""
    known = People(people or (ANA, BO, DEE))
    return rulebook(contacts=Contacts(frozenset(methods), read_order(order), known), **more)


class Reached(Story):
    """`table` tells when who was reached by what; Slack's own pages stand in it too."""

    def _build(self) -> None:
        super()._build()
        if not hasattr(self, "table"):
            self.table: list[str] = []
            self.summonses: list[tuple[Method, Summons]] = []
            self.first_sent: dict[str, datetime] = {}
            self.phones = {method: Phone(self, method) for method in METHODS}
        people, reader = self.rules.book().contacts.people, self.store.reader
        self.links = Links("secret", BASE, self.clock)
        inbox = EagerInbox(self)
        self.answering = Answering(inbox, reader, self.clock, lambda key: people.by_key(key).name)
        self.replies = Replies(self.links, self.answering, people, reader, self.store.contacts)
        self.reaching = Reaching(self.engine, self.store.store, self.clock)
        means = Means(
            backends=dict(self.phones),
            people=people,
            zone_of=lambda key: people.by_key(key).zone,
            reader=reader,
            contacts=self.store.contacts,
            links=self.links,
            answering=self.answering,
            clock=self.clock,
            public_url=BASE,
            receipts={Method.PUSHOVER: self.phones[Method.PUSHOVER]},
        )
        kinds: dict[str, Any] = {**_EveryKind(self.slack)}
        kinds |= {
            CONTACT: ContactDeliverer(means),
            RECEIPT: ReceiptDeliverer(means, self.answering),
        }
        kinds |= {
            kind: Watched(kinds[kind], self.reaching.attempt_failed) for kind in (PAGE, CONTACT)
        }
        self.outbox = Outbox(
            queue=self.store.queue,
            store=self.store.store,
            deliverers=kinds,
            clock=self.clock,
            on_finished=self.engine.job_finished,
            settings=OutboxSettings(random=lambda: 0.5),
        )

    # what happens

    async def clicks(self, method: Method = Method.EMAIL, at: int = -1) -> Answered:
        """Follow the link of a message, and press the button there."""
        return await self._answers(method, Purpose.ACK, lambda one: one.ack_url, at)

    async def presses_2(self, person: str) -> int:
        """Press 2 during a call."""
        found = await self.answering.acknowledge_all(person, Method.VOICE)
        await self.settle()
        return found

    async def presses(self, at: int = -1) -> Answered:
        """Press 1 during a call."""
        return await self._answers(Method.VOICE, Purpose.PRESS, lambda one: one.press_url, at)

    async def _answers(
        self, method: Method, purpose: Purpose, url: Callable[[Summons], str], at: int
    ) -> Answered:
        summons = [one for by, one in self.summonses if by is method][at]
        claim = self.links.read(purpose, url(summons).rpartition("/")[2])
        assert claim is not None, "the link is too old"
        found = await self.answering.acknowledge(
            claim.incident_id, claim.person, claim.method, claim.page
        )
        await self.settle()
        return found

    async def tells_later(self, provider_id: str, result: Result, error: str) -> bool:
        """Let a service tell later what became of what it took."""
        incident = await self.incident()
        known = await self.reaching.told_later(incident.id, provider_id, result, error)
        await self.settle()
        return known

    def slack_is_down(self, minutes: float, why: str = "Slack had trouble: 503") -> None:
        """Let everything that goes to Slack fail until then."""
        end = self.clock.now() + timedelta(minutes=minutes)

        def fails(_: Job) -> None:
            if self.clock.now() < end:
                raise RetryLaterError(why, unsure=True)

        self.slack.fault = fails

    # what is seen

    def timetable(self) -> list[str]:
        """Return when who was reached by what since the last look, Slack's pages among it."""
        pages = [
            f"{s.at:%H:%M:%S} {self.rules.book().contacts.people.by_key(s.person).name} by slack"
            for s in self._new("page")
        ]
        found = sorted([*pages, *self.table])
        self.table.clear()
        return found

    async def story(self, number: int = 1) -> list[str]:
        """Return the lines of the timeline about reaching people."""
        incident = await self.incident(number)
        lines = await self.store.reader.timeline(incident.id, 200)
        return [_line(one) for one in lines if one.rule.startswith(("contact", "page.", "person"))]

    async def ledger(self, number: int = 1) -> list[str]:
        incident = await self.incident(number)
        return [
            f"{one.at:%H:%M:%S} {one.method} {one.result}{f': {one.error}' if one.error else ''}"
            for one in await self.store.contacts.attempts(incident.id)
        ]


def _line(entry: TimelineEntry) -> str:
    return f"{entry.at:%H:%M:%S} {entry.sentence.render(_word)}"


def _word(value: Value) -> str:
    return value.key if isinstance(value, Who) else plain(value)
