"""`watchbill serve`: the application as a process, with its signals."""

import asyncio
import errno
import signal

import structlog

from bot.app.application import Application, Setting
from bot.app.building import build
from bot.app.slack_side import SlackAccess
from bot.clock import SystemClock
from bot.config.secrets import secrets_of
from bot.config.settings import Config
from bot.lasting import lasting
from bot.logs import set_up_logs
from bot.ports.inbox import NotStoredError
from bot.store.errors import StoreInUseError, StoreUnfitError
from rules.documents.rulebook_parts import RulebookParts

log = structlog.get_logger(__name__)


def serve(config: Config, parts: RulebookParts) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status."""
    set_up_logs(level=config.logging.level, form=config.logging.format, secrets=secrets_of(config))
    try:
        asyncio.run(_serve(config, parts))
    except (StoreInUseError, StoreUnfitError, NotStoredError, OSError) as error:
        log.error("cannot start", action="serve", error=cannot_start(error))  # noqa: TRY400 - words suffice
        return 1
    return 0


def cannot_start(error: Exception) -> str:
    """Return what is wrong and what to look at; the database's own words have no place in them."""
    words = str(error)
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        keys = "`listen` or `local_workspace.listen`"
        return f"{words}. Stop the other process there, or set {keys} to another port."
    if isinstance(error, NotStoredError) and not words.startswith("database:"):
        return f"database: {words}; is there room for it, may we write to it, is it the primary?"
    return words


async def _serve(config: Config, parts: RulebookParts) -> None:
    clock = SystemClock()
    if config.slack.mode != "local":
        return await _run(config, parts, clock, configured_access(config))
    # imported here: only this mode needs the workspace, its page and its templates
    from bot.app.local import access_to, local_workspace

    workspace = await local_workspace(config, parts, clock)
    try:
        return await _run(config, parts, clock, access_to(workspace))
    finally:
        await workspace.close()


async def _run(
    config: Config, parts: RulebookParts, clock: SystemClock, access: SlackAccess
) -> None:
    with lasting():
        application = await build(Setting(config=config, parts=parts, clock=clock, access=access))
    _stop_on_signals(application)
    await application.run()


def configured_access(config: Config) -> SlackAccess:
    """Return how to reach Slack, as configured."""
    slack = config.slack
    return SlackAccess(
        api_url=slack.api_url,
        bot_token=slack.bot_token.get_secret_value(),
        app_token=slack.app_token.get_secret_value(),
        signing_secret=slack.signing_secret.get_secret_value(),
        by_http=slack.mode == "http",
        user_token=slack.user_token.get_secret_value(),
    )


def _stop_on_signals(application: Application) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, application.stop)
