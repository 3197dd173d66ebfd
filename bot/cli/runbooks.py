"""The commands of `watchbill runbooks`: list, check, gaps."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from bot.cli.configuration import configuration
from bot.cli.output import errors, fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json
from bot.clock import SystemClock
from bot.config.settings import Config
from rules.sentence import counted, plain

if TYPE_CHECKING:  # only one command needs the readers
    from bot.runbooks.reading import RunbooksRead
    from rules.runbooks.gaps import RunbookGap

app = typer.Typer(help="Runbooks: what to try for which incident.", no_args_is_help=True)


@app.command("list")
def list_runbooks(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """List the runbooks, what each is for, and when it was last reviewed."""
    read = _read(configuration(config)[0])
    _tell_faults(read)
    rows = [
        {
            "id": one.id,
            "title": one.title,
            "owner": one.owner,
            "reviewed_on": one.reviewed_on.isoformat() if one.reviewed_on else "",
            "matches": {
                side: list(names)
                for side in ("product", "asset", "category", "source")
                if (names := getattr(one.matches, side))
            },
            "steps": len(one.steps),
        }
        for one in read.runbooks
    ]
    if as_json:
        print_json({"runbooks": rows})
        return
    for row in rows:
        _print(f"{row['id']}  {row['title']}  ({row['owner']}, reviewed on {row['reviewed_on']})")
    _print(counted(len(rows), "runbook"))


@app.command()
def check(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Check every runbook; each fault comes with its file and line."""
    read = _read(configuration(config)[0])
    if as_json:
        faults = [{"file": f.file, "line": f.line, "message": f.message} for f in read.faults]
        warned = [{"file": f.file, "line": f.line, "message": f.message} for f in read.warnings]
        print_json({"ok": not read.faults, "faults": faults, "warnings": warned})
    else:
        for fault in (*read.faults, *read.warnings):
            _print(str(fault))
        _print(f"{len(read.runbooks)} runbooks, {len(read.faults)} faults")
    if read.faults:
        raise typer.Exit(1)


@app.command()
def gaps(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """List runbooks that are missing or stale, and who is to mend them."""
    from rules.runbooks.gaps import gap_sentence

    found = asyncio.run(_gaps(configuration(config)[0]))
    if as_json:
        rows = [
            {
                "kind": gap.kind.value,
                "subject": gap.subject,
                "owner": gap.owner,
                "incident": gap.number or None,
                "since": gap.opened_at.isoformat(),
                "reminders": gap.nudges,
            }
            for gap in found
        ]
        print_json({"gaps": rows})
        return
    for gap in found:
        owner = f" Owner: {gap.owner}." if gap.owner else " It has no owner."
        _print(f"{gap_sentence(gap).render(plain)}{owner}")
    _print(counted(len(found), "gap"))


async def _gaps(config: Config) -> "Sequence[RunbookGap]":
    """Return the stored gaps, with those of the files as they are now in place of stored ones."""
    from bot.catalogue.reading import read_catalogue
    from bot.cli.stored import beside
    from rules.runbooks.gaps import GapKind, stale_gaps, still_missing

    read = _read(config)
    _tell_faults(read)
    runbooks = read.runbooks
    async with beside(config, SystemClock()) as store:
        stored, last = await store.runbooks.gaps(), await store.runbooks.last_uses()
    known = {gap.key: gap for gap in stored}
    now = SystemClock().now()
    stale = stale_gaps(runbooks, last, now, config.runbooks.review_after)
    catalogue = read_catalogue(config.catalogue).catalogue
    asked = [gap for gap in stored if gap.kind is GapKind.MISSING]
    missing = [gap for gap in asked if still_missing(gap, runbooks, catalogue)]
    return [*missing, *(known.get(gap.key, gap) for gap in stale)]


def _read(config: Config) -> "RunbooksRead":
    from bot.runbooks.reading import read_runbooks

    spec = config.runbooks
    if not spec.folders:
        raise fail("No runbooks are configured: name their folder in `runbooks.folders`.")
    return read_runbooks(spec.folders, tuple(spec.actions), link=spec.link)


def _tell_faults(read: "RunbooksRead") -> None:
    """Say which files are left out, beside what the others say."""
    for fault in read.faults:
        errors.print(str(fault), style="red", markup=False, highlight=False, soft_wrap=True)


def _print(text: str) -> None:
    screen.print(text, markup=False, highlight=False, soft_wrap=True)
