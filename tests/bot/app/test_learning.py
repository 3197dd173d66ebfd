"""The rules in force learn by themselves, and soon after a new catalogue."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest

from bot.app.rules_in_force import LEARN_EVERY, RulesInForce
from rules.catalogue import Catalogue
from rules.category import Category
from rules.documents.rulebook_parts import Surroundings, assemble
from rules.expected_runs import Occasion
from rules.lineage import Lineage
from rules.people import People
from rules.reliability.troubles import PastIncident
from rules.run import Run
from rules.weighing.history import Learnt, Repair
from tests.fakes.clock import FakeClock
from tests.fakes.reader import FakeReader
from tests.rules.reliability.test_slo import NINE, orders
from tests.rules.reliability.test_slo import past as broken

MINUTE = timedelta(minutes=1)


class FakePast:
    """Remembers repairs and counts how often it was asked."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.asked = 0
        self.count = 8
        self.takes = timedelta(0)
        self.broke: list[PastIncident] = []

    async def watched_since(self) -> datetime | None:
        self.asked += 1
        return self.clock.now() - timedelta(days=30)

    async def repairs(self, since: datetime) -> Sequence[Repair]:
        at = since + timedelta(days=1)
        self.clock.set(self.clock.now() + self.takes)
        one = Repair(
            rotation="data",
            category=Category.FRESHNESS,
            paged_at=at,
            acked_at=at + 3 * MINUTE,
            resolved_at=at + 23 * MINUTE,
        )
        return [one] * self.count

    async def incidents(self, since: datetime) -> Sequence[PastIncident]:
        return self.broke

    async def runs(self, since: datetime) -> Sequence[Run]:
        return []

    async def occasions(self, since: datetime) -> Sequence[Occasion]:
        return []


def in_force(clock: FakeClock, past: FakePast | None) -> RulesInForce:
    parts = assemble([], Surroundings(people=People([])))
    return RulesInForce(parts, None, FakeReader(), clock, past)


async def test_it_learns_at_once_and_then_now_and_again(clock: FakeClock) -> None:
    past = FakePast(clock)
    rules = in_force(clock, past)
    assert rules.book().history.respond == {}
    assert await rules.learn()
    assert rules.book().history.respond == {"data": Learnt(3 * MINUTE, 75, 8)}
    assert not await rules.learn()
    clock.set(clock.now() + LEARN_EVERY)
    past.count = 7
    assert await rules.learn()
    assert rules.book().history.respond == {}, "what is too old counts no more"
    await rules.refresh()
    assert past.asked == 2


async def test_a_new_catalogue_is_reckoned_at_once(clock: FakeClock) -> None:
    rules = in_force(clock, FakePast(clock))
    await rules.learn()
    catalogue = Catalogue([orders()])
    await rules.know(catalogue, Lineage(catalogue, {}))
    assert rules.book().reliability == {}
    assert await rules.learn()
    assert set(rules.book().reliability) == {"orders"}
    await rules.refresh()
    assert set(rules.book().reliability) == {"orders"}


@pytest.mark.parametrize(
    ("labels", "misses"),
    [({}, 1), ({"target": "prod"}, 1), ({"target": "Dev"}, 0), ({"environment": "staging"}, 0)],
)
async def test_a_trial_run_breaks_no_promise(
    clock: FakeClock, labels: dict[str, str], misses: int
) -> None:
    past = FakePast(clock)
    deadline = NINE.deadline_on(date(2026, 11, 20))
    assert deadline
    clock.set(deadline + timedelta(hours=9))
    broke = broken(labels=labels, opened_at=deadline - MINUTE, resolved_at=deadline + MINUTE)
    past.broke = [broke]
    rules = in_force(clock, past)
    catalogue = Catalogue([orders()])
    await rules.know(catalogue, Lineage(catalogue, {}))
    await rules.learn()
    fresh = rules.book().reliability["orders"].fresh
    assert fresh
    assert fresh.record.misses == misses


async def test_a_long_past_is_read_less_often(clock: FakeClock) -> None:
    past = FakePast(clock)
    past.takes = timedelta(seconds=30)
    rules = in_force(clock, past)
    assert await rules.learn()
    clock.set(clock.now() + LEARN_EVERY)
    assert not await rules.learn()
    clock.set(clock.now() + timedelta(minutes=45))
    assert await rules.learn()


async def test_without_a_past_there_is_nothing_to_learn(clock: FakeClock) -> None:
    assert not await in_force(clock, None).learn()
