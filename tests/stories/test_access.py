"""Somebody asks for an elevated group: asked, approved, active, warned, extended, ended."""

from datetime import timedelta

import pytest

from bot.acts.access import ApproveAccess, ExtendAccess, GiveBack, RefuseAccess, RevokeAll
from bot.store.opening import OpenedStore
from rules.access.group import AccessGroup, Whom
from rules.alert import Severity
from rules.rulebook import RuleBook
from tests.fakes.clock import FakeClock
from tests.stories.conftest import Begin
from tests.stories.elevated import (
    ANA,
    BO,
    CY,
    DEE,
    HOUR,
    MINUTE,
    PRIMARY,
    Elevated,
    book_of,
    group,
)
from tests.stories.story import on_call


@pytest.fixture
def begin(opened_store: OpenedStore, clock: FakeClock) -> Begin:
    def begun(*groups: AccessGroup, **changes: object) -> Elevated:
        book: RuleBook = book_of(
            *(groups or (group(),)), on_call=on_call(primary=ANA, secondary=BO)
        )
        return Elevated(opened_store, clock, book)

    return begun


async def test_asked_approved_active_warned_extended_ended(begin: Begin) -> None:
    story = begin()
    await story.asks_for(ANA, hours=1)
    assert await story.state_of() == "requested"
    assert await story.told() == ["bo approve"]
    assert story.groups.who() == []
    its_id = (await story.grant()).id

    await story.after(minutes=5)
    await story.asks(ApproveAccess(by=BO, grant=its_id))
    grant = await story.grant()
    assert (grant.state, grant.approved_by) == ("active", BO)
    assert grant.until == story.clock.now() + HOUR - timedelta(seconds=2)
    assert story.groups.who() == [ANA]
    assert await story.told() == ["ana active"]

    await story.after(minutes=49)
    assert await story.told() == []
    await story.after(minutes=1, seconds=1)
    assert await story.told() == ["ana warning"]
    assert "10 min" in story.words()[-1]
    await story.asks(ExtendAccess(by=ANA, grant=its_id))
    assert await story.told() == ["ana active"]

    await story.after(minutes=20)
    assert story.groups.who() == [ANA]
    await story.asks(ExtendAccess(by=ANA, grant=its_id))
    assert "can be extended 1 times" in story.answers()[-1]
    await story.after(minutes=40)
    assert await story.told() == ["ana warning"]
    await story.after(minutes=10)
    assert story.groups.who() == []
    ended = await story.grant()
    assert (ended.state, ended.end_reason) == ("ended", "its time is over")
    assert ended.gone_since is not None
    assert ended.gone_since - (ended.until or ended.gone_since) < timedelta(seconds=5)
    assert await story.told() == ["ana ended"]
    assert await story.happened() == [
        "access_requested",
        "approval_asked",
        "access_approved",
        "grant_started",
        "grant_seen",
        "end_warned",
        "grant_extended",
        "access_refused",
        "end_warned",
        "revocation_started",
        "revocation_seen",
    ]


async def test_an_approver_says_no(begin: Begin) -> None:
    story = begin()
    await story.asks_for(ANA)
    its_id = (await story.grant()).id
    await story.asks(RefuseAccess(by=BO, grant=its_id, why="use the read replica"))
    assert await story.state_of() == "refused"
    assert await story.told() == ["bo approve", "ana refused"]
    assert "use the read replica" in story.words()[-1]
    await story.asks(ApproveAccess(by=DEE, grant=its_id))
    assert "has been answered" in story.answers()[-1]
    assert story.groups.who() == []


async def test_a_sleeping_approver_is_followed_by_the_next_and_then_by_a_no(begin: Begin) -> None:
    story = begin()
    await story.asks_for(ANA)
    assert await story.told() == ["bo approve"]
    await story.after(minutes=10, seconds=1)
    assert await story.told() == ["dee approve", "ana granting"]
    await story.after(minutes=10)
    assert await story.state_of() == "refused"
    assert await story.told() == ["ana refused", "bo answered", "dee answered"]
    assert story.groups.who() == []


async def test_nobody_approves_themselves(begin: Begin) -> None:
    story = begin()
    await story.asks_for(BO)
    assert await story.told() == ["dee approve"]
    its_id = (await story.grant()).id
    await story.asks(ApproveAccess(by=BO, grant=its_id))
    assert story.answers()[-1] == "Nobody may approve their own request."
    await story.asks(ApproveAccess(by=CY, grant=its_id))
    assert "Only approvers" in story.answers()[-1]
    assert await story.state_of() == "requested"
    refusals = [line for line in await story.ledger() if line.what == "access_refused"]
    assert [line.evidence["rule"] for line in refusals] == ["own request", "approvers"]


async def test_the_grant_ends_soon_after_its_incident(begin: Begin) -> None:
    story = begin(group(grace=30 * MINUTE))
    await story.fires()
    await story.does(ANA, "acked")
    await story.asks_for(ANA, hours=4)
    await story.asks(ApproveAccess(by=BO, grant=(await story.grant()).id))
    assert (await story.grant()).incident == 1
    await story.after(hours=1)
    await story.does(ANA, "resolved")
    assert story.groups.who() == [ANA]
    await story.told()
    await story.after(minutes=21)
    assert await story.told() == ["ana warning"]
    await story.after(minutes=10)
    assert story.groups.who() == []
    assert (await story.grant()).end_reason == "#1 is closed"


async def test_an_incident_that_is_opened_again_lets_the_grant_go_on(begin: Begin) -> None:
    story = begin(group(grace=30 * MINUTE))
    await story.fires()
    await story.does(ANA, "acked")
    await story.asks_for(ANA, hours=4)
    await story.asks(ApproveAccess(by=BO, grant=(await story.grant()).id))
    await story.does(ANA, "resolved")
    await story.after(minutes=10)
    incident = await story.incident()
    async with story.store.store.begin() as tx:
        await tx.load_incidents([incident.id])
        tx.save(tx.incident(incident.id).trigger().but(resolved_at=None, closed_at=None))
    await story.after(hours=1)
    assert story.groups.who() == [ANA]


async def test_glass_is_broken_loudly(begin: Begin) -> None:
    story = begin(group(break_glass=(PRIMARY,)))
    await story.fires(severity=Severity.CRITICAL)
    assert (await story.incident()).priority in {"P1", "P2"}
    await story.asks_for(ANA, hours=1)
    grant = await story.grant()
    assert (grant.state, grant.break_glass, grant.incident) == ("active", True, 1)
    assert sorted(await story.told()) == [
        "ana active", "channel break_glass", "dee break_glass",
    ]  # fmt: skip
    await story.after(hours=1)
    assert story.groups.who() == []
    assert "channel ended" in await story.told()


async def test_without_a_grave_incident_no_glass_is_broken(begin: Begin) -> None:
    story = begin(group(break_glass=(PRIMARY,)))
    await story.asks_for(ANA)
    assert await story.state_of() == "requested"


async def test_it_is_given_back_early(begin: Begin) -> None:
    story = begin(group(approvers=Whom()))
    await story.asks_for(ANA, hours=4)
    await story.after(minutes=5)
    its_id = (await story.grant()).id
    await story.asks(GiveBack(by=CY, grant=its_id))
    assert story.groups.who() == [ANA]
    await story.asks(GiveBack(by=ANA, grant=its_id))
    assert story.groups.who() == []
    assert (await story.grant()).end_reason == "given back"


async def test_everybodys_is_revoked_at_once(begin: Begin) -> None:
    none = Whom()
    story = begin(group("prod", approvers=none), group("lake", approvers=none))
    await story.asks_for(ANA, "prod")
    await story.asks_for(CY, "lake")
    await story.asks(RevokeAll(by=CY))
    assert "Only owners" in story.answers()[-1]
    await story.asks(RevokeAll(by=DEE, why="a laptop was stolen"))
    assert (story.groups.who("prod"), story.groups.who("lake")) == ([], [])


async def test_a_person_who_is_deactivated_loses_it_at_once(begin: Begin) -> None:
    story = begin(group(approvers=Whom()))
    await story.asks_for(ANA, hours=4)
    assert story.groups.who() == [ANA]
    await story.bars(ANA, "their Slack account is closed")
    assert story.groups.who() == []
    assert (await story.grant()).end_reason == "their Slack account is closed"
    await story.asks_for(ANA)
    assert "their Slack account is closed" in story.answers()[-1]
