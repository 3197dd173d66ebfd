"""The commands of `watchbill journal`: search, and export for git or a spreadsheet."""

import asyncio
import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.output import fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json
from rules.sentence import counted

if TYPE_CHECKING:
    from bot.config.settings import Config
    from rules.journal.entry import JournalEntry

app = typer.Typer(help="What was learned from past incidents.", no_args_is_help=True)

Words = Annotated[list[str], typer.Argument(help="The words an entry must have.")]
Folder = Annotated[
    Path | None, typer.Option("--markdown", help="Write a Markdown file for each entry in here.")
]
Table = Annotated[Path | None, typer.Option("--csv", help="Write one CSV file.")]


@app.command()
def search(words: Words, config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Show the newest entries that have all these words."""
    from rules.journal.export import COLUMNS, row_of
    from rules.journal.telling import reference

    loaded, _ = configuration(config)
    found = asyncio.run(_found(loaded, " ".join(words)))
    name = _names(loaded)
    if as_json:
        rows = [dict(zip(COLUMNS, row_of(entry, name), strict=True)) for entry in found]
        print_json(rows)
        return
    for entry in found:
        fix = " ".join((entry.told.fix or entry.told.cause).split())
        _print(f"{reference(entry)}  {entry.at:%Y-%m-%d}  {entry.facts.title}\n    {fix}")
    _print(counted(len(found), "entry", "entries"))


@app.command()
def export(
    config: ConfigFile = DEFAULT_CONFIG, *, markdown: Folder = None, table: Table = None
) -> None:
    """Write all entries as Markdown files for git, or as one CSV file."""
    if (markdown is None) == (table is None):
        raise fail("Say where to: --markdown FOLDER or --csv FILE.")
    loaded, parts = configuration(config)
    entries = asyncio.run(_every(loaded))
    name = _names(loaded)
    try:
        if markdown is not None:
            _write_files(markdown, entries, parts.journal.causes, name)
        if table is not None:
            _write_table(table, entries, name)
    except OSError as error:
        raise fail(f"{error.filename}: {error.strerror}") from error
    _print(f"{counted(len(entries), 'entry', 'entries')} written to {markdown or table}")


def _write_files(
    folder: Path,
    entries: Sequence["JournalEntry"],
    causes: Mapping[str, str],
    name: Callable[[str], str],
) -> None:
    from rules.journal.export import file_name, markdown_of

    for entry in entries:
        path = folder / file_name(entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = markdown_of(entry, causes, name)
        path.write_text(text, encoding="utf-8", errors="replace")


def _write_table(path: Path, entries: Sequence["JournalEntry"], name: Callable[[str], str]) -> None:
    from rules.journal.export import COLUMNS, row_of

    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(row_of(entry, name) for entry in entries)


async def _found(config: "Config", query: str) -> Sequence["JournalEntry"]:
    from bot.cli.stored import beside, exists
    from bot.clock import SystemClock

    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return (await store.journal.search(query, size=100)).entries


async def _every(config: "Config") -> Sequence["JournalEntry"]:
    from bot.cli.stored import beside, exists
    from bot.clock import SystemClock

    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return [entry async for entry in store.journal.every_entry()]


def _names(config: "Config") -> Callable[[str], str]:
    people = config.directory()
    return lambda key: (people.by_key(key).name or key) if key else ""


def _print(text: str) -> None:
    screen.print(text, markup=False, highlight=False, soft_wrap=True)
