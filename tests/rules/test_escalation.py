"""Policies and their steps: who is paged, in which order, and what happens when nobody is there."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from rules.alert import Severity
from rules.effects import CallWebhook, Page, PageChannel, PageUserGroup, Tell
from rules.events import Acked, Escalated, Muted, PageFailed, Woken
from rules.hours import Hours
from rules.incident import State
from rules.policy import (
    AtLeast,
    Channel,
    NextOnCallOf,
    OnCallOf,
    OnePerson,
    Policy,
    Step,
    Target,
    UserGroup,
    Webhook,
)
from rules.rotation import OnCall
from rules.rulebook import Route
from rules.sentence import plain
from tests.rules.build import (
    ANA,
    BO,
    CY,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    PRIMARY,
    SECONDARY,
    Night,
    make_alert,
    make_book,
    make_span,
    opened,
    page,
    pages,
)

SECOND = timedelta(seconds=1)
OFFICE = Hours(time(9), time(17), "Europe/Berlin", ("mon", "tue", "wed", "thu", "fri"))
OPENS = datetime(2026, 11, 23, 8, tzinfo=UTC)


def told(night: Night) -> list[str]:
    return [e.sentence.render(plain) for e in night.last.effects if isinstance(e, Tell)]


@pytest.mark.parametrize(
    ("target", "paged"),
    [
        (OnCallOf("primary"), [ANA]),
        (OnCallOf("secondary", "data"), [BO]),
        (OnePerson(CY), [CY]),
        (NextOnCallOf("primary"), [BO]),
    ],
)
def test_every_kind_of_step_that_means_people_pages_them(target: Target, paged: list[str]) -> None:
    spans = [make_span(ANA, end=NOW + DAY), make_span(BO, start=NOW + DAY)]
    book = make_book(
        page(target), on_call=OnCall([*spans, make_span(BO, "secondary")]), fallback=()
    )
    decision = opened(book)
    assert pages(decision) == paged
    assert decision.incident.paged == tuple(paged)
    assert decision.incident.awaiting == tuple(paged)


@pytest.mark.parametrize(
    ("target", "effect"),
    [
        (UserGroup("data"), PageUserGroup("data", "inc-1:0.0.0:group:data")),
        (Channel("war-room"), PageChannel("war-room", "inc-1:0.0.0:channel:war-room")),
        (Webhook("pager"), CallWebhook("pager", "inc-1:0.0.0:webhook:pager")),
    ],
)
def test_every_kind_of_step_that_means_a_place_announces_it_there(
    target: Target, effect: PageUserGroup | PageChannel | CallWebhook
) -> None:
    decision = opened(make_book(page(target, wait=5 * MINUTE)))
    assert effect in decision.effects
    assert pages(decision) == []
    assert decision.incident.step_due_at == NOW + 5 * MINUTE


def test_targets_of_a_step_are_reached_together_in_order_and_once_each() -> None:
    decision = opened(make_book(page(SECONDARY, PRIMARY, ANA)))
    assert pages(decision) == [BO, ANA]


def test_the_key_of_a_page_names_generation_round_step_and_person() -> None:
    (sent,) = [e for e in opened().effects if isinstance(e, Page)]
    assert sent.key == f"inc-1:0.0.0:{ANA}"
    assert not sent.force


def test_the_ladder_climbs_to_the_fallback_and_stays_there() -> None:
    night = Night()
    climbed = [pages(night.last)]
    climbed += [pages(night.happens(Woken(), after=n * MINUTE)) for n in (5, 10, 30, 30)]
    assert climbed == [[ANA], [BO], [CY], [CY], [CY]]
    assert night.incident.exhausted
    assert night.incident.step_due_at == night.now + 30 * MINUTE


def test_the_end_of_the_policy_is_said_once_and_loudly() -> None:
    night = Night(make_book(page(ANA)))
    night.happens(Woken(), after=5 * MINUTE)
    (said,) = told(night)
    assert said == (
        "Nobody has answered #1: every step of policy default is done. Paging the fallback, "
        f"{CY}, every 30 min until somebody acknowledges."
    )
    night.happens(Woken(), after=30 * MINUTE)
    assert told(night) == []


def test_without_a_fallback_the_channel_is_asked_every_time() -> None:
    night = Night(make_book(page(ANA), fallback=()))
    night.happens(Woken(), after=5 * MINUTE)
    assert "no fallback is configured" in told(night)[0]
    night.happens(Woken(), after=30 * MINUTE)
    assert "no fallback is configured" in told(night)[0]
    assert night.incident.wake_at == night.now + 30 * MINUTE


def test_a_rotation_has_a_fallback_of_its_own_and_then_the_general_one() -> None:
    own = OnCall([make_span(ANA)], fallbacks={"data": (BO,)})
    night = Night(make_book(page(ANA), on_call=own))
    climbed = [pages(night.happens(Woken(), after=n * MINUTE)) for n in (5, 30, 30)]
    assert climbed == [[BO], [BO, CY], [BO, CY]]


def test_a_policy_without_steps_is_all_fallback() -> None:
    assert pages(opened(make_book(policies={"default": Policy("default", ())}))) == [CY]


def test_repeats_start_the_policy_over_so_many_times() -> None:
    night = Night(make_book(page(ANA), page(BO, repeat=2)))
    climbed = [pages(night.last)]
    climbed += [pages(night.happens(Woken(), after=5 * MINUTE)) for _ in range(6)]
    assert climbed == [[ANA], [BO], [ANA], [BO], [ANA], [BO], [CY]]


def test_an_ack_between_repeats_ends_them() -> None:
    night = Night(make_book(page(ANA, repeat=3)))
    night.happens(Woken(), after=5 * MINUTE)
    night.happens(Acked(ANA))
    assert pages(night.happens(Woken(), after=HOUR)) == []


def test_a_step_without_targets_only_waits() -> None:
    night = Night(make_book(Step(wait=10 * MINUTE), page(ANA)))
    assert pages(night.last) == []
    assert pages(night.happens(Woken(), after=10 * MINUTE)) == [ANA]


def test_nobody_on_call_goes_on_at_once_and_says_so() -> None:
    night = Night(make_book(on_call=OnCall([make_span(BO, "secondary")])))
    assert pages(night.last) == [BO]
    assert told(night) == ["Step 1 found nobody (primary of data); going on at once."]
    assert night.incident.step_due_at == NOW + 10 * MINUTE


def test_nobody_on_call_where_no_rotation_is_configured_names_the_role_alone() -> None:
    route = Route("default", "default", "data-alerts", "")
    book = replace(make_book(), on_call=OnCall([]), routes=(route,))
    assert told(Night(book))[0] == "Step 1 found nobody (primary); going on at once."


@pytest.mark.parametrize("place", [UserGroup("data"), Channel("war-room"), Webhook("pager")])
def test_a_place_told_beside_a_role_does_not_stand_for_who_is_missing(place: Target) -> None:
    steps = (page(PRIMARY, place, repeat=5), page(SECONDARY))
    night = Night(make_book(*steps, on_call=OnCall([make_span(BO, "secondary")])))
    assert pages(night.last) == [BO]
    assert told(night) == ["Step 1 found nobody (primary of data); going on at once."]
    announced = (PageUserGroup, PageChannel, CallWebhook)
    assert sum(isinstance(e, announced) for e in night.last.effects) == 1


def test_nobody_at_all_reaches_the_fallback_at_once_however_often_it_repeats() -> None:
    steps = (page(PRIMARY), page(SECONDARY, repeat=5))
    night = Night(make_book(*steps, on_call=OnCall()))
    assert pages(night.last) == [CY]
    waiting = (page(PRIMARY), Step(wait=5 * MINUTE, repeat=9))
    night = Night(make_book(*waiting, on_call=OnCall()))
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == [CY]


def test_a_span_that_says_nobody_is_nobody() -> None:
    night = Night(make_book(page(PRIMARY), on_call=OnCall([make_span("")])))
    assert pages(night.last) == [CY]


def test_a_page_that_fails_goes_on_at_once() -> None:
    night = Night()
    decision = night.happens(PageFailed(ANA, f"inc-1:0.0.0:{ANA}", "account_inactive"))
    assert pages(decision) == [BO]
    assert told(night) == [f"{ANA} could not be paged: account_inactive"]


def test_one_of_two_failed_pages_does_not_end_the_wait() -> None:
    night = Night(make_book(page(ANA, BO), page(CY)))
    assert pages(night.happens(PageFailed(ANA, "k1", "gone"))) == []
    assert pages(night.happens(PageFailed(BO, "k2", "gone"))) == [CY]


def test_a_failed_page_of_an_earlier_step_is_only_said() -> None:
    night = Night()
    night.happens(Woken(), after=5 * MINUTE)
    assert pages(night.happens(PageFailed(ANA, "k", "gone"))) == []
    assert night.incident.step_due_at == night.now + 10 * MINUTE


def test_a_failed_page_does_not_cut_short_a_step_that_told_a_channel() -> None:
    night = Night(make_book(page(ANA), page(Channel("war-room")), page(CY)))
    night.happens(Woken(), after=5 * MINUTE)
    assert pages(night.happens(PageFailed(ANA, "k", "gone"))) == []
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == [CY]


@pytest.mark.parametrize("event", [Acked(BO), Muted(BO, NOW + HOUR, "deploy")])
def test_a_failed_page_pages_nobody_after_an_ack_or_a_silence(event: Acked | Muted) -> None:
    night = Night()
    night.happens(event)
    assert pages(night.happens(PageFailed(ANA, "k", "gone"))) == []


def test_a_failed_page_to_the_fallback_waits_for_its_next_turn() -> None:
    night = Night(make_book(page(ANA)))
    night.happens(Woken(), after=5 * MINUTE)
    assert pages(night.happens(PageFailed(CY, "k", "gone"))) == []
    assert pages(night.happens(Woken(), after=30 * MINUTE)) == [CY]


def test_a_rotations_fallback_that_cannot_be_paged_lets_the_general_one_go_at_once() -> None:
    """Half an hour of nobody otherwise: the rotation's own lead has left, and nobody said so."""
    own = OnCall([make_span(ANA)], fallbacks={"data": (BO,)})
    night = Night(make_book(page(ANA), on_call=own))
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == [BO]
    assert pages(night.happens(PageFailed(BO, "k", "account_inactive"))) == [CY]
    assert night.incident.awaiting == (CY,)
    assert night.incident.step_due_at == night.now + 30 * MINUTE
    assert pages(night.happens(PageFailed(CY, "k", "account_inactive"))) == []
    assert pages(night.happens(Woken(), after=30 * MINUTE)) == [BO, CY]


@pytest.mark.parametrize("order", [(BO, CY), (CY, BO)])
def test_fallbacks_that_all_fail_do_not_page_each_other_for_ever(order: tuple[str, str]) -> None:
    own = OnCall([make_span(ANA)], fallbacks={"data": (BO,)})
    night = Night(make_book(page(ANA), on_call=own))
    night.happens(Woken(), after=5 * MINUTE)
    night.happens(Woken(), after=30 * MINUTE)
    paged = [pages(night.happens(PageFailed(one, "k", "gone"))) for one in (*order, CY, BO)]
    assert sum(map(len, paged)) <= 1
    assert night.incident.step_due_at == night.now + 30 * MINUTE


def test_a_step_for_office_hours_waits_until_they_open() -> None:
    night = Night(make_book(page(ANA, only_during=OFFICE)))
    assert pages(night.last) == []
    assert night.incident.step_due_at == OPENS
    assert pages(night.happens(Woken(), after=OPENS - NOW - SECOND)) == []
    assert pages(night.happens(Woken(), after=SECOND)) == [ANA]


def test_a_step_for_office_hours_may_be_left_out_at_night() -> None:
    steps = (page(ANA, only_during=OFFICE, outside="skip"), page(BO))
    assert pages(opened(make_book(*steps))) == [BO]
    assert pages(opened(make_book(*steps), now=OPENS)) == [ANA]


def test_a_policy_whose_steps_are_all_left_out_reaches_the_fallback() -> None:
    step = page(ANA, only_during=OFFICE, outside="skip", repeat=100)
    assert pages(opened(make_book(step))) == [CY]


def thrice() -> Night:
    return Night(make_book(page(ANA, only_if=AtLeast(3, 10 * MINUTE))))


def test_a_step_with_a_threshold_asks_for_the_times_at_once() -> None:
    night = thrice()
    assert pages(night.last) == []
    assert night.incident.wake_at == NOW


def test_a_step_below_its_threshold_waits_for_more_alerts_and_says_so_once() -> None:
    night = thrice()
    night.happens(Woken((NOW,)))
    assert [reason.sentence.render(plain) for reason in night.last.reasons] == [
        "Step 1 waits for 3 alerts within 10 min; 1 so far."
    ]
    assert night.incident.step_due_at == NOW + 10 * MINUTE
    night.now += MINUTE
    night.fires("users")
    assert night.incident.step_due_at == night.now
    assert pages(night.happens(Woken((NOW, night.now)))) == []
    assert night.last.reasons == ()


def test_the_alert_that_meets_the_threshold_pages() -> None:
    night = thrice()
    night.happens(Woken((NOW,)))
    night.fires("users")
    night.fires("stock")
    assert pages(night.happens(Woken((NOW, NOW, NOW)))) == [ANA]
    assert not night.incident.gated


def test_alerts_before_the_window_do_not_count() -> None:
    night = thrice()
    old = (NOW - 10 * MINUTE, NOW - 10 * MINUTE, NOW)
    assert pages(night.happens(Woken(old))) == []


def test_a_threshold_of_one_is_met_by_the_first_alert() -> None:
    night = Night(make_book(page(ANA, only_if=AtLeast(1, MINUTE))))
    assert pages(night.happens(Woken((NOW,)))) == [ANA]


def test_an_alert_that_raises_the_priority_asks_a_waiting_step_too() -> None:
    gate = AtLeast(3, 10 * MINUTE)
    night = Night(make_book(page(ANA, only_if=gate)), make_alert(severity=Severity.ERROR))
    night.happens(Woken((NOW,)), after=MINUTE)
    night.fires("users", severity=Severity.CRITICAL)
    assert night.incident.step_due_at == night.now


def test_a_silence_forgets_the_threshold_and_a_new_start_asks_again() -> None:
    night = thrice()
    night.happens(Woken((NOW,)))
    night.happens(Muted(BO, NOW + HOUR, "deploy"))
    assert not night.incident.gated
    night.happens(Woken(()), after=HOUR)
    assert night.incident.state is State.TRIGGERED
    assert night.incident.step_due_at == night.now + 10 * MINUTE


def test_escalating_after_the_end_pages_the_fallback_again() -> None:
    night = Night(make_book(page(ANA)))
    night.happens(Woken(), after=5 * MINUTE)
    first = {e.key for e in night.last.effects if isinstance(e, Page)}
    second = {e.key for e in night.happens(Escalated(ANA)).effects if isinstance(e, Page)}
    assert second
    assert first.isdisjoint(second)


def test_escalating_passes_one_condition_and_not_all_that_follow() -> None:
    gate = AtLeast(50, HOUR)
    steps = (page(ANA), page(BO, wait=timedelta(0), only_if=gate), page(CY, only_if=gate))
    night = Night(make_book(*steps))
    assert pages(night.happens(Escalated(ANA))) == [BO]


def test_a_repeated_round_that_reaches_nobody_is_the_last() -> None:
    spans = [make_span(ANA, end=NOW + MINUTE)]
    night = Night(make_book(page(PRIMARY, repeat=3), on_call=OnCall(spans)))
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == [CY]
    assert night.incident.round == 1


def test_a_new_policy_does_not_bend_what_is_running() -> None:
    night = Night()
    night.book = make_book(page(CY))
    assert pages(night.happens(Woken(), after=5 * MINUTE)) == [BO]
