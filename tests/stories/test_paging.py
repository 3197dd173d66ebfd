"""An alert comes in, the right person is paged, an answer stops it."""

from datetime import timedelta

from bot.acts.act import OnIncident
from rules.incident import State
from rules.rotation import OnCall
from tests.stories.conftest import Tell
from tests.stories.story import (
    PRIMARY,
    SECONDARY,
    alert,
    on_call,
    page,
    policy,
    rulebook,
)


async def test_an_unanswered_alert_climbs_the_policy_and_ends_at_the_fallback(tell: Tell) -> None:
    story = tell()
    await story.fires()
    story.pages("ana")
    await story.after(minutes=4, seconds=59)
    story.pages()
    await story.after(seconds=1)
    story.pages("bo")
    await story.after(minutes=10)
    story.pages("dee")
    assert any("Nobody has answered #1" in text for text in story.said())
    await story.after(minutes=29)
    story.pages()
    await story.after(minutes=1)
    story.pages("dee")
    await story.does("dee", "acked")
    await story.after(hours=5)
    story.pages()


async def test_an_ack_one_second_before_a_step_is_due_stops_it(tell: Tell) -> None:
    story = tell()
    await story.fires()
    story.pages("ana")
    await story.after(minutes=4, seconds=59)
    await story.does("ana", "acked")
    await story.after(hours=1)
    story.pages()
    assert await story.state() is State.ACKNOWLEDGED


async def test_two_people_click_at_once_and_the_second_is_told(tell: Tell) -> None:
    story = tell()
    await story.fires()
    ack = [OnIncident(number=1, event="acked", by=who) for who in ("ana", "bo")]
    await story.asks(*ack)
    assert (await story.incident()).acked_by == "ana"
    assert story.said()[-1] == "ana already has #1. Reassign it to take it over."
    story.pages("ana")
    await story.after(hours=1)
    story.pages()


async def test_nobody_on_call_goes_on_at_once_and_says_so(tell: Tell) -> None:
    story = tell(rulebook(on_call=on_call(secondary="bo")))
    await story.fires()
    story.pages("bo")
    await story.after(seconds=2)
    assert "Step 1 found nobody (primary of data); going on at once." in story.said()


async def test_an_empty_roster_pages_the_fallback_at_once(tell: Tell) -> None:
    story = tell(rulebook(on_call=OnCall()))
    await story.fires()
    story.pages("dee")


async def test_without_roster_and_fallback_the_channel_is_told_again_and_again(tell: Tell) -> None:
    story = tell(rulebook(on_call=OnCall(), fallback=()))
    await story.fires()
    story.pages()
    await story.after(hours=1)
    asked = [text for text in story.said() if "no fallback is configured" in text]
    assert len(asked) == 3


async def test_a_repeat_is_an_edit_and_never_a_second_page(tell: Tell) -> None:
    story = tell()
    await story.fires()
    for _ in range(5):
        await story.after(seconds=20)
        await story.fires()
    story.pages("ana")
    incident = await story.incident()
    assert (incident.alert_count, incident.alerts[0].count) == (1, 6)
    assert len({job.incident_id for job in story.sent("show")}) == 1


async def test_the_run_is_one_incident(tell: Tell) -> None:
    story = tell()
    for key in ("orders", "customers", "payments"):
        await story.fires(key, group_key="run-1")
    story.pages("ana")
    assert (await story.incident()).alert_count == 3
    await story.recovers("orders")
    await story.recovers("customers")
    assert await story.state() is State.TRIGGERED
    await story.recovers("payments")
    assert await story.state() is State.RESOLVED
    await story.after(hours=1)
    story.pages()


async def test_resolved_then_firing_again_opens_a_new_one_that_links_to_the_last(
    tell: Tell,
) -> None:
    story = tell()
    await story.fires()
    await story.does("ana", "resolved", note="restarted it")
    await story.after(minutes=3)
    await story.fires()
    story.pages("ana", "ana")
    assert await story.state(1) is State.RESOLVED
    assert (await story.incident(2)).previous == 1


async def test_a_reopened_incident_pages_again_from_the_first_step(tell: Tell) -> None:
    story = tell()
    await story.fires()
    await story.after(minutes=5)
    story.pages("ana", "bo")
    await story.does("bo", "resolved")
    await story.does("bo", "reopened", note="still broken")
    await story.after(seconds=2)
    story.pages("ana")
    await story.after(minutes=5)
    story.pages("bo")


async def test_what_fires_again_is_not_reopened_under_its_old_number(tell: Tell) -> None:
    """Two open incidents of one thing cannot be stored, and would hold up whatever came after."""
    story = tell()
    await story.fires()
    await story.does("ana", "resolved")
    await story.after(minutes=3)
    await story.fires()
    story.pages("ana", "ana")
    await story.does("bo", "reopened")
    assert story.said()[-1].endswith("#1 stays as it is: the same thing is #2. Look there.")
    assert await story.state(1) is State.RESOLVED
    assert await story.state(2) is State.TRIGGERED
    await story.fires("customers")
    await story.after(seconds=2)
    story.pages("ana")


async def test_firing_again_and_reopening_in_one_batch(tell: Tell) -> None:
    story = tell()
    await story.fires()
    await story.does("ana", "resolved")
    await story.after(minutes=3)
    await story.hears(alert("orders", story.clock.now()), settle=False)
    await story.does("bo", "reopened")
    assert await story.state(1) is State.RESOLVED
    assert await story.state(2) is State.TRIGGERED


async def test_once_the_later_one_is_closed_too_the_first_can_be_reopened(tell: Tell) -> None:
    story = tell()
    await story.fires()
    await story.does("ana", "resolved")
    await story.after(minutes=3)
    await story.fires()
    await story.does("ana", "resolved", number=2)
    await story.does("bo", "reopened")
    assert await story.state(1) is State.TRIGGERED


async def test_an_ack_that_is_not_confirmed_is_taken_back(tell: Tell) -> None:
    story = tell(rulebook(ack_timeout=timedelta(hours=2), ack_confirm=timedelta(minutes=10)))
    await story.fires()
    await story.after(minutes=5)
    story.pages("ana", "bo")
    await story.does("bo", "acked")
    await story.after(hours=2)
    assert [job.payload["person"] for job in story.sent("ask_acker")] == ["bo"]
    await story.after(minutes=9)
    story.pages()
    await story.after(minutes=1)
    story.pages("ana", "bo")
    assert await story.state() is State.TRIGGERED


async def test_a_confirmed_ack_stands(tell: Tell) -> None:
    story = tell(rulebook(ack_timeout=timedelta(hours=2), ack_confirm=timedelta(minutes=10)))
    await story.fires()
    await story.does("ana", "acked")
    await story.after(hours=2, minutes=5)
    await story.does("ana", "ack_confirmed")
    await story.after(hours=1)
    story.pages("ana")
    assert await story.state() is State.ACKNOWLEDGED


async def test_unack_pages_the_on_call_again(tell: Tell) -> None:
    story = tell()
    await story.fires()
    await story.does("ana", "acked")
    await story.does("ana", "unacked")
    await story.after(seconds=2)
    story.pages("ana", "ana")


async def test_a_reassigned_person_is_paged_and_the_policy_goes_on_without_them(
    tell: Tell,
) -> None:
    story = tell()
    await story.fires()
    await story.does("ana", "reassigned", person="cy")
    story.pages("ana", "cy")
    await story.after(minutes=5)
    story.pages("ana")


async def test_escalating_by_hand_takes_the_next_step_now(tell: Tell) -> None:
    story = tell()
    await story.fires()
    story.pages("ana")
    await story.does("ana", "escalated")
    story.pages("bo")
    await story.after(minutes=9, seconds=59)
    story.pages()
    await story.after(seconds=1)
    story.pages("dee")


async def test_one_more_person_can_be_paged_while_somebody_has_it(tell: Tell) -> None:
    story = tell()
    await story.fires()
    await story.does("ana", "acked")
    await story.does("ana", "looped_in", person="cy")
    story.pages("ana", "cy")
    assert await story.state() is State.ACKNOWLEDGED


async def test_a_page_that_cannot_arrive_moves_the_policy_on_at_once(tell: Tell) -> None:
    from bot.ports.delivering import GiveUpError

    story = tell()

    def closed(job: object) -> None:
        if getattr(job, "kind", "") == "page" and getattr(job, "payload", {})["person"] == "ana":
            raise GiveUpError("the account is deactivated")

    story.slack.fault = closed
    await story.fires()
    await story.after(seconds=2)
    story.pages("bo")
    assert "ana could not be paged: the account is deactivated" in story.said()


async def test_a_mild_alert_shows_and_pages_nobody_until_a_worse_one_joins(tell: Tell) -> None:
    from rules.alert import Severity

    story = tell()
    await story.fires("late", severity=Severity.WARNING, group_key="run-1")
    await story.after(hours=1)
    story.pages()
    assert len(story.sent("show")) == 1
    await story.fires("broken", severity=Severity.CRITICAL, group_key="run-1")
    story.pages("ana")


async def test_the_policy_is_the_one_that_was_in_force_when_it_opened(tell: Tell) -> None:
    story = tell()
    await story.fires()
    story.rules.the_book = rulebook(steps=policy(page(PRIMARY, wait=60), page(SECONDARY)))
    await story.after(minutes=5)
    story.pages("ana", "bo")
