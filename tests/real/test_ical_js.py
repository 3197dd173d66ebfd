"""ical.js, which Thunderbird reads calendars with, sees in our feed the person who is paged."""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.calendar.feed import Wording, feed_text
from rules.calendar.event import events_of
from rules.calendar.ledger import publish
from rules.people import People, Person
from rules.rotation import OnCall, Span

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FOLDER = Path(__file__).parents[2] / ".real" / "ical_js"
VERSION = "2.2.1"
READ = """
const loaded = require("ical.js");
const ICAL = loaded.default || loaded;
const [text, instants] = JSON.parse(require("fs").readFileSync(0));
const events = new ICAL.Component(ICAL.parse(text))
  .getAllSubcomponents("vevent").map((one) => new ICAL.Event(one));
const seconds = (time) => time.toUnixTime();
process.stdout.write(JSON.stringify({
  uids: events.map((one) => one.uid),
  seen: instants.map((at) => events
    .filter((one) => seconds(one.startDate) <= at && at < seconds(one.endDate))
    .map((one) => one.summary)),
}));
"""
NIGHTS = [
    ("America/New_York", "2026-11-01"),
    ("America/New_York", "2027-03-14"),
    ("Europe/Berlin", "2026-10-25"),
    ("Europe/Berlin", "2027-03-28"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Australia/Lord_Howe", "2027-04-04"),
]
PEOPLE = People([Person("ana", "Ana Ruiz"), Person("bo", "Bo; Chen, 3rd")])


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm")
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent", f"ical.js@{VERSION}"]
    subprocess.run(command, check=True, cwd=FOLDER, timeout=200)
    return found


@pytest.mark.parametrize(("zone", "day"), NIGHTS)
def test_it_sees_who_is_paged_through_the_night_of_a_clock_change(
    node: str, zone: str, day: str
) -> None:
    night = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    start = (night - timedelta(days=1)).astimezone(UTC)
    edges = [start + timedelta(minutes=90 * n) for n in range(33)]
    spans = [
        Span(begin, end, "data", "primary", (("ana", "bo")[n % 2],))
        for n, (begin, end) in enumerate(pairwise(edges))
    ]
    ledger = publish((), events_of(spans, edges[0], edges[-1]), start, start).published
    wording = Wording(PEOPLE, lambda _: ("primary",), "oncall.example")
    text = feed_text("On call", ledger, wording).decode()
    instants = [start + timedelta(minutes=5 * n) for n in range(570)]
    read = _read(node, text, instants)
    on_call = OnCall(spans)
    for at, seen in zip(instants, read["seen"], strict=True):
        names = [PEOPLE.by_key(key).name for key in on_call.at("data", "primary", at)]
        assert seen == [f"{name} · data" for name in names], at
    assert len(set(read["uids"])) == len(spans)
    again = feed_text("On call", ledger, wording).decode()
    assert _read(node, again, [])["uids"] == read["uids"]


def _read(node: str, text: str, instants: list[datetime]) -> dict[str, Any]:
    asked = json.dumps([text, [int(at.timestamp()) for at in instants]])
    told = subprocess.run(
        [node, "-e", READ], input=asked, capture_output=True, text=True, cwd=FOLDER, check=True,
        timeout=60,
    )  # fmt: skip
    read: dict[str, Any] = json.loads(told.stdout)
    return read
