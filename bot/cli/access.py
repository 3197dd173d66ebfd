"""The commands of `watchbill access`: who has what, what was, and the end of it in an emergency."""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.output import fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json, instant
from bot.clock import SystemClock
from bot.config.access import Find
from bot.config.settings import Config

app = typer.Typer(help="Elevated groups: who has what, the ledger, and ending it all.",
                  no_args_is_help=True)  # fmt: skip
Group = Annotated[str, typer.Option("--group", help="Only this group.")]
Why = Annotated[str, typer.Option("--why", help="Why; it stands in the ledger.")]
_USUAL = timedelta(days=30)


@app.command("list")
def list_grants(
    config: ConfigFile = DEFAULT_CONFIG, group: Group = "", *, as_json: Json = False
) -> None:
    """Say who has elevated access now, and who waits for it."""
    from bot.cli.access_log import grant_json, grant_line
    from bot.cli.access_stored import open_grants

    found = asyncio.run(open_grants(_configured(config, group), group))
    if as_json:
        print_json([grant_json(one) for one in found])
        return
    _print([grant_line(one) for one in found] or ["Nobody has elevated access."])


@app.command()
def log(
    config: ConfigFile = DEFAULT_CONFIG,
    *,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="group=, person=, grant= or what=, as often as needed."),
    ] = None,
    since: Annotated[str, typer.Option(help="An ISO 8601 time; 30 days ago when left out.")] = "",
    until: Annotated[str, typer.Option(help="An ISO 8601 time; now when left out.")] = "",
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print it for a spreadsheet.")] = False,
) -> None:
    """Print the ledger: every request, answer, grant, end and alarm, oldest first."""
    from bot.cli import access_log
    from bot.cli.access_stored import ledger

    try:
        filters = access_log.read_filters(only or ())
    except ValueError as error:
        raise fail(str(error)) from None
    end = instant(until)
    start = instant(since) if since else end - _USUAL
    found = asyncio.run(ledger(_configured(config), start, end, filters.get("grant", "")))
    chosen = access_log.chosen(found, filters)
    if as_json:
        print_json([access_log.entry_json(one) for one in chosen])
    elif as_csv:
        typer.echo(access_log.entries_csv(chosen), nl=False)
    else:
        _print([access_log.entry_line(one) for one in chosen] or ["Nothing is written of that."])


@app.command()
def report(
    config: ConfigFile = DEFAULT_CONFIG,
    month: Annotated[str, typer.Option(help="Like 2026-11; the last one when left out.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Review a month: every grant, its reason and length, and what nobody used."""
    from bot.cli import access_log
    from bot.cli.access_stored import grants_since
    from rules.access.review import review

    loaded, now = _configured(config), SystemClock().now()
    try:
        start, end = access_log.month_of(month, now)
    except ValueError:
        raise fail(f'"{month}" is no month; write it like 2026-11.') from None
    groups = {name: spec.rules(name, _key(loaded)) for name, spec in loaded.access_groups.items()}
    grants = asyncio.run(grants_since(loaded, start))
    found = review(grants, groups, start=start, end=end, now=now)
    if as_json:
        print_json(access_log.review_json(found))
    else:
        _print(access_log.review_lines(found))


@app.command()
def revoke(
    grant: Annotated[str, typer.Argument(help="Its id, as `watchbill access list` shows it.")],
    config: ConfigFile = DEFAULT_CONFIG,
    why: Why = "",
) -> None:
    """End one grant through the running bot, and wait until it is seen gone."""
    from bot.cli.access_stored import revoke_one

    done, told = asyncio.run(revoke_one(_configured(config), grant, why))
    _print([told])
    raise typer.Exit(0 if done else 1)


@app.command("revoke-all")
def revoke_all(
    config: ConfigFile = DEFAULT_CONFIG,
    group: Group = "",
    why: Why = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Of shared groups too: all who are not permanent.")
    ] = False,
) -> None:
    """Take everybody out at once, straight at the back-ends: Slack and the database may be down."""
    from bot.cli.access_emergency import Emergency, summary, take_out

    loaded = _configured(config, group)
    names = [group] if group else list(loaded.access_groups)
    if not yes:
        typer.confirm(f"Take everybody out of {', '.join(names)}?", abort=True)
    asked = Emergency(loaded, names, group, why, everybody=everybody)
    outcome = asyncio.run(take_out(asked))
    _print(summary(outcome))
    raise typer.Exit(0 if outcome.done else 1)


@app.command()
def reconcile(
    config: ConfigFile = DEFAULT_CONFIG,
    group: Group = "",
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare every group with the ledger: say what differs, or have the running bot mend it."""
    from bot.cli.access_emergency import differences
    from bot.cli.access_stored import ask_to_reconcile

    loaded = _configured(config, group)
    names = [group] if group else list(loaded.access_groups)
    if not dry_run:
        asyncio.run(ask_to_reconcile(loaded, names))
        _print([f"A running bot compares {', '.join(names)} within seconds."])
        return
    found = asyncio.run(differences(loaded, names))
    if as_json:
        print_json([one.json() for one in found])
    else:
        _print([line for one in found for line in one.lines()])
    raise typer.Exit(1 if any(one.trouble for one in found) else 0)


def _configured(path: ConfigFile, group: str = "") -> Config:
    loaded, _ = configuration(path)
    if not loaded.access_groups:
        raise fail("There are no `access_groups` in the configuration.")
    if group and group not in loaded.access_groups:
        known = ", ".join(loaded.access_groups)
        raise fail(f"There is no group {group}; there is {known}.")
    return loaded


def _key(config: Config) -> Find:
    people = config.directory()
    return lambda written: people.find(written).key


def _print(lines: list[str]) -> None:
    for line in lines:
        screen.print(line, markup=False, highlight=False, soft_wrap=True)
