"""Grants are found again as they were, and nobody rewrites the ledger."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.ports.access import GroupStanding
from bot.ports.inbox import ConflictError, NotStoredError
from bot.store.opening import OpenedStore
from rules.access.grant import Grant, GrantState, Origin
from rules.access.ledger import Entry, Happening

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def grant(its_id: str = "g1", **more: object) -> Grant:
    usual = Grant(
        id=its_id,
        group="prod",
        person="ana@example.com",
        account="ana@example.com",
        origin=Origin.ASKED,
        state=GrantState.ACTIVE,
        requested_at=NOW,
        length=HOUR,
        until=NOW + HOUR,
        why="the load hangs",
        asked=("bo@example.com",),
    )
    return usual.but(**more)


async def test_a_grant_comes_back_as_it_was(opened_store: OpenedStore) -> None:
    async with opened_store.store.begin() as tx:
        await tx.access.hold()
        tx.access.save(grant(), NOW + HOUR)
        assert await tx.access.grant("g1") == grant()
        assert list(await tx.access.open_grants("prod")) == [grant()]
    assert await opened_store.access.grant("g1") == grant()
    assert list(await opened_store.access.open_grants()) == [grant()]
    assert await opened_store.access.next_wake() == NOW + HOUR
    async with opened_store.store.begin() as tx:
        tx.access.save(grant(state=GrantState.ENDED), NOW)
        assert not await tx.access.open_grants()
    assert not await opened_store.access.open_grants("prod")
    assert await opened_store.access.next_wake() is None


async def test_how_often_somebody_had_a_group_is_counted(opened_store: OpenedStore) -> None:
    async with opened_store.store.begin() as tx:
        tx.access.save(grant("g1", state=GrantState.ENDED), None)
        tx.access.save(grant("g2", state=GrantState.REFUSED), None)
        tx.access.save(grant("g3", origin=Origin.ROTATION), None)
        tx.access.save(grant("g4", requested_at=NOW - 3 * HOUR), None)
    async with opened_store.store.begin() as tx:
        found = await tx.access.asked_since("prod", "ana@example.com", NOW - HOUR)
    assert [one.id for one in found] == ["g1"]


async def test_how_grants_began_to_end_is_found(opened_store: OpenedStore) -> None:
    ended = Entry(at=NOW, what=Happening.REVOCATION_STARTED, group="prod", person="ana", grant="g1",
                  by="bo", why="stolen")  # fmt: skip
    others = {"person": "cy"}, {"group": "lake"}, {"what": Happening.REFUSED}, {"at": NOW - HOUR}
    async with opened_store.store.begin() as tx:
        for changes in ({}, *others):
            tx.access.note(replace(ended, **changes))
    async with opened_store.store.begin() as tx:
        assert await tx.access.revocations("prod", "ana", NOW - HOUR) == [ended]


async def test_how_a_group_stands_is_kept(opened_store: OpenedStore) -> None:
    stands = GroupStanding(name="prod", due_at=NOW, strangers=("mallory",))
    async with opened_store.store.begin() as tx:
        assert await tx.access.standing("prod") == GroupStanding(name="prod")
        tx.access.save_standing(stands)
    async with opened_store.store.begin() as tx:
        assert await tx.access.standing("prod") == stands
    assert list(await opened_store.access.standings()) == [stands]
    assert await opened_store.access.next_wake() == NOW


@pytest.mark.parametrize("wish", ["UPDATE access_ledger SET why = ''", "DELETE FROM access_ledger"])
async def test_the_ledger_cannot_be_changed(opened_store: OpenedStore, wish: str) -> None:
    line = Entry(at=NOW, what=Happening.REQUESTED, group="prod", grant="g1", why="x", incident=7,
                 evidence={"account": "ana"})  # fmt: skip
    async with opened_store.store.begin() as tx:
        tx.access.note(line)
    with pytest.raises((ConflictError, NotStoredError), match="only grows"):
        async with opened_store.database.write() as connection:
            await connection.execute(text(wish))
    assert list(await opened_store.access.ledger(NOW, NOW + HOUR)) == [line]
    assert list(await opened_store.access.ledger(NOW, NOW + HOUR, grant="other")) == []
