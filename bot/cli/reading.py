"""Commands that only read: check, explain, who, roster check, manifest."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.configuration import catalogue_findings, configuration, read_roster, without_secrets
from bot.cli.output import CONFIG_HELP, JSON_HELP, errors, fail, print_json, screen
from bot.clock import SystemClock
from bot.config.settings import environment

ConfigFile = Annotated[Path, typer.Option("-c", "--config", help=CONFIG_HELP)]
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
At = Annotated[str, typer.Option("--at", help="An ISO 8601 time; now when left out.")]
DEFAULT_CONFIG = Path("config.yaml")


def check(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Check configuration, rulebook, roster and catalogue: every fault with its place."""
    from bot.check import check as find_faults

    report = find_faults(config, environment(), read_roster, catalogue_findings)
    if as_json:
        print_json(report.json())
    else:
        for line in report.lines():
            screen.print(line, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(report.exit_status)


def explain(
    payload: Annotated[Path, typer.Argument(help="A body as the source sends it.")],
    source: Annotated[str, typer.Option("--source", help="The configured source's name.")],
    config: ConfigFile = DEFAULT_CONFIG,
    at: At = "",
    *,
    as_json: Json = False,
) -> None:
    """Say what a payload would cause, and why; changes nothing."""
    from bot.cli.explaining import explained, explained_text

    document = explained(*configuration(config), source, payload, instant(at))
    if as_json:
        print_json(document)
    else:
        screen.print(explained_text(document), markup=False, highlight=False, soft_wrap=True)


def who(
    config: ConfigFile = DEFAULT_CONFIG,
    at: At = "",
    rotation: Annotated[str, typer.Option("--rotation", help="Only this rotation.")] = "",
    *,
    why: Annotated[bool, typer.Option("--why", help="Say what made each answer.")] = False,
    as_json: Json = False,
) -> None:
    """Say who is on call, until when, and who follows; or why."""
    from bot.cli.roster import refuse_unread, roster_now, who_is, why_now
    from bot.cli.stored import accepted_plans, changes

    loaded, _ = configuration(config)
    when = instant(at)
    stored = asyncio.run(changes(loaded, when))
    roster = roster_now(loaded, when, asyncio.run(accepted_plans(loaded, when)))
    refuse_unread(roster)
    if why:
        answer, text = why_now(roster, when, rotation, stored)
    else:
        answer, text = who_is(roster, when, rotation, stored)
    if as_json:
        print_json({"at": when.isoformat(), "on_call": answer})
    else:
        screen.print(text, markup=False, highlight=False, soft_wrap=True)


def manifest(
    config: ConfigFile = DEFAULT_CONFIG,
    mode: Annotated[
        str, typer.Option(help="socket or http; what the file says when left out.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """Print the Slack app manifest to paste when you create the app."""
    from bot.slack.manifest import manifest as build
    from bot.slack.manifest import manifest_yaml
    from bot.web.pages.doors import CALLBACK

    public_url = sign_in = ""
    if config.exists():
        loaded = without_secrets(config)  # the manifest comes before the tokens
        public_url = loaded.public_url or ""
        sign_in = CALLBACK if loaded.web_pages.openid else ""
        mode = mode or ("http" if loaded.slack.mode == "http" else "socket")
    mode = mode or "socket"
    if mode not in {"socket", "http"}:
        raise fail(f"There is no mode {mode}; use socket or http.")
    if mode == "http" and not public_url:
        raise fail("Mode http needs `public_url` in the configuration: Slack must reach the bot.")
    if as_json:
        print_json(build(mode, public_url, sign_in))
    else:
        typer.echo(manifest_yaml(mode, public_url, sign_in), nl=False)


def instant(text: str) -> datetime:
    """Read --at; a time without a zone is UTC. Ends the command when it is not a time."""
    if not text:
        return SystemClock().now()
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise fail(f'"{text}" is not a time; write it like 2026-11-23T03:00+01:00.') from None
    if when.tzinfo is None:
        errors.print(f"{text} has no zone: read as UTC.", style="yellow")
        return when.replace(tzinfo=UTC)
    return when.astimezone(UTC)
