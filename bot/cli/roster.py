"""Who is on call, for commands: the roster file alone, or with what people changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.app.rules_in_force import roster_file
from bot.cli.output import fail
from bot.config import Config
from bot.roster.roster import Roster
from rules.explanation import explain, why_json, why_text
from rules.roster import Change
from rules.rotation import OnCall
from rules.who import NotInRosterError, find_rotation, who, who_json, who_text

_EMPTY = "The roster is empty: nobody is on call."


def on_call_now(config: Config, now: datetime, changes: Sequence[Change] = ()) -> OnCall:
    """Return who is on call by the roster file and `changes`; empty without a roster."""
    roster = _roster(config, now)
    return roster.on_call(changes, now) if roster else OnCall()


def why_now(
    config: Config, now: datetime, rotation: str, changes: Sequence[Change] = ()
) -> tuple[list[dict[str, Any]], str]:
    """Return why people of a rotation or of all are on call; an unknown one ends the command."""
    roster = _roster(config, now)
    if roster is None:
        return [], _EMPTY
    on_call = roster.on_call(changes, now)
    try:
        names = (find_rotation(on_call, rotation),) if rotation else on_call.rotations
    except NotInRosterError as error:
        raise fail(str(error)) from error
    schedule = roster.schedule(changes)
    found = [why for name in names for why in explain(schedule, name, now)]
    people = config.directory()
    return why_json(found), "\n".join(why_text(why, people) for why in found) or _EMPTY


def _roster(config: Config, now: datetime) -> Roster | None:
    file = roster_file(config, config.directory())
    if file is None:
        return None
    file.load(now)
    return Roster(file)


def who_is(
    config: Config, on_call: OnCall, at: datetime, rotation: str
) -> tuple[list[dict[str, Any]], str]:
    """Return the answer as JSON and as text; ends the command on an unknown rotation."""
    try:
        answers = who(on_call, config.directory(), at, rotation=rotation)
    except NotInRosterError as error:
        raise fail(str(error)) from error
    zones = {name: spec.zone for name, spec in config.rotations.items()}
    return who_json(answers), who_text(answers, zones) or _EMPTY
