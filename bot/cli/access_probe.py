"""`watchbill access probe`: whether each elevated group could be granted and revoked now."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.configuration import configuration
from bot.cli.output import fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json
from bot.clock import SystemClock
from bot.config.settings import Config
from rules.nearest import did_you_mean

if TYPE_CHECKING:  # the back-ends' clients are heavy, and all commands would wait for them
    from bot.access.backends.kind import SlackCalls
    from bot.access.backends.probing import Probed


def probe(
    group: Annotated[str, typer.Argument(help="Only this group; all when left out.")] = "",
    config: ConfigFile = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Look at each group where it lives, and say which right is missing; changes nothing."""
    loaded, _ = configuration(config)
    groups = loaded.access_groups
    if group and group not in groups:
        raise fail(f'no group is called "{group}"{did_you_mean(group, groups)}')
    chosen = [group] if group else list(groups)
    found = asyncio.run(_probed(loaded, chosen))
    if as_json:
        print_json([_document(one) for one in found])
    else:
        for line in [line for one in found for line in _lines(one)]:
            screen.print(line, markup=False, highlight=False, soft_wrap=True)
        if not found:
            screen.print("There are no elevated groups. Name some in `access_groups`.")
    raise typer.Exit(1 if any(one.faults for one in found) else 0)


async def _probed(config: Config, names: Sequence[str]) -> Sequence["Probed"]:
    import aiohttp

    from bot.access.backends.kind import Surroundings
    from bot.access.backends.probing import probe_all

    groups = {name: config.access_groups[name] for name in names}
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        slack = await _slack(config, stack)
        around = Surroundings(clock=SystemClock(), session=session, slack=slack)
        return await probe_all(groups, around)


async def _slack(config: Config, stack: AsyncExitStack) -> "SlackCalls | None":
    """Return how Slack is called, None for the built-in workspace, which lives in the demo."""
    from bot.slack.api import SlackApi, new_session, web_client

    token = config.slack.user_token.get_secret_value() or config.slack.bot_token.get_secret_value()
    if config.slack.mode == "local" or not token:
        return None
    session = await stack.enter_async_context(new_session())
    api = SlackApi(web_client(token, config.slack.api_url, session))

    async def call(method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return await api.form(method, **arguments)

    return call


def _document(one: "Probed") -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "group": one.group,
        "members": one.members,
        "native_expiry": one.native_expiry,
        "faults": list(one.faults),
    }


def _lines(one: "Probed") -> list[str]:
    if one.faults:
        return [f"{one.name}: {fault}" for fault in one.faults]
    count = "1 member" if one.members == 1 else f"{one.members} members"
    members = "" if one.members is None else f", {count}"
    return [f"{one.name}: works ({one.kind}{members})"]
