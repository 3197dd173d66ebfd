"""Every kind of escalation step, each also across a restart in its middle."""

from datetime import UTC, datetime, time, timedelta

import pytest

from rules.hours import Hours
from rules.policy import (
    AtLeast,
    Channel,
    NextOnCallOf,
    OnePerson,
    Policy,
    Step,
    UserGroup,
    Webhook,
)
from rules.rotation import OnCall, Span
from tests.stories.conftest import Tell
from tests.stories.story import MONDAY_03, PRIMARY, SECONDARY, Story, page, policy, rulebook

OFFICE = Hours(time(9), time(18), "Europe/Berlin", ("mon", "tue", "wed", "thu", "fri"))


async def test_a_user_group_a_channel_and_a_webhook_are_reached(tell: Tell) -> None:
    targets = UserGroup("data-oncall"), Channel("data-leads"), Webhook("gateway")
    story = tell(rulebook(steps=policy(page(*targets), page(PRIMARY))))
    await story.fires()
    assert [job.payload for job in story.sent("page_user_group")] == [{"group": "data-oncall"}]
    assert [job.payload for job in story.sent("page_channel")] == [{"channel": "data-leads"}]
    assert [job.payload for job in story.sent("webhook")] == [{"webhook": "gateway"}]
    story.pages()
    await story.after(minutes=5)
    story.pages("ana")


async def test_a_step_that_only_waits(tell: Tell) -> None:
    story = tell(rulebook(steps=policy(Step(wait=timedelta(minutes=10)), page(PRIMARY))))
    await story.fires()
    await story.after(minutes=9, seconds=59)
    story.pages()
    await story.after(seconds=1)
    story.pages("ana")


async def test_the_policy_repeats_as_often_as_it_says(tell: Tell) -> None:
    story = tell(rulebook(steps=policy(page(PRIMARY), page(SECONDARY, repeat=2))))
    await story.fires()
    for _ in range(3):
        story.pages("ana")
        await story.after(minutes=5)
        story.pages("bo")
        await story.after(minutes=5)
    story.pages("dee")


async def test_a_policy_that_finds_nobody_does_not_repeat_itself(tell: Tell) -> None:
    steps = policy(page(PRIMARY), page(SECONDARY, repeat=3))
    story = tell(rulebook(steps=steps, on_call=OnCall()))
    await story.fires()
    await story.after(seconds=5)
    story.pages("dee")
    assert len([t for t in story.said() if "found nobody" in t]) == 2


async def test_the_person_of_the_next_shift_is_paged(tell: Tell) -> None:
    handoff = MONDAY_03 + timedelta(hours=6)
    spans = [
        Span(MONDAY_03 - timedelta(days=7), handoff, "data", "primary", ("ana",)),
        Span(handoff, handoff + timedelta(days=7), "data", "primary", ("cy",)),
    ]
    steps = policy(page(PRIMARY), page(NextOnCallOf("primary")))
    story = tell(rulebook(steps=steps, on_call=OnCall(spans)))
    await story.fires()
    await story.after(minutes=5)
    story.pages("ana", "cy")


async def test_the_page_goes_to_whoever_is_on_call_then(tell: Tell) -> None:
    handoff = MONDAY_03 + timedelta(minutes=5)
    spans = [
        Span(MONDAY_03 - timedelta(days=7), handoff, "data", "primary", ("ana",)),
        Span(handoff, handoff + timedelta(days=7), "data", "primary", ("cy",)),
    ]
    steps = policy(page(PRIMARY), page(PRIMARY))
    story = tell(rulebook(steps=steps, on_call=OnCall(spans)))
    await story.fires()
    story.pages("ana")
    await story.after(minutes=5)
    story.pages("cy")


async def test_a_step_for_office_hours_waits_for_them(tell: Tell) -> None:
    story = tell(rulebook(steps=policy(page(PRIMARY, only_during=OFFICE))))
    await story.fires()
    await story.until(datetime(2026, 11, 23, 7, 59, 59, tzinfo=UTC))
    story.pages()
    await story.until(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    story.pages("ana")


async def test_a_step_for_office_hours_can_be_left_out_at_night(tell: Tell) -> None:
    steps = policy(page(PRIMARY, only_during=OFFICE, outside="skip"), page(SECONDARY))
    story = tell(rulebook(steps=steps))
    await story.fires()
    story.pages("bo")


async def test_a_step_waits_for_enough_alerts(tell: Tell) -> None:
    gate = AtLeast(3, timedelta(minutes=10))
    story = tell(rulebook(steps=policy(page(PRIMARY, only_if=gate))))
    for minute in (0, 6, 12):
        await story.until(MONDAY_03 + timedelta(minutes=minute))
        await story.fires()
        story.pages()
    await story.after(minutes=2)
    await story.fires()
    story.pages("ana")


EVERY_KIND: dict[str, tuple[Policy, list[str]]] = {
    "on call": (policy(page(PRIMARY), page(SECONDARY)), ["bo"]),
    "person": (policy(page(OnePerson("ana")), page(OnePerson("cy"))), ["cy"]),
    "next shift": (policy(page(PRIMARY), page(NextOnCallOf("primary"))), ["dee"]),
    "user group": (policy(page(PRIMARY), page(UserGroup("g"))), []),
    "channel": (policy(page(PRIMARY), page(Channel("c"))), []),
    "webhook": (policy(page(PRIMARY), page(Webhook("w"))), []),
    "wait": (policy(page(PRIMARY), Step(wait=timedelta(minutes=5))), []),
    "repeat": (policy(page(PRIMARY, repeat=1)), ["ana"]),
    "gate": (
        policy(page(PRIMARY), page(SECONDARY, only_if=AtLeast(1, timedelta(hours=9)))),
        ["bo"],
    ),
    "hours": (policy(page(PRIMARY), page(SECONDARY, only_during=OFFICE)), []),
}


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_a_restart_in_the_middle_of_a_step_neither_loses_nor_repeats_it(
    tell: Tell, kind: str
) -> None:
    steps, second = EVERY_KIND[kind]
    story = tell(rulebook(steps=steps))
    await story.fires()
    story.pages("ana")
    await story.after(minutes=2)
    story.restart()
    await story.after(minutes=2, seconds=59)
    story.pages()
    await story.after(seconds=1)
    story.pages(*second)
    story.restart()
    await story.after(minutes=1)
    story.pages()
    assert_sent_once(story)


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_a_step_that_fell_due_while_down_runs_at_once_and_once(tell: Tell, kind: str) -> None:
    steps, second = EVERY_KIND[kind]
    story = tell(rulebook(steps=steps))
    await story.fires()
    story.pages("ana")
    await story.down(minutes=7)
    story.pages(*second)
    assert_sent_once(story)


def assert_sent_once(story: Story) -> None:
    kinds = {"page", "page_user_group", "page_channel", "webhook", "tell"}
    keys = [s.key for s in story.slack.sent if s.kind in kinds]
    assert len(keys) == len(set(keys))
