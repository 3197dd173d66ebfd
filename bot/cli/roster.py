"""Who is on call, for commands: the roster file alone, or with the overrides of the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.app.rules_in_force import roster_file
from bot.cli.output import fail
from bot.config import Config
from bot.ports import StoredOverride
from bot.roster.roster import Roster
from rules.rotation import OnCall
from rules.who import NotInRosterError, who, who_json, who_text


def on_call_now(config: Config, now: datetime, overrides: Sequence[StoredOverride] = ()) -> OnCall:
    """Return who is on call by the roster file and `overrides`; empty without a roster."""
    file = roster_file(config, config.directory())
    if file is None:
        return OnCall()
    file.load(now)
    return Roster(file).on_call(overrides, now)


def who_is(
    config: Config, on_call: OnCall, at: datetime, rotation: str
) -> tuple[list[dict[str, Any]], str]:
    """Return the answer as JSON and as text; ends the command on an unknown rotation."""
    try:
        answers = who(on_call, config.directory(), at, rotation=rotation)
    except NotInRosterError as error:
        raise fail(str(error)) from error
    zones = {name: spec.zone for name, spec in config.rotations.items()}
    return who_json(answers), who_text(answers, zones) or "The roster is empty: nobody is on call."
