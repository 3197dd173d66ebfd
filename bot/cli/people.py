"""`watchbill people` and `watchbill followers`: who is linked to Slack, and what follows."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.configuration import configuration
from bot.cli.output import fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json
from bot.clock import SystemClock
from bot.config.settings import Config
from rules.people import People
from rules.schedule.linking import Link, Member, link

if TYPE_CHECKING:  # the store is heavy, and all commands would wait for it
    from bot.ports.followers import FollowerState

followers_app = typer.Typer(help="What in Slack shows who is on call.", no_args_is_help=True)


def people(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """List everybody whom the roster names: linked to Slack or not, why, and what to do."""
    loaded, _ = configuration(config)
    found = asyncio.run(_links(loaded))
    missing = [one for one in found if not one.user]
    if as_json:
        print_json([_link_json(one) for one in found])
    else:
        for one in (*missing, *(one for one in found if one.user)):
            _print(_link_line(one))
        _print(f"{len(found) - len(missing)} of {len(found)} people are linked")
    raise typer.Exit(1 if missing else 0)


@followers_app.command()
def status(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Say how every user group, topic and bookmark stands: in step, behind, and why."""
    from bot.cli.stored import follower_states
    from bot.ports.followers import FollowerState

    loaded, _ = configuration(config)
    configured = {one.name: one for one in loaded.followers.all()}
    stored = {one.name: one for one in asyncio.run(follower_states(loaded))}
    shown = [stored.get(name, FollowerState(name=name)) for name in configured]
    now = SystemClock().now()
    if as_json:
        print_json([_state_json(one, one.lag(now)) for one in shown])
    else:
        for one in shown:
            _print(_state_line(configured[one.name].title, one, one.lag(now)))
        if not shown:
            _print("Nothing follows. Name a user group, topic or bookmark in `followers`.")
    raise typer.Exit(1 if any(one.problem for one in shown) else 0)


async def _links(config: Config) -> list[Link]:
    from bot.cli.roster import roster_now
    from bot.cli.stored import accepted_plans, changes

    now = SystemClock().now()
    roster = roster_now(config, now, await accepted_plans(config, now))
    spans = roster.on_call(await changes(config, now), now).all_spans() if roster else ()
    directory = roster.file.people if roster else config.directory()
    rostered = {person for span in spans for person in span.people}
    keys = sorted({*(person.key for person in directory), *rostered})
    members = await _members(config, config.directory())
    return [link(directory.by_key(key), members) for key in keys]


async def _members(config: Config, directory: People) -> Sequence[Member]:
    """Ask Slack who is there; the built-in workspace has everybody whom the file names."""
    if config.slack.mode == "local":
        return [
            Member(user=one.slack or one.key, names=(one.name,), email=one.email)
            for one in directory
        ]
    # the Slack client: other commands need not wait for it
    from bot.ports.delivering import GiveUpError, RetryLaterError
    from bot.slack.api import SlackApi, new_session, web_client
    from bot.slack.members import Members

    token = config.slack.bot_token.get_secret_value()
    async with new_session() as session:
        api = SlackApi(web_client(token, config.slack.api_url, session))
        try:
            return await Members(api, SystemClock()).all()
        except (RetryLaterError, GiveUpError) as error:
            raise fail(f"Slack does not tell who is there: {error}") from error


def _link_line(one: Link) -> str:
    if one.user:
        return f"{one.name} ({one.key}): {one.user}, by {one.how}"
    return f"{one.name} ({one.key}): not linked. {one.trouble[:1].upper()}{one.trouble[1:]}."


def _link_json(one: Link) -> dict[str, Any]:
    return {
        "key": one.key,
        "name": one.name,
        "linked": bool(one.user),
        "slack": one.user,
        "by": one.how,
        "why": one.why,
        "to_do": one.to_do,
    }


def _state_line(title: str, one: "FollowerState", lag: float) -> str:
    shown = title[:1].upper() + title[1:]
    if one.problem:
        return f"{shown}: {one.problem}"
    if one.tried_at is None:
        return f"{shown}: not looked at yet; is `watchbill serve` running?"
    if lag:
        return f"{shown}: {lag:.0f} s behind"
    return f"{shown}: in step ({one.applied or 'nobody'})"


def _state_json(one: "FollowerState", lag: float) -> dict[str, Any]:
    return {
        "name": one.name,
        "wanted": one.wanted,
        "shows": one.applied,
        "behind_seconds": round(lag, 1),
        "tried_at": one.tried_at.isoformat() if one.tried_at else None,
        "problem": one.problem,
    }


def _print(text: str) -> None:
    screen.print(text, markup=False, highlight=False, soft_wrap=True)
