"""`watchbill roster load` and `watchbill roster changes`: how on-call is spread, who changed it."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.configuration import configuration
from bot.cli.output import errors, fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json, instant
from bot.clock import SystemClock

_WEEKS = timedelta(weeks=4)
_LONGEST = timedelta(days=366)
_SHOWN = 200

From = Annotated[str, typer.Option("--from", help="An ISO 8601 time; four weeks ago.")]
To = Annotated[str, typer.Option("--to", help="An ISO 8601 time; now when left out.")]


def load(
    config: ConfigFile = DEFAULT_CONFIG,
    start: From = "",
    end: To = "",
    rotation: Annotated[str, typer.Option("--rotation", help="Only this rotation.")] = "",
    png: Annotated[Path | None, typer.Option("--png", help="Draw it into this file.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Say who carries how much of on-call, and what would even out the next four weeks."""
    from bot.cli.roster import roster_now
    from bot.cli.stored import accepted_plans, weighed_load
    from rules.schedule.evening_out import proposal_rows, proposal_text
    from rules.schedule.load_report import report_json, report_text
    from rules.schedule.who import NotInRosterError, find_rotation
    from rules.sentence import duration_text

    loaded, _ = configuration(config)
    now = SystemClock().now()
    begins, ends = _period(start, end, now)
    roster = roster_now(loaded, now, asyncio.run(accepted_plans(loaded, begins)))
    if roster is None:
        raise fail("There is no `roster` in the configuration.")
    people = roster.file.people
    if rotation:
        try:
            rotation = find_rotation(roster.on_call((), now), rotation)
        except NotInRosterError as error:
            raise fail(str(error)) from error
    found = asyncio.run(weighed_load(loaded, roster, begins, ends, now, rotation))
    if begins < now - loaded.retention:
        known = f"Pages are kept for {duration_text(loaded.retention)} (`retention`)"
        errors.print(f"{known}: those before that are not counted.", markup=False, soft_wrap=True)
    if png is not None:
        _draw(png, found.report, people, rotation)
    if as_json:
        moves = [_move_json(move) for move in found.proposal.moves]
        before, after = round(found.proposal.before, 4), round(found.proposal.after, 4)
        proposal = {"evenness_before": before, "evenness_after": after, "moves": moves}
        print_json({**report_json(found.report), "proposal": proposal})
        return
    told = [report_text(found.report, people), "", proposal_text(found.proposal, people)]
    if found.proposal.moves:
        told += ["", "As rows of the Overrides tab:", proposal_rows(found.proposal, people)]
    screen.print("\n".join(told), markup=False, highlight=False, soft_wrap=True)


def changes(
    config: ConfigFile = DEFAULT_CONFIG, start: From = "", *, as_json: Json = False
) -> None:
    """List who changed the rotation in Slack: when, what, and who was on call before and after."""
    from bot.cli.stored import roster_changes

    loaded, _ = configuration(config)
    since = instant(start) if start else SystemClock().now() - _WEEKS
    found = asyncio.run(roster_changes(loaded, since, _SHOWN))
    if as_json:
        print_json(found)
        return
    for one in found:
        text = "{at}  {by}: {what}, {rotation} {role} {from} to {to}: {before} -> {after}".format(
            **one
        )
        screen.print(text, markup=False, highlight=False, soft_wrap=True)
    if not found:
        screen.print("Nobody has changed the rotation in that time.")


def _period(start: str, end: str, now: datetime) -> tuple[datetime, datetime]:
    ends = instant(end) if end else now
    begins = instant(start) if start else ends - _WEEKS
    if not timedelta(0) < ends - begins <= _LONGEST:
        raise fail("--to must come after --from, by a year at most.")
    return begins, ends


def _draw(to: Path, report: Any, people: Any, rotation: str) -> None:
    # drawing is heavy, and most of these commands draw nothing
    from bot.picture.load_drawing import load_svg
    from bot.picture.raster import DrawingError, png_of

    def named(key: str) -> str:
        return str(people.by_key(key).name)

    title = f"On-call load of {rotation or 'all rotations'}"
    try:
        to.write_bytes(png_of(load_svg(report, named, title)))
    except DrawingError as error:
        raise fail(f"It could not be drawn: {error}") from error
    except OSError as error:
        raise fail(f"{to} cannot be written: {error.strerror or error}.") from error
    errors.print(f"Wrote {to}.", markup=False, highlight=False)


def _move_json(move: Any) -> dict[str, Any]:
    return {
        "rotation": move.slot.rotation,
        "role": move.slot.role,
        "from": move.slot.starts_at.isoformat(),
        "to": move.slot.ends_at.isoformat(),
        "person": move.taker,
        "instead_of": move.giver,
    }
