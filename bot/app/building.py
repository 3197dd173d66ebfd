"""Wires the parts of an application together; nothing runs yet when it is built."""

import random
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import structlog

from bot.acts.act import SLACK
from bot.app.aftercare.wiring import Aftercare, Around, aftercare_of, confirmations
from bot.app.application import Application, Setting
from bot.app.calling import callers_of
from bot.app.contact_side import contact_side, contacts_of
from bot.app.counting import Counting
from bot.app.duty_side import duty_side, editors, quiet_hours, zone_of
from bot.app.elevated import elevated_side
from bot.app.expectations import Waiting
from bot.app.following import calendars_of
from bot.app.nudges import Nudges
from bot.app.pages import first_on_call, issues_link, page_routes, page_sessions
from bot.app.replicas import replicas_of
from bot.app.roster.given_up import RowsGivenUp
from bot.app.roster.keeping import RosterKeeper
from bot.app.roster.row_jobs import ROSTER_ROW, RowDeliverer
from bot.app.roster.rows import RosterRows
from bot.app.roster.source import row_writer, status_of
from bot.app.roster.status import RosterKeeping
from bot.app.roster.telling import RosterTelling
from bot.app.rules_in_force import RulesInForce, roster_file
from bot.app.sentinels import SentinelParts, Sentinels, canary_source
from bot.app.slack_side import SlackParts, SlackSide, slack_side
from bot.config.settings import Config
from bot.engine.engine import Engine
from bot.engine.parts import POLL, EngineParts
from bot.engine.rehearsing import CANARY
from bot.metrics import Metrics
from bot.outbox import OnFinished, Outbox, OutboxSettings
from bot.ports.delivering import Deliverer, Outcome
from bot.ports.inbox import Accepted, Delivery, Inbox, NewDelivery, Parsed
from bot.ports.jobs import Job
from bot.ports.store import Transaction
from bot.roster.directory import KnownPeople
from bot.roster.roster import Roster
from bot.slack.sentinels import sentinel_deliverers
from bot.sources.configured import source_of
from bot.sources.registry import read
from bot.sources.unreadable import unreadable
from bot.store.ids import new_id
from bot.store.opening import OpenedStore, open_store
from bot.store.write_ahead import grow
from bot.web.raw_bodies import RawLinks
from rules.people import People

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=6)
MARGIN = timedelta(seconds=4)
LANE_GAP = timedelta(seconds=1)
OUTBOX_POLL = timedelta(seconds=1)


class KickingInbox:
    """Wakes the engine once a delivery is safe."""

    def __init__(self, inbox: Inbox, kick: Callable[[], None]) -> None:
        self._inbox = inbox
        self._kick = kick

    async def accept(self, delivery: NewDelivery) -> Accepted:
        accepted = await self._inbox.accept(delivery)
        self._kick()
        return accepted


class Reading:
    """Tells what a delivery says by its source's parser, and counts what nobody understood."""

    def __init__(self, config: Config, links: RawLinks, metrics: Metrics) -> None:
        self._sources = {spec.name: source_of(spec) for spec in config.sources}
        self._sources[CANARY] = canary_source()
        self._links = links
        self._unreadable = metrics.unreadable

    @property
    def known(self) -> frozenset[str]:
        """Return the names of all that deliveries can be of, clicks in Slack among them."""
        return frozenset({*self._sources, SLACK})

    def __call__(self, delivery: Delivery) -> Parsed:
        source = self._sources.get(delivery.source)
        if source is None:
            why = "Its source is not in the configuration any more."
            said = Parsed(alerts=(unreadable(delivery, why),))
        else:
            said = read(source, delivery, raw_link=self._links.link)
        if any(alert.unreadable for alert in said.alerts):
            self._unreadable.labels(delivery.source).inc()
        return said


async def build(setting: Setting) -> Application:
    """Open the store, read the roster and wire the parts.

    Raises StoreInUseError, StoreUnfitError or NotStoredError when the database cannot be used.
    """
    config, clock = setting.config, setting.clock
    store = await _opened(setting)
    people, metrics = KnownPeople(config.directory()), Metrics()
    keeper = await _roster(setting, store, people)
    rota = Roster(keeper.roster, rows_merged=config.roster_writes) if keeper else None
    roster = rota.file if rota else None
    rules = await _rules(setting, store, rota, people)
    links = RawLinks(_link_secret(config), config.base_url, clock)
    reading = Reading(config, links, metrics)
    engine = _engine(setting, store, rules, reading, Counting(metrics), rota)
    inbox = KickingInbox(store.inbox, engine.kick)
    sessions = page_sessions(config, clock)
    store.issue_drawing.on_call = first_on_call(rules)
    calendars = calendars_of(config, store, rota, clock, metrics, people)
    parts = _slack_parts(setting, store, inbox=inbox, rules=rules, people=people, metrics=metrics)
    parts.calendar_link = calendars.link if calendars else None
    parts.issues_link = partial(issues_link, config, sessions)
    parts.confirm_roster = keeper.confirm if keeper else None
    slack = slack_side(setting.access, parts)
    session = aiohttp.ClientSession()
    duty = duty_side(config, store, rules, slack, zone_of(rota), lambda: outbox.kick())  # noqa: PLW0108
    after = _aftercare(setting, store, rules, slack, session=session, kick=lambda: outbox.kick())  # noqa: PLW0108
    elevated = elevated_side(config, store, rules, slack, roster, speed=setting.speed,
                             kick=lambda: outbox.kick())  # fmt: skip # noqa: PLW0108
    contact = contact_side(config, store, engine, people, session, inbox=inbox, slack=slack)
    deliverers = contact.watched({
        **slack.deliverers, **elevated.deliverers, **after.deliverers, **duty.deliverers,
        **_alarms(config, slack), **callers_of(config, store, session, clock),
        **_row_deliverers(setting, store, rota, people),
    })  # fmt: skip
    row_writing = deliverers.get(ROSTER_ROW)
    outbox = _outbox(setting, store, engine, deliverers, Counting(metrics))
    engine.on_work = outbox.kick
    engine.hands = outbox
    nudges = Nudges()
    replicas = replicas_of(store, engine, outbox, nudges)
    parts_of_it = (setting, store, rules, roster, engine, outbox, slack, session, metrics, links)
    return Application(
        *parts_of_it,
        inbox,
        calendars,
        duty,
        keeper,
        _telling(setting, store, rota, people, outbox.kick),
        elevated=elevated,
        sentinels=_sentinels(setting, store, engine, rules, session, metrics),
        rows=_rows(setting, store, rota, outbox, row_writing),
        nudges=nudges,
        replicas=replicas,
        after=after,
        pages=[
            *contact.routes,
            *page_routes(config, store, slack, sessions, clock=clock, journal=store.journal),
        ],
    )


async def _rules(
    setting: Setting, store: OpenedStore, rota: Roster | None, people: People
) -> RulesInForce:
    config = setting.config
    rules = RulesInForce(
        setting.parts,
        rota,
        store.reader,
        setting.clock,
        store.past,
        store.lessons,
        waiting=Waiting(config),
    )
    rules.swap_approvers = config.swap_approvers()
    rules.contacts = contacts_of(config, people)
    await rules.refresh()
    return rules


def _slack_parts(
    setting: Setting,
    store: OpenedStore,
    *,
    inbox: Inbox,
    rules: RulesInForce,
    people: People,
    metrics: Metrics,
) -> SlackParts:
    config = setting.config
    return SlackParts(
        inbox=inbox,
        reader=store.reader,
        clock=setting.clock,
        rules=rules,
        people=people,
        metrics=metrics,
        public_url=config.base_url,
        lessons=store.lessons,
        runbooks=store.runbooks,
        tasks=store.tasks,
        actions=confirmations(config),
        journal=store.journal,
        followers=store.followers,
        access=store.access,
    )


def _aftercare(
    setting: Setting,
    store: OpenedStore,
    rules: RulesInForce,
    slack: SlackSide,
    *,
    session: aiohttp.ClientSession,
    kick: Callable[[], None],
) -> Aftercare:
    around = Around(
        store=store,
        rules=rules,
        clock=setting.clock,
        session=session,
        people=setting.config.directory(),
        zone_of=slack.directory.zone_of_key,
        kick=kick,
    )
    return aftercare_of(setting.config, around)


def _row_deliverers(
    setting: Setting, store: OpenedStore, rota: Roster | None, people: People
) -> Mapping[str, Deliverer]:
    """Return what writes overrides into the roster, where it may."""
    config, clock = setting.config, setting.clock
    if rota is None or not config.roster_writes:
        return {}
    writer, to = row_writer(rota.file), editors(config, people)
    return {ROSTER_ROW: RowDeliverer(rota, writer, store.store, clock, editors=lambda: to)}


def _rows(
    setting: Setting,
    store: OpenedStore,
    rota: Roster | None,
    outbox: Outbox,
    writer: Deliverer | None,
) -> RosterKeeping | None:
    if rota is None or not isinstance(writer, RowDeliverer):
        return None
    clock, speed = setting.clock, setting.speed
    rows = RosterRows(rota, store.store, store.roster_rows, clock, kick=outbox.kick)
    given_up = RowsGivenUp(store.reader, outbox.retry_dead, writer, clock)
    status = status_of(rota, store.reader, clock, speed=speed)
    return RosterKeeping(rows, status, given_up)


def _alarms(config: Config, slack: SlackSide) -> Mapping[str, Deliverer]:
    return sentinel_deliverers(slack.desk, config.canary.channel if config.canary else "")


def _sentinels(
    setting: Setting,
    store: OpenedStore,
    engine: Engine,
    rules: RulesInForce,
    session: aiohttp.ClientSession,
    metrics: Metrics,
) -> Sentinels:
    return Sentinels(
        SentinelParts(
            config=setting.config,
            store=store,
            engine=engine,
            book=rules.book,
            clock=setting.clock,
            session=session,
            metrics=metrics,
            speed=setting.speed,
        )
    )


def _telling(
    setting: Setting,
    store: OpenedStore,
    rota: Roster | None,
    people: People,
    kick: Callable[[], None],
) -> RosterTelling | None:
    if rota is None:
        return None
    to = editors(setting.config, people)
    return RosterTelling(rota, store.store, store.reader, setting.clock, editors=to, kick=kick)


async def _opened(setting: Setting) -> OpenedStore:
    """Open the store; replicas agree on the database's clock, a lone process ends old leases."""
    lease = LEASE * setting.speed
    store = await open_store(setting.config.database, setting.clock, lease=lease, lane_gap=LANE_GAP)
    if store.shared:
        setting.clock.correct(await store.clock_offset())
    else:
        await store.queue.release_all(setting.clock.now())
        await grow(store.database)
    return store


async def _roster(setting: Setting, store: OpenedStore, people: People) -> RosterKeeper | None:
    config, clock = setting.config, setting.clock
    last_good, pace = _last_good(config), setting.speed
    roster = roster_file(config, people, last_good=last_good, clock=clock, pace=pace)
    if roster is None:
        return None
    keeper = RosterKeeper(roster, store.roster_versions, clock, shared=store.shared)
    for problem in (await keeper.begin()).problems:
        log.warning("roster", action="read_roster", problem=str(problem))
    return keeper


def _engine(
    setting: Setting,
    store: OpenedStore,
    rules: RulesInForce,
    reading: Reading,
    counting: Counting,
    rota: Roster | None,
) -> Engine:
    return Engine(
        EngineParts(
            store=store.store,
            reader=store.reader,
            clock=setting.clock,
            rules=rules,
            read=reading,
            unreadable=unreadable,
            observer=counting,
            new_id=lambda: new_id(setting.clock.now()),
            # a replica with an older configuration leaves to the others what it cannot read
            known=reading.known if store.shared else None,
            quiet=quiet_hours(setting.config, zone_of(rota)),
            on_fault=counting.engine_fault,
            poll=POLL * setting.speed,
        )
    )


def _outbox(
    setting: Setting,
    store: OpenedStore,
    engine: Engine,
    deliverers: Mapping[str, Deliverer],
    counting: Counting,
) -> Outbox:
    return Outbox(
        queue=store.queue,
        store=store.store,
        deliverers=deliverers,
        clock=setting.clock,
        on_finished=_finished(engine, deliverers.get(ROSTER_ROW)),
        settings=OutboxSettings(
            random=random.SystemRandom().random,
            observe=counting.job,
            lease=LEASE * setting.speed,
            margin=MARGIN * setting.speed,
            poll=OUTBOX_POLL * setting.speed,
            shared=store.shared,
        ),
    )


def _finished(engine: Engine, rows: Deliverer | None) -> OnFinished:
    """Let the engine hear of every job's end, and editors of rows that were given up."""

    async def finished(tx: Transaction, job: Job, outcome: Outcome, now: datetime) -> None:
        await engine.job_finished(tx, job, outcome, now)
        if isinstance(rows, RowDeliverer):
            rows.gave_up(tx, job, outcome, now)

    return finished


def _last_good(config: Config) -> Path | None:
    file = config.database.removeprefix("sqlite:///")
    return None if file == config.database else Path(f"{file}.roster")


def _link_secret(config: Config) -> str:
    given = config.slack.bot_token.get_secret_value()
    return given or secrets.token_hex(32)
