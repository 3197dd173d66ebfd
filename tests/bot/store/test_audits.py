"""The auditor's questions cost what is open or due, never what the database holds."""

from datetime import timedelta
from typing import Any

from sqlalchemy import event, text

from bot.store.audits import MOST
from bot.store.opening import OpenedStore
from rules.audit import PATIENCE, Fault, Finding
from rules.sentence import say
from tests.bot.store.samples import HOUR, incident
from tests.fakes.clock import FakeClock

BIG = ("incident", "job", "inbound", "message")


async def test_no_question_reads_a_whole_table(opened_store: OpenedStore, clock: FakeClock) -> None:
    if not opened_store.database.is_sqlite:
        return  # PostgreSQL plans by how much there is
    asked: list[tuple[str, Any]] = []

    def keep(_c: object, _k: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    engine = opened_store.database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", keep)
    await opened_store.audits.look(clock.now(), PATIENCE)
    event.remove(engine, "before_cursor_execute", keep)
    plans = []
    async with opened_store.database.read() as connection:
        for statement, parameters in asked:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans += [str(row.detail) for row in plan]
    assert len(asked) > 8
    whole = [p for p in plans if p.startswith("SCAN") and "INDEX" not in p]
    assert [p for p in whole if p.split()[1] in BIG] == []


async def test_open_incidents_are_looked_at_in_turn(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    async with opened_store.store.begin() as tx:
        for number in range(1, MOST + 12):
            tx.save(incident(number, now, step_due_at=now + HOUR))
    first = await opened_store.audits.look(now, PATIENCE)
    assert (len(first.facts.incidents), first.next_number) == (MOST, MOST)
    rest = await opened_store.audits.look(now, PATIENCE, after=first.next_number)
    assert [one.incident.number for one in rest.facts.incidents] == [*range(MOST + 1, MOST + 12)]
    assert rest.next_number == 0


async def test_suspects_are_seen_whoever_has_the_turn(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    async with opened_store.store.begin() as tx:
        tx.save(incident(1, now))
        tx.save(incident(2, now, pages=False))
        tx.save(incident(3, now, step_due_at=now - HOUR))
        tx.save(incident(4, now, step_due_at=now + HOUR))
    seen = await opened_store.audits.look(now, PATIENCE, after=9)
    assert sorted(one.incident.number for one in seen.facts.incidents) == [1, 3]


async def test_what_a_text_holds_blinds_nobody_to_all_the_others(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    async with opened_store.store.begin() as tx:
        tx.save(incident(1, now, description='\0 "pages":true', pages=False))
        tx.save(incident(2, now))
        tx.save(incident(3, now))
    async with opened_store.database.write() as connection:
        cut = 'UPDATE incident SET body = \'{"pages": true, "title\' WHERE number = 3'
        await connection.execute(text(cut))
    found = await opened_store.audits.look(now, PATIENCE, after=10)
    assert found.facts.unreadable == (3,)
    assert [one.incident.number for one in found.facts.incidents] == [2]


async def test_an_errand_is_claimed_once(opened_store: OpenedStore, clock: FakeClock) -> None:
    now = clock.now()
    assert await opened_store.audits.errand_due("audit", now, now + HOUR)
    for expected in (True, False):
        async with opened_store.store.begin() as tx:
            assert await tx.audit.claim_errand("audit", now, now + HOUR) is expected
    assert not await opened_store.audits.errand_due("audit", now, now + HOUR)
    assert await opened_store.audits.errand_due("audit", now + HOUR, now + 2 * HOUR)
    assert await opened_store.audits.errand_done_at("audit") is None


async def test_a_finding_is_new_until_it_was_told_and_again_after_an_hour(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    found = [Finding(fault=Fault.UNWATCHED, key="unwatched:i1", sentence=say("x"), number=3)]

    async def recorded(*given: Finding) -> int:
        async with opened_store.store.begin() as tx:
            return len(await tx.audit.record(given, clock.now()))

    assert await recorded(*found) == 1
    (standing,) = await opened_store.audits.findings()
    assert (standing.number, standing.fault, standing.first_at) == (3, "unwatched", clock.now())
    clock.advance(minutes=1)
    assert await recorded(*found) == 0
    assert await recorded() == 0
    assert await opened_store.audits.findings() == []
    clock.advance(minutes=59)
    assert await recorded(*found) == 0, "within the hour"
    assert await recorded() == 0
    clock.advance(minutes=61)
    assert await recorded(*found) == 1
    await recorded()
    clock.advance(days=31)
    await recorded()
    async with opened_store.database.read() as connection:
        left = await connection.execute(text("SELECT count(*) FROM audit_finding"))
        assert left.scalar_one() == 0, "forgotten after a month"
    assert timedelta(0) < PATIENCE.shortest
