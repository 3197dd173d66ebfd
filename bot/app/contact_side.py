"""Wires how people are reached besides Slack: what sends, what hears them acknowledge."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import structlog
from aiohttp import web

from bot.app.slack_side import SlackSide
from bot.clock import Clock
from bot.config.contact import EmailSpec
from bot.config.settings import Config
from bot.contact.answering import Answering
from bot.contact.delivery import ContactDeliverer, Means, ReceiptDeliverer, Watched
from bot.contact.doors import DoorParts, Doors
from bot.contact.links import Links
from bot.contact.ntfy import Ntfy, NtfyServer
from bot.contact.pushover import Pushover, PushoverApp
from bot.contact.replies import Replies
from bot.contact.twilio import PhoneCall, TextMessage, TwilioAccount, twilio_service
from bot.contact.webhook import Hook, PersonalWebhook
from bot.contact_jobs import CONTACT, PAGE, RECEIPT
from bot.engine.engine import Engine
from bot.engine.reaching import Reaching
from bot.ports.contact import Backend, Receipts
from bot.ports.delivering import Deliverer
from bot.ports.inbox import Inbox
from bot.store.opening import OpenedStore
from rules.contacting.contacts import Contacts
from rules.contacting.method import Method, read_order
from rules.people import People

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ContactSide:
    """What carries pages out besides Slack, and the routes by which people answer them."""

    deliverers: Mapping[str, Deliverer]
    routes: Sequence[web.RouteDef]
    reaching: Reaching

    def watched(self, deliverers: Mapping[str, Deliverer]) -> Mapping[str, Deliverer]:
        """Return all deliverers; what fails to reach a person is heard of at once."""
        found = {**deliverers, **self.deliverers}
        failed = self.reaching.attempt_failed
        return {**found, **{kind: Watched(found[kind], failed) for kind in (PAGE, CONTACT)}}


def contacts_of(config: Config, people: People) -> Contacts:
    """Return who can be reached by what; `people` are looked up when they are needed."""
    methods = config.contact.methods(webhooks=bool(config.webhooks))
    names = frozenset(one.name for one in config.webhooks)
    return Contacts(methods, read_order(config.contact.order), people, names)


def contact_side(
    config: Config,
    store: OpenedStore,
    engine: Engine,
    people: People,
    session: aiohttp.ClientSession,
    *,
    inbox: Inbox,
    slack: SlackSide,
) -> ContactSide:
    """Build it all; nothing is sent yet. Slack knows the zones of many whom nobody configured."""
    clock = slack.desk.clock
    links = Links(_secret(config), _reachable_at(config), clock)
    answering = Answering(inbox, store.reader, clock, lambda key: people.by_key(key).name)
    reaching = Reaching(engine, store.store, clock)
    backends = backends_of(config, session, clock)
    means = Means(
        backends=backends,
        people=people,
        zone_of=slack.directory.zone_of_key,
        reader=store.reader,
        contacts=store.contacts,
        links=links,
        answering=answering,
        clock=clock,
        public_url=_reachable_at(config),
        receipts=receipts_of(backends),
    )
    twilio = config.contact.twilio
    doors = Doors(
        DoorParts(
            links=links,
            answering=answering,
            replies=Replies(links, answering, people, store.reader, store.contacts),
            told_later=reaching.told_later,
            clock=clock,
            twilio_token=twilio.auth_token.get_secret_value() if twilio else "",
        )
    )
    carries: dict[str, Deliverer] = {
        CONTACT: ContactDeliverer(means),
        RECEIPT: ReceiptDeliverer(means, answering),
    }
    return ContactSide(carries, doors.routes(), reaching)


def backends_of(
    config: Config, session: aiohttp.ClientSession, clock: Clock
) -> Mapping[Method, Backend]:
    """Return what sends by each configured method."""
    spec, found = config.contact, dict[Method, Backend]()
    if spec.email is not None:
        found[Method.EMAIL] = _email(spec.email, clock)
    if spec.twilio is not None:
        account = TwilioAccount(
            sid=spec.twilio.account_sid,
            token=spec.twilio.auth_token.get_secret_value(),
            sender=spec.twilio.sender,
            url=spec.twilio.url,
        )
        service = twilio_service(account, session)
        found[Method.SMS] = TextMessage(service, account.sender)
        if spec.twilio.caller:
            found[Method.VOICE] = PhoneCall(service, spec.twilio.caller)
    if spec.pushover is not None:
        app = PushoverApp(token=spec.pushover.token.get_secret_value(), url=spec.pushover.url)
        found[Method.PUSHOVER] = Pushover(app, session)
    if spec.ntfy is not None:
        server = NtfyServer(url=spec.ntfy.url, token=spec.ntfy.token.get_secret_value())
        found[Method.NTFY] = Ntfy(server, session)
    if config.webhooks:
        hooks = {one.name: Hook(one.url, one.secret.get_secret_value()) for one in config.webhooks}
        found[Method.WEBHOOK] = PersonalWebhook(hooks, session)
    return found


def receipts_of(backends: Mapping[Method, Backend]) -> Mapping[Method, Receipts]:
    """Return those that ring on until somebody acknowledges there."""
    return {method: one for method, one in backends.items() if isinstance(one, Pushover)}


def _email(spec: EmailSpec, clock: Clock) -> Backend:
    # and its SMTP client: only where it is used
    from bot.contact.email import Email, Mailbox, trusting

    trust = None if spec.security == "none" else trusting(spec.ca_file)
    try:
        _ = trust and trust()
    except OSError as error:  # nobody is left un-paged for that: Slack and the other methods go on
        log.warning(
            "no mail can be sent",
            action="contact",
            error=f"contact.email.ca_file: {spec.ca_file}: {error.strerror or error}",
        )
    mailbox = Mailbox(
        host=spec.host,
        port=spec.own_port,
        sender=spec.sender,
        security=spec.security,
        username=spec.username,
        password=spec.password.get_secret_value(),
        trust=trust,
    )
    return Email(mailbox, clock)


def _reachable_at(config: Config) -> str:
    """Return where others reach us, "" where nobody said."""
    return config.public_url or (config.base_url if config.slack.mode == "local" else "")


def _secret(config: Config) -> str:
    """Return what links are signed with; without any secret they end with the process."""
    given = config.web_pages.secret.get_secret_value() or config.slack.bot_token.get_secret_value()
    return given or secrets.token_hex(32)
