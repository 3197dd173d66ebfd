"""Loads the configuration for a command, or ends it with every fault and its place."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.check import CatalogueFindings, RosterFindings
from bot.cli.output import errors, fail
from bot.config.file import Loaded, load
from bot.config.settings import Config, environment
from rules.documents.rulebook_parts import RulebookParts
from rules.documents.yaml_document import Fault
from rules.schedule.resolution import roles_of

if TYPE_CHECKING:  # the readers of rosters are heavy, and most commands need none
    from bot.roster.roster import RosterFile

_SOON = timedelta(days=14)


def configuration(path: Path) -> tuple[Config, RulebookParts]:
    """Return a configuration without faults; otherwise print them all and end with status 1."""
    loaded: Loaded = load(path, environment())
    if loaded.config is None or loaded.parts is None:
        for fault in loaded.faults:
            errors.print(str(fault), style="red", markup=False, highlight=False, soft_wrap=True)
        count = len(loaded.faults)
        faults = "1 fault" if count == 1 else f"{count} faults"
        raise fail(f"{faults}; correct {path}, then try again.")
    return loaded.config, loaded.parts


class _Tokenless(dict[str, str]):
    """An environment in which every missing variable is there, for what needs no secret."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return f"unset-{name}"


def without_secrets(path: Path) -> Config:
    """Return the configuration as it will be once its variables are set."""
    loaded = load(path, _Tokenless(environment()))
    if loaded.config is None:
        raise fail("\n".join(str(fault) for fault in loaded.faults))
    return loaded.config


def read_roster(config: Config) -> RosterFindings:
    """Read the configured roster for `check`: its faults, its warnings and its roles."""
    from bot.app.roster.source import close_roster
    from bot.app.rules_in_force import roster_file  # pulls in the readers, not needed to fail fast
    from bot.clock import SystemClock
    from bot.roster.table import Severity

    file = roster_file(config, config.directory())
    if file is None:
        return RosterFindings()
    now = SystemClock().now()
    loaded, problems = file.load(now), file.check(now)
    close_roster(file)
    name = config.roster or file.name
    worst = [p for p in problems if p.severity is Severity.ERROR]
    others = [p for p in problems if p.severity is not Severity.ERROR]
    roles = {name: set(roles_of(plan)) for name, plan in loaded.newest.items()}
    alone = slack_alone(config, file, now)
    return RosterFindings(
        faults=tuple(Fault(name, 0, 0, str(p)) for p in worst),
        warnings=tuple(Fault(name, 0, 0, words) for words in (*map(str, others), *alone)),
        roles={rotation: frozenset(found) for rotation, found in roles.items()},
    )


def slack_alone(config: Config, file: "RosterFile", now: datetime) -> list[str]:
    """Say who is on call within two weeks and can be reached by Slack alone."""
    from bot.app.contact_side import contacts_of  # what sends: only where a roster is read
    from bot.roster.roster import Roster

    contacts = contacts_of(config, file.people)
    if not contacts.configured:
        return []
    spans = Roster(file).on_call((), now).all_spans()
    soon = {who for s in spans if s.end > now and s.start < now + _SOON for who in s.people}
    return [
        f"{file.people.by_key(key).name} is on call within two weeks and can be reached by Slack "
        "alone: add an e-mail, a phone or another address to People"
        for key in sorted(soon)
        if not contacts.when_critical(key)
    ]


def catalogue_findings(config: Config) -> CatalogueFindings:
    """Read the configured catalogue for `check`: its faults, its warnings and its rotations."""
    from bot.catalogue.objectives import unreachable_objectives
    from bot.catalogue.reading import read_catalogue  # only where there is one

    read = read_catalogue(config.catalogue)
    return CatalogueFindings(
        faults=read.faults,
        warnings=(*read.warnings, *unreachable_objectives(read.placed)),
        rotations=tuple(
            (one.product.rotation, one.fault("", "rotation"))
            for one in read.placed
            if one.product.rotation
        ),
        holidays=tuple(
            (one.product.holidays, one.fault("", "holidays"))
            for one in read.placed
            if one.product.holidays
        ),
        products=read.catalogue.products,
    )
