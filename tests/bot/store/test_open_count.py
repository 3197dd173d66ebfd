"""How many incidents are open: counted by the index, however many there are."""

from sqlalchemy import event

from bot.app.counting import sample
from bot.metrics import Metrics
from bot.store.opening import OpenedStore
from rules.incident import State
from tests.bot.store.samples import incident
from tests.fakes.clock import FakeClock


async def test_the_gauge_counts_what_is_not_resolved(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    states = (State.TRIGGERED, State.ACKNOWLEDGED, State.RESOLVED)
    async with opened_store.store.begin() as tx:
        for number in range(1, 8):
            tx.save(incident(number, clock.now(), state=states[number % 3]))
    assert await opened_store.reader.open_count() == 5
    metrics = Metrics()
    read = _bodies_read(opened_store)
    await sample(metrics, opened_store.reader, clock.now())
    assert b"watchbill_incidents_open 5.0" in metrics.text()
    assert read == [], "no incident is read to be counted"


def _bodies_read(opened_store: OpenedStore) -> list[str]:
    """Return the statements, as they come, that read whole incidents."""
    statements: list[str] = []

    def note(*given: object) -> None:
        if "incident.body" in str(given[2]):
            statements.append(str(given[2]))

    engine = opened_store.database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    return statements
