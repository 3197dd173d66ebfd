"""Wires what follows who is on call, and what people are told of their shifts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from bot.app.duties import Duties, DutyParts
from bot.app.rules_in_force import RulesInForce
from bot.app.slack_side import SlackSide
from bot.clock import Clock
from bot.config.settings import Config
from bot.duty_jobs import FOLLOW
from bot.metrics import Metrics
from bot.ports.delivering import Deliverer
from bot.roster.roster import Roster
from bot.slack.duty.answers import trouble
from bot.slack.duty.duties import DutyDesk
from bot.slack.duty.followers import Follow, FollowParts
from bot.slack.duty.places import Surroundings
from bot.store.opening import OpenedStore
from rules.hours import Hours
from rules.people import AmbiguousPersonError, People, UnknownPersonError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DutySide:
    """What watches, what carries out, and how it stands."""

    duties: Duties
    deliverers: Mapping[str, Deliverer]
    metrics: Metrics
    clock: Clock

    async def tick(self) -> None:
        await self.duties.tick()

    async def sample(self) -> None:
        """Set the gauges: how far behind each follower is."""
        now = self.clock.now()
        for state in await self.duties.states():
            self.metrics.follower_lag.labels(state.name).set(state.lag(now))

    async def standing(self) -> str:
        """Say what is wrong with followers, "" when each shows who is on call."""
        return trouble(await self.duties.states(), self.clock.now())


def duty_side(
    config: Config,
    store: OpenedStore,
    rules: RulesInForce,
    slack: SlackSide,
    zone: Callable[[str], str],
    kick: Callable[[], None],
) -> DutySide:
    """Build it all; `zone` is that of a rotation, `kick` wakes the outbox."""
    clock = slack.desk.clock
    followers = {follower.name: follower for follower in config.followers.all()}
    channel = config.notices.channel or config.slack.alerts_channel
    around = Surroundings(desk=slack.desk, group_api=slack.group_api, zone=zone)
    follow = Follow(
        FollowParts(
            around=around,
            followers=followers,
            states=store.followers,
            store=store.store,
            channel=channel,
        )
    )
    desk = DutyDesk(desk=slack.desk, store=store.store, channel=channel)
    duties = Duties(
        DutyParts(
            on_call=rules.shown,
            fallback=lambda: rules.book().fallback,
            store=store.store,
            reader=store.reader,
            states=store.followers,
            clock=clock,
            followers=followers,
            repair_every=config.followers.repair_every,
            notices=config.notices,
            channel=channel,
            editors=editors(config, config.directory()),
            zone_of=slack.directory.zone_of_key,
            kick=kick,
            has_roster=bool(config.roster),
            contacts=lambda: rules.book().contacts,
            slack_trouble=lambda person: slack.faults.get(person, ""),
        )
    )
    return DutySide(duties, {**desk.deliverers, FOLLOW: follow}, slack.metrics, clock)


def zone_of(roster: Roster | None) -> Callable[[str], str]:
    """Return what tells the region of a rotation."""
    return roster.zone if roster else lambda _rotation: "UTC"


def editors(config: Config, people: People) -> tuple[str, ...]:
    """Return the keys of the roster's editors; who cannot be found is logged."""
    found = []
    for written in config.notices.roster_editors:
        try:
            found.append(people.find(written).key)
        except (UnknownPersonError, AmbiguousPersonError) as error:
            log.warning("roster editor", action="link_person", fault=str(error))
    return tuple(dict.fromkeys(found))


def quiet_hours(config: Config, zone: Callable[[str], str]) -> Callable[[str], Hours | None]:
    """Return how a person's quiet hours are told, in the zone they live in."""
    spec = config.notices.quiet_hours
    return lambda person: Hours(spec.opens, spec.closes, zone(person)) if spec else None
