"""The commands of `watchbill calendar`: preview, export, links, status, sync."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.output import errors, fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json
from bot.clock import SystemClock
from bot.config.settings import Config
from rules.nearest import did_you_mean
from rules.rotation import OnCall

if TYPE_CHECKING:  # the bot's parts are needed by some commands, and all would wait for them
    from bot.ports.calendars import Following
    from bot.roster.roster import Roster

Rotation = Annotated[str, typer.Option("--rotation", help="Only this rotation.")]

app = typer.Typer(help="Feeds and shared calendars of the roster.", no_args_is_help=True)


@app.command()
def preview(
    config: ConfigFile = DEFAULT_CONFIG,
    rotation: Rotation = "",
    days: Annotated[int, typer.Option(min=1, max=180, help="How many days to draw.")] = 28,
    *,
    as_json: Json = False,
) -> None:
    """Draw who is on call in the coming weeks, with gaps in red."""
    from bot.cli.calendar_picture import preview_json, preview_picture

    loaded, _ = configuration(config)
    now = SystemClock().now()
    roster = _roster(loaded, now)
    on_call = _on_call(loaded, now, roster)
    rotations = [_rotation(on_call, rotation)] if rotation else list(on_call.rotations)
    if roster is None or not rotations:
        raise fail("The roster is empty: there is nothing to draw.")
    if as_json:
        print_json(preview_json(on_call, rotations, now, now + timedelta(days=days)))
        return
    people = roster.file.people
    for name in rotations:
        screen.print(
            preview_picture(on_call, name, people, now, days, roster.zone(name)),
            highlight=False,
        )


@app.command()
def export(
    to: Annotated[Path, typer.Option("-o", "--output", help="The .ics file to write.")],
    config: ConfigFile = DEFAULT_CONFIG,
    rotation: Rotation = "",
    person: Annotated[str, typer.Option("--person", help="Only this person's shifts.")] = "",
) -> None:
    """Write the calendar into a file, as the feed tells it now."""
    from bot.app.calendars import feed_of, window
    from bot.calendar.addresses import ALL, feed_of_person, feed_of_rotation
    from bot.cli.stored import published
    from rules.calendar.event import events_of
    from rules.calendar.ledger import publish

    loaded, _ = configuration(config)
    now = SystemClock().now()
    on_call, (start, end) = _on_call(loaded, now), window(loaded.calendar, now)
    events = events_of(on_call.all_spans(), start, end)
    told = publish(asyncio.run(published(loaded)), events, now, start).published
    people = loaded.directory()
    if person:
        feed = feed_of_person(_person(loaded, person))
    else:
        feed = feed_of_rotation(_rotation(on_call, rotation)) if rotation else ALL
    text = feed_of(feed, told, people, on_call, loaded.base_url)
    try:
        to.write_bytes(text)
    except OSError as error:
        raise fail(f"{to} cannot be written: {error.strerror or error}.") from error
    errors.print(f"Wrote {to}.", markup=False, highlight=False)


@app.command()
def links(
    config: ConfigFile = DEFAULT_CONFIG,
    revoke: Annotated[
        str, typer.Option("--revoke", help="End the address of this feed, and print the new one.")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """Print the secret addresses of the feeds; --revoke ends one."""
    from bot.calendar.addresses import Addresses, feed_of_person
    from bot.cli.stored import revocations, revoke_feed

    loaded, _ = configuration(config)
    secret = loaded.calendar.secret.get_secret_value()
    if not secret:
        raise fail("There are no feeds: set `calendar.secret` in the configuration first.")
    feeds = _feeds(loaded)
    if revoke:
        feed = _feed(loaded, feeds, revoke)
        asyncio.run(revoke_feed(loaded, feed))
        feeds = {revoke: feed}
    addresses = Addresses(secret, loaded.base_url, asyncio.run(revocations(loaded)))
    found = {name: addresses.link(feed) for name, feed in feeds.items()}
    if as_json:
        print_json({"links": found})
        return
    for name, link in found.items():
        screen.print(f"{name}: {link}", markup=False, highlight=False, soft_wrap=True)
    if revoke:
        words = "The old address ends within seconds; send the new one to whoever may read it."
        errors.print(words, markup=False, highlight=False)
    elif not any(feed == feed_of_person(key) for key, feed in feeds.items()):
        errors.print("Nobody is listed under `people:`.", markup=False, highlight=False)


@app.command()
def status(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Say how far the shared calendars are behind the roster, and why."""
    from bot.cli.stored import followings

    loaded, _ = configuration(config)
    now = SystemClock().now()
    google = loaded.calendar.google
    if google is None:
        raise fail("No calendar is shared: set `calendar.google` in the configuration first.")
    known = {one.name: one for one in asyncio.run(followings(loaded))}
    found = {name: known.get(name) for name in google.calendars}
    if as_json:
        print_json({"calendars": [_state_json(name, one, now) for name, one in found.items()]})
    else:
        for name, one in found.items():
            screen.print(_state_text(name, one, now), markup=False, highlight=False, soft_wrap=True)
    good = (
        one is not None and one.behind_since is None and not one.problem for one in found.values()
    )
    raise typer.Exit(0 if all(good) else 1)


@app.command()
def sync(config: ConfigFile = DEFAULT_CONFIG, rotation: Rotation = "") -> None:
    """Write the shared calendars now, and wait until they show the roster."""
    from bot.cli.calendar_sync import sync_now

    loaded, _ = configuration(config)
    if loaded.calendar.google is None:
        raise fail("No calendar is shared: set `calendar.google` in the configuration first.")
    shared = loaded.calendar.google.calendars
    if rotation and rotation not in shared:
        raise fail(f'No calendar is shared for "{rotation}"{did_you_mean(rotation, shared)}')
    on_call = _on_call(loaded, SystemClock().now())
    wanted = [rotation] if rotation else list(shared)
    lines, good = asyncio.run(sync_now(loaded, loaded.calendar.google, on_call, wanted))
    for line in lines:
        screen.print(line, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(0 if good else 1)


def _roster(config: Config, now: datetime) -> "Roster | None":
    from bot.cli.roster import roster_now
    from bot.cli.stored import accepted_plans

    return roster_now(config, now, asyncio.run(accepted_plans(config, now)))


def _on_call(config: Config, now: datetime, roster: "Roster | None" = None) -> OnCall:
    from bot.cli.stored import past_changes

    roster = roster or _roster(config, now)
    changes = asyncio.run(past_changes(config, now))
    return roster.on_call(changes, now) if roster else OnCall()


def _rotation(on_call: OnCall, written: str) -> str:
    if written not in on_call.rotations:
        hint = did_you_mean(written, on_call.rotations)
        raise fail(f'The roster has no rotation "{written}"{hint}')
    return written


def _person(config: Config, written: str) -> str:
    try:
        return config.directory().find(written).key
    except ValueError as error:
        raise fail(str(error)) from error


def _feeds(config: Config) -> Mapping[str, str]:
    from bot.calendar.addresses import ALL, feed_of_person, feed_of_rotation

    on_call = _on_call(config, SystemClock().now())
    feeds = {ALL: ALL}
    feeds |= {name: feed_of_rotation(name) for name in on_call.rotations}
    return feeds | {person.key: feed_of_person(person.key) for person in config.directory()}


def _feed(config: Config, feeds: Mapping[str, str], written: str) -> str:
    from bot.calendar.addresses import feed_of_person

    return feeds.get(written) or feed_of_person(_person(config, written))


def _state_text(name: str, state: "Following | None", now: datetime) -> str:
    if state is None:
        return f"{name}: not written yet; is the bot running?"
    at = f"{state.synced_at:%Y-%m-%d %H:%M:%S} UTC" if state.synced_at else "never"
    lag = f"{state.lag(now):.0f} s behind" if state.behind_since else "in step"
    text = f"{name}: {lag}; {state.events} events, {state.writes} writes, last compared {at}"
    return f"{text}\n  {state.problem}" if state.problem else text


def _state_json(name: str, state: "Following | None", now: datetime) -> dict[str, object]:
    if state is None:
        return {"rotation": name, "synced_at": None, "problem": "not written yet"}
    return {
        "rotation": name,
        "calendar": state.calendar,
        "synced_at": state.synced_at.isoformat() if state.synced_at else None,
        "lag_seconds": state.lag(now),
        "problem": state.problem,
        "events": state.events,
        "writes": state.writes,
    }
