"""Wires what follows incidents: runbooks and their actions, gaps, tasks and their tracker."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial

import aiohttp

from bot.app.aftercare.tending import Tending, TendingParts
from bot.app.aftercare.watch import RunbookWatch
from bot.app.rules_in_force import RulesInForce
from bot.clock import Clock, SystemClock
from bot.config.runbooks import ActionSpec
from bot.config.secrets import secrets_of
from bot.config.settings import Config, environment
from bot.config.tasks import TrackerSpec
from bot.logs import Redactor
from bot.ports.delivering import Deliverer
from bot.runbooks.running import Action, ActionDeliverer, RunningParts
from bot.store.opening import OpenedStore
from bot.trackers.github import GitHubIssues
from bot.trackers.jira import JiraIssues
from bot.trackers.mirroring import MirrorDeliverer, NoTracker, Tracker
from bot.webhook import WebhookTarget, incident_payload, signed
from rules.hours import Hours
from rules.people import People

RUN_ACTION, MIRROR_TASK = "runbook_action", "mirror_task"
Work = Callable[[], Coroutine[None, None, None]]
_INHERITED = ("PATH", "HOME", "LANG", "TZ")
"""What a command's environment has of ours; secrets of the bot stay with the bot."""
_SHORTEST_HIDDEN = 8
"""What an action is given beside secrets is shorter: `prod`, `true`; hidden, it would say nothing."""


@dataclass(frozen=True, slots=True)
class Aftercare:
    """What tends and watches, and what carries out."""

    tending: Tending
    watch: RunbookWatch | None
    deliverers: Mapping[str, Deliverer]

    async def tick(self) -> None:
        await self.tending.tick()

    def first(self, work: Work) -> Work:
        """Return the work, to begin once the runbooks have been read."""
        return partial(self.watch.before, work) if self.watch else work


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What aftercare needs of the rest; `zone_of` is a person's region, `kick` wakes the outbox."""

    store: OpenedStore
    rules: RulesInForce
    clock: Clock
    session: aiohttp.ClientSession
    people: People
    zone_of: Callable[[str], str]
    kick: Callable[[], None]


def aftercare_of(config: Config, around: Around) -> Aftercare:
    """Build it all; nothing runs yet."""
    spec, rules = config.runbooks, around.rules
    rules.mirrors_tasks = config.task_tracker is not None
    watch = RunbookWatch(spec, rules.follow, SystemClock()) if spec.folders else None
    notices = config.notices

    def quiet(person: str) -> Hours | None:
        hours = notices.quiet_hours
        if hours is None:
            return None
        zone = around.zone_of(person) if person else config.first_zone
        return Hours(hours.opens, hours.closes, zone)

    tending = Tending(
        TendingParts(
            store=around.store.store,
            runbooks=lambda: watch.runbooks if watch else None,
            reads=around.store.runbooks,
            tasks=around.store.tasks,
            clock=around.clock,
            people=around.people,
            quiet=quiet,
            channel=notices.channel or config.slack.alerts_channel,
            catalogue=lambda: rules.book().catalogue,
            review_after=spec.review_after,
            nudges=spec.nudges,
            kick=around.kick,
        )
    )
    return Aftercare(tending, watch, _deliverers(config, around))


def confirmations(config: Config) -> dict[str, str]:
    """Return by action what a person is asked before it runs."""
    return {name: spec.confirm for name, spec in config.runbooks.actions.items()}


def actions_of(config: Config) -> dict[str, Action]:
    """Return the declared actions as they are carried out."""
    return {name: _action(config, spec) for name, spec in config.runbooks.actions.items()}


def _deliverers(config: Config, around: Around) -> Mapping[str, Deliverer]:
    store, clock, session = around.store, around.clock, around.session
    actions = actions_of(config)
    secrets = {
        name: hook.secret.get_secret_value()
        for name, spec in config.runbooks.actions.items()
        if (hook := config.webhook(spec.webhook))
    }

    def headers(action: str, body: bytes, key: str) -> dict[str, str]:
        return signed(WebhookTarget("", secrets.get(action, "")), body, key)

    runner = ActionDeliverer(
        RunningParts(
            store=store.store,
            reader=store.reader,
            runbooks=store.runbooks,
            clock=clock,
            session=session,
            actions=actions,
            payload=incident_payload,
            headers=headers,
            hide=Redactor(one for one in secrets_of(config) if len(one) >= _SHORTEST_HIDDEN).text,
        )
    )
    mirror: Deliverer = NoTracker()
    if config.task_tracker is not None:
        tracker = tracker_of(config.task_tracker, session)
        mirror = MirrorDeliverer(tracker, store.store, store.reader, store.tasks, clock)
    return {RUN_ACTION: runner, MIRROR_TASK: mirror}


def tracker_of(spec: TrackerSpec, session: aiohttp.ClientSession) -> Tracker:
    """Return the configured tracker."""
    token = spec.token.get_secret_value()
    if spec.kind == "github":
        return GitHubIssues(session, spec.url, spec.repository, token)
    auth = (spec.user, token)
    return JiraIssues(session, spec.url, auth, project=spec.project, issue_type=spec.issue_type)


def _action(config: Config, spec: ActionSpec) -> Action:
    ours = environment()
    inherited = {name: ours[name] for name in _INHERITED if name in ours}
    hook = config.webhook(spec.webhook)
    return Action(
        command=spec.command,
        placeholders=spec.placeholders,
        env={**inherited, **{name: value.get_secret_value() for name, value in spec.env.items()}},
        url=hook.url if hook else "",
        timeout=spec.timeout,
    )
