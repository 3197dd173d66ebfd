"""Elevated groups when things fail: the bot is down, the back-end is down, lies, or is edited."""

from datetime import timedelta

import pytest

from bot.acts.access import GiveBack
from bot.ports.delivering import GiveUpError, RetryLaterError
from rules.audit import PATIENCE, Fault, audit
from tests.stories.conftest import Begin
from tests.stories.elevated import ANA, CY, HOUR, book_of, free
from tests.stories.story import on_call

MALLORY, LEAD = "mallory@example.com", "lead@example.com"


async def test_a_bot_that_was_down_for_a_day_revokes_at_its_start_and_says_how_late(
    begin: Begin,
) -> None:
    story = begin()
    await story.asks_for(ANA, hours=1)
    assert await story.told() == ["ana active"]
    await story.down(days=1)
    assert story.groups.who() == []
    told = await story.told()
    assert "channel late" in told
    assert "dee late" in told
    assert "ana ended" in told
    assert any("23 h" in words for words in story.words())
    assert (await story.happened())[-3:] == [
        "revocation_started", "revocation_late", "revocation_seen",
    ]  # fmt: skip


async def test_what_the_back_end_ends_itself_needs_no_bot(begin: Begin) -> None:
    story = begin()
    story.groups.native = True
    await story.asks_for(ANA, hours=1)
    until = (await story.grant()).until
    assert story.groups.held["prod"] == {ANA: until}
    story.clock.advance(hours=2)
    assert story.groups.who() == []


async def test_a_back_end_that_fails_for_an_hour_is_tried_until_it_is_seen_gone(
    begin: Begin,
) -> None:
    story = begin()
    await story.asks_for(ANA, hours=1)
    await story.told()
    await story.after(minutes=59)

    def down(call: str) -> None:
        raise RetryLaterError(f"prod: {call} answers 500")

    story.groups.fault = down
    await story.after(hours=1)
    assert await story.state_of() == "revoking"
    noise = [words for words in story.words() if "should have left" in words]
    assert len([one for one in await story.told() if one == "channel late"]) == 4
    assert "answers 500" in noise[-1]
    tries = story.groups.log
    story.groups.fault = lambda call: None
    await story.after(minutes=2)
    assert story.groups.who() == []
    assert (await story.grant()).state == "ended"
    assert any("out of prod now" in words for words in story.words())
    assert len(tries) == 2


async def test_a_back_end_that_says_yes_and_does_nothing_is_not_believed(begin: Begin) -> None:
    story = begin()
    story.groups.lies = True
    await story.asks_for(ANA, hours=1)
    assert await story.state_of() == "granting"
    await story.after(minutes=2)
    assert await story.told() == ["ana granting"]
    story.groups.lies = False
    await story.after(minutes=2)
    assert await story.state_of() == "active"
    story.groups.lies = True
    await story.after(hours=1)
    assert await story.state_of() == "revoking"
    assert "channel late" in await story.told()
    story.groups.lies = False
    await story.after(minutes=2)
    assert await story.state_of() == "ended"


async def test_what_can_never_succeed_is_told_and_undone(begin: Begin) -> None:
    story = begin()

    def never(call: str) -> None:
        if call == "grant":
            raise GiveUpError("there is no user ana@example.com; create it first")

    story.groups.fault = never
    await story.asks_for(ANA)
    await story.after(minutes=1)
    assert await story.state_of() == "failed"
    assert await story.told() == ["ana failed", "ana ended"]
    assert "create it first" in story.words()[0]


async def test_a_lost_answer_is_no_second_grant(begin: Begin) -> None:
    story = begin()
    lost = iter([True])

    def once(call: str) -> None:
        if call == "grant" and next(lost, False):
            raise RetryLaterError("no answer in time", unsure=True)

    story.groups.after = once
    await story.asks_for(ANA)
    assert await story.state_of() == "active"
    assert story.groups.log == [(story.groups.log[0][0], "in", ANA)]


async def test_a_stranger_in_an_owned_group_is_named_first_and_removed_when_that_is_wished(
    begin: Begin,
) -> None:
    story = begin(free(owned=True, dry_run=True, permanent=(LEAD,)))
    await story.after(seconds=1)
    story.groups.put("prod", LEAD.title())
    story.groups.put("prod", MALLORY)
    await story.after(minutes=4)
    assert await story.told() == ["channel strangers"]
    assert MALLORY in story.words()[-1]
    await story.after(minutes=10)
    assert await story.told() == []
    assert story.groups.who() == [LEAD.title(), MALLORY]

    rules = book_of(
        free(owned=True, dry_run=False, permanent=(LEAD,)), on_call=on_call(primary=ANA)
    )
    story.changes_rules(access=rules.access)
    await story.after(minutes=4)
    assert story.groups.who() == [LEAD.title()]
    assert await story.told() == ["channel strangers"]
    assert (await story.happened())[-1] == "stranger_removed"


async def test_in_a_shared_group_only_our_own_are_touched(begin: Begin) -> None:
    story = begin(free(owned=False))
    story.groups.put("prod", MALLORY)
    story.groups.put("prod", CY)
    await story.asks_for(CY, hours=1)
    await story.asks_for(ANA, hours=1)
    assert story.groups.who() == sorted([ANA, CY, MALLORY])
    await story.after(hours=2)
    # cy was in before and asked for what they had
    assert story.groups.who() == sorted([CY, MALLORY])
    assert not [one for one in await story.told() if "strangers" in one]


async def test_a_member_removed_behind_its_back_is_put_in_again(begin: Begin) -> None:
    story = begin()
    await story.asks_for(ANA, hours=2)
    story.groups.take("prod", ANA)
    await story.after(minutes=4)
    assert story.groups.who() == [ANA]
    assert (await story.happened())[-1] == "grant_repaired"


async def test_a_late_effect_in_a_shared_group_is_undone(begin: Begin) -> None:
    story = begin()
    await story.asks_for(ANA, hours=2)
    await story.asks(GiveBack(by=ANA, grant=(await story.grant()).id))
    assert story.groups.who() == []
    story.groups.put("prod", ANA)  # an answer that was on its way when the grant had ended
    await story.after(minutes=4)
    assert story.groups.who() == []


async def test_a_back_end_that_cannot_list_is_taken_at_its_word(begin: Begin) -> None:
    story = begin()
    story.groups.can_list = False
    await story.asks_for(ANA, hours=1)
    assert await story.state_of() == "active"
    await story.after(hours=1, minutes=1)
    assert (await story.state_of(), story.groups.who()) == ("ended", [])


async def test_two_grants_of_one_account_end_with_the_last(begin: Begin) -> None:
    shared = {ANA: "team", CY: "team"}
    story = begin(free(accounts=shared))
    await story.asks_for(ANA, hours=1)
    await story.asks_for(CY, hours=2)
    await story.after(hours=1, minutes=1)
    assert story.groups.who() == ["team"]
    assert [await story.state_of(0), await story.state_of(1)] == ["ended", "active"]
    await story.after(hours=1)
    assert story.groups.who() == []


async def test_a_group_that_vanishes_from_the_configuration_is_not_forgotten(
    begin: Begin,
) -> None:
    story = begin()
    await story.asks_for(ANA, hours=4)
    rules = book_of(on_call=on_call(primary=ANA))
    story.changes_rules(access=rules.access)
    await story.after(minutes=6)
    assert await story.state_of() == "revoking"
    assert "configured no more" in story.words()[-1]
    assert "channel late" in await story.told()


@pytest.mark.parametrize(
    ("ask", "rule"),
    [
        ({"group": "nope"}, "unknown group"),
        ({"hours": 5}, "longest"),
        ({"hours": 0}, "longest"),
        ({"why": "  "}, "reason"),
        ({"incident": 7}, "incident"),
        ({"who": MALLORY}, "may_ask"),
        ({"who": "slack:U7"}, "no account"),
    ],
)
async def test_a_refusal_names_its_rule(begin: Begin, ask: dict[str, object], rule: str) -> None:
    story = begin()
    more = dict(ask)
    await story.asks_for(str(more.pop("who", ANA)), **more)  # type: ignore[arg-type]
    line = (await story.ledger())[-1]
    assert (line.what, line.evidence["rule"]) == ("access_refused", rule)
    assert story.answers()[-1]


async def test_nobody_has_it_more_often_than_the_week_allows(begin: Begin) -> None:
    story = begin(free(weekly_limit=2))
    for _ in range(2):
        await story.asks_for(ANA, hours=1)
        await story.after(hours=2)
    await story.asks_for(ANA, hours=1)
    assert "You had prod 2 times in seven days" in story.answers()[-1]
    story.clock.advance(days=7)
    await story.asks_for(ANA, hours=1)
    assert await story.state_of() == "active"


async def test_it_ends_with_the_shift_where_that_is_chosen(begin: Begin) -> None:
    story = begin()
    await story.asks_for(ANA, hours=4, until_shift_ends=True)
    grant = await story.grant()
    assert grant.until == grant.requested_at + 4 * HOUR
    assert timedelta(0) < grant.length == 4 * HOUR


async def test_the_auditor_finds_a_grant_that_nobody_looks_after(begin: Begin) -> None:
    story = begin()
    await story.asks_for(ANA, hours=1)
    story.clock.advance(hours=1, minutes=6)  # the process lives, and its keeper stands still
    seen = await story.store.audits.look(story.clock.now(), PATIENCE)
    found = audit(seen.facts, story.clock.now())
    assert [one.fault for one in found if one.fault is Fault.GRANT_OVERDUE] == ["grant_overdue"]
    await story.settle()
    seen = await story.store.audits.look(story.clock.now(), PATIENCE)
    assert not seen.facts.grants
