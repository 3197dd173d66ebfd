"""From a change of who is on call to everybody agreeing, on the local Google and workspace.

`python -m tests.bench.sheet`; `--rounds 30` takes a quarter of an hour. A change counts as arrived
when the pager's answer, the user group, the topic, the bookmark, the Google calendar and the feed
all name the new person at one moment.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles

from bot.clock import SystemClock
from bot.local_google.calendar import LocalCalendar
from bot.local_google.google import LocalGoogle
from bot.local_google.spreadsheet import Written
from bot.web.authentication import sign
from tests.bench.everybody import FOLLOWING, ROTATION, SECRET, TEAM, Everybody
from tests.bench.rounds import Run
from tests.bench.table import Figure, rendered
from tests.bot.app.conftest import started
from tests.fakes.google import BOT, key_file, running_google

_CLOCK = SystemClock()
_NAMES = {"ana": "Ana Ruiz", "bo": "Bo Chen"}
_WARM = 6
_SHIFT = 15
"""Seconds that a shift lasts where hand-offs are measured."""
_ROW_BOUND = 10.0
_Took = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Bench:
    """One bot, its Google, and the folder they live in."""

    google: LocalGoogle
    everybody: Everybody
    folder: Path

    async def edit_sheet(self, name: str) -> None:
        self.google.type_in("abc", "Shifts!A1", _weeks(_NAMES[name]))

    async def edit_and_announce(self, name: str) -> None:
        await self.edit_sheet(name)
        at = int(_CLOCK.now().timestamp() * 1000)
        body = json.dumps({"id": "abc", "at": at}).encode()
        headers = {"X-Watchbill-Signature": sign(SECRET, body)}
        bot = self.everybody.bot
        async with bot.http.post(f"{bot.app.url}/hooks/roster", data=body, headers=headers) as one:
            assert one.status == 202

    async def edit_file(self, name: str) -> None:
        fresh = self.folder / "fresh.csv"
        fresh.write_text(_csv(_weeks(_NAMES[name])))
        fresh.replace(self.folder / "roster.csv")

    async def take(self, name: str) -> None:
        workspace = self.everybody.bot.workspace
        await workspace.command(name, "data-alerts", "/oncall take data 2h")

    def rows(self) -> int:
        """Return how many rows the sheet's tab of overrides has below its heading."""
        tabs = self.google.sheets["abc"].tabs
        found = next((tab for tab in tabs if tab.title == "Overrides"), None)
        return found.used_rows - 1 if found else 0


_Change = Callable[[Bench], Callable[[str], Awaitable[None]]]


@dataclass(frozen=True, slots=True)
class Way:
    """One way that a change takes, and how soon everybody must agree."""

    name: str
    most: float
    change: _Change
    roster: str = "google-sheet:abc"
    poll: str = "10s"


_WAYS = (
    Way("edit of a file", 5.0, lambda bench: bench.edit_file, "roster.csv"),
    Way("edit of a sheet, announced", 15.0, lambda bench: bench.edit_and_announce, poll="10m"),
    Way("edit of a sheet, found by polling", 20.0, lambda bench: bench.edit_sheet),
    Way("take-over in Slack", 3.0, lambda bench: bench.take),
)


def measure(run: Run) -> Sequence[Figure]:
    return asyncio.run(measured(run.made("sheet"), rounds=run.rounds(10)))


async def measured(folder: Path, *, rounds: int, only: str = "") -> Sequence[Figure]:
    figures: list[Figure] = []
    for number, path in enumerate(_WAYS):
        if only in path.name:
            (folder / str(number)).mkdir()
            figures += await _changes(folder / str(number), path, rounds)
    if only in "hand-off":
        (folder / "handoff").mkdir()
        took = await _handoffs(folder / "handoff", rounds)
        figures.append(_figure("hand-off boundary", took, 5.0))
    return figures


def _figure(name: str, took: Sequence[_Took], most: float) -> Figure:
    """Return the p95 of the last to agree; the note names each one's own p95."""
    last = [max(one.values()) for one in took]
    each = ", ".join(f"{who} {_p95([one[who] for one in took]):.1f}" for who in took[0])
    note = f"p50 {sorted(last)[len(last) // 2]:.1f} s, worst {max(last):.1f} s; p95 {each}"
    return Figure(f"{name}, p95", _p95(last), "s", most, at_most=True, note=note)


def _p95(took: Sequence[float]) -> float:
    return quantiles(took, n=20, method="inclusive")[18]


async def _changes(folder: Path, path: Way, rounds: int) -> list[Figure]:
    took: list[_Took] = []
    rows: list[float] = []
    (folder / "roster.csv").write_text(_csv(_weeks("Ana Ruiz")))
    async with _bench(folder, path.roster, path.poll) as bench:
        change = path.change(bench)
        for number in range(rounds):
            # a change falls anywhere between two looks
            await _pause(random.uniform(1, 11 if path.most > 5 else 3))
            name = list(_NAMES)[(number + 1) % 2]
            began = _CLOCK.now()
            await change(name)
            took.append(await bench.everybody.until_all_say(name, began))
            if path.name.startswith("take"):
                rows.append(await _until_row(bench, number, began))
    figures = [_figure(path.name, took, path.most)]
    if rows:
        name = "take-over in Slack to its row in the sheet, p95"
        figures.append(Figure(name, _p95(rows), "s", _ROW_BOUND, at_most=True))
    return figures


async def _until_row(bench: Bench, before: int, began: datetime) -> float:
    while bench.rows() <= before:
        await _pause(0.1)
        assert (_CLOCK.now() - began).total_seconds() < 60, "no row was written"
    return (_CLOCK.now() - began).total_seconds()


async def _handoffs(folder: Path, rounds: int) -> list[_Took]:
    took: list[_Took] = []
    first = _CLOCK.now().replace(microsecond=0) + timedelta(seconds=_SHIFT)
    starts = [first + timedelta(seconds=_SHIFT) * n for n in range(rounds + 3)]
    names = [list(_NAMES)[n % 2] for n in range(len(starts))]
    day = f"{first - timedelta(days=1):%Y-%m-%d %H:%M:%S}"
    rows: list[list[Written]] = [["Start", "Primary", "Secondary"], [day, "Bo Chen", "Cy Haddad"]]
    rows += [
        [f"{start:%Y-%m-%d %H:%M:%S}", _NAMES[name], "Cy Haddad"]
        for start, name in zip(starts, names, strict=True)
    ]
    rows.append([f"{starts[-1] + timedelta(days=9):%Y-%m-%d}", "Ana Ruiz", "Cy Haddad"])
    (folder / "roster.csv").write_text(_csv(rows))
    async with _bench(folder, "roster.csv", "10s") as bench:
        for start, name in list(zip(starts, names, strict=True))[1:]:
            if start > _CLOCK.now() and len(took) < rounds:
                await _CLOCK.sleep_until(start)
                took.append(await bench.everybody.until_all_say(name, start))
    return took


@asynccontextmanager
async def _bench(folder: Path, roster: str, poll: str) -> AsyncIterator[Bench]:
    """Start a bot with every follower, and let it settle."""
    calendar = LocalCalendar()
    calendar.calendar(TEAM)
    async with running_google(calendar=calendar) as google:
        google.add_spreadsheet("abc", {"Shifts": _weeks("Ana Ruiz")}, shared={BOT: "writer"})
        key = key_file(google, folder)
        more = (
            f"google: {{credentials: {key}, sheets_url: '{google.url}/'}}\n"
            f"roster_secret: {SECRET}\nroster_poll: {poll}\n"
            f"calendar:\n  secret: {SECRET}\n  google:\n    credentials: {key}\n"
            f"    api_url: '{google.url}/'\n    calendars: {{{ROTATION}: {TEAM}}}\n{FOLLOWING}"
        )
        url = f"sqlite:///{folder}/bench.db"
        where = roster if ":" in roster else str(folder / roster)
        async with started(url, folder, 1.0, more, where) as bot:
            await _pause(_WARM)
            yield Bench(google, Everybody(bot, calendar, _CLOCK), folder)


def _weeks(person: str) -> list[list[Written]]:
    monday = _CLOCK.now().date()
    monday -= timedelta(days=monday.weekday() + 7)
    weeks = [monday + timedelta(weeks=n) for n in range(8)]
    rows: list[list[Written]] = [["Week of", "Primary", "Secondary"]]
    return rows + [[week, person, "Cy Haddad"] for week in weeks]


def _csv(rows: Sequence[Sequence[Written]]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


async def _pause(seconds: float) -> None:
    await _CLOCK.sleep_until(_CLOCK.now() + timedelta(seconds=seconds))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sheet", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="changes by each path")
    parser.add_argument("--only", default="", help="words of the one path to measure")
    parser.add_argument("--strict", action="store_true", help="end with status 1 when too slow")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watchbill-bench-") as folder:
        run = measured(Path(folder), rounds=options.rounds, only=options.only)
        figures = asyncio.run(run)
    sys.stdout.write("\n".join(rendered(figures)) + "\n")
    return 0 if all(figure.kept for figure in figures) or not options.strict else 1


if __name__ == "__main__":
    raise SystemExit(main())
