"""What grouping asks costs what the alerts name, never what is open or stored."""

from datetime import timedelta
from typing import Any

from sqlalchemy import event

from bot.ports.store import AlertRef
from bot.store.opening import OpenedStore
from tests.fakes.clock import FakeClock


async def test_placing_an_alert_reads_by_index_only(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    near = opened_store.database.near
    if near is None:
        return  # PostgreSQL plans by how much there is
    asked: list[tuple[str, Any]] = []

    def keep(_c: object, _k: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    engine = near._engine
    event.listen(engine, "before_cursor_execute", keep)
    async with opened_store.store.begin() as tx:
        refs = [AlertRef("airflow", "orders", "run 1")]
        await tx.load_for(refs, now=clock.now(), window=timedelta(minutes=1))
    event.remove(engine, "before_cursor_execute", keep)
    plans: list[str] = []
    async with opened_store.database.read() as connection:
        for statement, parameters in asked:
            if statement.startswith("SELECT"):
                plan = await connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", parameters
                )
                plans += [str(row.detail) for row in plan]
    told = "\n".join(plans)
    assert "SEARCH alert USING INDEX ix_alert_open (source=? AND dedup_key=?)" in told
    assert "SEARCH incident USING INDEX ix_incident_open_storm (source=?)" in told
    assert "ux_incident_open_key (source=?)" not in told
    assert "SCAN incident" not in told
    assert "SCAN alert" not in told
