"""The commands of `watchbill roster`: check, show, confirm, template."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import calendar, loads
from bot.cli.configuration import configuration
from bot.cli.output import errors, fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json
from bot.clock import SystemClock

app = typer.Typer(help="The roster: what is wrong, what is in force, what to start from.",
                  no_args_is_help=True)  # fmt: skip
app.command("show")(calendar.preview)
app.command("load")(loads.load)
app.command("changes")(loads.changes)


@app.command()
def check(
    config: ConfigFile = DEFAULT_CONFIG,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Print every finding, not only ten.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the roster: every cell that cannot be read, and what goes wrong in 14 days."""
    from bot.cli.roster import findings, findings_json
    from bot.cli.stored import row_conflicts

    loaded, _ = configuration(config)
    now = SystemClock().now()
    found = findings(loaded, now, asyncio.run(row_conflicts(loaded, now)))
    if as_json:
        print_json(findings_json(found))
    else:
        for line in found.lines(everything=everything):
            screen.print(line, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if found.errors else 0)


@app.command()
def confirm(
    config: ConfigFile = DEFAULT_CONFIG,
    by: Annotated[str, typer.Option("--by", help="Who says so.")] = "command line",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Say that a version is meant which is held because it would leave nobody on call."""
    from bot.cli.roster import roster_now
    from bot.cli.stored import accepted_plans, confirm_roster

    loaded, _ = configuration(config)
    now = SystemClock().now()
    roster = roster_now(loaded, now, asyncio.run(accepted_plans(loaded, now)))
    if roster is None:
        raise fail("There is no `roster` in the configuration.")
    held = roster.file.loaded
    if not held.held:
        screen.print("No version is held: there is nothing to confirm.")
        return
    for problem in (p for p in held.problems if p.code == "E15"):
        screen.print(str(problem), markup=False, highlight=False, soft_wrap=True)
    if not yes:
        typer.confirm("Is that meant?", abort=True)
    asyncio.run(confirm_roster(loaded, held.version, by, now))
    screen.print(f"Version {held.version} is confirmed; a running bot takes it within seconds.")


@app.command()
def template(
    to: Annotated[Path, typer.Option("-o", "--output", help="A new .xlsx file, or a new folder.")],
    config: ConfigFile = DEFAULT_CONFIG,
    layout: Annotated[
        str, typer.Option(help="How shifts are written: grid (a row a week) or rows (one a shift).")
    ] = "grid",
) -> None:
    """Write a roster to start from, with every tab, into a .xlsx file or a folder of CSV files."""
    from bot.cli.roster import template_setting
    from bot.roster.template import Layout, template_csv, template_tabs, template_xlsx

    if layout not in set(Layout):
        raise fail(f"There is no layout {layout}; use grid or rows.")
    setting = template_setting(configuration(config)[0] if config.exists() else None)
    tabs = template_tabs(setting, Layout(layout), SystemClock().now())
    if to.exists():
        raise fail(f"{to} is there already; it is left as it is.")
    try:
        if to.suffix.lower() == ".xlsx":
            to.write_bytes(template_xlsx(tabs))
        else:
            to.mkdir()
            for title, cells in tabs.items():
                (to / f"{title}.csv").write_bytes(template_csv(cells))
    except OSError as error:
        raise fail(f"{to} cannot be written: {error.strerror or error}.") from error
    errors.print(f"Wrote {to}.", markup=False, highlight=False)
