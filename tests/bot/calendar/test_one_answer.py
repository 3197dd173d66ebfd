"""One answer for every reader: pager, feed, Google calendar and user group, at any instant."""

from dataclasses import replace
from datetime import datetime, timedelta

import icalendar
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.calendar.feed import Wording, feed_text
from rules.calendar.event import events_of
from rules.calendar.ledger import publish
from rules.calendar.plan import wanted_of
from rules.people import People, Person
from rules.rotation import OnCall
from rules.schedule.following import Follower, FollowerKind, members
from rules.schedule.resolution import on_call
from rules.schedule.roster import Schedule
from tests.rules.schedule.test_schedule_properties import LONG, ROLES, schedules

NAMES = ("ana", "bo", "cy", "di")
PEOPLE = People(Person(name, name) for name in NAMES)
GROUP = Follower(kind=FollowerKind.USER_GROUP, place="data-oncall")
PAGER_LOOKS_BACK = timedelta(days=1)
Told = dict[str, set[str]]


@settings(max_examples=40, deadline=None)
@given(drawn=schedules(), offsets=st.lists(st.integers(-28_000, 28_000), min_size=30, max_size=30))
def test_pager_feed_calendar_and_group_agree_at_every_instant(
    drawn: tuple[Schedule, datetime], offsets: list[int]
) -> None:
    schedule, middle = drawn
    found = on_call(schedule, middle - LONG, middle + LONG)
    events = events_of(found.all_spans(), middle - LONG, middle + LONG)
    published = publish((), events, middle, middle - LONG).published
    text = feed_text("x", published, Wording(PEOPLE, found.roles, "oncall.example"))
    feed = [
        (e.decoded("dtstart"), e.decoded("dtend"), str(e["summary"]))
        for e in icalendar.Calendar.from_ical(text).walk("VEVENT")
    ]
    google = [(w.start, w.end, w.summary) for w in wanted_of(events, found, PEOPLE)]
    edges = sorted({span.start for span in found.all_spans()})[:30]
    for at in [*(middle + timedelta(minutes=n) for n in offsets), *edges]:
        who = told(found, at)
        assert shown(feed, found, at) == who, at
        assert shown(google, found, at) == who, at
        assert set(members(found, GROUP, at)) == set().union(*who.values()), at


@settings(max_examples=40, deadline=None)
@given(drawn=schedules(), offsets=st.lists(st.integers(-25_000, 25_000), min_size=5, max_size=5))
def test_the_pager_which_forgets_what_is_over_answers_as_those_who_do_not(
    drawn: tuple[Schedule, datetime], offsets: list[int]
) -> None:
    schedule, middle = drawn
    whole = on_call(schedule, middle - LONG, middle + LONG)
    for at in (middle + timedelta(minutes=n) for n in offsets):
        since = at - PAGER_LOOKS_BACK
        pager = replace(
            schedule,
            overrides=[one for one in schedule.overrides if one.ends_at > since],
            swaps=[one for one in schedule.swaps if one.ends_at > since],
        )
        assert told(on_call(pager, at - LONG, at + LONG), at) == told(whole, at), at


def told(found: OnCall, at: datetime) -> Told:
    """Return who is on call, by role, of the roles that have somebody."""
    asked = {role: set(found.at("data", role, at)) for role in (*ROLES, "lead")}
    return {role: people for role, people in asked.items() if people}


def shown(events: list[tuple[datetime, datetime, str]], found: OnCall, at: datetime) -> Told:
    """Return who a reader of events sees, by role."""
    only = tuple(found.roles("data")) == ("primary",)
    seen: Told = {}
    for start, end, summary in events:
        if start <= at < end:
            names, _, duty = summary.partition(" · ")
            role = "primary" if only else duty.removeprefix("data ")
            assert role not in seen, "one event at a time for each role"
            seen[role] = set(names.split(", "))
    return seen
