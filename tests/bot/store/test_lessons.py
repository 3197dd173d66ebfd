"""Learned rules and the past they are tried on, on both databases."""

from datetime import timedelta

from sqlalchemy import insert, update

from bot.ports.lessons import read_past, tried
from bot.store.opening import OpenedStore
from bot.store.tables.core import ALERT
from rules.alert import Severity
from rules.category import Category, Classified
from rules.corrected import Correction
from rules.priority import Priority
from rules.sentence import say
from rules.teaching.correction import Remedy, breadths
from rules.teaching.learned import LearnedRule
from tests.bot.store.samples import HOUR, alert, incident
from tests.fakes.clock import FakeClock
from tests.rules.build import make_book

KNOWN = Classified(Category.FRESHNESS, None, 0.9, "tests", say("x"))


def rule(number: int, clock: FakeClock) -> LearnedRule:
    return LearnedRule(
        id=f"rule{number}",
        yaml=f"# \U0001f986 {number}\n",
        by="ana@example.com",
        at=clock.now() + timedelta(seconds=number),
        number=number,
        why="because",
    )


async def test_a_rule_is_kept_until_it_is_ended(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    first, second = rule(1, clock), rule(2, clock)
    async with opened_store.store.begin() as tx:
        tx.save_learned(first)
        tx.save_learned(second)
        assert set(await tx.learned_rules()) == {first, second}
    assert list(await opened_store.lessons.learned_rules()) == [second, first]
    assert list(await opened_store.lessons.learned_ids()) == ["rule2", "rule1"]
    async with opened_store.store.begin() as tx:
        tx.end_learned("rule2", "bo@example.com", clock.now())
        assert list(await tx.learned_rules()) == [first]
    assert list(await opened_store.lessons.learned_ids()) == ["rule1"]
    assert await opened_store.lessons.end_learned("rule1", "command line", clock.now())
    assert not await opened_store.lessons.end_learned("rule1", "command line", clock.now())
    assert list(await opened_store.lessons.learned_rules()) == []


async def test_the_past_has_each_alert_with_its_category_and_what_its_source_said(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    told = Correction(by="bo@example.com", at=now, category=Category.ACCESS)
    fired = alert("k7", now, labels={"category": "staleness", "model": "orders"}, classified=KNOWN,
                  severity=Severity.ERROR)  # fmt: skip
    async with opened_store.store.begin() as tx:
        made = incident(7, now, correction=told, paged=("ana@example.com",), priority=Priority.P1)
        tx.save(made)
        tx.record_alert(made.id, fired, now)
    (past,) = await opened_store.lessons.past_alerts(now - HOUR, 10)
    assert past.alert.category is Category.FRESHNESS
    assert past.alert.labels == {"category": "staleness", "model": "orders"}
    found = await opened_store.lessons.past_incidents([past.incident_id])
    (one,) = found.values()
    assert (one.number, one.priority, one.paged, one.correction) == (7, Priority.P1, True, told)
    assert await opened_store.lessons.past_alerts(now + HOUR, 10) == []


async def test_an_old_row_has_its_category_among_the_labels(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async with opened_store.store.begin() as tx:
        tx.save(incident(1, clock.now()))
        tx.record_alert(
            incident(1, clock.now()).id,
            alert("k1", clock.now(), labels={"category": "schema"}),
            clock.now(),
        )
    async with opened_store.database.write() as connection:
        await connection.execute(update(ALERT).values(category=""))
    (past,) = await opened_store.lessons.past_alerts(clock.now() - HOUR, 10)
    assert (past.alert.category, past.alert.labels) == (Category.SCHEMA, {})


async def test_thousands_are_read_page_by_page_and_cut(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async with opened_store.database.write() as connection:
        values = [
            {"incident_id": f"i{n % 40}", "source": "dbt", "dedup_key": f"k{n}", "status": "firing",
             "severity": "error", "title": f"k{n} failed", "category": "freshness",
             "labels": '{"test":"not_null"}', "first_at": clock.now(),
             "last_at": clock.now() - timedelta(seconds=n // 3)}
            for n in range(2_500)
        ]  # fmt: skip
        await connection.execute(insert(ALERT), values)
    found = await opened_store.lessons.past_alerts(clock.now() - HOUR, 2_200)
    assert len({one.alert.dedup_key for one in found}) == len(found) == 2_200
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    past = await read_past(opened_store.lessons, clock.now())
    assert (len(past.alerts), past.cut) == (2_500, False)
    of = incident(1, clock.now(), source="dbt", labels={"test": "not_null"})
    remedy = Remedy(category=Category.COMPLETENESS)
    everywhere = next(b for b in breadths(of) if "everywhere" in b.words)
    trial = await tried(opened_store.lessons, past, everywhere, remedy, make_book())
    assert (trial.changed, trial.looked_at) == (2_500, 2_500)


async def test_an_alert_that_is_split_off_keeps_the_category_it_was_given(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    made = incident(1, clock.now())
    async with opened_store.store.begin() as tx:
        tx.save(made)
        tx.record_alert(made.id, alert("k1", clock.now(), classified=KNOWN), clock.now())
    async with opened_store.store.begin() as tx:
        taken = await tx.take_alert(made.id, "airflow", "k1")
    assert taken is not None
    assert taken.category is Category.FRESHNESS
