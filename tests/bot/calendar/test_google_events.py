"""What Google says: read without trust, and sorted into later, refused and this event only."""

from datetime import timedelta
from typing import Any

import pytest

from bot.calendar.budget import Budget
from bot.calendar.google_events import body_of, ours_of, present_of
from bot.calendar.google_faults import (
    LaterError,
    Outcome,
    RefusedError,
    TokenExpiredError,
    fault_of,
    outcome_of,
    reason_of,
    wait_of,
)
from rules.calendar.plan import CalendarPlan, plan
from tests.bot.calendar.conftest import MON, weeks
from tests.fakes.clock import FakeClock

OURS = "oc" + "0" * 32


def test_what_is_sent_is_read_back_as_it_was_meant() -> None:
    (wanted,) = weeks("ana")
    echoed = {**body_of(wanted), "etag": '"1"'}
    assert plan([wanted], [present_of(echoed)], rotation="data", now=MON) == CalendarPlan()
    berlin = {"dateTime": "2026-11-23T10:00:00+01:00", "timeZone": "Europe/Berlin"}
    assert plan([wanted], [present_of({**echoed, "start": berlin})], rotation="data", now=MON) == (
        CalendarPlan()
    )


def test_what_is_peoples_own_is_sent_back_and_nothing_else() -> None:
    (wanted,) = weeks("ana")
    before = {"colorId": "7", "location": "x", "attendees": [{"email": "a@b"}], "summary": "old"}
    assert {k: v for k, v in body_of(wanted, before).items() if k in before} == {
        "colorId": "7",
        "location": "x",
        "summary": wanted.summary,
    }


@pytest.mark.parametrize(
    "item", [None, 7, [], {}, {"id": 7}, {"id": "dentist"}, {"id": "oc"}, {"id": OURS + "0"}]
)
def test_other_events_are_not_kept(item: object) -> None:
    assert ours_of(item) is None


@pytest.mark.parametrize(
    "strange",
    [
        {"start": "noon"},
        {"start": {"dateTime": "yesterday"}},
        {"extendedProperties": {"private": {"owner": 7}}},
        {"extendedProperties": []},
        {"summary": None},
        {"recurrence": {"a": 1}},
    ],
)
def test_an_event_that_cannot_be_read_counts_as_somebody_elses(strange: dict[str, Any]) -> None:
    (wanted,) = weeks("ana")
    present = present_of({**body_of(wanted), **strange})
    assert plan([wanted], [present], rotation="data", now=MON).taken == (wanted.id,)


def test_a_local_time_without_a_zone_is_not_guessed() -> None:
    start = {"dateTime": "2026-11-23T09:00:00"}
    assert present_of({"id": OURS, "start": start}).start is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"error": {"errors": [{"reason": "notFound"}], "message": "m"}}', ("notFound", "m")),
        (b'{"error": {"errors": [], "message": "m"}}', ("", "m")),
        (b'{"error": "invalid_grant"}', ("", "")),
        (b"[]", ("", "")),
        (b"<html>", ("", "")),
        (b"\xff", ("", "")),
    ],
)
def test_reasons_are_read_where_there_are_any(body: bytes, reason: tuple[str, str]) -> None:
    assert reason_of(body) == reason


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("17", 17),
        (" 5 ", 5),
        ("999999", 3600),
        ("-1", None),
        ("٣", None),
        ("soon", None),
        (None, None),
    ],
)
def test_waits_are_read_and_bounded(header: str | None, wait: int | None) -> None:
    assert wait_of(header) == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize(
    ("status", "reason", "kind", "outcome"),
    [
        (403, "rateLimitExceeded", LaterError, Outcome.LATER),
        (403, "quotaExceeded", RefusedError, Outcome.LATER),
        (403, "dailyLimitExceeded", RefusedError, Outcome.LATER),
        (403, "forbidden", RefusedError, Outcome.REFUSED),
        (404, "notFound", RefusedError, Outcome.CONFLICT),
        (401, "authError", RefusedError, Outcome.REFUSED),
        (400, "badRequest", RefusedError, Outcome.REFUSED),
        (409, "duplicate", RefusedError, Outcome.EXISTS),
        (410, "fullSyncRequired", TokenExpiredError, Outcome.CONFLICT),
        (412, "conditionNotMet", RefusedError, Outcome.CONFLICT),
        (429, "", LaterError, Outcome.LATER),
        (500, "", LaterError, Outcome.LATER),
    ],
)
def test_each_answer_has_its_meaning(
    status: int, reason: str, kind: type[Exception], outcome: Outcome
) -> None:
    assert type(fault_of(status, reason, "", None, "c1")) is kind
    assert outcome_of(status, reason) is outcome


async def test_a_budget_makes_who_spends_too_fast_wait() -> None:
    class Skipping(FakeClock):
        async def sleep_until(self, when) -> None:
            self.set(max(when, self.now()))

    clock = Skipping(MON)
    budget = Budget(100, clock)
    for _ in range(2):
        await budget.take(50)
    assert clock.now() == MON
    await budget.take(50)
    assert clock.now() - MON == pytest.approx(timedelta(seconds=30), abs=timedelta(seconds=0.1))
    budget.spend(10)
    await budget.take(10)
    assert clock.now() - MON == pytest.approx(timedelta(seconds=42), abs=timedelta(seconds=0.1))
    await budget.take(1_000)
    assert clock.now() - MON <= timedelta(seconds=110)
