"""The built-in workspace of `slack.mode: local`: started, seeded, and how to reach it."""

from pathlib import Path

import structlog

from bot.app.slack_side import SlackAccess
from bot.clock import SystemClock
from bot.config.settings import Config, split_address
from bot.slack.vocabulary import ADD_TO_JOURNAL, COMMAND, CREATE_INCIDENT, PAGE_SOMEONE, WORDS
from bot.workspace.model import Shortcut, SlashCommand
from bot.workspace.server import RunningWorkspace
from bot.workspace.server import serve as serve_workspace
from bot.workspace.state import Workspace
from rules.documents.rulebook_parts import RulebookParts
from rules.people import Person
from rules.policy import Channel, UserGroup

log = structlog.get_logger(__name__)


async def local_workspace(
    config: Config, parts: RulebookParts, clock: SystemClock
) -> RunningWorkspace:
    """Start the built-in workspace with the configured people, channels and groups."""
    path = config.database.removeprefix("sqlite:///")
    state = None if path == config.database else Path(path).with_suffix(".workspace.json")
    workspace = Workspace(
        clock=clock,
        commands=[SlashCommand(COMMAND, "Who is on call, and everything about incidents",
                               "who | page @person text | ack 42 | help",
                               tuple((word.usage, word.does) for word in WORDS.values()))],
        shortcuts=[Shortcut(CREATE_INCIDENT, "Create incident"),
                   Shortcut(ADD_TO_JOURNAL, "Add to journal")],
        global_shortcuts=[Shortcut(PAGE_SOMEONE, "Page someone")],
        path=state,
    )  # fmt: skip
    workspace.seed(
        users=[_user(person) for person in config.directory()],
        channels=[{"name": name} for name in _channels(config, parts)],
        user_groups=[{"handle": handle} for handle in _groups(config, parts)],
    )
    host, port = split_address(config.local_workspace.listen)
    running = await serve_workspace(workspace, host, port)
    log.info("local workspace", action="serve_workspace", url=running.url)
    return running


def _user(person: Person) -> dict[str, str]:
    handle = (person.email.split("@")[0] or person.slack.lstrip("@")).lower()
    return {
        "name": handle,
        "real_name": person.name,
        "email": person.email,
        "tz": person.zone,
    }


def _channels(config: Config, parts: RulebookParts) -> list[str]:
    names = [config.slack.alerts_channel, *(route.channel for route in parts.routes)]
    names += [*config.followers.topic, *config.followers.bookmark]
    names += [config.notices.channel] if config.notices.channel else []
    return list(dict.fromkeys([*names, *_targets(parts, Channel, "channel"), "general"]))


def _groups(config: Config, parts: RulebookParts) -> list[str]:
    handles = [*_targets(parts, UserGroup, "group"), *config.followers.user_groups]
    elevated = config.access_groups.values()
    handles += [spec.group for spec in elevated if spec.backend.kind == "slack_group"]
    return list(dict.fromkeys(handles))


def _targets(parts: RulebookParts, kind: type[Channel] | type[UserGroup], name: str) -> list[str]:
    steps = [step for policy in parts.policies.values() for step in policy.steps]
    found = [getattr(t, name) for step in steps for t in step.targets if isinstance(t, kind)]
    return list(dict.fromkeys(found))


def access_to(workspace: RunningWorkspace) -> SlackAccess:
    """Return how to reach the local workspace."""
    return SlackAccess(
        api_url=workspace.api_url,
        bot_token=workspace.workspace.bot_token,
        app_token=workspace.workspace.app_token,
        signing_secret=workspace.workspace.signing_secret,
    )
