"""Wires elevated groups: their back-ends, who looks after grants, and who may have none."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import structlog

from bot.access.backends.kind import Surroundings
from bot.access.keeping import Keeper, KeeperParts
from bot.access.sync import RECONCILE, Place, Sync, SyncParts
from bot.app.rules_in_force import RulesInForce
from bot.app.slack_side import SlackSide
from bot.clock import Clock
from bot.config.settings import Config
from bot.metrics import Metrics
from bot.ports.access import ACCESS_SYNC, WorkforceSource
from bot.ports.delivering import Deliverer, GiveUpError, RetryLaterError
from bot.roster.roster import RosterFile
from bot.slack.access.workforce import SlackWorkforce
from bot.slack.members import Members
from bot.store.opening import OpenedStore
from rules.access.grant import GrantState
from rules.access.group import AccessGroup, AccessRules
from rules.people import People

log = structlog.get_logger(__name__)

PEOPLE_EVERY = timedelta(minutes=1)
"""How soon a closed Slack account is noticed."""


@dataclass(slots=True)
class ElevatedSide:
    """What looks after grants; `tick` is called every second, `look` every minute."""

    keeper: Keeper
    places: Mapping[str, Place]
    rules: RulesInForce
    store: OpenedStore
    clock: Clock
    metrics: Metrics
    workforce: WorkforceSource
    deliverers: Mapping[str, Deliverer] = field(default_factory=dict)
    unread: str = ""
    """Why Slack does not tell who people are; nobody new comes in by their rotation then."""

    async def tick(self) -> None:
        await self.keeper.tick()

    async def look(self) -> None:
        """Learn whose Slack account was closed; what cannot be read changes nothing."""
        rules = self.rules.access
        people = {grant.person for grant in await self.store.access.open_grants()}
        people |= {one for group in rules.groups.values() for one in _named(group)}
        people |= {p for group in rules.groups.values() if group.follows for p in self._on_call()}
        if not people:
            return
        handles = sorted({handle for g in rules.groups.values() for handle in _handles(g)})
        try:
            found = await self.workforce.look(sorted(people), handles)
        except (RetryLaterError, GiveUpError) as error:
            log.warning("slack members not read", action="access_people", error=str(error))
            self.unread = f"Slack's members cannot be read: {error}"
            return
        self.unread = ""
        told = replace(
            rules,
            barred=found.barred,
            in_slack_group=found.groups,
            looked_up=frozenset(people),
        )
        if told != rules:
            # the keeper asks for the book afresh: whoever is barred is out within a second
            self.rules.access = told
            await self.rules.refresh()

    async def sample(self) -> None:
        """Set the gauges: how many grants there are, and how late the latest revocation is."""
        now, grants = self.clock.now(), await self.store.access.open_grants()
        for state in GrantState:
            count = sum(one.state is state for one in grants)
            self.metrics.access_grants.labels(state.value).set(count)
        late = [
            (now - one.revoke_at).total_seconds()
            for one in grants
            if one.state is GrantState.REVOKING and one.revoke_at is not None
        ]
        self.metrics.access_late.set(max(late, default=0.0))

    async def standing(self) -> str:
        """Say which groups cannot be gone over, and why nobody new comes in; "" when all is well."""
        stands = await self.store.access.standings()
        troubles = [f"{one.name}: {one.trouble}" for one in stands if one.trouble]
        return "; ".join([self.unread, *troubles] if self.unread else troubles)

    async def close(self) -> None:
        for place in self.places.values():
            with suppress(RetryLaterError, GiveUpError):
                await place.backend.close()

    def _on_call(self) -> set[str]:
        spans = self.rules.shown().all_spans()
        now = self.clock.now()
        soon = now + timedelta(days=2)
        return {p for span in spans if span.end > now and span.start < soon for p in span.people}


def elevated_side(
    config: Config,
    store: OpenedStore,
    rules: RulesInForce,
    slack: SlackSide,
    roster: RosterFile | None,
    *,
    kick: Callable[[], None],
    speed: float = 1.0,
) -> ElevatedSide:
    """Open the back-ends and build what looks after them; what cannot be opened is logged."""
    clock, people = slack.desk.clock, config.directory()
    places = _places(config, Surroundings(clock=clock, session=slack.session, slack=_calls(slack)))
    # until Slack has told of people, nobody comes in by their rotation
    rules.access = AccessRules(groups=_groups(config, people, places), looked_up=frozenset())
    sync = Sync(
        SyncParts(
            places=places,
            book=rules.book,
            store=store.store,
            clock=clock,
            every=RECONCILE * speed,
        )
    )
    keeper = Keeper(
        KeeperParts(
            book=rules.book,
            store=store.store,
            reads=store.access,
            reader=store.reader,
            clock=clock,
            new_id=lambda: secrets.token_hex(3),
            roster_read_at=lambda: roster.seen.as_of if roster else None,
            places={name: place.name for name, place in places.items()},
            kick=kick,
        )
    )
    workforce = SlackWorkforce(slack.api, Members(slack.api, clock), people)
    return ElevatedSide(
        keeper, places, rules, store, clock, slack.metrics, workforce, {ACCESS_SYNC: sync}
    )


def _places(config: Config, around: Surroundings) -> dict[str, Place]:
    if not config.access_groups:
        return {}
    from bot.access.backends.registry import open_backend  # each kind: only where groups are kept

    places = {}
    for name, spec in config.access_groups.items():
        try:
            places[name] = Place(open_backend(spec.backend, around), spec.group, spec.place)
        except ValueError as error:
            log.warning("back-end unusable", action="open_backend", group=name, fault=str(error))
    return places


def _groups(config: Config, people: People, places: Mapping[str, Place]) -> dict[str, AccessGroup]:
    def find(written: str) -> str:
        return people.find(written).key

    return {
        name: spec.rules(name, find, places[name].backend.capabilities.propagation)
        for name, spec in config.access_groups.items()
        if name in places
    }


def _calls(slack: SlackSide) -> Callable[..., Any]:
    async def call(method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return await slack.group_api.call(method, **arguments)

    return call


def _named(group: AccessGroup) -> tuple[str, ...]:
    return (*group.may_ask.people, *group.approvers.people, *group.owners)


def _handles(group: AccessGroup) -> tuple[str, ...]:
    return (*group.may_ask.slack_groups, *group.approvers.slack_groups)
