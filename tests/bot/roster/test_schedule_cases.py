"""Worked cases of sheets, from tests/payloads/schedule/cases.json."""

from datetime import time
from typing import Any

import pytest

from bot.roster.csv_table import read_csv
from bot.roster.parse import parse
from bot.roster.settings import RosterSettings, RotationSettings
from rules.people import People, Person
from rules.rotation import OnCall
from rules.schedule.coverage import gaps
from rules.schedule.resolution import resolve_shifts
from tests.rules.schedule.schedules import cases, utc

PEOPLE = People([Person("ana", "ana"), Person("bo", "bo")])
NOW = utc("2026-10-01T00:00Z")


@pytest.mark.parametrize("case", cases("sheet"), ids=[case["name"] for case in cases("sheet")])
def test_a_sheet_gives_these_spans_or_these_faults(case: dict[str, Any]) -> None:
    written = "\n".join(",".join(row) for row in case["rows"])
    own = RotationSettings(case["zone"], time.fromisoformat(case["handoff"]))
    parsed = parse(read_csv(written.encode()), PEOPLE, RosterSettings(default=own), NOW)
    spans = resolve_shifts(parsed.rows)
    told = [(utc(start), utc(end), tuple(people)) for start, end, people in case["spans"]]
    assert [(span.start, span.end, span.people) for span in spans] == told
    assert {problem.address for problem in parsed.problems} >= set(case["faults"])
    if spans:
        assert gaps(OnCall(spans), spans[0].start, spans[-1].end) == []
