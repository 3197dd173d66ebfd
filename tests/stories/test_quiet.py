"""Silences, maintenance windows, snoozes, flapping and storms."""

from datetime import UTC, datetime, time, timedelta

from bot.acts.act import EndSilence, MakeSilence
from rules.alert import Severity
from rules.hours import Hours, next_local
from rules.incident import State
from rules.matching.matcher import matcher
from rules.priority import Priority
from rules.rulebook import FlappingRule, StormRule
from rules.silence import MaintenanceWindow
from tests.stories.conftest import Tell
from tests.stories.story import MONDAY_03, alert, rulebook


async def test_a_silence_that_ends_while_it_still_fires_pages_then(tell: Tell) -> None:
    story = tell()
    until = MONDAY_03 + timedelta(hours=2)
    await story.asks(MakeSilence(by="ana", matchers="source=airflow", until=until, why="deploy"))
    await story.fires()
    await story.after(hours=1, minutes=59)
    story.pages()
    assert story.sent("show") == []
    await story.after(minutes=1)
    story.pages("ana")
    assert len(story.sent("show")) == 1


async def test_what_recovers_under_a_silence_never_shows(tell: Tell) -> None:
    story = tell()
    until = MONDAY_03 + timedelta(hours=2)
    await story.asks(MakeSilence(by="ana", matchers="source=airflow", until=until, why="deploy"))
    await story.fires()
    await story.recovers()
    await story.after(hours=5)
    story.pages()
    assert story.sent("show") == []
    assert await story.state() is State.RESOLVED


async def test_a_silence_made_late_stops_the_pages_of_what_is_open(tell: Tell) -> None:
    story = tell()
    await story.fires()
    story.pages("ana")
    until = MONDAY_03 + timedelta(hours=1)
    await story.asks(MakeSilence(by="ana", matchers="source=airflow", until=until, why="known"))
    assert "1 open incidents are covered" in story.said()[-1]
    await story.after(minutes=59)
    story.pages()
    await story.after(minutes=1)
    story.pages("ana")


async def test_a_silence_can_be_ended_early(tell: Tell) -> None:
    story = tell()
    until = MONDAY_03 + timedelta(hours=2)
    await story.asks(MakeSilence(by="ana", matchers="source=airflow", until=until, why="deploy"))
    await story.fires()
    silence_id = (await story.store.reader.silences(story.clock.now()))[0].id
    await story.asks(EndSilence(by="bo", silence_id=silence_id))
    story.pages("ana")


async def test_an_alert_that_no_silence_covers_wakes_the_silenced_incident(tell: Tell) -> None:
    story = tell()
    until = MONDAY_03 + timedelta(hours=2)
    await story.asks(MakeSilence(by="ana", matchers="severity=error", until=until, why="known"))
    await story.fires("orders", group_key="run-1")
    story.pages()
    await story.fires("payments", group_key="run-1", severity=Severity.CRITICAL)
    story.pages("ana")


async def test_a_maintenance_window_across_midnight(tell: Tell) -> None:
    night = Hours(time(22), time(4), "Europe/Berlin", ("sun",))
    window = MaintenanceWindow("upgrade", (matcher("source", "=", "airflow"),), hours=night)
    story = tell(rulebook(windows=(window,)))
    story.clock.set(datetime(2026, 11, 22, 20, 59, tzinfo=UTC))
    await story.fires("before")
    story.pages("ana")
    await story.until(datetime(2026, 11, 22, 21, 0, tzinfo=UTC))
    await story.fires("inside")
    await story.until(datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    await story.fires("after midnight")
    assert [i for n in (2, 3) if (i := await story.incident(n)).muted is None] == []
    await story.does("ana", "resolved", number=1)
    story.slack.sent.clear()
    story.pages()
    await story.until(datetime(2026, 11, 23, 2, 59, 59, tzinfo=UTC))
    story.pages()
    await story.until(datetime(2026, 11, 23, 3, 0, 2, tzinfo=UTC))
    story.pages("ana", "ana")


async def test_a_snooze_until_nine_means_nine_on_the_wall_across_a_clock_change(
    tell: Tell,
) -> None:
    story = tell()
    story.clock.set(datetime(2026, 10, 24, 20, 0, tzinfo=UTC))
    await story.fires()
    nine = next_local(story.clock.now(), time(9), "Europe/Berlin")
    assert nine == datetime(2026, 10, 25, 8, 0, tzinfo=UTC)
    await story.does("ana", "snoozed", until=nine)
    story.pages("ana")
    await story.until(nine - timedelta(seconds=1))
    story.pages()
    await story.until(nine)
    story.pages("ana")
    assert await story.state() is State.TRIGGERED


async def test_flapping_is_held_open_and_said(tell: Tell) -> None:
    rule = FlappingRule(openings=3, within=timedelta(hours=1), quiet=timedelta(minutes=15))
    story = tell(rulebook(flapping=rule))
    for _ in range(2):
        await story.fires()
        await story.recovers()
        await story.after(minutes=1)
    story.pages("ana", "ana")
    for _ in range(10):
        await story.fires()
        await story.recovers()
        await story.after(minutes=1)
    story.pages("ana", "bo")
    third = await story.incident(3)
    assert third.flapping
    assert third.state is State.TRIGGERED
    assert third.openings >= 12
    await story.does("bo", "acked", number=3)
    await story.after(minutes=15)
    assert await story.state(3) is State.RESOLVED
    story.pages()


async def test_a_storm_of_ten_thousand_is_ten_incidents_and_one_storm(tell: Tell) -> None:
    story = tell(rulebook(storm=StormRule(incidents=10, within=timedelta(minutes=1))))
    now = story.clock.now()
    for start in range(0, 10_000, 500):
        alerts = [alert(f"table-{n}", now) for n in range(start, start + 500)]
        await story.hears(*alerts, settle=False)
    await story.after(seconds=59)
    story.pages(*["ana"] * 11)
    storm = await story.incident(11)
    assert storm.storm
    assert storm.alert_count == 9_990
    assert await story.store.reader.incident_numbered(12) is None
    assert len(story.sent("show")) <= 30
    await story.does("ana", "acked", number=11)
    await story.hears(*[alert(f"more-{n}", story.clock.now()) for n in range(100)])
    assert (await story.incident(11)).alert_count == 10_090
    story.pages(*["bo"] * 0)


async def test_a_storm_takes_the_priority_of_its_worst_alert(tell: Tell) -> None:
    story = tell(rulebook(storm=StormRule(incidents=1, within=timedelta(minutes=1))))
    await story.fires("one", severity=Severity.WARNING)
    await story.fires("two", severity=Severity.WARNING)
    story.pages()
    await story.fires("three", severity=Severity.CRITICAL)
    story.pages("ana")
    assert (await story.incident(2)).priority is Priority.P1


async def test_an_alert_that_is_called_like_a_storm_holds_up_no_storm(tell: Tell) -> None:
    story = tell(rulebook(storm=StormRule(incidents=10, within=timedelta(minutes=1))))
    await story.hears(*[alert(f"storm:{n}", story.clock.now()) for n in range(5, 25)])
    assert (await story.incident(11)).storm
    assert (await story.incident(11)).alert_count == 10
    await story.after(seconds=59)
    story.pages(*["ana"] * 11)
