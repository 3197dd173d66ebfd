"""Runs every part in one TaskGroup, and stops them in order."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import aiohttp
import structlog
import tzdata

from bot.app.aftercare.wiring import Aftercare
from bot.app.broken_promises import tell_broken
from bot.app.calendars import Calendars
from bot.app.catalogue_watch import CatalogueWatch
from bot.app.counting import sample, sample_checks
from bot.app.duty_side import DutySide
from bot.app.elevated import PEOPLE_EVERY, ElevatedSide
from bot.app.nudges import Nudges
from bot.app.roster.keeping import RosterKeeper
from bot.app.roster.reading import roster_fault, roster_hook, roster_standing
from bot.app.roster.source import close_roster
from bot.app.roster.status import RosterKeeping
from bot.app.roster.telling import RosterTelling
from bot.app.rules_in_force import RulesInForce
from bot.app.sentinels import AGAIN, Sentinels, door_at
from bot.app.slack_side import SlackAccess, SlackSide
from bot.clock import SystemClock
from bot.config.settings import Config, split_address
from bot.engine.engine import Engine
from bot.metrics import Metrics
from bot.outbox import Outbox
from bot.ports.inbox import ConflictError, Inbox, NotStoredError
from bot.ports.replicas import Replicas, Word
from bot.roster.acceptance import Loaded
from bot.roster.roster import LOOK_EVERY, RosterFile
from bot.store.fitness import Fitness
from bot.store.opening import OpenedStore
from bot.web.app import WebParts, build_web, start_web, stop_web
from bot.web.calendars import CalendarFeeds
from bot.web.configured import hook_sources
from bot.web.hooks import Hooks
from bot.web.probes import Check, Probes
from bot.web.raw_bodies import RawBodies, RawLinks
from rules.documents.rulebook_parts import RulebookParts

log = structlog.get_logger(__name__)

DRAIN = timedelta(seconds=8)
ORDERLY = timedelta(seconds=13)
"""How long all that is under way gets to end in order: handlers of clicks 5 s, then the outbox."""
LAG_LIMIT = 120.0
_REFRESH = timedelta(seconds=2)
_WATCH = timedelta(seconds=1)
_SOON = timedelta(milliseconds=100)
_SAMPLE = timedelta(seconds=15)
_TEND = timedelta(seconds=20)
_LEARN = timedelta(seconds=5)
"""How soon a new catalogue is learnt about; the rest waits for LEARN_EVERY."""
_HOUSEKEEPING = timedelta(hours=6)
_BREATH = timedelta(milliseconds=20)


@dataclass(slots=True, kw_only=True)
class Setting:
    """What an application is started with; `speed` makes a demo's clock run faster."""

    config: Config
    parts: RulebookParts
    clock: SystemClock
    access: SlackAccess
    speed: float = 1.0
    orderly: timedelta = ORDERLY


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
    calendars: Calendars | None = None
    duty: DutySide | None = None
    keeper: RosterKeeper | None = None
    telling: RosterTelling | None = None
    sentinels: Sentinels | None = None
    rows: RosterKeeping | None = None
    after: Aftercare | None = None
    elevated: ElevatedSide | None = None
    started: asyncio.Event = field(default_factory=asyncio.Event)
    nudges: Nudges = field(default_factory=Nudges)
    replicas: Replicas | None = None
    pages: Sequence[aiohttp.web.RouteDef] = ()
    url: str = ""
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Ask the application to finish; `run` returns once it has."""
        self._stop.set()

    async def run(self) -> None:
        """Serve until `stop`: then take nothing more, finish what is held, close."""
        runner = None
        try:
            runner = await start_web(self._web(), *split_address(self.setting.config.listen))
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}"
            if self.sentinels is not None:
                self.sentinels.door = door_at(host, port)
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(work(), name=name) for name, work in self._works()]
                log.info("serving", action="serve", url=self.url)
                self.started.set()
                await self._stop.wait()
                await stop_web(runner)
                await self._wind_down(running)
        finally:
            if runner is not None:
                await stop_web(runner)
            if self.calendars is not None:
                self.calendars.close()
            if self.elevated is not None:
                await self.elevated.close()
            close_roster(self.roster)
            await self.slack.close()
            await self.session.close()
            await self.store.close()

    def _works(self) -> Sequence[tuple[str, Callable[[], Coroutine[None, None, None]]]]:
        works: list[tuple[str, Callable[[], Coroutine[None, None, None]]]] = [
            ("outbox", self.outbox.run),
            ("slack", self._talk),
            ("replicas", self._again(self._hear_others)),
            ("refresh", partial(self._every, _REFRESH, self._refresh, self.nudges.asked)),
            ("learning", partial(self._every, _LEARN, self._learn)),
            ("gauges", partial(self._every, _SAMPLE, self._sample)),
            ("issues", partial(self._every, _REFRESH, self._draw_issues)),
            ("housekeeping", partial(self._every, _HOUSEKEEPING, self._keep_house)),
        ]
        engine = self.engine.run if self.after is None else self.after.first(self.engine.run)
        if self.setting.config.catalogue:
            real = SystemClock()
            watch_catalogue = CatalogueWatch(self.setting.config.catalogue, self.rules, real)
            works.append(("catalogue", self._again(watch_catalogue.run)))
            works.append(("engine", partial(watch_catalogue.before, engine)))
        else:
            works.append(("engine", engine))
        if self.sentinels is not None:
            works.extend(self.sentinels.works(self._every, self._checks()))
        if self.duty is not None:
            duties = partial(self._every, _WATCH, self.duty.tick, self.nudges.duties)
            works.append(("duties", duties))
        if self.elevated is not None:
            works.append(("access", partial(self._every, _WATCH, self.elevated.tick)))
            works.append(("people", partial(self._every, PEOPLE_EVERY, self.elevated.look)))
        if self.calendars is not None:
            feeds = partial(self._every, _REFRESH, self.calendars.refresh, self.nudges.feeds)
            works.append(("feeds", feeds))
            if self.calendars.followers is not None:
                works.append(("calendars", self._again(self.calendars.followers.run)))
        if self.after is not None:
            works.append(("aftercare", partial(self._every, _TEND, self.after.tick)))
            works += [("runbooks", self._again(self.after.watch.run))] if self.after.watch else []
        if self.keeper is not None:
            works.append(("roster", self._again(partial(self._watch_roster, self.keeper))))
        if self.rows is not None:
            pause = max(_WATCH * self.setting.speed, _SOON)
            rows = partial(self._every, pause, self._merge_rows, self.nudges.rows)
            works.append(("rows", rows))
            works.append(("status", partial(self._every, _REFRESH, self.rows.show)))
        return works

    async def _wind_down(self, running: Sequence[asyncio.Task[None]]) -> None:
        self.engine.stop()
        try:
            async with asyncio.timeout(self.setting.orderly.total_seconds()):
                await self._finish()
        except TimeoutError:  # a database that hangs; what is held here is free again in seconds
            log.warning("could not finish in time", action="stop")
        for task in running:
            task.cancel()
        log.info("stopped", action="stop")

    async def _finish(self) -> None:
        if self.slack.connection is not None:
            await self.slack.connection.close()
        await self.outbox.drain(self.setting.clock.now() + DRAIN * self.setting.speed)
        if self.replicas is not None:
            await self.replicas.say(Word.WORK)  # what is left here anybody may take at once

    async def _hear_others(self) -> None:
        if self.replicas is not None:
            await self.replicas.run()

    async def _talk(self) -> None:
        real = SystemClock()
        while not await self.slack.learn():
            await real.sleep_until(real.now() + AGAIN)
        tried = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            meet = self._every(AGAIN, partial(self._meet, tried))
            group.create_task(meet, name="people")
            # whose click is whose, if that takes no longer than a click can wait
            await real.wait(tried, real.now() + AGAIN)
            if self.slack.connection is not None:
                await self.slack.connection.run()

    async def _meet(self, tried: asyncio.Event) -> None:
        try:
            await self.slack.meet()
        finally:
            tried.set()

    async def _every(
        self,
        pause: timedelta,
        work: Callable[[], Coroutine[None, None, None]],
        nudge: asyncio.Event | None = None,
    ) -> None:
        """Work again and again, with a pause that a nudge cuts short."""
        real, nudge = SystemClock(), nudge or asyncio.Event()
        while True:
            nudge.clear()
            try:
                await work()
            except (NotStoredError, ConflictError) as error:
                log.warning("database failed", action="background", error=str(error))
            except Exception:  # what stands beside the paging must not end it
                task = asyncio.current_task()
                name = task.get_name() if task else ""
                log.exception("background work failed", action="background", work=name)
                self.metrics.background_failures.labels(name).inc()
            await real.wait(nudge, real.now() + pause)

    def _again(
        self, work: Callable[[], Coroutine[None, None, None]]
    ) -> Callable[[], Coroutine[None, None, None]]:
        """Return the work, a loop of its own, to begin anew should a fault end it."""
        return partial(self._every, AGAIN, work)

    async def _refresh(self) -> None:
        before = self.rules.shown()
        if await self.rules.refresh() is not before:
            self.nudges.changed()

    async def _learn(self) -> None:
        if await self.rules.learn():
            channel = self.setting.config.slack.alerts_channel
            now = self.setting.clock.now()
            await tell_broken(self.store.store, self.rules.book(), channel, now)

    async def _draw_issues(self) -> None:
        await self.store.issue_drawing.catch_up()

    async def _sample(self) -> None:
        # first: what follows is not reached while the database is away
        await sample_checks(self.metrics, self._checks())
        if self.store.shared:
            self.setting.clock.correct(await self.store.clock_offset())
        await sample(self.metrics, self.store.reader, self.setting.clock.now())
        if self.duty is not None:
            await self.duty.sample()
        if self.elevated is not None:
            await self.elevated.sample()

    async def _keep_house(self) -> None:
        now, config = self.setting.clock.now(), self.setting.config
        gone = await self.store.prune(now - config.retention, _breathe)
        gone["lineage"] = await self.store.forget_lineage(now - config.lineage_retention)
        log.info("pruned", action="prune", **gone)

    async def _watch_roster(self, keeper: RosterKeeper) -> None:
        if self.telling is not None:
            await self.telling.tell(keeper.roster.loaded)
        look = partial(keeper.look, self._roster_read, pace=self.setting.speed)
        await self._every(LOOK_EVERY, look)

    async def _roster_read(self, loaded: Loaded) -> None:
        for problem in loaded.problems:
            log.warning("roster", action="read_roster", problem=str(problem))
        log.info("roster accepted", action="read_roster", version=loaded.version)
        await self._merge_rows()
        await self._refresh()
        if self.telling is not None:
            await self.telling.tell(loaded)

    async def _merge_rows(self) -> None:
        """Merge what people changed in rows of the roster with what they changed in Slack."""
        if self.rows is None:
            return
        try:
            changed = await self.rows.tick()
        except NotStoredError as error:
            log.warning("database failed", action="merge_rows", error=str(error))
            return
        if changed:
            await self._refresh()

    def _web(self) -> aiohttp.web.Application:
        config = self.setting.config
        hooks = Hooks(
            {**hook_sources(config), **(self.sentinels.doors() if self.sentinels else {})},
            inbox=self.inbox,
            clock=self.setting.clock,
            metrics=self.metrics,
            total_limit=config.limits.alerts_per_minute,
            roster=roster_hook(config, self.roster),
        )
        calendars = self.calendars
        details: dict[str, Check] = {"zones": _zones}
        if calendars is not None:
            details["calendar"] = calendars.standing
        if self.duty is not None and config.followers.all():
            details["followers"] = self.duty.standing
        if self.elevated is not None and config.access_groups:
            details["access"] = self.elevated.standing
        if self.roster is not None:
            details["roster"] = partial(roster_standing, self.roster)
        if self.rows is not None:
            details["roster rows"] = self.rows.given_up.standing
        if self.sentinels is not None:
            details.update(self.sentinels.details())
        return build_web(
            WebParts(
                hooks=hooks,
                probes=Probes(self._checks(), self.metrics, details),
                calendars=(
                    CalendarFeeds(calendars.serve, self.setting.clock) if calendars else None
                ),
                raw_bodies=RawBodies(self.links, self.store.reader.delivery),
                slack_events=self.slack.events_handler,
                pages=self.pages,
            )
        )

    def _checks(self) -> Mapping[str, Check]:
        database = Fitness(self.store.database, self.store.inbox, self.setting.clock)
        return {"database": database.fault, "slack": self.slack.fault, "roster": self._roster,
                "outbox": self._outbox_lag}  # fmt: skip

    async def _roster(self) -> str:
        return roster_fault(self.roster)

    async def _outbox_lag(self) -> str:
        lags = await self.store.reader.outbox_lag(self.setting.clock.now())
        lane, worst = max(lags.items(), key=lambda one: one[1], default=("", 0.0))
        limit = LAG_LIMIT * self.setting.speed
        return f"lane {lane or '-'} is {worst:.0f} s behind" if worst > limit else ""


async def _breathe() -> None:
    """Leave the database to alerts for a moment."""
    real = SystemClock()
    await real.sleep_until(real.now() + _BREATH)


async def _zones() -> str:
    """Say whose zone tables answer: they change several times a year."""
    return f"tzdata {tzdata.IANA_VERSION}"
