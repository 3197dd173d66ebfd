"""Swapping shifts: asked, accepted, approved, applied at once; declined, expired, undone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.acts.roster import OnSwap
from rules.schedule.roster import Away, Schedule
from rules.schedule.swapping import SwapState
from tests.stories.conftest import Tell
from tests.stories.rota import Rota, hours, monday, week, weekly
from tests.stories.story import rulebook

HOUR = timedelta(hours=1)


@pytest.fixture
def rota(tell: Tell) -> Rota:
    story = tell()
    story.clock.set(monday() + HOUR)
    return Rota(story, weekly())


async def state(rota: Rota) -> SwapState:
    (swap,) = await rota.swaps()
    return swap.state_at(rota.story.clock.now())


async def test_both_shifts_change_hands_at_once_and_hours_stay(rota: Rota) -> None:
    before = hours(await rota.answer(), monday(), monday(6))
    await rota.asks_swap("bo", "cy", week(1), week(2))
    assert await rota.primary(monday(1)) == ("bo",)
    assert "cy has been asked" in rota.story.said()[-1]
    await rota.on_swap("cy", "accept")
    assert (await rota.primary(monday(1)), await rota.primary(monday(2))) == (("cy",), ("bo",))
    after = hours(await rota.answer(), monday(), monday(6))
    assert sum(after.values()) == sum(before.values())
    assert after == before
    assert "Swapped: cy has primary of data" in (await rota.told("bo"))[-1]
    lines = [(c.what, c.by, c.before, c.after) for c in await rota.audit()]
    assert lines[2:] == [
        ("swap applied", "cy", "bo", "cy"),
        ("swap applied", "cy", "cy", "bo"),
    ]


async def test_who_is_paged_follows_the_swap(rota: Rota) -> None:
    await rota.asks_swap("bo", "cy", week(1), week(2))
    await rota.on_swap("cy", "accept")
    await rota.story.until(monday(1) + HOUR)
    await rota.story.fires("orders")
    rota.story.pages("cy")


async def test_declining_changes_nothing(rota: Rota) -> None:
    await rota.asks_swap("bo", "cy", week(1), week(2))
    with rota.refused("Only cy can answer that"):
        await rota.on_swap("ana", "accept")
    await rota.on_swap("cy", "decline")
    assert await state(rota) is SwapState.DECLINED
    assert await rota.primary(monday(1)) == ("bo",)
    assert "declined the swap" in (await rota.told("bo"))[-1]
    with rota.refused("has ended it: declined"):
        await rota.on_swap("cy", "accept")


async def test_an_approver_decides_where_one_is_named(rota: Rota) -> None:
    rota.rules.the_book = replace(rota.rules.the_book, swap_approvers={"data": ("lead", "bo")})
    await rota.asks_swap("bo", "cy", week(1), week(2))
    with rota.refused("cy has not answered yet"):
        await rota.on_swap("lead", "approve")
    await rota.on_swap("cy", "accept")
    assert await state(rota) is SwapState.ACCEPTED
    assert await rota.primary(monday(1)) == ("bo",)
    with rota.refused("not among those who approve"):
        await rota.on_swap("bo", "approve")
    await rota.on_swap("lead", "approve")
    assert await rota.primary(monday(1)) == ("cy",)
    assert (await rota.swaps())[0].approved_by == "lead"


async def test_an_approver_may_refuse(rota: Rota) -> None:
    rota.rules.the_book = replace(rota.rules.the_book, swap_approvers={"data": ("lead",)})
    await rota.asks_swap("bo", "cy", week(1), week(2))
    await rota.on_swap("cy", "accept")
    await rota.on_swap("lead", "refuse")
    assert await state(rota) is SwapState.REFUSED
    assert await rota.primary(monday(1)) == ("bo",)
    for person in ("bo", "cy"):
        assert "lead did not approve the swap" in (await rota.told(person))[-1]


async def test_an_undecided_swap_expires_when_the_first_shift_begins(rota: Rota) -> None:
    await rota.asks_swap("bo", "cy", week(1), week(2))
    await rota.story.down(days=7, hours=1)
    assert await state(rota) is SwapState.EXPIRED
    with rota.refused("expired"):
        await rota.on_swap("cy", "accept")
    assert await rota.primary() == ("bo",)
    late = [job for job in rota.story.sent("show_swap") if job.payload["expires"]]
    assert {job.payload["person"] for job in late} == {"bo", "cy"}


async def test_who_must_answer_is_reminded_by_stored_jobs(rota: Rota) -> None:
    await rota.asks_swap("bo", "cy", week(1), week(2))
    await rota.story.until(monday(1) - timedelta(days=2))
    assert len(rota.story.sent("remind_swap")) == 1
    rota.story.restart()
    await rota.story.until(monday(1))
    assert [job.payload["person"] for job in rota.story.sent("remind_swap")] == ["cy"] * 4


async def test_a_swap_is_undone_only_before_it_begins(rota: Rota) -> None:
    await rota.asks_swap("bo", "cy", week(1), week(2))
    await rota.on_swap("cy", "accept")
    with rota.refused("Only bo or cy can undo it"):
        await rota.on_swap("ana", "withdraw")
    await rota.on_swap("cy", "withdraw")
    assert await rota.primary(monday(1)) == ("bo",)
    await rota.asks_swap("bo", "cy", week(1), week(2))
    await rota.on_swap("cy", "accept")
    await rota.story.until(monday(1) + HOUR)
    with rota.refused("It has begun"):
        await rota.on_swap("bo", "withdraw")
    assert await rota.primary() == ("cy",)


async def test_who_covers_a_swapped_shift_is_told_that_it_was_undone(rota: Rota) -> None:
    await rota.asks_swap("bo", "cy", week(1), week(2))
    await rota.on_swap("cy", "accept")
    await rota.asks_cover("cy", week(1))
    await rota.on_cover("dee", "accept")
    assert await rota.primary(monday(1)) == ("dee",)
    await rota.on_swap("bo", "withdraw")
    assert await rota.primary(monday(1)) == ("bo",)
    (told,) = [one for one in await rota.told("dee") if "undid a swap" in one]
    assert told.endswith("you are not on call then any more.")


async def test_a_swap_that_another_one_builds_on_is_undone_after_that(rota: Rota) -> None:
    """Else the second one would be half in force: cy off, and bo on call twice for nothing."""
    before = hours(await rota.answer(), monday(1), monday(5))
    await rota.asks_swap("bo", "cy", week(1), week(2))
    await rota.on_swap("cy", "accept")
    await rota.asks_swap("cy", "ana", week(1), week(3))
    await rota.on_swap("ana", "accept")
    first, second = sorted(await rota.swaps(), key=lambda swap: swap.asked_at)
    with rota.refused("ana has that shift by a later swap. Undo that one first."):
        await rota.story.asks(OnSwap(by="bo", swap_id=first.id, what="withdraw"))
    assert await rota.primary(monday(1)) == ("ana",)
    for swap, by in ((second, "cy"), (first, "bo")):
        await rota.story.asks(OnSwap(by=by, swap_id=swap.id, what="withdraw"))
    weeks = [await rota.primary(monday(number)) for number in (1, 2, 3)]
    assert weeks == [("bo",), ("cy",), ("ana",)]
    assert hours(await rota.answer(), monday(1), monday(5)) == before


async def test_double_duty_and_absence_are_said_before_and_when_it_is_agreed(tell: Tell) -> None:
    away = Away(person="bo", start=monday(2) + HOUR, end=monday(2) + 9 * HOUR)
    story = tell(rulebook())
    story.clock.set(monday() + HOUR)
    rota = Rota(story, weekly(away=[away]))
    await rota.asks_swap("bo", "cy", week(1), week(2))
    asked = story.said()[-1]
    assert "Beware: cy is then" in asked
    assert "bo is away" in asked
    await rota.on_swap("cy", "accept")
    assert "Beware: cy is then" in story.said()[-1]
    assert await rota.primary(monday(2) + 12 * HOUR) == ("bo",)


async def test_who_would_be_away_all_of_a_shift_of_another_rotation_is_named(tell: Tell) -> None:
    story = tell(rulebook())
    story.clock.set(monday() + HOUR)
    away = Away(person="bo", start=monday(2), end=monday(3))
    (data,) = weekly(away=[away]).plans
    web = replace(data, name="web", away=(), layers=tuple(
        replace(layer, order=(("dee",),)) for layer in data.layers[:1]
    ))  # fmt: skip
    rota = Rota(story, Schedule(plans=(data, web)))
    await rota.asks_swap("bo", "dee", week(1), week(2, rotation="web"))
    asked = story.said()[-1]
    await rota.on_swap("dee", "accept")
    for said in (asked, story.said()[-1]):
        assert "Beware: bo is away from" in said
        assert "Beware: nobody is primary of web" in said


async def test_what_cannot_be_swapped_is_refused_in_words(rota: Rota) -> None:
    with rota.refused("Both shifts are yours"):
        await rota.asks_swap("bo", "bo", week(1), week(4))
    with rota.refused("That shift has begun"):
        await rota.asks_swap("ana", "bo", week(0), week(1))
    with rota.refused("bo is not primary of data all of that time"):
        await rota.asks_swap("cy", "bo", week(2), week(3))
    await rota.asks_swap("bo", "cy", week(1), week(2))
    with rota.refused("in another swap that waits"):
        await rota.asks_swap("bo", "ana", week(1), week(3))
    with rota.refused("Only bo can withdraw"):
        await rota.on_swap("cy", "withdraw")


async def test_two_swaps_of_one_shift_cannot_both_be_agreed(rota: Rota) -> None:
    await rota.asks_swap("bo", "cy", week(1), week(2))
    first = (await rota.swaps())[0].id
    await rota.asks_swap("ana", "bo", week(3), week(4))
    await rota.overrides("lead", "ana", week(1))
    with rota.refused("bo is not primary of data all of that time"):
        await rota.story.asks(OnSwap(by="cy", swap_id=first, what="accept"))
    assert await rota.primary(monday(2)) == ("cy",)
