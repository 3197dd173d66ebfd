"""`watchbill demo`: one night on call, in a folder that is gone afterwards."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from rich.console import Console
from rich.markup import escape

from bot.config.file import Loaded
from bot.demo.aftermath import LAST
from bot.demo.beats import AGAIN
from bot.demo.checks import Check, checks
from bot.demo.player import Player, StoryError
from bot.demo.stage import DemoError, Stage, read_configuration, staged
from bot.demo.story import STORY
from bot.demo.transcript import Transcript, day_and_clock
from bot.logs import set_up_logs
from bot.ports.inbox import NotStoredError
from bot.store.errors import StoreInUseError, StoreUnfitError

SPEED = 20.0
SPEED_ONCE = 120.0
_MOST_LOG_LINES = 15


def play(
    config_path: Path | None,
    environ: Mapping[str, str],
    *,
    speed: float | None = None,
    once: bool = False,
    verbose: bool = False,
) -> int:
    """Play the night; returns the exit status.

    `once` prints a transcript and checks it; otherwise it runs until Ctrl-C. `speed` is how
    many minutes of the night pass in one.
    """
    console = Console(highlight=False, soft_wrap=True)
    wanted = speed or (SPEED_ONCE if once else SPEED)
    try:
        loaded = read_configuration(config_path, environ)
        with TemporaryDirectory(prefix="watchbill-demo-") as name:
            folder = Path(name)
            log = folder / "watchbill.log"
            with log.open("w", encoding="utf-8") as stream:
                set_up_logs(stream=sys.stderr if verbose else stream)
                try:
                    status = asyncio.run(_play(loaded, folder, wanted, console, once=once))
                finally:
                    set_up_logs(level="error")
            if status and not verbose:
                _print_log(log, console)
        if not once and status == 0:
            console.print("\nThe demo has ended; nothing is left behind.")
        return status
    except KeyboardInterrupt:
        return 130 if once else 0
    except ExceptionGroup as several:
        console.print(f"[red]The bot stopped:[/red] {escape(repr(several.exceptions[0]))}")
        return 1
    except (DemoError, StoreInUseError, StoreUnfitError, NotStoredError, OSError) as error:
        console.print(f"[red]The demo cannot be played.[/red] {escape(str(error))}")
        return 1


async def _play(loaded: Loaded, folder: Path, speed: float, console: Console, *, once: bool) -> int:
    async with (
        _interruptible() as interrupted,
        staged(loaded, folder, speed) as stage,
        aiohttp.ClientSession() as http,
        asyncio.TaskGroup() as group,
    ):
        work = _once(stage, http, console) if once else _live(stage, http, console, folder)
        playing = group.create_task(work)
        stopped = group.create_task(interrupted.wait())
        await asyncio.wait({playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not playing.done():
            playing.cancel()
            return 130 if once else 0
        return await playing
    raise AssertionError("not reached")


@asynccontextmanager
async def _interruptible() -> AsyncIterator[asyncio.Event]:
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, event.set)
    yield event


async def _live(stage: Stage, http: aiohttp.ClientSession, console: Console, folder: Path) -> int:
    """Tell the story line by line, then let the clock go on."""

    def tell(text: str) -> None:
        console.print(f"[dim]{day_and_clock(stage.clock.now())}[/dim]  {escape(text)}")

    _introduce(stage, console, folder)
    player = Player(stage, http, tell=tell, strict=False)
    for beat in STORY:
        try:
            await player.play(beat)
        except (StoryError, TimeoutError, aiohttp.ClientError) as error:
            tell(f"That went wrong ({str(error) or type(error).__name__}); the night goes on.")
    console.print()
    if AGAIN in player.played.numbers:
        now = day_and_clock(stage.clock.now())
        console.print(f"[dim]{now}[/dim]  [bold]{escape(player.words(LAST))}[/bold]")
    _show_pages(stage, console)
    return await asyncio.Future()


def _show_pages(stage: Stage, console: Console) -> None:
    url = stage.application.url
    console.print()
    console.print(f"  The table of issues      [bold cyan]{url}/issues[/bold cyan]")
    console.print(f"  The journal              [bold cyan]{url}/journal[/bold cyan]")
    console.print("                           Type /oncall issues in Slack: its link signs you in.")


def _introduce(stage: Stage, console: Console, folder: Path) -> None:
    hook = stage.source("generic")
    url = f"{stage.application.url}/hooks/{hook.name}"
    send = f"curl -H 'Authorization: Bearer {hook.secret.get_secret_value()}'"
    body = '{"title": "Nightly export failed", "severity": "high"}'
    console.print()
    console.print(
        f"[bold]Watchbill[/bold]: one night on call, {stage.speed:g} times as fast. Ctrl-C ends it."
    )
    for remark in stage.remarks:
        console.print(f"  [yellow]{escape(remark)}[/yellow]")
    console.print()
    console.print(f"  Slack, in your browser   [bold cyan]{stage.workspace.url}[/bold cyan]")
    console.print(
        f"                           You start as {_viewer(stage)}; switch at the lower left."
    )
    console.print(f"  The bot                  {stage.application.url}  (/readyz, /metrics)")
    console.print(f"  Its log                  {folder / 'watchbill.log'}")
    console.print(f"  An alert of your own     {escape(send)} \\")
    console.print(f"                             -d '{escape(body)}' {url}")
    console.print()


def _viewer(stage: Stage) -> str:
    people = stage.workspace.workspace.users.values()
    return next(user.real_name for user in people if not user.is_bot)


async def _once(stage: Stage, http: aiohttp.ClientSession, console: Console) -> int:
    """Play everything, print what the workspace received, check it."""
    began = stage.watcher.workspace.stopwatch()
    transcript = Transcript(stage, console)
    player = Player(stage, http, tell=transcript.tell, strict=True)
    transcript.played = player.played
    try:
        for beat in STORY:
            await player.play(beat)
            transcript.catch_up()
    except (StoryError, OSError, TimeoutError, aiohttp.ClientError) as error:
        transcript.catch_up()
        why = str(error) or type(error).__name__
        console.print(f"\n[red]✗ The story stopped:[/red] {escape(why)}")
        return 1
    took = stage.watcher.workspace.stopwatch() - began
    return _report(await checks(stage, player.played), console, took)


def _report(found: list[Check], console: Console, took: float) -> int:
    console.print()
    for check in found:
        mark = "[green]✓[/green]" if check.held else "[red]✗[/red]"
        fault = f": [red]{escape(check.fault)}[/red]" if check.fault else ""
        console.print(f"{mark} {escape(check.promise)}{fault}")
    wrong = [check for check in found if not check.held]
    console.print()
    if wrong:
        console.print(f"[red]{len(wrong)} of {len(found)} checks failed.[/red]")
        return 1
    console.print(f"All {len(found)} checks held, in {took:.0f} s.")
    return 0


def _print_log(log: Path, console: Console) -> None:
    lines = log.read_text(encoding="utf-8").splitlines()
    worth = [line for line in lines if '"level": "info"' not in line]
    if worth:
        console.print("\nFrom the bot's log:")
        for line in worth[-_MOST_LOG_LINES:]:
            console.print(escape(line))
