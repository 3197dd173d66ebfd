"""The wish to start a run: carried out once, told in the thread, and told when it cannot be."""

from datetime import timedelta

import pytest

from bot.engine.jobs import job_of
from bot.orchestrators.delivery import TriggerDeliverer
from bot.orchestrators.target import Orchestrator, Started, Target
from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.ports.jobs import Job
from bot.store.opening import OpenedStore
from rules.effects import TriggerRun
from rules.sentence import plain
from tests.fakes.clock import FakeClock
from tests.stories.conftest import Tell
from tests.stories.fixes import fixed_on_friday, waits


class Fake:
    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.asked: list[Target] = []

    async def trigger(self, target: Target) -> Started:
        self.asked.append(target)
        if self.fault:
            raise self.fault
        return Started("run <!here>", "https://airflow.example/run")


def of(store: OpenedStore, clock: FakeClock, **made: Orchestrator) -> TriggerDeliverer:
    return TriggerDeliverer(made, store.reader, store.store, clock)


async def wished(store: OpenedStore, clock: FakeClock, *, unsure: bool = False) -> Job:
    incident = await store.reader.incident_numbered(1)
    assert incident
    new = job_of(TriggerRun("i:run.0.1"), incident, clock.now(), clock.now())
    return Job(
        id="j",
        key=new.key,
        kind=new.kind,
        lane=new.lane,
        priority=new.priority,
        payload=new.payload,
        incident_id=incident.id,
        due_at=clock.now(),
        created_at=clock.now(),
        first_attempt_at=None,
        attempts=0,
        lease=1,
        leased_until=clock.now() + timedelta(seconds=30),
        revision=0,
        unsure=unsure,
    )


@pytest.fixture
async def told(tell: Tell, opened_store: OpenedStore) -> OpenedStore:
    await fixed_on_friday(tell(waits()))
    return opened_store


async def story_of(store: OpenedStore) -> list[str]:
    incident = await store.reader.incident_numbered(1)
    assert incident
    return [e.sentence.render(plain) for e in await store.reader.timeline(incident.id, 50)]


async def test_it_starts_the_run_and_tells(told: OpenedStore, clock: FakeClock) -> None:
    fake = Fake()
    for unsure in (False, True):
        await of(told, clock, airflow=fake).deliver(await wished(told, clock, unsure=unsure))
    first, again = fake.asked
    assert first.labels["dag_id"] == "shop_daily"
    assert (first.key, first.unsure, again.unsure) == (again.key, False, True)
    assert "Started run run <!here>. https://airflow.example/run" in await story_of(told)


async def test_no_orchestrator_is_told(told: OpenedStore, clock: FakeClock) -> None:
    with pytest.raises(GiveUpError):
        await of(told, clock).deliver(await wished(told, clock))
    assert any("names none for source airflow" in line for line in await story_of(told))


async def test_a_failure_that_passes_is_not_told(told: OpenedStore, clock: FakeClock) -> None:
    fake = Fake(RetryLaterError("away", unsure=True))
    before = await story_of(told)
    with pytest.raises(RetryLaterError):
        await of(told, clock, airflow=fake).deliver(await wished(told, clock))
    assert await story_of(told) == before


class Died(BaseException):
    """The process ends here."""


async def test_dying_between_the_start_and_the_commit_starts_it_once(
    told: OpenedStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: dict[str, int] = {}

    class Looks(Fake):
        async def trigger(self, target: Target) -> Started:
            if not (target.unsure and target.key in started):
                started[target.key] = started.get(target.key, 0) + 1
            return Started("r", "")

    def dies() -> None:
        raise Died

    deliverer = of(told, clock, airflow=Looks())
    with monkeypatch.context() as dead:
        dead.setattr(told.store, "begin", dies)
        with pytest.raises(Died):
            await deliverer.deliver(await wished(told, clock))
    assert "Started run r." not in await story_of(told)
    await deliverer.deliver(await wished(told, clock, unsure=True))
    assert list(started.values()) == [1]
    assert "Started run r." in await story_of(told)
