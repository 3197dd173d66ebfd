"""Builds every part once, runs them in one TaskGroup, and stops them in order."""

import asyncio
import random
import secrets
import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import aiohttp
import structlog

from bot.app.counting import Counting, sample
from bot.app.rules_in_force import RulesInForce, roster_file
from bot.app.slack_side import SlackAccess, SlackParts, SlackSide, slack_side
from bot.clock import SystemClock
from bot.config import Config, split_address
from bot.engine.engine import POLL, Engine, EngineParts
from bot.metrics import Metrics
from bot.outbox import Outbox, OutboxSettings
from bot.ports import Accepted, Delivery, Inbox, NewDelivery, NotStoredError
from bot.roster.acceptance import Loaded
from bot.roster.roster import LOOK_EVERY, Roster, RosterFile
from bot.sources.configured import source_of
from bot.sources.registry import read
from bot.sources.unreadable import unreadable
from bot.store.opening import OpenedStore, open_store
from bot.web.app import WebParts, build_web, start_web, stop_web
from bot.web.configured import hook_sources
from bot.web.hooks import Hooks
from bot.web.probes import Probes
from bot.web.raw_bodies import RawBodies, RawLinks
from bot.webhook import WebhookDeliverer, WebhookTarget
from rules.alert import Alert
from rules.rulebook_parts import RulebookParts

log = structlog.get_logger(__name__)

DRAIN = timedelta(seconds=8)
LEASE = timedelta(seconds=6)
LANE_GAP = timedelta(seconds=1)
LAG_LIMIT = 120.0
_REFRESH = timedelta(seconds=2)
_SAMPLE = timedelta(seconds=15)
_LEARN_AGAIN = timedelta(seconds=10)
_HOUSEKEEPING = timedelta(hours=6)


@dataclass(slots=True, kw_only=True)
class Setting:
    """What an application is started with; `speed` makes a demo's clock run faster."""

    config: Config
    parts: RulebookParts
    clock: SystemClock
    access: SlackAccess
    speed: float = 1.0


class KickingInbox:
    """Wakes the engine once a delivery is safe."""

    def __init__(self, inbox: Inbox, kick: Callable[[], None]) -> None:
        self._inbox = inbox
        self._kick = kick

    async def accept(self, delivery: NewDelivery) -> Accepted:
        accepted = await self._inbox.accept(delivery)
        self._kick()
        return accepted


@dataclass(slots=True)
class Application:
    """One running Watchbill. `url` is where it listens, once `started` is set."""

    setting: Setting
    store: OpenedStore
    rules: RulesInForce
    roster: RosterFile | None
    engine: Engine
    outbox: Outbox
    slack: SlackSide
    session: aiohttp.ClientSession
    metrics: Metrics
    links: RawLinks
    inbox: Inbox
    started: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Ask the application to finish; `run` returns once it has."""
        self._stop.set()

    async def run(self) -> None:
        """Serve until `stop`: then take nothing more, finish what is held, close."""
        runner = await start_web(self._web(), *split_address(self.setting.config.listen))
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(work(), name=name) for name, work in self._works()]
                log.info("serving", action="serve", url=self.url)
                self.started.set()
                await self._stop.wait()
                await stop_web(runner)
                await self._wind_down(running)
        finally:
            await stop_web(runner)
            await self.slack.close()
            await self.session.close()
            await self.store.close()

    def _works(self) -> Sequence[tuple[str, Callable[[], Coroutine[None, None, None]]]]:
        works: list[tuple[str, Callable[[], Coroutine[None, None, None]]]] = [
            ("engine", self.engine.run),
            ("outbox", self.outbox.run),
            ("slack", self._talk),
            ("refresh", partial(self._every, _REFRESH, self._refresh)),
            ("gauges", partial(self._every, _SAMPLE, self._sample)),
            ("housekeeping", partial(self._every, _HOUSEKEEPING, self._keep_house)),
        ]
        if self.roster is not None:
            every = LOOK_EVERY * self.setting.speed
            watch = partial(self.roster.watch, self.setting.clock, self._roster_read, every=every)
            works.append(("roster", watch))
        return works

    async def _wind_down(self, running: Sequence[asyncio.Task[None]]) -> None:
        self.engine.stop()
        if self.slack.connection is not None:
            await self.slack.connection.close()
        await self.outbox.drain(self.setting.clock.now() + DRAIN * self.setting.speed)
        for task in running:
            task.cancel()
        log.info("stopped", action="stop")

    async def _talk(self) -> None:
        real = SystemClock()
        while not await self.slack.learn():
            await real.sleep_until(real.now() + _LEARN_AGAIN)
        if self.slack.connection is not None:
            await self.slack.connection.run()

    async def _every(
        self, pause: timedelta, work: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        real = SystemClock()
        while True:
            try:
                await work()
            except NotStoredError as error:
                log.warning("database failed", action="background", error=str(error))
            await real.sleep_until(real.now() + pause)

    async def _refresh(self) -> None:
        await self.rules.refresh()

    async def _sample(self) -> None:
        await sample(self.metrics, self.store.reader, self.setting.clock.now())

    async def _keep_house(self) -> None:
        if self.store.shared:
            self.setting.clock.offset += await self.store.clock_offset()
        gone = await self.store.prune(self.setting.clock.now() - self.setting.config.retention)
        log.info("pruned", action="prune", **gone)

    async def _roster_read(self, loaded: Loaded) -> None:
        for problem in loaded.problems:
            log.warning("roster", action="read_roster", problem=str(problem))
        log.info("roster accepted", action="read_roster", version=loaded.version)
        await self.rules.refresh()

    def _web(self) -> aiohttp.web.Application:
        config = self.setting.config
        hooks = Hooks(
            hook_sources(config),
            inbox=self.inbox,
            clock=self.setting.clock,
            metrics=self.metrics,
            total_limit=config.limits.alerts_per_minute,
        )
        checks = {"database": self._database, "slack": self.slack.fault, "roster": self._roster,
                  "outbox": self._outbox_lag}  # fmt: skip
        return build_web(
            WebParts(
                hooks=hooks,
                probes=Probes(checks, self.metrics),
                raw_bodies=RawBodies(self.links, self.store.reader.delivery),
                slack_events=self.slack.events_handler,
            )
        )

    async def _database(self) -> str:
        await self.store.ping()
        return ""

    async def _roster(self) -> str:
        if self.roster is None:
            return ""
        if not self.roster.loaded.rows:
            return "the roster has no rows: nobody is on call"
        if self.roster.loaded.refused:
            return f"refused: {', '.join(self.roster.loaded.refused)}; run watchbill roster check"
        return ""

    async def _outbox_lag(self) -> str:
        lags = await self.store.reader.outbox_lag(self.setting.clock.now())
        lane, worst = max(lags.items(), key=lambda one: one[1], default=("", 0.0))
        limit = LAG_LIMIT * self.setting.speed
        return f"lane {lane or '-'} is {worst:.0f} s behind" if worst > limit else ""


async def build(setting: Setting) -> Application:
    """Open the store, read the roster, and wire the parts; raises StoreUnfitError and friends."""
    config, clock, speed = setting.config, setting.clock, setting.speed
    store = await open_store(config.database, clock, lease=LEASE * speed, lane_gap=LANE_GAP)
    if store.shared:
        clock.offset += await store.clock_offset()
    else:
        await store.queue.release_all(clock.now())
    people = config.directory()
    roster = roster_file(config, people, last_good=_last_good(config))
    if roster is not None:
        for problem in roster.load(clock.now()).problems:
            log.warning("roster", action="read_roster", problem=str(problem))
    rules = RulesInForce(setting.parts, Roster(roster) if roster else None, store.reader, clock)
    await rules.refresh()
    metrics = Metrics()
    links = RawLinks(_link_secret(config), config.base_url, clock)
    counting = Counting(metrics)
    engine = Engine(
        EngineParts(
            store=store.store,
            reader=store.reader,
            clock=clock,
            rules=rules,
            read=partial(_read, config, links),
            unreadable=unreadable,
            observer=counting,
            new_id=lambda: uuid.uuid4().hex,
            on_work=lambda: outbox.kick(),  # noqa: PLW0108 - built below
            poll=POLL * speed,
        )
    )
    inbox = KickingInbox(store.inbox, engine.kick)
    slack = slack_side(
        setting.access,
        SlackParts(
            inbox=inbox,
            reader=store.reader,
            clock=clock,
            rules=rules,
            people=people,
            metrics=metrics,
            public_url=config.base_url,
        ),
    )
    session = aiohttp.ClientSession()
    targets = {w.name: WebhookTarget(w.url, w.secret.get_secret_value()) for w in config.webhooks}
    outbox = Outbox(
        queue=store.queue,
        store=store.store,
        deliverers={
            **slack.deliverers,
            "webhook": WebhookDeliverer(session, targets, store.reader),
        },
        clock=clock,
        on_finished=engine.job_finished,
        settings=OutboxSettings(
            random=random.SystemRandom().random,
            observe=counting.job,
            lease=LEASE * speed,
            margin=timedelta(seconds=4) * speed,
            poll=timedelta(seconds=1) * speed,
        ),
    )
    return Application(
        setting, store, rules, roster, engine, outbox, slack, session, metrics, links, inbox
    )


def _read(config: Config, links: RawLinks, delivery: Delivery) -> Sequence[Alert]:
    spec = config.source(delivery.source)
    if spec is None:
        why = "Its source is not in the configuration any more."
        return (unreadable(delivery, why),)
    return read(source_of(spec), delivery, raw_link=links.link).alerts


def _last_good(config: Config) -> Path | None:
    database = config.database
    if not database.startswith("sqlite:///"):
        return None
    return Path(database.removeprefix("sqlite:///") + ".roster")


def _link_secret(config: Config) -> str:
    given = config.slack.bot_token.get_secret_value()
    return given or secrets.token_hex(32)
