"""Slack's side of the application: the client, whoever delivers, whoever listens."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.app.rules_in_force import RulesInForce
from bot.clock import Clock, SystemClock
from bot.metrics import Metrics
from bot.ports.access import AccessReads
from bot.ports.delivering import Deliverer, GiveUpError, RetryLaterError
from bot.ports.followers import FollowerReads, NoFollowers
from bot.ports.inbox import Inbox
from bot.ports.journal import JournalReads, NoJournal
from bot.ports.lessons import Lessons, NoLessons
from bot.ports.runbooks import NoRunbooks, RunbookReads
from bot.ports.store import Reader
from bot.ports.tasks import NoTasks, TaskReads
from bot.slack.api import SlackApi, new_session, web_client
from bot.slack.connection import HttpHandler, SocketConnection, http_handler
from bot.slack.delivery import deliverers
from bot.slack.desk import Desk
from bot.slack.listeners import Identity, Listening, build_listeners
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.recall import Recall
from bot.workspace.blockkit import Surface, problems
from rules.people import People

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackAccess:
    """How to reach the workspace. `signing_secret` is for HTTP mode, `app_token` for sockets.

    `user_token` edits user groups, where the bot may not.
    """

    api_url: str
    bot_token: str
    app_token: str = ""
    signing_secret: str = ""
    by_http: bool = False
    user_token: str = ""


@dataclass(slots=True, kw_only=True)
class SlackParts:
    """What the Slack side needs from the rest of the application."""

    inbox: Inbox
    reader: Reader
    clock: Clock
    rules: RulesInForce
    people: People
    metrics: Metrics
    public_url: str = ""
    calendar_link: Callable[[str], str] | None = None
    issues_link: Callable[[str], str] = field(default=lambda _person: "")
    followers: FollowerReads = field(default_factory=NoFollowers)
    lessons: Lessons = field(default_factory=NoLessons)
    runbooks: RunbookReads = field(default_factory=NoRunbooks)
    tasks: TaskReads = field(default_factory=NoTasks)
    actions: Mapping[str, str] = field(default_factory=dict)
    journal: JournalReads = field(default_factory=NoJournal)
    confirm_roster: Callable[[str, str], Awaitable[None]] | None = None
    access: AccessReads | None = None


@dataclass(slots=True)
class SlackSide:
    """Everything that talks with Slack; `start` learns who we are, `run` listens."""

    access: SlackAccess
    session: aiohttp.ClientSession
    api: SlackApi
    group_api: SlackApi
    metrics: Metrics
    directory: Directory
    desk: Desk
    listening: Listening
    connection: SocketConnection | None
    roster: Callable[[], Iterable[str]]
    identity: Identity = field(default_factory=Identity)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def deliverers(self) -> Mapping[str, Deliverer]:
        return deliverers(self.desk)

    @property
    def events_handler(self) -> HttpHandler | None:
        if not self.access.by_http:
            return None
        return http_handler(self.listening.app, self.listening.running, self.access.signing_secret)

    async def learn(self) -> bool:
        """Ask Slack who we are; False when it must be tried again."""
        try:
            answer = await self.api.call("auth.test")
            self.identity = Identity(
                bot_user=str(answer.get("user_id") or ""),
                bot=str(answer.get("bot_id") or ""),
                team=str(answer.get("team_id") or ""),
                url=str(answer.get("url") or ""),
            )
        except (RetryLaterError, GiveUpError) as error:
            log.warning("slack does not answer", action="slack_waits", error=str(error))
            return False
        return True

    async def meet(self) -> None:
        """Ask Slack about everybody who may be paged and is not known yet.

        Of hundreds that takes minutes, for which nobody's click may wait.
        """
        try:
            found = await self.directory.warm(self.roster())
        except (RetryLaterError, GiveUpError) as error:
            log.warning("slack does not tell who is who", action="slack_waits", error=str(error))
            return
        for key, fault in found.items():
            if self.faults.get(key) != fault:
                log.warning(
                    "this person cannot be paged", action="link_person", key=key, fault=fault
                )
        self.faults = found

    async def fault(self) -> str:
        """Say why Slack cannot be talked with now, "" when it can."""
        if self.api.trouble:
            return self.api.trouble
        if not self.identity.bot_user:
            return "Slack has not answered auth.test yet; see the log"
        if self.connection is not None and not await self.connection.connected():
            return "no Socket Mode connection"
        return ""

    async def close(self) -> None:
        if self.connection is not None:
            await self.connection.close()
        await self.session.close()


def slack_side(access: SlackAccess, parts: SlackParts) -> SlackSide:
    """Build the Slack side; nothing is sent before `learn`."""
    session = new_session()
    api = CountedApi(web_client(access.bot_token, access.api_url, session), parts.metrics)
    group_api = api
    if access.user_token:
        editor = web_client(access.user_token, access.api_url, session)
        group_api = CountedApi(editor, parts.metrics)
    directory = Directory(api, lambda: parts.people, parts.clock)
    desk = Desk(
        api=api,
        places=Places(api),
        directory=directory,
        reader=parts.reader,
        clock=parts.clock,
        on_call=parts.rules.shown,
        schedule=parts.rules.schedule,
        rulebook=parts.rules.book,
        workspace_url=lambda: side.identity.url,
        public_url=parts.public_url,
        calendar_link=parts.calendar_link or (lambda _person: ""),
        issues_link=parts.issues_link,
        lessons=parts.lessons,
        runbooks=parts.runbooks,
        tasks=parts.tasks,
        actions=parts.actions,
        recall=Recall(parts.journal, parts.rules.book),
        confirm_roster=parts.confirm_roster,
        followers=parts.followers,
        rostered=parts.rules.rostered,
        access=parts.access,
    )
    listening = build_listeners(
        desk,
        parts.inbox,
        token=access.bot_token,
        identity=lambda: side.identity,
        signing_secret=access.signing_secret,
    )
    connection = None
    if not access.by_http:
        connection = SocketConnection(
            app=listening.app,
            running=listening.running,
            app_token=access.app_token,
            api_url=access.api_url,
            clock=SystemClock(),
        )
    side = SlackSide(
        access,
        session,
        api,
        group_api,
        parts.metrics,
        directory,
        desk,
        listening,
        connection,
        parts.rules.rostered,
    )
    return side


def note_problems(surface: str, payload: Mapping[str, Any]) -> None:
    """Log what Slack would refuse in a payload; it is sent all the same, for Slack decides."""
    for problem in problems(dict(payload), surface=cast("Surface", surface)):
        log.error("a layout breaks Slack's limits", action="check_layout", problem=problem)


class CountedApi(SlackApi):
    """Counts every call by method and result."""

    def __init__(self, client: AsyncWebClient, metrics: Metrics) -> None:
        super().__init__(client, note_problems)
        self._metrics = metrics

    async def _send(self, method: str, *, repeatable: bool, **how: object) -> dict[str, object]:
        try:
            answer = await super()._send(method, repeatable=repeatable, **how)
        except RetryLaterError as error:
            if error.throttled:
                self._metrics.slack_throttled.labels(method).inc()
            self._metrics.slack_calls.labels(
                method, "throttled" if error.throttled else "later"
            ).inc()
            raise
        except GiveUpError:
            self._metrics.slack_calls.labels(method, "refused").inc()
            raise
        self._metrics.slack_calls.labels(method, "ok").inc()
        return answer
