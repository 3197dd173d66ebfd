"""Groups that follow a rotation: whoever is on call is in, and nobody else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.acts.access import ApproveAccess, RevokeAll
from bot.ports.delivering import RetryLaterError
from bot.store.opening import OpenedStore
from rules.access.group import AccessGroup, Whom
from rules.rotation import OnCall, Span
from tests.fakes.clock import FakeClock
from tests.stories.elevated import ANA, BO, CY, DEE, PRIMARY, Elevated, book_of, group
from tests.stories.story import MONDAY_03

Begin = Callable[..., Elevated]
NINE = MONDAY_03 + timedelta(hours=6)
WEEK = timedelta(days=7)


def turns() -> OnCall:
    """Return primaries: ana until Monday nine, then bo for a week, then cy."""
    people = ((NINE - WEEK, ANA), (NINE, BO), (NINE + WEEK, CY))
    return OnCall(Span(at, at + WEEK, "data", "primary", (who,)) for at, who in people)


def following(**changes: Any) -> AccessGroup:
    usual: dict[str, Any] = {
        "follows": (PRIMARY,),
        "may_ask": Whom(),
        "owned": True,
        "dry_run": False,
    }
    return group(**{**usual, **changes})


class Weeks(Elevated):
    every = timedelta(hours=6)


@pytest.fixture
def begin(opened_store: OpenedStore, clock: FakeClock) -> Begin:
    def begun(*groups: AccessGroup) -> Elevated:
        book = book_of(*(groups or (following(),)), on_call=turns())
        return Weeks(opened_store, clock, book)

    return begun


async def test_the_group_moves_with_the_hand_off_within_five_seconds(begin: Begin) -> None:
    story = begin()
    await story.after(minutes=1)
    assert story.groups.who() == [ANA]
    await story.until(NINE - timedelta(seconds=1))
    assert story.groups.who() == [ANA]
    await story.until(NINE + timedelta(seconds=5))
    assert story.groups.who() == [BO]
    moved = [(at, what, who) for at, what, who in story.groups.log if at >= NINE]
    assert [(what, who) for _, what, who in moved] == [("out", ANA), ("in", BO)]
    assert all(at - NINE <= timedelta(seconds=5) for at, _, _ in moved)
    await story.after(hours=1)
    assert story.groups.who() == [BO]
    assert [(await story.grant(n)).state.value for n in (0, 1)] == ["ended", "active"]


async def test_nobody_keeps_it_when_the_newcomer_cannot_get_in(begin: Begin) -> None:
    story = begin()
    await story.after(minutes=1)

    def half(call: str) -> None:
        if call == "grant":
            raise RetryLaterError("try later")

    story.groups.fault = half
    await story.until(NINE + timedelta(seconds=5))
    assert story.groups.who() == []
    story.groups.fault = lambda call: None
    await story.after(minutes=2)
    assert story.groups.who() == [BO]


async def test_an_override_moves_it_at_once(begin: Begin) -> None:
    story = begin()
    await story.after(minutes=1)
    spans = (
        Span(NINE - WEEK, story.clock.now(), "data", "primary", (ANA,)),
        Span(story.clock.now(), NINE, "data", "primary", (CY,)),
    )
    story.changes_rules(on_call=OnCall(spans))
    await story.after(seconds=5)
    assert story.groups.who() == [CY]


async def test_whoever_is_on_call_for_weeks_is_never_put_in_for_more_than_two_days(
    begin: Begin,
) -> None:
    story = begin()
    story.groups.native = True
    await story.until(NINE + timedelta(minutes=1))
    until = story.groups.held["prod"][BO]
    assert until is not None
    assert until - NINE <= timedelta(hours=48, minutes=1)
    for _ in range(6):
        await story.after(days=1)
        assert story.groups.who() == [BO]
    assert await story.told() == []


async def test_with_an_old_roster_nobody_new_gets_in_without_a_word(begin: Begin) -> None:
    story = begin()
    await story.after(minutes=1)
    story.roster_read_at = story.clock.now()
    await story.until(NINE + timedelta(seconds=5))
    assert story.groups.who() == []  # ana's shift is over all the same
    assert sorted(await story.told()) == [
        "channel rotation_held", "dee rotation_held",
    ]  # fmt: skip
    grant = await story.grant()
    await story.asks(ApproveAccess(by=BO, grant=grant.id))
    assert story.answers()[-1] == "Nobody may approve their own request."
    await story.after(hours=1)
    assert (await story.grant()).state == "requested"
    await story.asks(ApproveAccess(by=DEE, grant=grant.id))
    assert story.groups.who() == [BO]


async def test_a_roster_that_is_read_again_lets_them_in(begin: Begin) -> None:
    story = begin()
    await story.after(minutes=1)
    story.roster_read_at = story.clock.now()
    await story.until(NINE + timedelta(minutes=1))
    assert story.groups.who() == []
    story.roster_read_at = None
    await story.after(minutes=1)
    assert story.groups.who() == [BO]


async def test_a_bot_that_was_down_over_the_hand_off_moves_it_at_its_start(begin: Begin) -> None:
    story = begin()
    await story.after(minutes=1)
    await story.down(hours=7)
    assert story.groups.who() == [BO]
    assert "channel late" in await story.told()


async def test_revoke_all_keeps_them_out_until_the_shift_is_over(begin: Begin) -> None:
    story = begin()
    await story.until(NINE + timedelta(minutes=1))
    await story.asks(RevokeAll(by=DEE, why="a stolen laptop"))
    assert story.groups.who() == []
    await story.after(hours=1)
    assert story.groups.who() == []
    await story.until(NINE + WEEK + timedelta(seconds=5))
    assert story.groups.who() == [CY]


async def test_a_deactivated_person_on_call_is_out(begin: Begin) -> None:
    story = begin()
    await story.after(minutes=1)
    await story.bars(ANA, "their Slack account is closed")
    assert story.groups.who() == []
    await story.after(minutes=10)
    assert story.groups.who() == []
