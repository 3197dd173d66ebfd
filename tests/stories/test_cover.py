"""Asking for cover: the first to accept has it, it expires, it is undone, it survives a crash."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.acts.act import SLACK, ActPayload, AnswerTo, act_to_json
from bot.acts.roster import EndOverride, OnCover
from bot.engine.pace import Pace
from bot.ports.delivering import GiveUpError
from bot.ports.inbox import NewDelivery
from bot.ports.jobs import Job
from rules.policy import OnCallOf
from rules.schedule.covering import CoverState
from rules.schedule.roster import OverrideKind
from tests.stories.conftest import Tell
from tests.stories.rota import Rota, monday, week, weekly
from tests.stories.story import page, policy, rulebook

HOUR = timedelta(hours=1)


@pytest.fixture
def rota(tell: Tell) -> Rota:
    story = tell(rulebook(steps=policy(page(OnCallOf("primary"), wait=30))))
    story.clock.set(monday() + 2 * HOUR)
    return Rota(story, weekly())


async def test_the_first_to_accept_has_the_shift_and_is_paged(rota: Rota) -> None:
    story = rota.story
    await story.fires("before")
    story.pages("ana")
    await rota.asks_cover("ana", week(0), why="dentist")
    assert "Asked in #data-alerts" in story.said()[-1]
    assert await rota.primary() == ("ana",)
    await story.asks(
        OnCover(by="cy", request_id=(await rota.requests())[0].id, what="accept"),
        OnCover(by="bo", request_id=(await rota.requests())[0].id, what="accept"),
    )
    assert await rota.primary() == ("cy",)
    assert "cy was faster and has it." in story.said()[-1]
    await story.fires("after")
    story.pages("cy")
    (request,) = await rota.requests()
    assert (request.state, request.taken_by) == (CoverState.TAKEN, "cy")
    (override,) = await story.store.reader.overrides(monday())
    assert (override.kind, override.instead_of) == (OverrideKind.REPLACE, "ana")
    assert override.why == "dentist"
    assert "cy covers primary of data for you" in (await rota.told("ana"))[-1]
    assert await rota.primary(monday(1)) == ("bo",)


async def test_the_audit_says_who_changed_what_from_where(rota: Rota) -> None:
    await rota.asks_cover("ana", week(0), why="dentist")
    await rota.on_cover("cy", "accept")
    asked, taken = await rota.audit()
    assert (asked.what, asked.by, asked.origin) == ("cover asked", "ana", "slack")
    assert (asked.before, asked.after, asked.why) == ("ana", "ana", "dentist")
    assert (taken.what, taken.by, taken.before, taken.after) == ("cover", "cy", "ana", "cy")


async def test_who_is_covered_may_have_the_shift_back(rota: Rota) -> None:
    await rota.asks_cover("ana", week(0))
    await rota.on_cover("cy", "accept")
    (override,) = await rota.story.store.reader.overrides(monday())
    await rota.story.after(hours=5)
    await rota.story.asks(EndOverride(by="ana", override_id=override.id))
    assert await rota.primary() == ("ana",)
    assert await rota.primary(rota.story.clock.now() - HOUR) == ("cy",)
    assert "Undone. ana is primary of data again" in rota.story.said()[-1]
    assert (await rota.requests())[0].state is CoverState.RETURNED
    assert (await rota.told("cy"))[-1].endswith("you are not on call then any more.")
    with rota.refused("ana has ended it already"):
        await rota.story.asks(EndOverride(by="bo", override_id=override.id))
    last = (await rota.audit())[-1]
    assert (last.what, last.before, last.after) == ("override ended", "cy", "ana")


async def test_only_the_askers_own_time_is_asked_for(rota: Rota) -> None:
    wide = replace(week(3), starts_at=monday(2) + 12 * HOUR, ends_at=monday(4) + 12 * HOUR)
    await rota.asks_cover("ana", wide)
    assert (await rota.requests())[-1].slot == week(3)
    await rota.on_cover("dee", "accept")
    (override,) = await rota.story.store.reader.overrides(monday())
    assert (override.starts_at, override.ends_at) == (monday(3), monday(4))


async def test_who_gets_a_shift_back_or_loses_one_is_told(rota: Rota) -> None:
    await rota.asks_cover("ana", week(3))
    await rota.on_cover("cy", "accept")
    await rota.asks_cover("cy", week(3))
    await rota.on_cover("dee", "accept")
    first, _ = await rota.story.store.reader.overrides(monday())
    await rota.story.asks(EndOverride(by="cy", override_id=first.id))
    assert await rota.primary(monday(3)) == ("ana",)
    assert (await rota.told("ana"))[-1].startswith("cy ended an override: primary of data from")
    assert (await rota.told("ana"))[-1].endswith("now it is you.")
    assert (await rota.told("dee"))[-1].endswith("you are not on call then any more.")


async def test_nobody_takes_it_and_it_expires_when_the_shift_begins(rota: Rota) -> None:
    await rota.asks_cover("bo", week(1))
    assert not rota.story.sent("expire_cover")
    await rota.story.until(monday(1) + timedelta(seconds=5))
    assert len(rota.story.sent("expire_cover")) == 1
    with rota.refused("expired"):
        await rota.on_cover("cy", "accept")
    assert await rota.primary() == ("bo",)


async def test_asking_again_waits_and_withdrawing_ends_it(rota: Rota) -> None:
    await rota.asks_cover("ana", week(0))
    with rota.refused("wait a little"):
        await rota.on_cover("ana", "again")
    await rota.story.after(minutes=11)
    with rota.refused("Only ana can ask again"):
        await rota.on_cover("bo", "again")
    await rota.on_cover("ana", "again")
    await rota.story.after(seconds=5)
    assert len(rota.story.sent("repeat_cover")) == 1
    with rota.refused("You have asked for that already"):
        await rota.asks_cover("ana", week(0))
    with rota.refused("Only ana can withdraw"):
        await rota.on_cover("bo", "withdraw")
    await rota.on_cover("ana", "withdraw")
    with rota.refused("ana has withdrawn the request"):
        await rota.on_cover("bo", "accept")
    assert await rota.primary() == ("ana",)


async def test_what_cannot_be_asked_is_refused_in_words(rota: Rota) -> None:
    with rota.refused("You are not primary of data then"):
        await rota.asks_cover("ana", week(1))
    with rota.refused("over already"):
        await rota.asks_cover("ana", week(-3))
    await rota.asks_cover("ana", week(0))
    with rota.refused("It is your own shift"):
        await rota.on_cover("ana", "accept")
    with rota.refused("There is no such request"):
        await rota.on_cover("bo", "accept", "nothing")
    assert len(await rota.requests()) == 1


async def test_double_duty_is_said_and_not_forbidden(rota: Rota) -> None:
    await rota.asks_cover("ana", week(0))
    await rota.on_cover("bo", "accept")
    said = rota.story.said()[-1]
    assert "Beware: bo is then" in said
    assert "secondary of data" in said
    assert await rota.primary() == ("bo",)


def giving_up(kind: str, why: str, person: str = "") -> Callable[[Job], None]:
    """Return what refuses such jobs for good."""

    def fault(job: Job) -> None:
        if job.kind == kind and job.payload.get("person", "") in {person, ""}:
            raise GiveUpError(why)

    return fault


async def test_who_asked_is_told_when_the_channel_cannot_be_asked(rota: Rota) -> None:
    rota.story.slack.fault = giving_up("show_cover", "not_in_channel")
    await rota.asks_cover("ana", week(0))
    await rota.story.after(seconds=5)
    said = (await rota.told("ana"))[-1]
    assert said.startswith("⚠️ Nobody was asked to cover primary of data from ")
    assert "I could not post in #data-alerts (not_in_channel). You are still on call." in said
    with rota.refused("withdrawn"):
        await rota.on_cover("bo", "accept")
    assert await rota.primary() == ("ana",)


async def test_who_offered_a_swap_is_told_when_the_other_cannot_be_reached(rota: Rota) -> None:
    rota.story.slack.fault = giving_up("show_swap", "cy is not linked to Slack", "cy")
    await rota.asks_swap("ana", "cy", week(3), week(2))
    await rota.story.after(seconds=5)
    assert "cy was not shown your swap: cy is not linked to Slack." in (await rota.told("ana"))[-1]


async def test_a_crash_loses_neither_request_nor_cover(rota: Rota) -> None:
    await rota.asks_cover("bo", week(1))
    await rota.story.down(minutes=30)
    await rota.on_cover("cy", "accept")
    await rota.story.down(hours=3)
    assert await rota.primary(monday(1)) == ("cy",)
    await rota.story.until(monday(1) + HOUR)
    assert await rota.primary() == ("cy",)


async def test_two_replicas_that_hear_of_two_clicks_at_once_agree(tell: Tell) -> None:
    replicas = []
    for _ in range(2):
        story = tell(rulebook())
        story.clock.set(monday() + 2 * HOUR)
        replicas.append(Rota(story, weekly()))
        story.engine._pace = Pace(quick=1)
    first, second = replicas
    await first.asks_cover("ana", week(0))
    (request,) = await first.requests()
    for who in ("bo", "cy"):
        payload = ActPayload(
            act=OnCover(by=who, request_id=request.id, what="accept"), answer_to=AnswerTo(who)
        )
        delivery = NewDelivery(source=SLACK, key=f"click-{who}", body=act_to_json(payload))
        await first.story.store.inbox.accept(delivery)
    taken = [0, 0]
    while sum(taken) < 2:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.story.engine.take_deliveries()) for one in replicas]
        taken = [had + task.result() for had, task in zip(taken, tasks, strict=True)]
    (request,) = await first.requests()
    (override,) = await first.story.store.reader.overrides(monday())
    assert request.taken_by == override.person
    assert await first.primary() == await second.primary() == (override.person,)
