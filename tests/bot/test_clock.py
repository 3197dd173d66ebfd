"""The machine's clock: how it is set forward, and how waiting for it ends."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import SystemClock

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOON = timedelta(milliseconds=1)
A_MOMENT = timedelta(minutes=1)


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_a_clock_is_set_forward_and_never_back(speed: float) -> None:
    clock = SystemClock(speed=speed, start=START)
    clock.skip_to(START + HOUR)
    assert START + HOUR <= clock.now() < START + HOUR + A_MOMENT
    clock.skip_to(START)
    assert START + HOUR <= clock.now() < START + HOUR + A_MOMENT


def test_only_a_clock_that_tells_the_true_time_goes_by_another() -> None:
    true, fast, played = SystemClock(), SystemClock(speed=60), SystemClock(start=START)
    for clock in (true, fast, played):
        clock.correct(HOUR)
    assert [clock.offset for clock in (true, fast, played)] == [HOUR, 0 * HOUR, 0 * HOUR]


def test_who_goes_by_another_clock_does_not_jump_when_the_machines_is_set() -> None:
    wall, since_boot = [START.timestamp()], [100.0]

    def machines() -> SystemClock:
        return SystemClock(wall=lambda: wall[0], steady=lambda: since_boot[0])

    alone, replica = machines(), machines()
    replica.correct(A_MOMENT)
    wall[0] += HOUR.total_seconds()
    since_boot[0] += 2
    assert alone.now() == START + HOUR
    assert replica.now() == START + A_MOMENT + timedelta(seconds=2)
    replica.correct(-A_MOMENT)
    since_boot[0] += 1
    assert replica.now() == START + timedelta(seconds=3)


async def test_a_fast_clock_waits_less() -> None:
    clock = SystemClock(speed=3_600_000.0, start=START)
    await clock.sleep_until(START + HOUR)
    assert clock.now() >= START + HOUR


async def test_what_has_passed_is_not_waited_for() -> None:
    clock = SystemClock(start=START)
    async with asyncio.timeout(5):
        await clock.sleep_until(START - HOUR)
        await clock.wait(asyncio.Event(), START - HOUR)


async def test_a_wait_ends_with_its_event_or_its_time() -> None:
    clock, flag = SystemClock(), asyncio.Event()
    async with asyncio.timeout(5):
        await clock.wait(flag, clock.now() + SOON)
        flag.set()
        await clock.wait(flag, clock.now() + HOUR)


@pytest.mark.parametrize("turns", range(6))
async def test_who_is_stopped_just_when_an_event_wakes_them_is_stopped(turns: int) -> None:
    """A loop that goes on all the same would keep the whole process from ending."""
    clock, flag, loop = SystemClock(), asyncio.Event(), asyncio.get_running_loop()

    async def work() -> None:
        while True:
            flag.clear()
            await clock.wait(flag, clock.now() + HOUR)

    def stop_in(turns: int) -> None:
        if turns:
            loop.call_soon(stop_in, turns - 1)
        else:
            task.cancel()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        await asyncio.wait({task}, timeout=0.01)
        flag.set()
        stop_in(turns)
        await asyncio.wait({task}, timeout=1)
        stopped = task.cancelled()
        task.cancel()
    assert stopped
