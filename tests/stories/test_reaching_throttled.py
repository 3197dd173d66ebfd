"""Nights in which a service asks to wait: who is paged meanwhile goes by the next method."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.ports.delivering import RetryLaterError
from bot.ports.jobs import Job
from bot.store.opening import OpenedStore
from rules.contacting.method import Method
from tests.fakes.clock import FakeClock
from tests.stories.reached import ANA, Reached, reaching
from tests.stories.story import PRIMARY, page, policy

Night = Callable[[str], Reached]


@pytest.fixture
def night(opened_store: OpenedStore, clock: FakeClock) -> Night:
    def begin(order: str) -> Reached:
        ana = replace(ANA, ntfy="ana-pages", pushover="u" * 30)
        book = reaching(ana, order=order, steps=policy(page(PRIMARY, wait=30)))
        return Reached(opened_store, clock, book)

    return begin


def asks_to_wait(story: Reached, method: Method, seconds: int) -> None:
    """Let a service take nothing until then, and say so."""
    end = story.clock.now() + timedelta(seconds=seconds)

    def fault() -> None:
        if story.clock.now() < end:
            wait = end - story.clock.now()
            raise RetryLaterError("it asks us to wait", after=wait, throttled=True)

    story.phones[method].fault = fault


async def test_who_is_paged_meanwhile_is_not_kept_waiting_in_its_lane(night: Night) -> None:
    story = night("ntfy 10s, email 30s")
    story.slack_is_down(minutes=60)
    asks_to_wait(story, Method.NTFY, 40)
    await story.fires("orders")
    await story.after(seconds=5)
    await story.fires("customers")
    await story.after(seconds=30)
    assert story.timetable() == ["03:00:00 Ana by email", "03:00:05 Ana by email"]
    await story.after(minutes=1)
    assert story.timetable() == ["03:00:40 Ana by ntfy", "03:00:41 Ana by ntfy"], (
        "nobody has acknowledged: the first method is tried as well"
    )
    await story.after(minutes=20)
    assert story.timetable() == [], "and each of them once"


async def test_what_is_acknowledged_meanwhile_is_not_sent_by_it_later(night: Night) -> None:
    story = night("ntfy, email 30s")
    story.slack_is_down(minutes=60)
    asks_to_wait(story, Method.NTFY, 40)
    await story.fires("orders")
    await story.fires("customers")
    await story.after(seconds=5)
    await story.clicks(at=0)
    await story.clicks(at=1)
    assert len(story.timetable()) == 2
    await story.after(minutes=10)
    assert story.timetable() == []


async def test_what_already_waits_when_it_asks_goes_on_as_well(night: Night) -> None:
    story = night("ntfy 10s, email 2m")
    await story.fires("orders")
    await story.fires("customers")
    asks_to_wait(story, Method.NTFY, 60)
    await story.after(seconds=15)
    emails = [line for line in story.timetable() if line.endswith("email")]
    assert emails == ["03:00:10 Ana by email", "03:00:11 Ana by email"]


async def test_what_comes_due_while_it_still_waits_goes_on_when_it_is_due(night: Night) -> None:
    story = night("ntfy 20s, email 2m")
    await story.fires("orders")
    await story.after(seconds=15)
    await story.fires("customers")
    await story.after(seconds=4)
    asks_to_wait(story, Method.NTFY, 60)
    await story.after(seconds=40)
    emails = [line for line in story.timetable() if line.endswith("email")]
    assert emails == ["03:00:20 Ana by email", "03:00:35 Ana by email"]


async def test_two_services_that_ask_to_wait_are_both_passed(night: Night) -> None:
    story = night("ntfy, pushover 1m, email 5m")
    story.slack_is_down(minutes=60)
    asks_to_wait(story, Method.NTFY, 300)
    asks_to_wait(story, Method.PUSHOVER, 300)
    await story.fires("orders")
    await story.after(seconds=5)
    await story.fires("customers")
    await story.after(seconds=5)
    assert story.timetable() == ["03:00:00 Ana by email", "03:00:05 Ana by email"]


async def test_a_step_that_is_called_forward_passes_what_is_shut(night: Night) -> None:
    story = night("email 10s, ntfy 1m, sms 20m")
    asks_to_wait(story, Method.NTFY, 600)
    story.phones[Method.EMAIL].fault = lambda: None
    await story.fires("orders")
    await story.after(minutes=1, seconds=5)
    assert story.timetable()[2:] == ["03:01:00 Ana by sms"], "the first to be told"
    story.slack_is_down(minutes=60)

    def trouble() -> None:
        raise RetryLaterError("451 try again")

    story.phones[Method.EMAIL].fault = trouble
    await story.fires("customers")
    await story.after(seconds=5)
    assert [line[9:] for line in story.timetable()] == ["Ana by sms"]
    told = [line[9:] for line in await story.story(2) if "E-mail did not reach" in line]
    assert told == ["E-mail did not reach ana: 451 try again. Now by text message."]


async def test_a_short_wait_is_waited_for(night: Night) -> None:
    story = night("ntfy, email 2m")
    asks_to_wait(story, Method.NTFY, 12)
    await story.fires("orders")
    await story.after(seconds=1)
    await story.fires("customers")
    await story.after(seconds=30)
    assert [line for line in story.timetable() if "slack" not in line] == [
        "03:00:12 Ana by ntfy",
        "03:00:13 Ana by ntfy",
    ]


async def test_short_waits_one_after_another_are_not_waited_for(night: Night) -> None:
    story = night("ntfy, email 5m")

    def fault() -> None:
        raise RetryLaterError("wait", after=timedelta(seconds=10), throttled=True)

    story.phones[Method.NTFY].fault = fault
    await story.fires("orders")
    await story.after(seconds=5)
    await story.fires("customers")
    await story.after(seconds=30)
    emails = [line for line in story.timetable() if line.endswith("email")]
    assert emails == ["03:00:10 Ana by email", "03:00:20 Ana by email"]


async def test_a_line_that_is_busy_with_a_call_is_waited_for(night: Night) -> None:
    story = night("voice 1m, sms 5m")
    await story.fires("orders")
    await story.after(seconds=1)
    await story.fires("customers")
    await story.after(minutes=1)
    await story.fires("refunds")
    await story.after(minutes=3)
    assert [line for line in story.timetable() if "slack" not in line] == [
        "03:01:00 Ana by voice",
        "03:01:45 Ana by voice",
        "03:02:30 Ana by voice",
    ]


async def test_those_who_wait_for_slack_pass_what_is_shut_once_it_is_known_to_be_down(
    night: Night,
) -> None:
    story = night("ntfy 1m, email 5m")
    asks_to_wait(story, Method.NTFY, 600)
    await story.fires("orders")
    await story.after(minutes=1, seconds=1)
    story.timetable()

    def unreachable(_: Job) -> None:
        raise RetryLaterError("cannot reach Slack", whole_lane=True)

    story.slack.fault = unreachable
    await story.fires("customers")
    await story.after(seconds=5)
    assert [line[9:] for line in story.timetable()] == ["Ana by email"]


@pytest.mark.parametrize(("seconds", "called"), [(12, 0), (40, 1)])
async def test_a_short_wait_for_slack_is_no_reason_to_call_whoever_is_paged_meanwhile(
    night: Night, seconds: int, called: int
) -> None:
    story = night("voice 5m")
    await story.fires("orders")
    end = story.clock.now() + timedelta(seconds=seconds)

    def throttled(job: Job) -> None:
        wait = end - story.clock.now()
        if job.kind in {"page", "show_page"} and wait > timedelta(0):
            raise RetryLaterError("Slack asks us to wait", after=wait, throttled=True)

    story.slack.fault = throttled
    await story.does("bo", "acked")  # its edit is what Slack refuses
    await story.after(seconds=2)
    await story.fires("customers")
    await story.after(minutes=1)
    assert sum(line.endswith("voice") for line in story.timetable()) == called
