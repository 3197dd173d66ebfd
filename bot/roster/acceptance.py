"""Which rotations of a newly read file take effect, and which keep their last good version."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.roster.last_good import Good
from bot.roster.parse import Parsed
from bot.roster.table import Problem, Severity
from rules.coverage import covers
from rules.roster import LOOK_AHEAD, Shift


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in force after a read.

    `version` is a hash of the file as read, "" when it could not be; `rows_version` of the rows
    in force. `refused` are rotations whose new version is not in force; `held` those of them
    that wait for a person because they would end all cover.
    """

    version: str = ""
    rows_version: str = ""
    rows: tuple[Shift, ...] = ()
    problems: tuple[Problem, ...] = ()
    zones: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    held: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)


@dataclass(frozen=True, slots=True)
class Read:
    """A file as read: `confirmed` when a person has said that this version is meant."""

    name: str
    version: str
    parsed: Parsed
    confirmed: bool = False


def accept(read: Read, good: Mapping[str, Good], now: datetime) -> tuple[Loaded, dict[str, Good]]:
    """Take each rotation whole or not at all; return what is in force, and the new last good."""
    parsed = read.parsed
    new = _by_rotation(read, now)
    broken = set(good) | set(new) if parsed.unusable else parsed.broken_rotations
    held = set() if read.confirmed else _held(good, new, now) - broken
    kept = {name: good[name] for name in good if name in broken | held}
    fresh = {name: entry for name, entry in new.items() if name not in broken | held}
    # Paging fails open: without an earlier version the rows that can be read are better than
    # nobody. They do not become the last good version.
    readable = {name: new[name] for name in broken if name in new and name not in good}
    in_force = {**kept, **fresh, **readable}
    rows = tuple(row for name in sorted(in_force) for row in in_force[name].rows)
    loaded = Loaded(
        version=read.version,
        rows_version=hashlib.sha256(repr(rows).encode()).hexdigest()[:12],
        rows=rows,
        problems=(
            *parsed.problems,
            *(_held_back(read.name, name, good[name]) for name in sorted(held)),
            *(_kept(name, good.get(name)) for name in sorted(broken)),
        ),
        zones={name: entry.zone for name, entry in in_force.items()},
        refused=tuple(sorted(broken | held)),
        held=tuple(sorted(held)),
    )
    return loaded, {**kept, **fresh}


def _by_rotation(read: Read, now: datetime) -> dict[str, Good]:
    rows: dict[str, list[Shift]] = {}
    for row in read.parsed.rows:
        rows.setdefault(row.rotation, []).append(row)
    zones = read.parsed.zones
    return {
        name: Good(read.version, now, zones.get(name, "UTC"), tuple(own))
        for name, own in rows.items()
    }


def _held(good: Mapping[str, Good], new: Mapping[str, Good], now: datetime) -> set[str]:
    def manned(versions: Mapping[str, Good], name: str) -> bool:
        rows: Sequence[Shift] = versions[name].rows if name in versions else ()
        return covers(rows, now, now + LOOK_AHEAD)

    return {name for name in good if manned(good, name) and not manned(new, name)}


def _held_back(file: str, rotation: str, good: Good) -> Problem:
    text = (
        f"the new version would leave {rotation} without anybody for the next 14 days, which the "
        f"version of {good.accepted_at:%Y-%m-%d %H:%M} UTC covers. Held; confirm it or fix the file."
    )
    return Problem(file, text, Severity.ERROR, rotation)


def _kept(rotation: str, good: Good | None) -> Problem:
    if good is None:
        text = f"{rotation} has no earlier version; the rows that can be read are used."
    else:
        text = f"{rotation} keeps its version of {good.accepted_at:%Y-%m-%d %H:%M} UTC."
    return Problem("", text, Severity.INFO, rotation)
