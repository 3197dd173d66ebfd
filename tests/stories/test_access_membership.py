"""Whose membership it is: what was there before stays, what we put in goes, whatever came between."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.acts.access import ApproveAccess, GiveBack, RevokeAccess, RevokeAll
from bot.ports.delivering import GiveUpError, RetryLaterError
from rules.access.group import Whom
from rules.alert import Severity
from rules.rotation import OnCall, Span
from tests.stories.conftest import Begin
from tests.stories.elevated import ANA, BO, CY, DEE, MINUTE, PRIMARY, free, group
from tests.stories.story import MONDAY_03

NINE = MONDAY_03 + timedelta(hours=6)


def down(call: str) -> None:
    raise RetryLaterError(f"prod: {call} answers 500")


async def test_who_was_in_before_stays_when_a_grant_ends_that_never_began(begin: Begin) -> None:
    story = begin()
    story.groups.put("prod", ANA)
    story.groups.fault = down
    await story.asks_for(ANA, hours=1)
    await story.asks(GiveBack(by=ANA, grant=(await story.grant()).id))
    story.groups.fault = lambda call: None
    await story.after(minutes=5)
    assert (await story.grant()).state == "ended"
    assert story.groups.who() == [ANA]


async def test_who_was_in_before_and_was_put_in_again_by_us_leaves_at_the_end(
    begin: Begin,
) -> None:
    story = begin()
    story.groups.put("prod", ANA)
    await story.asks_for(ANA, hours=1)
    story.groups.take("prod", ANA)  # an administrator ends what she had for good
    await story.after(minutes=4)
    assert story.groups.who() == [ANA]
    await story.after(hours=1)
    assert story.groups.who() == []


async def test_what_was_put_in_and_never_shown_is_taken_out_all_the_same(begin: Begin) -> None:
    story = begin()
    story.groups.hides = True
    await story.asks_for(ANA, hours=1)
    assert await story.state_of() == "granting"
    assert story.groups.who() == [ANA]
    await story.after(hours=2)
    assert story.groups.who() == []


async def test_what_was_never_shown_is_not_gone_while_taking_it_out_fails(begin: Begin) -> None:
    story = begin()
    story.groups.hides = True
    await story.asks_for(ANA, hours=1)

    def fails(call: str) -> None:
        if call == "revoke":
            raise RetryLaterError("prod answers 500", unsure=True)

    story.groups.fault = fails
    await story.asks(GiveBack(by=ANA, grant=(await story.grant()).id))
    await story.after(minutes=2)
    assert await story.state_of() == "revoking"
    assert "channel late" in await story.told()
    story.groups.fault = lambda call: None
    await story.after(minutes=2)
    assert (await story.state_of(), story.groups.who()) == ("ended", [])


async def test_a_revocation_says_what_still_keeps_them_in(begin: Begin) -> None:
    follows = {"follows": (PRIMARY,)}
    story = begin(
        free(**follows, may_ask=Whom(people=(BO,))),
        roster=OnCall(
            (
                Span(MONDAY_03, NINE, "data", "primary", (ANA,)),
                Span(NINE, NINE + timedelta(days=1), "data", "primary", (BO,)),
            )
        ),
    )
    await story.until(NINE - timedelta(minutes=30))
    await story.asks_for(BO, hours=2)
    await story.until(NINE + timedelta(minutes=1))
    asked = next(g for g in await story.store.access.open_grants() if g.origin == "asked")
    await story.told()
    await story.asks(RevokeAccess(by=DEE, grant=asked.id))
    assert story.groups.who() == [BO]
    assert "bo@example.com stays in prod by another: r2." in story.answers()[-1]


async def test_the_end_of_broken_glass_is_not_told_of_who_is_still_in(begin: Begin) -> None:
    story = begin(group(break_glass=(PRIMARY,), accounts={ANA: "team", CY: "team"}))
    await story.fires("orders", severity=Severity.CRITICAL)
    await story.asks_for(ANA, hours=1)
    assert story.groups.who() == ["team"]
    await story.asks_for(CY, hours=4)
    await story.asks(ApproveAccess(by=BO, grant=(await story.grant()).id))
    await story.after(hours=1)
    assert story.groups.who() == ["team"]
    assert not any("is out of prod" in words for words in story.words())


async def test_whose_place_by_rotation_was_revoked_does_not_ask_themselves_in_again(
    begin: Begin,
) -> None:
    story = begin(free(follows=(PRIMARY,)))
    await story.after(seconds=5)
    assert story.groups.who() == [ANA]
    await story.asks(RevokeAccess(by=DEE, grant=(await story.grant()).id, why="stolen"))
    assert story.groups.who() == []
    await story.asks_for(ANA, hours=1)
    assert story.groups.who() == []


async def test_who_was_barred_while_the_roster_was_old_does_not_come_in_by_a_new_one(
    begin: Begin,
) -> None:
    story = begin(free(follows=(PRIMARY,)))
    story.roster_read_at = story.clock.now() - timedelta(hours=2)
    await story.after(seconds=5)
    assert await story.state_of() == "requested"
    await story.bars(ANA, "their Slack account is closed")
    story.roster_read_at = None
    await story.after(minutes=1)
    assert story.groups.log == []


async def test_a_request_counts_for_the_account_that_is_theirs_when_it_is_approved(
    begin: Begin,
) -> None:
    story = begin(group(accounts={ANA: "someone-else"}))
    await story.asks_for(ANA)
    groups = {"prod": group(accounts={ANA: "ana-r"})}
    story.changes_rules(access=replace(story.rules.the_book.access, groups=groups))
    await story.asks(ApproveAccess(by=BO, grant=(await story.grant()).id))
    await story.after(minutes=1)
    assert [who for _, _, who in story.groups.log if who == "someone-else"] == []
    assert story.groups.who() in ([], ["ana-r"])


async def test_who_waited_for_the_roster_waits_for_slacks_word_too(begin: Begin) -> None:
    story = begin(free(follows=(PRIMARY,)))
    story.roster_read_at = story.clock.now() - timedelta(hours=2)
    await story.after(seconds=5)
    assert await story.state_of() == "requested"
    access = story.rules.the_book.access
    story.changes_rules(access=replace(access, looked_up=frozenset()))  # the bot began anew
    story.roster_read_at = None
    await story.after(minutes=1)
    assert story.groups.log == []
    story.changes_rules(access=replace(access, looked_up=frozenset({ANA})))
    await story.after(minutes=1)
    assert story.groups.who() == [ANA]


async def test_a_back_end_that_asks_us_to_wait_is_left_alone(begin: Begin) -> None:
    story = begin(free(may_ask=Whom(people=(ANA, BO, CY))))
    for who in (ANA, BO, CY):
        await story.asks_for(who, hours=1)
    assert story.groups.who() == [ANA, BO, CY]
    asked: list[datetime] = []

    def too_fast(call: str) -> None:
        if call == "revoke":
            asked.append(story.clock.now())
            raise RetryLaterError("prod asks us to wait", after=10 * MINUTE, throttled=True)

    story.groups.fault = too_fast
    await story.asks(RevokeAll(by=DEE, why="a stolen laptop"))
    await story.after(minutes=4)
    assert len(asked) == 2  # at once, and when it is said that it is late
    story.groups.fault = lambda call: None
    await story.after(minutes=10)
    assert story.groups.who() == []


async def test_who_is_the_only_approver_has_an_owner_asked(begin: Begin) -> None:
    story = begin(group(approvers=Whom(on_call=(PRIMARY,))))
    await story.asks_for(ANA)
    assert await story.told() == ["dee approve"]
    await story.asks(ApproveAccess(by=DEE, grant=(await story.grant()).id))
    assert story.groups.who() == [ANA]


async def test_what_never_worked_does_not_count_for_the_week(begin: Begin) -> None:
    story = begin(free(weekly_limit=1))

    def never(call: str) -> None:
        if call == "grant":
            raise GiveUpError("there is no user ana@example.com; create it first")

    story.groups.fault = never
    await story.asks_for(ANA)
    await story.after(minutes=1)
    assert await story.state_of() == "failed"
    story.groups.fault = lambda call: None
    await story.asks_for(ANA)
    assert story.groups.who() == [ANA]


async def test_a_clock_that_was_ahead_for_a_moment_stops_no_comparing(begin: Begin) -> None:
    story = begin()
    began = story.clock.now()
    story.clock.set(began + timedelta(days=10))
    await story.keeper.tick()
    story.clock.set(began)
    assert await story.keeper.tick()
    await story.asks_for(ANA, hours=4)
    right, standing = story.clock.now(), (await story.store.access.standings())[0]
    async with story.store.store.begin() as tx:  # as it is left by a look in ten days' time
        ahead = replace(standing, due_at=right + timedelta(days=10))
        tx.access.save_standing(ahead)
    story.groups.take("prod", ANA)
    await story.after(minutes=5)
    assert story.groups.who() == [ANA]


async def test_who_has_no_shift_is_not_let_in_until_it_ends(begin: Begin) -> None:
    story = begin()
    await story.asks_for(CY, hours=4, until_shift_ends=True)
    assert story.groups.who() == []
    assert "You are on no shift for prod now. Say how long you need it." in story.answers()[-1]


async def test_a_revocation_says_who_stays_for_they_were_in_before(begin: Begin) -> None:
    story = begin()
    story.groups.put("prod", ANA)
    await story.asks_for(ANA, hours=1)
    await story.asks(RevokeAccess(by=DEE, grant=(await story.grant()).id))
    assert story.groups.who() == [ANA]
    assert "stays in prod: they were in it before." in story.answers()[-1]
