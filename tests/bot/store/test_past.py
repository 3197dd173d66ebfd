"""What the past teaches, as both databases remember it."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import Connection, bindparam, text

from bot.store import schema
from bot.store.columns import UtcDateTime
from bot.store.database import Database
from bot.store.opening import OpenedStore
from rules.alert import AlertStatus, Severity
from rules.category import Category
from rules.corrected import Correction
from rules.incident import Incident, Stakes, State
from rules.priority import Impact, Urgency
from rules.reliability.troubles import PastAlert
from rules.shown_alert import ShownAlert
from rules.weighing.history import Repair
from tests.bot.store.samples import HOUR, incident
from tests.fakes.clock import FakeClock

MINUTE = timedelta(minutes=1)


async def keep(opened: OpenedStore, *incidents: Incident) -> None:
    async with opened.store.begin() as transaction:
        for one in incidents:
            transaction.save(one)


def repaired(number: int, at: datetime, **changes: object) -> Incident:
    usual: dict[str, object] = {
        "state": State.RESOLVED,
        "category": Category.FRESHNESS,
        "first_paged_at": at,
        "first_acked_at": at + 4 * MINUTE,
        "resolved_at": at + 30 * MINUTE,
    }
    return incident(number, at, **(usual | changes))


def at_stake(product: str, asset: str = "") -> Stakes:
    return Stakes(
        name=product, impact=Impact.MODERATE, urgency=Urgency.HIGH, product=product, asset=asset
    )


async def test_repairs_are_what_people_took_and_ended(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    await keep(
        opened_store,
        repaired(1, now - 2 * HOUR),
        repaired(2, now - 100 * HOUR),
        repaired(8, now - 3 * HOUR, source="@expected", first_paged_at=None, rotation="late"),
        incident(3, now - HOUR, first_acked_at=now),
        repaired(4, now - HOUR, storm=True),
        repaired(5, now - HOUR, source="@person"),
        repaired(6, now - HOUR, first_acked_at=None),
        repaired(7, now - HOUR, first_paged_at=None, category=None, rotation="web"),
    )
    *found, expected = await opened_store.past.repairs(now - 24 * HOUR)
    assert expected.rotation == "late", "a run that never started is a repair like others"
    assert found == [
        Repair(
            rotation="web",
            category=None,
            acked_at=now - HOUR + 4 * MINUTE,
            resolved_at=now - HOUR + 30 * MINUTE,
        ),
        Repair(
            rotation="data",
            category=Category.FRESHNESS,
            paged_at=now - 2 * HOUR,
            acked_at=now - 2 * HOUR + 4 * MINUTE,
            resolved_at=now - 2 * HOUR + 30 * MINUTE,
        ),
    ]


async def test_incidents_tell_what_they_put_at_stake(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    shown = ShownAlert(
        "fct", "fct_orders failed", AlertStatus.FIRING, Severity.ERROR, now, now, product="sales"
    )
    over = replace(shown, dedup_key="o", status=AlertStatus.RESOLVED, last_at=now + HOUR)
    await keep(
        opened_store,
        incident(
            1,
            now - 3 * HOUR,
            product="orders",
            asset="model.fct",
            stakes=at_stake("orders", "model.fct"),
            category=Category.DUPLICATES,
            consequences=1,
            labels={"team": 'fin "x"', "odd": "a\x00b<é>"},
            alerts=(shown, over, ShownAlert("b", "b", AlertStatus.FIRING, Severity.INFO, now, now)),
            title='"quoted" null',
        ),
        repaired(2, now - 3 * HOUR, product="orders"),
        repaired(3, now - 90 * HOUR, product="orders", stakes=at_stake("orders")),
        incident(4, now - HOUR),
        incident(5, now - HOUR, product="orders", storm=True),
    )
    two, one = await opened_store.past.incidents(now - 24 * HOUR)
    assert (one.number, one.product, one.asset) == (1, "orders", "model.fct")
    assert (one.category, one.severity) == (Category.DUPLICATES, Severity.ERROR)
    assert (one.labels, one.title) == ({"team": 'fin "x"', "odd": "a\x00b<é>"}, '"quoted" null')
    assert (one.opened_at, one.resolved_at) == (now - 3 * HOUR, None)
    sales = PastAlert("sales", Severity.ERROR, now)
    assert one.alerts == (sales, replace(sales, ended_at=now + HOUR))
    assert (two.number, two.product, two.resolved_at) == (2, "", now - 3 * HOUR + 30 * MINUTE)


async def test_a_persons_word_on_what_is_actionable_counts_before_a_rules(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()

    def told(number: int, quiet_rule: str, actionable: bool | None) -> Incident:
        said = Correction(by="ana", at=now, actionable=actionable)
        return incident(
            number,
            now - HOUR,
            product="orders",
            stakes=at_stake("orders"),
            quiet_rule=quiet_rule,
            correction=None if number == 1 else said,
        )

    cases = [("backfills", None), ("backfills", None), ("backfills", True), ("", False), ("", None)]
    kept = [told(number, *case) for number, case in enumerate(cases, start=1)]
    await keep(opened_store, *kept)
    found = await opened_store.past.incidents(now - 24 * HOUR)
    assert [one.actionable for one in reversed(found)] == [one.is_actionable for one in kept]
    assert [one.is_actionable for one in kept] == [False, False, True, False, True]


async def test_watching_began_with_the_first_incident(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    assert await opened_store.past.watched_since() is None
    await keep(opened_store, incident(1, clock.now() - HOUR), incident(2, clock.now()))
    assert await opened_store.past.watched_since() == clock.now() - HOUR


@pytest.mark.parametrize("ask", ["runs", "occasions", "repairs", "incidents"])
async def test_an_empty_past_teaches_nothing(
    opened_store: OpenedStore, clock: FakeClock, ask: str
) -> None:
    assert await getattr(opened_store.past, ask)(clock.now() - HOUR) == []


async def test_incidents_of_before_keep_what_they_were_about(
    empty_database_url: str, clock: FakeClock
) -> None:
    database = Database(empty_database_url)
    body = json.dumps(
        {
            "rotation": "data",
            "category": "volume",
            "stakes": {"product": "orders", "asset": "model.fct"},
            "labels": {"odd": "a\x00b"},
        }
    )

    def before(connection: Connection) -> None:
        config = schema.alembic_config(connection)
        command.upgrade(config, "0002")
        for number, written in ((1, body), (2, '{"rotation": "web", "stakes": null}')):
            connection.execute(
                text(
                    "INSERT INTO incident (id, number, state, priority, opened_at, body)"
                    " VALUES (:id, :number, 'resolved', 'P1', :at, :body)"
                ).bindparams(bindparam("at", type_=UtcDateTime())),
                {"id": f"i{number}", "number": number, "at": clock.now(), "body": written},
            )

    async with database.write() as connection:
        await connection.run_sync(before)
    assert await schema.migrate(database)
    async with database.read() as connection:
        rows = (await connection.execute(_ABOUT)).all()
    await database.close()
    assert [tuple(row) for row in rows] == [
        ("data", "volume", "orders", "model.fct", None),
        ("web", "", "", "", None),
    ]


_ABOUT = text("SELECT rotation, category, product, asset, acked_at FROM incident ORDER BY number")
