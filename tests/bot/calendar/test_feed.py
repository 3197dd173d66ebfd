"""Feeds as text: what readers make of them, whatever people and rotations are called."""

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events

from bot.calendar.feed import Wording, feed_text
from rules.calendar.event import events_of
from rules.calendar.ledger import Published, of_person, publish
from rules.people import People, Person
from rules.rotation import OnCall, Span

MON = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
NASTY = 'Ana; "Ru,iz"\\ \r\nBEGIN:VALARM é' + "x" * 90
PEOPLE = People([Person("ana", NASTY), Person("bo", "Bo Chen"), Person("cy", "Cy Haddad")])
WORDING = Wording(PEOPLE, lambda _: ("primary", "secondary"), "oncall.example")


def told(spans: Sequence[Span], now: datetime = MON) -> tuple[Published, ...]:
    events = events_of(spans, spans[0].start, spans[-1].end)
    return publish((), events, now, now - 30 * DAY).published


def days(*people: str, start: datetime = MON) -> list[Span]:
    return [
        Span(start + n * DAY, start + (n + 1) * DAY, "data", "primary", (person,))
        for n, person in enumerate(people)
    ]


def test_the_header_says_how_often_to_come_again() -> None:
    text = feed_text("On, call; x", told(days("ana")), WORDING).decode()
    head = text.split("BEGIN:VEVENT")[0].split("\r\n")
    assert head == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Watchbill//On call//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "NAME:On\\, call\\; x",
        "X-WR-CALNAME:On\\, call\\; x",
        "X-WR-TIMEZONE:UTC",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "X-PUBLISHED-TTL:PT15M",
        "",
    ]


def test_an_event_is_free_time_in_utc_without_rules() -> None:
    text = feed_text("On call", told(days("bo")), WORDING).decode()
    event = text[text.index("BEGIN:VEVENT") : text.index("END:VEVENT")].split("\r\n")
    assert event[1].startswith("UID:oc")
    assert event[1].endswith("@oncall.example")
    assert event[2:-1] == [
        "DTSTAMP:20261123T090000Z",
        "LAST-MODIFIED:20261123T090000Z",
        "SEQUENCE:0",
        "DTSTART:20261123T090000Z",
        "DTEND:20261124T090000Z",
        "SUMMARY:Bo Chen · data primary",
        "DESCRIPTION:On call for data primary: Bo Chen.",
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",
        "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
    ]
    assert not re.search(r"TZID|RRULE|DURATION:(?!PT15M)", text)


def test_a_name_from_outside_stays_one_value() -> None:
    text = feed_text(f"On call: {NASTY}", told(days("ana")), WORDING)
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    assert b"\nBEGIN:VALARM" not in text
    (event,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert str(event["summary"]) == f"{' '.join(NASTY.split())} · data primary"


def test_the_same_input_gives_the_same_bytes_and_a_change_changes_one_event() -> None:
    first = told(days("ana", "bo", "cy"))
    assert feed_text("x", first, WORDING) == feed_text("x", first, WORDING)
    now = MON + timedelta(hours=1)
    events = events_of(days("ana", "cy", "cy"), MON, MON + 9 * DAY)
    second = publish(first, events, now, MON - DAY).published
    before, after = (
        feed_text("x", one, WORDING).decode().split("BEGIN:VEVENT") for one in (first, second)
    )
    changed = [n for n, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    assert changed == [2]
    assert "SEQUENCE:1" in after[2]
    assert "DTSTAMP:20261123T100000Z" in after[2]
    uids = re.findall(r"UID:(\S+)", "".join(after))
    assert uids == re.findall(r"UID:(\S+)", "".join(before))
    assert len(set(uids)) == 3


def test_who_lost_a_shift_reads_that_it_is_cancelled() -> None:
    first = told(days("ana", "bo"))
    events = events_of(days("ana", "cy"), MON, MON + 9 * DAY)
    second = publish(first, events, MON, MON - DAY).published
    text = feed_text("bo", of_person(second, "bo"), WORDING).decode()
    assert text.count("BEGIN:VEVENT") == text.count("STATUS:CANCELLED") == 1


# both nights on which the clocks of these places change, and the days around them
NIGHTS = {
    "America/New_York": ("2026-10-30", "2027-03-12"),
    "Europe/Berlin": ("2026-10-23", "2027-03-26"),
    "Australia/Lord_Howe": ("2026-10-02", "2027-04-02"),
}


@pytest.mark.parametrize(("zone", "first"), [(z, d) for z, ds in NIGHTS.items() for d in ds])
def test_another_reader_sees_the_same_people_at_every_instant(zone: str, first: str) -> None:
    start = datetime.fromisoformat(first).replace(hour=2, minute=15, tzinfo=ZoneInfo(zone))
    handoffs = [(start + n * DAY).astimezone(UTC) for n in range(6)]
    spans = [
        Span(at, end, "data", "primary", (person,))
        for (at, end), person in zip(
            pairwise(handoffs), ["ana", "bo", "cy", "ana", "bo"], strict=True
        )
    ]
    on_call = OnCall(spans)
    calendar = icalendar.Calendar.from_ical(feed_text("x", told(spans), WORDING))
    read = recurring_ical_events.of(calendar)
    whole = random.Random(first)
    instants = [at + timedelta(seconds=s) for at in handoffs[:-1] for s in (0, 1)]
    instants += [at - timedelta(seconds=1) for at in handoffs[1:]]
    instants += [handoffs[0] + whole.random() * (handoffs[-1] - handoffs[0]) for _ in range(60)]
    for at in instants:
        at = at.replace(microsecond=0)
        seen = [str(e["summary"]) for e in read.between(at, at + timedelta(seconds=1))]
        people = on_call.at("data", "primary", at)
        names = [" ".join(PEOPLE.by_key(key).name.split()) for key in people]
        assert seen == [f"{name} · data primary" for name in names], at
