"""Puts the Slack side together: one object with what the rest of the bot needs of it."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp

from bot.clock import Clock
from bot.ports import Deliverer, GiveUpError, Inbox, Reader, RetryLaterError
from bot.slack.api import Check, SlackApi, allow, web_client
from bot.slack.connection import HttpHandler, SocketConnection, http_handler
from bot.slack.delivery import deliverers
from bot.slack.desk import Desk
from bot.slack.listeners import Identity, Listening, build_listeners
from bot.slack.manifest import MANDATORY, OPTIONAL
from bot.slack.people import Directory
from bot.slack.places import Places
from rules.people import People
from rules.rotation import OnCall
from rules.rulebook import RuleBook

LOG = logging.getLogger(__name__)

_AGAIN = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """How to reach Slack: an `app_token` for Socket Mode, a `signing_secret` for HTTP."""

    bot_token: str
    api_url: str = "https://slack.com/api/"
    app_token: str = ""
    signing_secret: str = ""
    public_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackPorts:
    """What Slack's side needs of the rest; the three questions are answered from memory.

    `clock` dates messages; `line_clock` is the machine's own, whatever a demo's night does.
    """

    inbox: Inbox
    reader: Reader
    clock: Clock
    line_clock: Clock
    on_call: Callable[[], OnCall]
    rulebook: Callable[[], RuleBook]
    people: Callable[[], People]


@dataclass(slots=True)
class _Self:
    identity: Identity = field(default_factory=Identity)
    scopes: frozenset[str] = frozenset()


@dataclass
class SlackSide:
    """Everything about Slack that the rest of the bot uses."""

    api: SlackApi
    directory: Directory
    desk: Desk
    deliverers: Mapping[str, Deliverer]
    listening: Listening
    settings: SlackSettings
    line_clock: Clock
    me: _Self
    socket: SocketConnection | None = None

    def http_handler(self) -> HttpHandler:
        """Return the handler of POST /slack/events; raises ValueError without a secret."""
        secret = self.settings.signing_secret
        return http_handler(self.listening.app, self.listening.running, secret)

    async def identify(self) -> Identity:
        """Ask Slack who we are; raises RetryLaterError or GiveUpError."""
        said, self.me.scopes = await self.api.who_am_i()
        self.me.identity = Identity(
            bot_user=str(said.get("user_id") or ""),
            bot=str(said.get("bot_id") or ""),
            team=str(said.get("team_id") or ""),
            url=str(said.get("url") or ""),
        )
        return self.me.identity

    def missing_scopes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the scopes we lack, those we need and those that switch something off."""
        if not self.me.scopes:
            return (), ()
        needed = tuple(scope for scope in MANDATORY if scope not in self.me.scopes)
        return needed, tuple(scope for scope in OPTIONAL if scope not in self.me.scopes)

    async def run(self, may_be_paged: Iterable[str] = ()) -> None:
        """Stay connected until cancelled; learn who we are and who may be paged meanwhile."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._introduce(tuple(may_be_paged)))
            if self.socket is not None:
                tasks.create_task(self.socket.run())

    async def _introduce(self, may_be_paged: tuple[str, ...]) -> None:
        while True:
            try:
                await self.identify()
                for fault in (await self.directory.warm(may_be_paged)).values():
                    LOG.warning("%s", fault)
                return
            except (RetryLaterError, GiveUpError) as error:
                LOG.warning("Slack does not know us yet: %s", error)
                pause = (
                    error.after if isinstance(error, RetryLaterError) and error.after else _AGAIN
                )
                await self.line_clock.sleep_until(self.line_clock.now() + pause)

    async def trouble(self) -> str:
        """Say what is wrong with Slack in words, "" when nothing is."""
        if self.api.trouble:
            return self.api.trouble
        if self.socket is not None and not await self.socket.connected():
            return "no connection to Slack: check the network and slack.app_token"
        return ""

    async def close(self, within: timedelta = timedelta(seconds=5)) -> None:
        """Take nothing more, and let what is at work finish."""
        if self.socket is not None:
            await self.socket.close(within)


def assemble(
    settings: SlackSettings,
    ports: SlackPorts,
    session: aiohttp.ClientSession,
    check: Check = allow,
) -> SlackSide:
    """Build the Slack side; `session` is `api.new_session()`, closed by whoever opened it."""
    api = SlackApi(web_client(settings.bot_token, settings.api_url, session), check)
    directory = Directory(api, ports.people, ports.clock)
    me = _Self()
    desk = Desk(
        api=api,
        places=Places(api),
        directory=directory,
        reader=ports.reader,
        clock=ports.clock,
        on_call=ports.on_call,
        rulebook=ports.rulebook,
        workspace_url=lambda: me.identity.url,
        public_url=settings.public_url,
    )
    listening = build_listeners(
        desk,
        ports.inbox,
        token=settings.bot_token,
        identity=lambda: me.identity,
        signing_secret=settings.signing_secret,
    )
    return SlackSide(
        api=api,
        directory=directory,
        desk=desk,
        deliverers=deliverers(desk),
        listening=listening,
        settings=settings,
        line_clock=ports.line_clock,
        me=me,
        socket=_socket(settings, listening, ports.line_clock) if settings.app_token else None,
    )


def _socket(settings: SlackSettings, listening: Listening, clock: Clock) -> SocketConnection:
    return SocketConnection(
        app=listening.app,
        running=listening.running,
        app_token=settings.app_token,
        api_url=settings.api_url,
        clock=clock,
    )
