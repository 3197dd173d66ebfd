"""`watchbill serve`: the application as a process, with its signals and its local workspace."""

import asyncio
import signal
from pathlib import Path

import structlog

from bot.app.application import Application, Setting
from bot.app.building import build
from bot.app.slack_side import SlackAccess
from bot.clock import SystemClock
from bot.config import Config, split_address
from bot.logs import set_up_logs
from bot.ports import NotStoredError
from bot.slack.vocabulary import COMMAND, CREATE_INCIDENT, PAGE_SOMEONE, WORDS
from bot.store.errors import StoreInUseError, StoreUnfitError
from bot.workspace.model import Shortcut, SlashCommand
from bot.workspace.server import RunningWorkspace
from bot.workspace.server import serve as serve_workspace
from bot.workspace.state import Workspace
from rules.people import Person
from rules.policy import Channel, UserGroup
from rules.rulebook_parts import RulebookParts

log = structlog.get_logger(__name__)


def serve(config: Config, parts: RulebookParts) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status."""
    set_up_logs(level=config.logging.level, form=config.logging.format, secrets=_secrets(config))
    try:
        asyncio.run(_serve(config, parts))
    except (StoreInUseError, StoreUnfitError, NotStoredError, OSError) as error:
        log.error("cannot start", action="serve", error=str(error))  # noqa: TRY400 - words suffice
        return 1
    return 0


async def _serve(config: Config, parts: RulebookParts) -> None:
    clock = SystemClock()
    workspace = (
        await local_workspace(config, parts, clock) if config.slack.mode == "local" else None
    )
    try:
        access = access_to(config, workspace)
        application = await build(Setting(config=config, parts=parts, clock=clock, access=access))
        _stop_on_signals(application)
        await application.run()
    finally:
        if workspace is not None:
            await workspace.close()


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
        shortcuts=[Shortcut(CREATE_INCIDENT, "Create incident")],
        global_shortcuts=[Shortcut(PAGE_SOMEONE, "Page someone")],
        path=state,
    )  # fmt: skip
    workspace.seed(
        users=[_user(person) for person in config.directory()],
        channels=[{"name": name} for name in _channels(config, parts)],
        user_groups=[{"handle": handle} for handle in _targets(parts, UserGroup, "group")],
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
    return list(dict.fromkeys([*names, *_targets(parts, Channel, "channel"), "general"]))


def _targets(parts: RulebookParts, kind: type[Channel] | type[UserGroup], name: str) -> list[str]:
    steps = [step for policy in parts.policies.values() for step in policy.steps]
    found = [getattr(t, name) for step in steps for t in step.targets if isinstance(t, kind)]
    return list(dict.fromkeys(found))


def access_to(config: Config, workspace: RunningWorkspace | None) -> SlackAccess:
    """Return how to reach Slack: the local workspace when there is one, else as configured."""
    if workspace is not None:
        return SlackAccess(
            api_url=workspace.api_url,
            bot_token=workspace.workspace.bot_token,
            app_token=workspace.workspace.app_token,
            signing_secret=workspace.workspace.signing_secret,
        )
    slack = config.slack
    return SlackAccess(
        api_url=slack.api_url,
        bot_token=slack.bot_token.get_secret_value(),
        app_token=slack.app_token.get_secret_value(),
        signing_secret=slack.signing_secret.get_secret_value(),
        by_http=slack.mode == "http",
    )


def _stop_on_signals(application: Application) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, application.stop)


def _secrets(config: Config) -> list[str]:
    slack = config.slack
    secrets = [slack.bot_token, slack.app_token, slack.signing_secret]
    secrets += [s for source in config.sources for s in (source.secret, source.previous_secret)]
    secrets += [webhook.secret for webhook in config.webhooks]
    return [value for secret in secrets if (value := secret.get_secret_value())]
