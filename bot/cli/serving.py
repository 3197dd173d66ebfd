"""Commands that run or change something: serve, demo, send, replay, migrate, outbox."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.output import errors, fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json
from bot.config.settings import environment
from bot.lasting import lasting


def serve(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Run the bot until it is told to stop."""
    with lasting():
        from bot.app.serving import serve as run  # the whole bot: only this command needs it

        loaded, parts = configuration(config)
    raise typer.Exit(run(loaded, parts))


def demo(
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The shipped one when left out.")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(min=1, max=200, help="Minutes of the night that pass in a minute."),
    ] = None,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Play the story, print it, check it, end.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log to this terminal.")] = False,
) -> None:
    """Watch a night on call in a local Slack workspace, in your browser."""
    from bot.demo.playing import play  # the whole bot and the workspace

    raise typer.Exit(play(config, environment(), speed=speed, once=once, verbose=verbose))


def local_google(
    config: ConfigFile = DEFAULT_CONFIG,
    listen: Annotated[
        str, typer.Option(help="Where; this machine only. A port of 0 takes a free one.")
    ] = "127.0.0.1:8070",
    key: Annotated[
        Path, typer.Option(help="Where the key of its service account is written.")
    ] = Path("local-google-key.json"),
) -> None:
    """Try Google Sheets and Calendar without an account: both on this machine, with a page."""
    from bot.app.local_google import KeyInTheWayError, LocalGoogleSetting, run_local_google
    from bot.cli.roster import template_setting
    from bot.clock import SystemClock
    from bot.local_google.server import NotLoopbackError
    from bot.roster.template import Layout, template_tabs

    setting = template_setting(configuration(config)[0] if config.exists() else None)
    host, _, port = listen.rpartition(":")
    if not (host and port.isascii() and port.isdecimal() and int(port) < 65536):
        raise fail(f"{listen} is no address; write it like 127.0.0.1:8070.")

    def say(text: str) -> None:
        screen.print(text, markup=False, highlight=False, soft_wrap=True)

    tabs = template_tabs(setting, Layout.GRID, SystemClock().now())
    chosen = LocalGoogleSetting(
        tabs=tabs, rotation=setting.rotation, key=key, host=host, port=int(port)
    )
    try:
        run_local_google(chosen, say)
    except (KeyInTheWayError, NotLoopbackError) as error:
        raise fail(str(error)) from error
    except OSError as error:
        why = error.strerror or error
        raise fail(f"It cannot start: {why}. Name another place with --listen or --key.") from error


def send(
    files: Annotated[list[Path], typer.Argument(help="Bodies; for dbt its artefacts.")],
    source: Annotated[str, typer.Option("--source", help="The configured source's name.")],
    config: ConfigFile = DEFAULT_CONFIG,
    url: Annotated[str, typer.Option(help="Where the bot is; else from the file.")] = "",
    manifest: Annotated[
        Path | None, typer.Option(help="dbt's manifest.json; found beside the artefact.")
    ] = None,
    target: Annotated[str, typer.Option(help="dbt's target, where the artefact lacks it.")] = "",
) -> None:
    """Send a payload, or dbt's results, to a running bot."""
    from bot.send import Destination
    from bot.send import send as deliver

    loaded, _ = configuration(config)
    spec = loaded.source(source)
    if spec is None:
        names = ", ".join(one.name for one in loaded.sources) or "none"
        raise fail(f'No source is called "{source}"; there are: {names}.')
    base = (url or loaded.base_url).rstrip("/")
    destination = Destination(
        source=source,
        kind=spec.kind,
        url=f"{base}/hooks/{source}",
        secret=spec.secret.get_secret_value(),
    )

    def say(text: str) -> None:
        errors.print(text, markup=False, highlight=False, soft_wrap=True)

    raise typer.Exit(deliver(files, destination, say=say, manifest=manifest, target=target))


def replay(
    delivery: Annotated[str, typer.Argument(help="The id that was answered with 202.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Read a stored delivery again, after a parser was fixed."""
    from bot.cli.stored import replay_delivery

    loaded, _ = configuration(config)
    screen.print(asyncio.run(replay_delivery(loaded, delivery)), markup=False, soft_wrap=True)


def migrate(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Bring the database to this version's tables; `serve` does that by itself."""
    from bot.cli.stored import migrate_database

    loaded, _ = configuration(config)
    screen.print(asyncio.run(migrate_database(loaded)), markup=False, soft_wrap=True)


def outbox_dead(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """List what could not be delivered and was given up, and why."""
    from bot.cli.stored import dead_jobs

    loaded, _ = configuration(config)
    dead = asyncio.run(dead_jobs(loaded))
    if as_json:
        print_json(dead)
        return
    for job in dead:
        screen.print(
            f"{job['id']}  {job['kind']}  {job['key']}: {job['why']}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    screen.print(f"{len(dead)} given up", highlight=False)


def outbox_retry(
    job: Annotated[str, typer.Argument(help="The id that `outbox dead` shows.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Try again what was given up."""
    from bot.cli.stored import retry_job

    loaded, _ = configuration(config)
    screen.print(asyncio.run(retry_job(loaded, job)), markup=False, soft_wrap=True)
