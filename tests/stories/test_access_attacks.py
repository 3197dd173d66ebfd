"""Ways around the end of elevated access: late clicks, changed settings, wrong words, races."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import count

from bot.acts.access import (
    ApproveAccess,
    AskAccess,
    ExtendAccess,
    GiveBack,
    RefuseAccess,
    RevokeAccess,
    RevokeAll,
)
from bot.acts.act import SLACK, Act, ActPayload, AnswerTo, act_to_json
from bot.engine.access.jobs import sync_job
from bot.engine.acting import carry_out
from bot.engine.answer import Answer
from bot.engine.work import Work
from bot.ports.delivering import RetryLaterError
from bot.ports.inbox import NewDelivery
from bot.store.opening import OpenedStore
from rules.access.group import AccessGroup, Duty, Whom
from rules.access.ledger import Happening
from rules.alert import Severity
from rules.rotation import OnCall, Span
from tests.fakes.clock import FakeClock
from tests.fakes.groups import MemoryGroups
from tests.stories.conftest import Begin
from tests.stories.elevated import ANA, BO, CY, DEE, HOUR, PRIMARY, Elevated, book_of, free, group
from tests.stories.story import MONDAY_03, on_call

NINE = MONDAY_03 + timedelta(hours=6)
DAY = timedelta(days=1)


async def stored(story: Elevated, act: Act) -> None:
    """Store a click that nobody works on yet."""
    body = act_to_json(ActPayload(act=act, answer_to=AnswerTo(user="U" + act.by)))
    await story.store.inbox.accept(NewDelivery(source=SLACK, key=f"late:{act.kind}", body=body))


def changes_groups(story: Elevated, *groups: AccessGroup) -> None:
    access = replace(story.rules.the_book.access, groups={one.name: one for one in groups})
    story.changes_rules(access=access)


async def test_what_is_over_is_not_extended_by_a_click_that_came_late(begin: Begin) -> None:
    story = begin()
    await story.asks_for(ANA, hours=1)
    its_id = (await story.grant()).id
    story.clock.advance(hours=1, seconds=1)  # the keeper has not looked yet
    await story.asks(ExtendAccess(by=ANA, grant=its_id))
    assert "cannot be extended" in story.answers()[-1]
    assert story.groups.who() == []


async def test_a_request_that_lay_for_hours_is_not_granted_when_the_bot_comes_back(
    begin: Begin,
) -> None:
    story = begin()
    await stored(story, AskAccess(by=ANA, group="prod", length=HOUR, why="the load hangs"))
    await story.down(hours=7)
    assert story.groups.who() == []
    assert "Ask again" in story.answers()[-1]
    assert (await story.ledger())[-1].evidence["rule"] == "too late"


async def test_a_yes_that_lay_for_hours_opens_nothing(begin: Begin) -> None:
    story = begin(group())
    await story.asks_for(ANA)
    await stored(story, ApproveAccess(by=BO, grant=(await story.grant()).id))
    await story.down(days=1)
    assert story.groups.who() == []
    assert (await story.grant()).state in {"requested", "refused"}


async def test_a_no_and_an_end_that_lay_for_hours_still_count(begin: Begin) -> None:
    story = begin(free(longest=9 * HOUR))
    await story.asks_for(ANA, hours=9)
    await stored(story, GiveBack(by=ANA, grant=(await story.grant()).id))
    await story.down(hours=2)
    await story.after(seconds=5)
    assert story.groups.who() == []
    assert (await story.grant()).end_reason == "given back"


async def test_a_changed_account_ends_what_the_old_one_had(begin: Begin) -> None:
    story = begin(free(accounts={ANA: "someone-else"}))
    await story.asks_for(ANA, hours=4)
    assert story.groups.who() == ["someone-else"]
    changes_groups(story, free(accounts={ANA: "ana-r"}))
    await story.after(seconds=40)
    assert story.groups.who() == []
    assert "account" in (await story.grant()).end_reason


async def test_a_changed_account_of_who_is_on_call_moves_the_group(begin: Begin) -> None:
    follows = {"follows": (PRIMARY,), "owned": True, "dry_run": False}
    story = begin(free(accounts={ANA: "someone-else"}, **follows))
    await story.after(minutes=1)
    assert story.groups.who() == ["someone-else"]
    changes_groups(story, free(accounts={ANA: "ana-r"}, **follows))
    await story.after(seconds=45)
    assert story.groups.who() == ["ana-r"]


async def test_nobody_is_put_in_again_after_the_end(begin: Begin) -> None:
    story = begin()
    await story.asks_for(ANA, hours=1)
    story.groups.take("prod", ANA)
    story.clock.advance(hours=2)
    story.restart()
    story.groups.log.clear()
    async with story.store.store.begin() as tx:
        tx.enqueue(sync_job("prod", story.clock.now()))
    while await story.outbox.run_due():  # the sync is sooner than the keeper
        pass
    await story.settle()
    await story.after(minutes=5)
    assert (await story.state_of(), story.groups.log) == ("ended", [])


async def test_a_misspelt_group_in_an_emergency_is_said(begin: Begin) -> None:
    story = begin()
    await story.asks_for(ANA)
    await story.asks(RevokeAll(by=DEE, group="stolen", why="laptop"))
    assert "There is no group stolen. Known: prod." in story.answers()[-1]
    await story.asks(RevokeAll(by=DEE, group="PROD"))
    assert story.groups.who() == []


async def test_who_may_end_some_only_hears_that_others_are_left(begin: Begin) -> None:
    story = begin(free(name="prod"), free(name="lake", owners=(), may_ask=Whom(people=(CY,))))
    story.changes_rules(fallback=())
    await story.asks_for(ANA, "prod")
    await story.asks_for(CY, "lake")
    await story.asks(RevokeAll(by=DEE))
    assert (story.groups.who("prod"), story.groups.who("lake")) == ([], [CY])
    assert "lake" in story.answers()[-1]


async def test_a_request_for_a_group_that_is_gone_does_not_wait_for_ever(begin: Begin) -> None:
    story = begin(group("prod"), group("lake"))
    await story.asks_for(ANA, "lake")
    changes_groups(story, group("prod"))
    await story.after(minutes=11)
    assert await story.state_of() == "refused"
    wake = await story.store.access.next_wake()
    assert wake is None or wake > story.clock.now()


async def test_an_extension_stays_within_the_shift_where_it_ends_with_it(begin: Begin) -> None:
    spans = (
        Span(NINE - 7 * DAY, NINE, "data", "primary", (ANA,)),
        Span(NINE, NINE + 7 * DAY, "data", "primary", (BO,)),
    )
    rules = free(ends_with_shift=True, may_ask=Whom(on_call=(PRIMARY,)))
    story = begin(rules, roster=OnCall(spans))
    await story.until(NINE - timedelta(minutes=40))
    await story.asks_for(ANA, hours=4)
    assert (await story.grant()).until == NINE
    await story.asks(ExtendAccess(by=ANA, grant=(await story.grant()).id))
    assert "shift" in story.answers()[-1]
    await story.until(NINE + timedelta(seconds=5))
    assert story.groups.who() == []


async def test_a_shift_that_is_handed_over_early_ends_what_ends_with_it(begin: Begin) -> None:
    rules = free(ends_with_shift=True, may_ask=Whom(on_call=(PRIMARY,)))
    story = begin(rules)
    await story.asks_for(ANA, hours=4)
    assert story.groups.who() == [ANA]
    await story.after(hours=1)
    story.changes_rules(on_call=on_call(primary=BO, secondary=ANA))
    await story.after(seconds=35)
    assert story.groups.who() == []
    assert "shift" in (await story.grant()).end_reason


async def test_glass_is_broken_for_the_grave_incident_and_no_other(begin: Begin) -> None:
    story = begin(group(break_glass=(PRIMARY,), grace=timedelta(minutes=30)))
    await story.fires("small", severity=Severity.INFO)
    small = await story.incident()
    assert small.priority not in {"P1", "P2"}
    await story.fires("grave", severity=Severity.CRITICAL)
    await story.asks_for(ANA, hours=1, incident=small.number)
    assert await story.state_of() == "requested"  # a small one needs somebody's yes
    await story.asks(RefuseAccess(by=BO, grant=(await story.grant()).id))
    await story.does(ANA, "acked")
    await story.asks_for(ANA, hours=1)
    grant = await story.grant()
    assert grant.break_glass
    assert grant.incident != small.number


async def test_whose_access_was_revoked_breaks_no_glass_to_get_it_back(begin: Begin) -> None:
    story = begin(group(break_glass=(PRIMARY,)), free(name="lake"))
    await story.fires(severity=Severity.CRITICAL)
    for name in ("prod", "lake"):
        await story.asks_for(ANA, name)
        assert story.groups.who(name) == [ANA]
    await story.asks(RevokeAll(by=DEE, why="a stolen laptop"))
    for name in ("prod", "lake"):
        await story.asks_for(ANA, name)
        assert story.groups.who(name) == []
        assert await story.state_of() == "requested"
    await story.asks(ApproveAccess(by=DEE, grant=(await story.grant()).id))
    assert story.groups.who("lake") == [ANA]


async def test_giving_back_is_no_reason_to_ask_anybody(begin: Begin) -> None:
    story = begin()
    await story.asks_for(ANA)
    await story.asks(GiveBack(by=ANA, grant=(await story.grant()).id))
    await story.asks_for(ANA)
    assert await story.state_of() == "active"


async def test_revoking_what_is_over_keeps_nobody_out(begin: Begin) -> None:
    story = begin(free(follows=(PRIMARY,)))
    await story.after(minutes=1)
    first = (await story.grant()).id
    story.changes_rules(on_call=on_call(primary=BO))
    await story.after(minutes=1)
    story.changes_rules(on_call=on_call(primary=ANA))
    await story.after(minutes=1)
    await story.asks(RevokeAccess(by=DEE, grant=first))
    assert "nothing to end" in story.answers()[-1]
    assert not (await story.store.access.standings())[0].withheld


async def test_the_spelling_of_an_account_does_not_make_it_somebody_elses(begin: Begin) -> None:
    story = begin(free(accounts={ANA: "anaruiz"}))
    await story.asks_for(ANA)
    await story.asks(GiveBack(by=ANA, grant=(await story.grant()).id))
    story.groups.put("prod", "AnaRuiz")  # its entry had its effect late, as the place spells it
    await story.asks_for(ANA, hours=1)
    await story.after(hours=1, minutes=2)
    assert story.groups.who() == []


async def test_a_group_that_moves_to_another_place_is_not_forgotten_in_the_old_one(
    begin: Begin,
) -> None:
    story = begin()
    await story.asks_for(ANA, hours=1)
    old = story.groups
    story.groups, story.place = MemoryGroups(story.clock), "there"
    story.restart()
    await story.after(hours=2)
    assert (old.who(), story.groups.who()) == ([ANA], [])
    assert await story.state_of() == "revoking"
    assert "set the group back" in story.words()[-1]
    story.groups, story.place = old, "here"
    story.restart()
    await story.after(minutes=4)
    assert (await story.state_of(), old.who()) == ("ended", [])


async def test_nobody_comes_in_by_rotation_before_slack_has_told_who_they_are(
    begin: Begin,
) -> None:
    story = begin(free(follows=(PRIMARY,)))
    access = story.rules.the_book.access
    story.changes_rules(access=replace(access, looked_up=frozenset({BO})))
    await story.after(minutes=5)
    assert story.groups.who() == []
    story.changes_rules(access=replace(access, looked_up=frozenset({ANA, BO})))
    await story.after(seconds=35)
    assert story.groups.who() == [ANA]
    story.changes_rules(access=replace(access, looked_up=frozenset()))
    await story.after(minutes=5)
    assert story.groups.who() == [ANA]  # who is in stays until there is a reason


async def test_unusually_many_strangers_are_named_an_hour_before_they_are_taken_out(
    begin: Begin,
) -> None:
    story = begin(free(owned=True, dry_run=False))
    await story.asks_for(ANA, hours=4)
    crowd = [f"p{n}@example.com" for n in range(12)]
    for one in crowd:
        story.groups.put("prod", one)
    await story.after(minutes=30)
    assert story.groups.who() == sorted([ANA, *crowd])
    assert [one for one in await story.told() if "strangers" in one] == ["channel strangers"]
    assert "12 accounts without a grant" in story.words()[-1]
    await story.asks(GiveBack(by=ANA, grant=(await story.grant()).id))
    assert ANA not in story.groups.who()  # our own leave all the same
    await story.after(minutes=36)
    assert story.groups.who() == []
    assert (await story.happened()).count("stranger_removed") == 12


async def test_a_yes_and_a_no_at_once_are_one_answer(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    """Two replicas work on both clicks at the same time; whichever is second hears of the first."""
    book = book_of(group(), on_call=on_call(primary=ANA, secondary=BO))
    story = Elevated(opened_store, clock, book)
    for round_ in range(3):
        await story.asks_for(ANA, hours=1)
        its_id = (await story.grant()).id
        acts: tuple[Act, ...] = (
            ApproveAccess(by=BO, grant=its_id),
            RefuseAccess(by=DEE, grant=its_id),
            ApproveAccess(by=DEE, grant=its_id),
        )

        async def decide(act: Act, number: int) -> Answer:
            async with opened_store.store.begin() as tx:
                resolver = story.rules
                work = Work(tx, book, clock.now(), lambda: f"n{number}" * 4, resolver)
                return await carry_out(work, act)

        answers = await asyncio.gather(*(decide(act, n) for n, act in enumerate(acts)))
        assert [one.refused for one in answers].count(False) == 1, round_
        lines = [one.what for one in await story.ledger() if one.grant == its_id]
        counted = {Happening.APPROVED: 0, Happening.REFUSED: 0}
        assert len([one for one in lines if one in counted]) == 3
        await story.after(seconds=3)
        was = await story.grant()
        assert (ANA in story.groups.who()) is (was.state == "active")
        await story.after(hours=2)
        assert story.groups.who() == []


async def test_two_replicas_at_once_grant_once_and_leave_nobody(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    """Each has its own keeper, sync and outbox over one database and one place of groups."""
    book = book_of(free(follows=(PRIMARY,)), on_call=on_call(primary=ANA, secondary=BO))
    one, other = Elevated(opened_store, clock, book), Elevated(opened_store, clock, book)
    other.groups = one.groups
    other.restart()
    other._ids = count(1_000)
    await stored(one, AskAccess(by=CY, group="prod", length=HOUR, why="the load hangs"))
    for _ in range(90):
        await asyncio.gather(
            one.engine.run_due(), other.engine.run_due(), one.keeper.tick(), other.keeper.tick()
        )
        await asyncio.gather(one.outbox.run_due(), other.outbox.run_due())
        clock.advance(minutes=1)
    entered = [who for _, what, who in one.groups.log if what == "in"]
    assert sorted(entered) == [ANA, CY]
    assert one.groups.who() == [ANA]
    lines = [line.what for line in await one.ledger()]
    assert lines.count(Happening.REQUESTED) == 2
    assert lines.count(Happening.REVOCATION_SEEN) == 1


async def test_what_was_asked_for_outlasts_the_shift_and_the_other_way_round(begin: Begin) -> None:
    spans = (
        Span(NINE - 7 * DAY, NINE, "data", "primary", (ANA,)),
        Span(NINE, NINE + 7 * DAY, "data", "primary", (BO,)),
    )
    follows = {"follows": (PRIMARY,), "may_ask": Whom(people=(ANA, BO)), "owned": True}
    story = begin(free(**follows, dry_run=False, longest=9 * HOUR), roster=OnCall(spans))
    await story.until(NINE - 2 * HOUR)
    await story.asks_for(BO, hours=4)
    await story.until(NINE + HOUR)
    assert story.groups.who() == [BO]  # by both ways now
    await story.until(NINE + 3 * HOUR)
    assert story.groups.who() == [BO]  # what he asked for is over, his shift is not


async def test_whoever_is_on_call_for_two_rotations_leaves_after_the_last(begin: Begin) -> None:
    spans = (
        Span(NINE - DAY, NINE, "data", "primary", (ANA,)),
        Span(NINE - DAY, NINE + 2 * HOUR, "infra", "primary", (ANA,)),
        Span(NINE, NINE + DAY, "data", "primary", (BO,)),
    )
    rules = free(follows=(PRIMARY, Duty("infra", "primary")), owned=True, dry_run=False)
    story = begin(rules, roster=OnCall(spans))
    await story.after(minutes=1)
    assert story.groups.who() == [ANA]
    await story.until(NINE + timedelta(seconds=5))
    assert story.groups.who() == [ANA, BO]
    await story.until(NINE + 2 * HOUR + timedelta(seconds=5))
    assert story.groups.who() == [BO]


async def test_a_list_that_cannot_be_read_takes_nobody_out(begin: Begin) -> None:
    story = begin(free(owned=True, dry_run=False))
    await story.asks_for(ANA, hours=4)

    def half(call: str) -> None:
        if call == "members":
            raise RetryLaterError("page 2 answers 500")

    story.groups.fault = half
    story.groups.log.clear()
    await story.after(minutes=20)
    assert (story.groups.who(), story.groups.log) == ([ANA], [])
    assert await story.state_of() == "active"
    standing = (await story.store.access.standings())[0]
    assert "page 2" in standing.trouble


async def test_no_glass_is_broken_once_the_incident_is_resolved(begin: Begin) -> None:
    story = begin(group(break_glass=(PRIMARY,)))
    await story.fires(severity=Severity.CRITICAL)
    await story.does(ANA, "resolved")
    await story.asks_for(ANA)
    assert await story.state_of() == "requested"


async def test_a_grant_never_takes_the_place_of_another_with_the_same_short_id(
    begin: Begin,
) -> None:
    story = begin()
    await story.asks_for(ANA, hours=1)
    first = await story.grant()
    story._numbers = count(1 + 16**6)  # the last six digits come again
    story.restart()
    await story.asks_for(BO, hours=2)
    grants = await story.store.access.open_grants()
    assert sorted(one.person for one in grants) == [ANA, BO]
    assert first.id in {one.id for one in grants}
    story.clock.advance(hours=1, seconds=1)
    await story.settle()
    assert story.groups.who() == [BO]
