"""Who is on call and what is wrong with the roster, for commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.app.roster.keeping import in_force, superseded
from bot.app.roster.source import close_roster
from bot.app.rules_in_force import roster_file
from bot.cli.output import errors, fail
from bot.clock import SystemClock
from bot.config.databases import is_shared
from bot.config.settings import Config
from bot.ports.roster_versions import AcceptedPlan
from bot.roster.acceptance import Loaded
from bot.roster.directory import KnownPeople
from bot.roster.files import FileSource
from bot.roster.roster import Roster
from bot.roster.table import MOST_SHOWN, Problem, Severity
from bot.roster.template import Setting
from rules.people import People
from rules.rotation import OnCall
from rules.schedule.explanation import explain, why_json, why_text
from rules.schedule.roster import Change
from rules.schedule.who import NotInRosterError, find_rotation, who, who_json, who_text

_EMPTY = "The roster is empty: nobody is on call."


def roster_now(
    config: Config, now: datetime, accepted: Sequence[AcceptedPlan] = ()
) -> Roster | None:
    """Return the roster as it stands, None when none is configured.

    `accepted` are the versions a bot has in its database: they answer for the past, and stay in
    force where the roster as it stands is refused.
    """
    file = roster_file(config, KnownPeople(config.directory()))
    if file is None:
        return None
    if accepted:
        file.restore(*in_force(accepted))
        if is_shared(config.database) and isinstance(file.source, FileSource):
            file.older = superseded([one.version for one in accepted])
        now = SystemClock().now()  # what is written today is of today, whenever is asked about
    loaded = file.load(now)
    close_roster(file)
    if not loaded.plans:
        for problem in _faults(loaded)[:MOST_SHOWN]:
            errors.print(
                f"{config.roster}: {problem}", markup=False, highlight=False, soft_wrap=True
            )
    return Roster(file, rows_merged=bool(accepted) and config.roster_writes)


def _faults(loaded: Loaded) -> list[Problem]:
    return [problem for problem in loaded.problems if problem.severity is Severity.ERROR]


def refuse_unread(roster: Roster | None) -> None:
    """End a command to which a roster that nobody can read must not seem an empty one."""
    if roster is not None and not roster.file.loaded.plans and _faults(roster.file.loaded):
        raise fail("Who is on call cannot be told: nothing of the roster could be read.")


def why_now(
    roster: Roster | None, now: datetime, rotation: str, changes: Sequence[Change] = ()
) -> tuple[list[dict[str, Any]], str]:
    """Return why people of a rotation or of all are on call; an unknown one ends the command."""
    if roster is None:
        return [], _EMPTY
    on_call = roster.on_call(changes, now)
    try:
        names = (find_rotation(on_call, rotation),) if rotation else on_call.rotations_at(now)
    except NotInRosterError as error:
        raise fail(str(error)) from error
    schedule = roster.schedule(changes, now)
    found = [why for name in names for why in explain(schedule, name, now)]
    people = roster.file.people
    return why_json(found), "\n".join(why_text(why, people) for why in found) or _EMPTY


def who_is(
    roster: Roster | None, at: datetime, rotation: str, changes: Sequence[Change] = ()
) -> tuple[list[dict[str, Any]], str]:
    """Return the answer as JSON and as text; ends the command on an unknown rotation."""
    on_call = roster.on_call(changes, at) if roster else OnCall()
    people = roster.file.people if roster else People()
    try:
        answers = who(on_call, people, at, rotation=rotation)
    except NotInRosterError as error:
        raise fail(str(error)) from error
    zones = {name: roster.zone(name) for name in on_call.ever} if roster else {}
    return who_json(answers), who_text(answers, zones) or _EMPTY


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check of the roster found, errors first; `file` is what lines begin with."""

    file: str
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> int:
        return sum(problem.severity is Severity.ERROR for problem in self.problems)

    def lines(self, *, everything: bool = False) -> list[str]:
        """Return a line for each finding, at most ten unless all are wanted, then the count."""
        shown = self.problems if everything else self.problems[:MOST_SHOWN]
        lines = [self._line(problem) for problem in shown]
        if more := len(self.problems) - len(shown):
            lines.append(f"{self.file}: {more} more; --all prints them.")
        others = len(self.problems) - self.errors
        return [*lines, f"{_count(self.errors, 'fault')}, {_count(others, 'warning')}"]

    def _line(self, problem: Problem) -> str:
        severity = "" if problem.severity is Severity.ERROR else f"{problem.severity}: "
        return f"{self.file}: {severity}{problem}"


def findings(config: Config, now: datetime, also: Sequence[Problem] = ()) -> Findings:
    """Check the roster as it stands; a configuration without one has nothing to find.

    `also` is what a bot has found that the roster by itself does not tell.
    """
    file = roster_file(config, KnownPeople(config.directory()))
    if file is None:
        return Findings("", ())
    order = list(Severity)
    found = sorted((*file.check(now), *also), key=lambda problem: order.index(problem.severity))
    close_roster(file)
    return Findings(config.roster or file.name, tuple(found))


def findings_json(found: Findings) -> dict[str, Any]:
    """Return the findings as a JSON document, with code and address of each."""

    def rows(*severities: Severity) -> list[dict[str, Any]]:
        return [
            {
                "file": found.file,
                "address": problem.address,
                "code": problem.code,
                "severity": problem.severity.value,
                "rotation": problem.rotation,
                "message": str(problem),
            }
            for problem in found.problems
            if problem.severity in severities
        ]

    return {
        "ok": not found.errors,
        "faults": rows(Severity.ERROR),
        "warnings": rows(Severity.WARNING, Severity.INFO),
    }


def template_setting(config: Config | None) -> Setting:
    """Return for whom a template is: the people and the first rotation of the configuration."""
    if config is None:
        return Setting()
    name, spec = next(iter(config.rotations.items()), ("data-platform", None))
    people = tuple(config.directory())
    if spec is None:
        return Setting(people=people)
    return Setting(name, spec.zone, spec.handoff, people)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
