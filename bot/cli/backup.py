"""`watchbill backup` and `watchbill restore`: the database to a file while it is used, and back."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.output import errors, fail, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile
from bot.clock import SystemClock
from bot.config.settings import Config, environment
from bot.store.backups.contents import BackupError, Contents, Progress
from bot.store.errors import StoreInUseError, StoreUnfitError
from bot.store.schema import HEAD


def backup(
    file: Annotated[Path, typer.Argument(help="Where to; it must not be there yet.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Copy the database to a file while the bot runs, and check the copy."""
    loaded, _ = configuration(config)
    with _refusals(), _bar() as progress:
        contents = _backed_up(loaded, file, progress)
    size = file.stat().st_size / 1e6
    _say(f"{file}: {size:.1f} MB with {contents}.")


def restore(
    file: Annotated[Path, typer.Argument(help="What `watchbill backup` has written.")],
    config: ConfigFile = DEFAULT_CONFIG,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where there are incidents; they are kept aside.")
    ] = False,
) -> None:
    """Make the database of a backup; no bot may be running on it."""
    loaded, _ = configuration(config)
    with _refusals(), _bar() as progress:
        contents, kept = _restored(loaded, file, progress, replace=replace)
    _say(f"Restored: {contents}.")
    if kept:
        _say(f"What was there before is kept as {kept}; delete it when you no longer need it.")
    if contents.revision != HEAD:
        _say(
            f"It is of an older version (migration {contents.revision}); the next start mends that."
        )
    _say("Before you start the bot, read what a restore means: docs/operations/backup.md.")


def _backed_up(config: Config, file: Path, progress: Progress) -> Contents:
    if database := _sqlite_file(config):
        from bot.store.backups import sqlite

        return sqlite.back_up(database, file, progress)
    from bot.store.backups import postgresql  # with asyncpg, which takes 0.2 s

    around = postgresql.Surroundings(environment(), progress)
    return asyncio.run(postgresql.back_up(config.database, file, around))


def _restored(
    config: Config, file: Path, progress: Progress, *, replace: bool
) -> tuple[Contents, object]:
    now = SystemClock().now()
    if database := _sqlite_file(config):
        from bot.store.backups import sqlite

        return sqlite.restore(file, database, now, progress, replace=replace)
    from bot.store.backups import postgresql  # with asyncpg, which takes 0.2 s

    around = postgresql.Surroundings(environment(), progress)
    return asyncio.run(postgresql.restore(file, config.database, around, now, replace=replace))


def _sqlite_file(config: Config) -> Path | None:
    file = config.database.removeprefix("sqlite:///")
    return None if file == config.database else Path(file)


def _say(text: str) -> None:
    screen.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (BackupError, StoreInUseError, StoreUnfitError) as error:
        raise fail(str(error)) from error


@contextmanager
def _bar() -> Iterator[Progress]:
    """Draw a bar on a terminal, and nothing into a pipe."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Bar(
        *columns, TimeElapsedColumn(), console=errors.console, transient=True,
        disable=not errors.console.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("", total=None)
        update: Callable[..., None] = bar.update
        yield lambda what, done, of: update(
            task, description=what, completed=done, total=of or None
        )
