"""The pages people sign in to, wired: who they are, what they read, how they come in."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from aiohttp import web

from bot.app.rules_in_force import RulesInForce
from bot.app.slack_side import SlackSide
from bot.clock import Clock
from bot.config.settings import Config
from bot.ports.journal import JournalReads
from bot.slack.scene import permalink, root_of
from bot.store.opening import OpenedStore
from bot.web.pages.doors import CALLBACK, Doors
from bot.web.pages.handlers import PageParts, Pages
from bot.web.pages.openid import OpenId, OpenIdApp
from bot.web.pages.sessions import Sessions
from rules.issues.issue import OnCallAt

_AT_ONCE = 3
"""Pieces that somebody who looks waits for; in a storm the rest follows within seconds."""


def page_sessions(config: Config, clock: Clock) -> Sessions:
    """Return what signs people in; without any secret, sessions end with the process."""
    given = config.web_pages.secret.get_secret_value() or config.slack.bot_token.get_secret_value()
    return Sessions(
        given or secrets.token_hex(32),
        clock,
        lasts=config.web_pages.session,
        secure=config.base_url.startswith("https://"),
    )


def issues_link(config: Config, sessions: Sessions, person: str) -> str:
    """Return the address that signs a person in, once, and leads to the table."""
    return f"{config.base_url}/sign-in/link?key={sessions.link_token(person)}"


def first_on_call(rules: RulesInForce) -> OnCallAt:
    """Return what tells whom a rotation would have paged first at an instant."""

    def told(rotation: str, at: datetime) -> str:
        return next(iter(rules.shown().paging_order(rotation, at)), "")

    return told


def page_routes(
    config: Config,
    store: OpenedStore,
    slack: SlackSide,
    sessions: Sessions,
    *,
    clock: Clock,
    journal: JournalReads,
) -> Sequence[web.RouteDef]:
    """Return the routes of the pages and of their doors."""

    async def thread_link(incident_id: str) -> str:
        messages = await store.reader.messages(incident_id)
        return permalink(slack.identity.url, root_of(messages))

    pages = Pages(
        PageParts(
            issues=store.issues,
            reader=store.reader,
            journal=journal,
            clock=clock,
            sessions=sessions,
            name_of=slack.directory.name,
            zone_of=slack.directory.zone_of_key,
            learn=slack.directory.learn_names,
            on_call=store.issue_drawing.on_call,
            fresh=partial(store.issue_drawing.catch_up, _AT_ONCE),
            thread_link=thread_link,
        )
    )
    doors = Doors(
        sessions,
        store.issues,
        clock,
        openid=_openid(config, slack, clock),
        person_of=slack.directory.key_of,
        name_of=slack.directory.name,
        address=config.base_url,
    )
    return [*pages.routes(), *doors.routes()]


def _openid(config: Config, slack: SlackSide, clock: Clock) -> OpenId | None:
    given = config.web_pages.openid
    if given is None:
        return None
    app = OpenIdApp(
        issuer=given.issuer.rstrip("/"),
        client_id=given.client_id,
        client_secret=given.client_secret.get_secret_value(),
        redirect=f"{config.base_url}{CALLBACK}",
        team=lambda: slack.identity.team,
    )
    return OpenId(app, clock)
