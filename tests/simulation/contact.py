"""The other ways to reach people, as the application wires them, on services that are simulated."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from bot.contact.answering import Answering
from bot.contact.delivery import ContactDeliverer, Means, ReceiptDeliverer, Watched
from bot.contact.doors import DoorParts, Doors
from bot.contact.email import Email, Mailbox
from bot.contact.links import Links
from bot.contact.ntfy import Ntfy, NtfyServer
from bot.contact.pushover import Pushover, PushoverApp
from bot.contact.replies import Replies
from bot.contact.twilio import PhoneCall, TextMessage, TwilioAccount, signature, twilio_service
from bot.contact.webhook import Hook, PersonalWebhook
from bot.contact_jobs import CONTACT, PAGE, RECEIPT
from bot.engine.reaching import Reaching
from bot.ports.contact import Backend
from bot.ports.delivering import Deliverer
from rules.contacting.contacts import Contacts
from rules.contacting.method import USUAL, Method
from rules.people import People
from tests.simulation.clients import SimulatedMail, SimulatedSession
from tests.simulation.services import SimulatedServices
from tests.simulation.team import ANA, BO, CY, DEE

BASE = "https://watchbill.example"
_TOKEN = "twilio-token"
_SENDER = "+15550001111"
_MAILBOX = Mailbox(host="mail.example.com", port=587, sender="Watchbill <oncall@example.com>")
_WEBHOOK = "pager"
_WAYS: Mapping[str, Mapping[str, str]] = {
    ANA: {"phone": "+4917012345678", "contact": "sms 5s, voice 40s; low: email 1m"},
    BO: {"ntfy": "bo-pages", "contact": "ntfy 40s, email 50s"},
    CY: {"pushover": "c" * 30, "webhook": _WEBHOOK, "contact": "webhook 10s, pushover 30s"},
    DEE: {"contact": "email 40s"},
}


def reachable(people: People) -> People:
    """Return the people with addresses, and the order of each: no method stands twice in one."""
    return People(replace(person, **_WAYS[person.key]) for person in people)


def contacts(people: People) -> Contacts:
    methods = frozenset(Method) - {Method.SLACK}
    return Contacts(methods, USUAL, people, frozenset({_WEBHOOK}))


@dataclass(frozen=True, slots=True)
class Letter:
    """As much of aiohttp's request as a door reads; it is its own content."""

    raw_path: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        return self.raw_path

    @property
    def match_info(self) -> Mapping[str, str]:
        return {"token": self.raw_path.rpartition("/")[2]}

    @property
    def content(self) -> "Letter":
        return self

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        yield self.body


def letter(url: str, **form: str) -> Any:
    """Return a request that Twilio would sign, to one of our addresses."""
    signed = signature(_TOKEN, url, form.items())
    return Letter(urlsplit(url).path, urlencode(form).encode(), {"X-Twilio-Signature": signed})


class SimulatedEmail(Email):
    """Writes real e-mails, and hands them over in this process."""

    def __init__(self, services: SimulatedServices, clock: Any) -> None:
        super().__init__(_MAILBOX, clock)
        self._services = services

    def _client(self) -> Any:
        return SimulatedMail(self._services)


class ContactSide:
    """What carries pages out besides Slack, and the doors by which people answer them."""

    def __init__(self, bot: Any, services: SimulatedServices, people: People, clock: Any) -> None:
        store = bot.store
        links = Links("secret", BASE, clock)
        name_of = lambda key: people.by_key(key).name  # noqa: E731 - as the application gives it
        self.answering = Answering(bot, store.reader, clock, name_of)
        self.reaching = Reaching(bot.engine, store.store, clock)
        backends = backends_of(services, clock)
        pushover = backends[Method.PUSHOVER]
        assert isinstance(pushover, Pushover)
        self.means = Means(
            backends=backends,
            people=people,
            reader=store.reader,
            contacts=store.contacts,
            links=links,
            answering=self.answering,
            clock=clock,
            zone_of=bot.desk.directory.zone_of_key,
            public_url=BASE,
            receipts={Method.PUSHOVER: pushover},
        )
        self.doors = Doors(
            DoorParts(
                links=links,
                answering=self.answering,
                replies=Replies(links, self.answering, people, store.reader, store.contacts),
                told_later=self.reaching.told_later,
                clock=clock,
                twilio_token=_TOKEN,
            )
        )

    def watched(self, deliverers: Mapping[str, Deliverer]) -> dict[str, Deliverer]:
        """Return all deliverers; what fails to reach a person is heard of at once."""
        found = dict(deliverers)
        found[CONTACT] = ContactDeliverer(self.means)
        found[RECEIPT] = ReceiptDeliverer(self.means, self.answering)
        for kind in (PAGE, CONTACT):
            found[kind] = Watched(found[kind], self.reaching.attempt_failed)
        return found

    async def hears(self, door: str, url: str, **form: str) -> str:
        """Let a request come to a door; return what it is answered, "" for a refusal."""
        answer: web.Response = await getattr(self.doors, door)(letter(url, **form))
        return (answer.text or "heard") if answer.status < 300 else ""


def backends_of(services: SimulatedServices, clock: Any) -> dict[Method, Backend]:
    session: Any = SimulatedSession(services)
    account = TwilioAccount(sid="AC1", token=_TOKEN, sender=_SENDER)
    twilio = twilio_service(account, session)
    hooks = {_WEBHOOK: Hook("https://pager.example/hook", "s3cret")}
    return {
        Method.EMAIL: SimulatedEmail(services, clock),
        Method.SMS: TextMessage(twilio, _SENDER),
        Method.VOICE: PhoneCall(twilio, _SENDER),
        Method.PUSHOVER: Pushover(PushoverApp(token="t" * 30), session),
        Method.NTFY: Ntfy(NtfyServer(), session),
        Method.WEBHOOK: PersonalWebhook(hooks, session),
    }
