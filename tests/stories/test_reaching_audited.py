"""The auditor beside contact methods: whom another method reached is not lost, what stuck is found."""

from datetime import timedelta

import pytest

from bot.contact_jobs import lane_of
from bot.ports.delivering import GiveUpError
from bot.ports.jobs import Job
from bot.store.opening import OpenedStore
from rules.audit import Fault
from rules.contacting.method import Method
from tests.fakes.clock import FakeClock
from tests.stories.reached import Reached, reaching
from tests.stories.story import PRIMARY, SECONDARY, page, policy
from tests.stories.test_auditor import Audited
from tests.stories.test_reaching import refuses

LONG = policy(page(PRIMARY, wait=60), page(SECONDARY))


@pytest.fixture
def night(opened_store: OpenedStore, clock: FakeClock) -> Reached:
    return Reached(opened_store, clock, reaching(steps=LONG))


def closed(job: Job) -> None:
    if job.kind == "page":
        raise GiveUpError("her Slack account is closed")


async def test_whom_an_email_reached_is_not_paged_again(night: Reached) -> None:
    audited = Audited(night)
    night.slack.fault = closed
    await night.fires()
    for _ in range(12):
        await night.after(minutes=1)
        assert Fault.PAGE_LOST not in await audited.looks()
    assert night.timetable() == ["03:00:00 Ana by email", "03:05:00 Ana by voice"]


async def test_a_night_by_every_method_gives_the_auditor_nothing_to_say(night: Reached) -> None:
    audited = Audited(night)
    night.slack_is_down(minutes=20)
    await night.fires()
    for _ in range(40):
        await night.after(minutes=1)
        found = await audited.looks()
        assert Fault.PAGE_LOST not in found
        assert Fault.LANE_FROZEN not in found


async def test_many_calls_one_after_another_are_nothing_that_is_stuck(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    night = Reached(opened_store, clock, reaching(steps=LONG, order="voice 1m"))
    audited = Audited(night)
    for number in range(14):
        await night.fires(f"table-{number}")
    for _ in range(9):
        await night.after(minutes=1)
        assert await audited.looks() == []
    assert len([line for line in night.timetable() if line.endswith("voice")]) == 11


async def test_a_method_that_was_given_up_while_nobody_answered_is_told(night: Reached) -> None:
    audited = Audited(night)
    night.phones[Method.VOICE].fault = refuses("the number is not verified")
    await night.fires()
    await night.after(minutes=6)
    assert Fault.PAGE_GIVEN_UP in await audited.looks()
    assert "not verified" in str(audited.alarms())


async def test_a_lane_of_a_method_that_is_stuck_is_found_and_opened(night: Reached) -> None:
    audited = Audited(night)
    await night.fires()
    lane, far = lane_of(Method.EMAIL, "ana"), night.clock.now() + timedelta(days=1)
    micros = int(far.timestamp() * 1_000_000)
    at = micros if night.store.database.is_sqlite else f"'{far.isoformat()}'"
    await audited.breaks(f"UPDATE lane SET held_until = {at}, holder = 'x' WHERE name = '{lane}'")
    await night.after(minutes=4)
    assert "03:02:00 Ana by email" not in night.timetable()
    await night.after(minutes=5)
    found = await audited.looks()
    assert Fault.LANE_FROZEN in found
    await night.after(seconds=2)
    assert any("Ana by email" in line for line in night.timetable())
