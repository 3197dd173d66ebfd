"""From an edit of a roster to everybody agreeing, on the local Google and workspace.

`python -m tests.bench.sheet`; `--rounds 30` takes ten minutes. An edit counts as arrived when the
pager's answer names the new person and the feeds of both people have changed.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles

from bot.clock import SystemClock
from bot.local_google.google import LocalGoogle
from bot.local_google.spreadsheet import Written
from bot.web.authentication import sign
from tests.bench.table import Figure, rendered
from tests.bot.app.conftest import Running, started
from tests.fakes.google import BOT, key_file, running_google

SECRET = "secret-of-the-roster"
_CLOCK = SystemClock()
_PEOPLE = {"ana@example.com": "Ana Ruiz", "bo@example.com": "Bo Chen"}
_LONGEST = 60.0


async def measure(folder: Path, *, rounds: int) -> Sequence[Figure]:
    figures = []
    for path, poll, most in (("announced", "10m", 15.0), ("found by polling", "10s", 20.0)):
        (folder / path).mkdir()
        took = await _rounds(folder / path, poll, rounds, announce=path == "announced")
        p95 = quantiles(took, n=20, method="inclusive")[18]
        note = f"p50 {sorted(took)[len(took) // 2]:.1f} s, worst {max(took):.1f} s"
        name = f"edit of a sheet to everybody, {path}, p95"
        figures.append(Figure(name, p95, "s", most, at_most=True, note=note))
    (folder / "file").mkdir()
    took = await _file_rounds(folder / "file", rounds)
    p95 = quantiles(took, n=20, method="inclusive")[18]
    note = f"p50 {sorted(took)[len(took) // 2]:.1f} s, worst {max(took):.1f} s"
    name = "edit of a file to everybody, p95"
    figures.append(Figure(name, p95, "s", 5.0, at_most=True, note=note))
    return figures


async def _file_rounds(folder: Path, rounds: int) -> list[float]:
    took: list[float] = []
    file = folder / "roster.csv"

    def edit(person: str) -> None:
        fresh = folder / "fresh.csv"
        rows = (",".join(map(str, row)) for row in _rows(person))
        fresh.write_text("\n".join(rows) + "\n")
        fresh.replace(file)

    edit("Ana Ruiz")
    more = "calendar: {secret: secret-of-the-feeds}\n"
    async with started(f"sqlite:///{folder}/bench.db", folder, 1.0, more, str(file)) as bot:
        await _pause(5)
        for number in range(rounds):
            await _pause(random.uniform(1, 3))
            person = list(_PEOPLE)[(number + 1) % 2]
            before, began = await _tags(bot), _CLOCK.now()
            edit(_PEOPLE[person])
            took.append(await _until_agreed(bot, person, before, began))
    return took


async def _rounds(folder: Path, poll: str, rounds: int, *, announce: bool) -> list[float]:
    took: list[float] = []
    async with running_google() as google:
        google.add_spreadsheet("abc", {"Shifts": _rows("Ana Ruiz")}, shared={BOT: "reader"})
        more = (
            f"google: {{credentials: {key_file(google, folder)}, sheets_url: '{google.url}/'}}\n"
            f"roster_secret: {SECRET}\nroster_poll: {poll}\n"
            "calendar: {secret: secret-of-the-feeds}\n"
        )
        url = f"sqlite:///{folder}/bench.db"
        async with started(url, folder, 1.0, more, "google-sheet:abc") as bot:
            await _pause(5)
            for number in range(rounds):
                # an edit falls anywhere between two looks
                await _pause(random.uniform(1, 11))
                person = list(_PEOPLE)[(number + 1) % 2]
                took.append(await _one(bot, google, person, announce=announce))
    return took


async def _one(bot: Running, google: LocalGoogle, person: str, *, announce: bool) -> float:
    before = await _tags(bot)
    began = _CLOCK.now()
    google.type_in("abc", "Shifts!A1", _rows(_PEOPLE[person]))
    if announce:
        body = json.dumps({"id": "abc", "at": int(began.timestamp() * 1000)}).encode()
        headers = {"X-Watchbill-Signature": sign(SECRET, body)}
        async with bot.http.post(f"{bot.app.url}/hooks/roster", data=body, headers=headers) as one:
            assert one.status == 202
    return await _until_agreed(bot, person, before, began)


async def _until_agreed(
    bot: Running, person: str, before: dict[str, str], began: datetime
) -> float:
    while (_CLOCK.now() - began).total_seconds() < _LONGEST:
        now = _CLOCK.now()
        if bot.app.rules.shown().at("data", "primary", now) == (person,):
            tags = await _tags(bot)
            if all(tags[one] != before[one] for one in tags):
                return (_CLOCK.now() - began).total_seconds()
        await _pause(0.1)
    raise TimeoutError(f"{person} was not on call everywhere within {_LONGEST:.0f} s")


async def _tags(bot: Running) -> dict[str, str]:
    assert bot.app.calendars is not None
    tags = {}
    for person in _PEOPLE:
        path = bot.app.calendars.link(person).partition("/calendar/")[2]
        async with bot.http.get(f"{bot.app.url}/calendar/{path}") as answer:
            assert answer.status == 200, answer.status
            tags[person] = answer.headers["ETag"]
    return tags


def _rows(person: str) -> list[list[Written]]:
    monday = _CLOCK.now().date()
    monday -= timedelta(days=monday.weekday() + 7)
    rows: list[list[Written]] = [["Week of", "Primary", "Secondary"]]
    weeks = [monday + timedelta(weeks=n) for n in range(8)]
    # both have the far week, so that neither feed is ever empty
    return (
        rows
        + [[week, person, "Cy Haddad"] for week in weeks]
        + [[monday + timedelta(weeks=20), "Ana Ruiz", "Bo Chen"]]
    )


async def _pause(seconds: float) -> None:
    await _CLOCK.sleep_until(_CLOCK.now() + timedelta(seconds=seconds))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sheet", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="edits by each path")
    parser.add_argument("--strict", action="store_true", help="end with status 1 when too slow")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watchbill-bench-") as folder:
        figures = asyncio.run(measure(Path(folder), rounds=options.rounds))
    sys.stdout.write("\n".join(rendered(figures)) + "\n")
    return 0 if all(figure.kept for figure in figures) or not options.strict else 1


if __name__ == "__main__":
    raise SystemExit(main())
