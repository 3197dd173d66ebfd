"""Whether every promise was kept: what was accepted, what is stored, and what Slack got, compared."""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.process.harness import REPOSITORY, Bot, Json, LocalSlack
from tests.process.load import Sent
from tests.process.stored import instant, query

WINDOW = timedelta(seconds=10)
"""A lease and a request's time-out: what was on its way at a death may come so late, and twice."""
ACK_SLACK = timedelta(seconds=4)
"""A page that had begun before the ack's commit may be stored by Slack a request's time-out later."""

_STEPS = frozenset({"0.0.0", "0.0.1", "0.0.2"})
_PAGE = re.compile(r"(?P<incident>[^:]+):(?P<step>[0-9.]+):(?P<person>.+)")
_NEVER = ("lost", "repeated", "unpaged", "rootless", "second_roots", "missed_steps")
_NOR = ("repeated_steps", "lost_clicks", "paged_after_ack", "audit")
_FAULTS = (*_NEVER, *_NOR, "doubled_outside")


@dataclass
class Report:
    """What a campaign found; each list has what broke that promise, by its key."""

    kills: int = 0
    accepted: int = 0
    incidents: int = 0
    pages: int = 0
    acked: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    unpaged: list[str] = field(default_factory=list)
    rootless: list[str] = field(default_factory=list)
    second_roots: list[str] = field(default_factory=list)
    missed_steps: list[str] = field(default_factory=list)
    repeated_steps: list[str] = field(default_factory=list)
    lost_clicks: list[str] = field(default_factory=list)
    paged_after_ack: list[str] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)
    doubled_pages: list[str] = field(default_factory=list)
    doubled_outside: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[str, int, str]]:
        """Yield what was counted: its name, how many, and the first of them."""
        for name in ("kills", "accepted", "incidents", "pages", "acked"):
            yield name, getattr(self, name), ""
        for name in (*_FAULTS[:-1], "doubled_pages", _FAULTS[-1]):
            found: list[str] = getattr(self, name)
            yield name.replace("_", " "), len(found), ", ".join(found[:5])

    def lines(self) -> Iterator[str]:
        for name, count, first in self.rows():
            yield f"{name:<22}{count:>7}{'  ' if first else ''}{first}"

    @property
    def faults(self) -> list[str]:
        """What must never be there; doubled pages are rare, not impossible."""
        return [f"{name}: {one}" for name in _FAULTS for one in getattr(self, name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the database and Slack have at the end.

    `alerts` counts by key, `incidents` has their states, `acked` when each was acknowledged,
    `decided` when each page was; `roots` and `pages` are messages with their marks in `key`.
    """

    alerts: Mapping[str, int]
    incidents: Mapping[str, str]
    acked: Mapping[str, datetime]
    decided: Mapping[str, datetime]
    roots: Sequence[Json]
    pages: Sequence[Json]


async def count(
    bot: Bot,
    slack: LocalSlack,
    sent: Sent,
    *,
    deaths: Sequence[datetime] = (),
    clicked: AbstractSet[str] = frozenset(),
) -> Report:
    """Compare what was accepted with the database, and the database with what Slack got."""
    acked = "SELECT incident_id, min(at) FROM timeline WHERE what = 'Acked' GROUP BY incident_id"
    decided = "SELECT key, created_at FROM job WHERE kind = 'page'"
    alerts = "SELECT dedup_key, sum(count) FROM alert GROUP BY dedup_key"
    seen = Seen(
        alerts={key: int(times) for key, times in await query(bot, alerts)},
        incidents={row[0]: row[1] for row in await query(bot, "SELECT id, state FROM incident")},
        acked={incident: instant(at) for incident, at in await query(bot, acked)},
        decided={key: instant(at) for key, at in await query(bot, decided)},
        roots=await slack.roots(),
        pages=await slack.pages(),
    )
    report = judge(seen, sent, deaths=deaths, clicked=clicked)
    report.audit = audit(bot)
    return report


def judge(
    seen: Seen,
    sent: Sent,
    *,
    deaths: Sequence[datetime] = (),
    clicked: AbstractSet[str] = frozenset(),
) -> Report:
    """Find every promise that was broken.

    `deaths` are the instants at which a process ended in the middle of its work, `clicked` the
    incidents whose acknowledgement Slack was told is taken.
    """
    roots = Counter(m["key"].removeprefix("show:") for m in seen.roots)
    report = Report(
        kills=len(deaths),
        accepted=len(sent.accepted),
        incidents=len(seen.incidents),
        pages=len(seen.pages),
        acked=len(seen.acked),
        lost=sorted(key for key in sent.accepted.values() if not seen.alerts.get(key)),
        repeated=sorted(key for key, times in seen.alerts.items() if times > 1),
        rootless=sorted(set(seen.incidents) - set(roots)),
        second_roots=sorted(key for key, times in roots.items() if times > 1),
        lost_clicks=sorted(clicked - set(seen.acked)),
        paged_after_ack=sorted(_paged_after(seen)),
    )
    _compare_steps(report, seen.incidents, seen.pages)
    _look_at_doubles(report, seen.pages, deaths)
    return report


def _compare_steps(report: Report, incidents: Mapping[str, str], pages: Iterable[Json]) -> None:
    """Nobody but an ack stops a policy of teams, so each step runs, once, and no other does."""
    taken: dict[str, set[str]] = defaultdict(set)
    for page in pages:
        if found := _PAGE.fullmatch(page["key"]):
            taken[found["incident"]].add(found["step"])
    report.unpaged = sorted(set(incidents) - set(taken))
    for incident, state in incidents.items():
        steps = taken[incident]
        if incident in report.unpaged:
            continue
        if state == "triggered" and (missed := _STEPS - steps):
            report.missed_steps.append(f"{incident}:{'+'.join(sorted(missed))}")
        if more := steps - _STEPS:
            report.repeated_steps.append(f"{incident}:{'+'.join(sorted(more))}")


def _look_at_doubles(report: Report, pages: Iterable[Json], deaths: Sequence[datetime]) -> None:
    """Both copies must come within the window of a death that found the page on its way."""
    copies: dict[str, list[datetime]] = defaultdict(list)
    for page in pages:
        copies[page["key"]].append(_at(page))
    for key, times in sorted(copies.items()):
        if len(times) == 1:
            continue
        report.doubled_pages.append(key)
        within = any(died <= min(times) and max(times) <= died + WINDOW for died in deaths)
        if len(times) > 2 or not within:
            report.doubled_outside.append(f"{key} at {', '.join(map(str, times))}")


def _paged_after(seen: Seen) -> Iterator[str]:
    for key, decided_at in seen.decided.items():
        acked_at = seen.acked.get(key.partition(":")[0])
        if acked_at is not None and decided_at > acked_at:
            yield f"{key} decided {decided_at - acked_at} late"
    for page in seen.pages:
        acked_at = seen.acked.get(page["key"].partition(":")[0])
        if acked_at is not None and _at(page) > acked_at + ACK_SLACK:
            yield f"{page['key']} {_at(page) - acked_at} late"


def _at(message: Json) -> datetime:
    return datetime.fromtimestamp(float(message["ts"]), UTC)


def audit(bot: Bot) -> list[str]:
    """Let the product's own auditor look, without letting it mend anything."""
    found = subprocess.run(
        [sys.executable, "-m", "bot", "audit", "-c", str(bot.folder / "config.yaml")],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", "HOME": str(bot.folder), **bot.process.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return [] if found.returncode == 0 else (found.stdout + found.stderr)[-2000:].splitlines()
