"""Overrides of every kind from Slack: who is paged, who is told, what can be undone."""

from datetime import timedelta

import pytest

from bot.acts.roster import ApplyProposal, EndOverride, Handover
from rules.schedule.roster import Away, OverrideKind, OverrideState
from tests.stories.conftest import Tell
from tests.stories.rota import Rota, monday, week, weekly

HOUR = timedelta(hours=1)


@pytest.fixture
def rota(tell: Tell) -> Rota:
    story = tell()
    story.clock.set(monday() + HOUR)
    return Rota(story, weekly())


async def test_each_kind_does_what_it_says(rota: Rota) -> None:
    await rota.overrides("lead", "cy", week(0), how=OverrideKind.ADD)
    assert await rota.primary() == ("ana", "cy")
    await rota.overrides("lead", "ana", week(0), how=OverrideKind.REMOVE)
    assert await rota.primary() == ("cy",)
    await rota.overrides("lead", "bo", week(0), how=OverrideKind.REPLACE, instead_of="cy")
    assert await rota.primary() == ("bo",)
    await rota.overrides("lead", "dee", week(0))
    assert await rota.primary() == ("dee",)
    await rota.story.fires("orders")
    await rota.story.after(seconds=2)
    rota.story.pages("dee")
    stored = await rota.story.store.reader.overrides(monday())
    assert [one.kind for one in stored] == ["add", "remove", "replace", "cover"]
    assert stored[2].instead_of == "cy"


async def test_what_would_have_no_effect_is_refused(rota: Rota) -> None:
    with rota.refused("bo is not primary of data then"):
        await rota.overrides("lead", "cy", week(0), how=OverrideKind.REPLACE, instead_of="bo")
    with rota.refused("bo is not primary of data then"):
        await rota.overrides("lead", "bo", week(0), how=OverrideKind.REMOVE)
    with rota.refused("ana is primary of data then already"):
        await rota.overrides("lead", "ana", week(0), how=OverrideKind.ADD)
    with rota.refused("over already"):
        await rota.overrides("lead", "bo", week(-2))
    with rota.refused("no rotation ml"):
        await rota.overrides("lead", "bo", week(0, rotation="ml"))


async def test_those_concerned_are_told_and_may_undo_it(rota: Rota) -> None:
    await rota.overrides("lead", "cy", week(0))
    assert "now it is you" in (await rota.told("cy"))[-1]
    assert "not on call then any more" in (await rota.told("ana"))[-1]
    told = rota.story.sent("tell_person")[0]
    undo = told.payload["undo"]
    assert undo["back_to"] == ["ana"]
    await rota.story.asks(EndOverride(by="ana", override_id=undo["override"]))
    assert await rota.primary() == ("ana",)
    (ended,) = await rota.story.store.reader.overrides(monday() - HOUR)
    assert (ended.state, ended.changed_by) == (OverrideState.ENDED, "ana")


async def test_taking_over_is_undone_by_a_button_in_the_answer(rota: Rota) -> None:
    slot = week(0)
    await rota.overrides("cy", "cy", slot)
    answer = rota.story.sent("answer")[-1].payload
    assert answer["undo"]["back_to"] == ["ana"]
    assert "cy is primary of data" in rota.story.said()[-1]


async def test_a_coming_override_that_is_undone_never_happens(rota: Rota) -> None:
    await rota.overrides("lead", "dee", week(1))
    (made,) = await rota.story.store.reader.overrides(monday())
    await rota.story.asks(EndOverride(by="lead", override_id=made.id))
    assert await rota.primary(monday(1)) == ("bo",)
    (kept,) = await rota.story.store.reader.overrides(monday())
    assert kept.ends_at == kept.starts_at


async def test_removing_the_only_one_warns_of_the_gap(rota: Rota) -> None:
    await rota.overrides("lead", "ana", week(0), how=OverrideKind.REMOVE)
    assert "Beware: nobody is primary of data" in rota.story.said()[-1]
    await rota.story.fires("orders")
    rota.story.pages("bo")


async def test_who_was_taken_off_is_told_that_they_are_on_again(rota: Rota) -> None:
    await rota.overrides("lead", "ana", week(0), how=OverrideKind.REMOVE)
    (made,) = await rota.story.store.reader.overrides(monday())
    await rota.story.asks(EndOverride(by="lead", override_id=made.id))
    assert (await rota.told("ana"))[-1].endswith("now it is you.")


async def test_a_proposal_is_applied_whole_or_not_at_all(rota: Rota) -> None:
    good = Handover(slot=week(1), person="cy", instead_of="bo")
    stale = Handover(slot=week(2), person="bo", instead_of="ana")
    with rota.refused("Nothing was changed: the rotation is not what it was"):
        await rota.story.asks(ApplyProposal(by="lead", rows=(good, stale)))
    assert await rota.primary(monday(1)) == ("bo",)
    await rota.story.asks(ApplyProposal(by="lead", rows=(good,)))
    assert await rota.primary(monday(1)) == ("cy",)
    assert (await rota.audit())[-1].what == "proposal applied"


async def test_a_proposal_that_puts_somebody_away_on_call_says_so(tell: Tell) -> None:
    story = tell()
    story.clock.set(monday() + HOUR)
    since = Away(person="cy", start=monday(1), end=monday(2))
    rota = Rota(story, weekly(away=(since,)))
    row = Handover(slot=week(1), person="cy", instead_of="bo")
    await rota.story.asks(ApplyProposal(by="lead", rows=(row,)))
    assert await rota.primary(monday(1)) == ("cy",)
    assert "Applied: 1 change. Beware: cy is away" in rota.story.said()[-1]
