"""When the canary flies and when its loss is told."""

from datetime import timedelta

from rules.canary import LONGEST_PAUSE, Flights, came_back, cleared, rang, was_lost
from tests.rules.build import HOUR, MINUTE, NOW

EVERY = 15 * MINUTE


def lost() -> Flights:
    return was_lost(Flights(fly_at=NOW), EVERY, NOW, "Slack is away", NOW + 2 * MINUTE)


def test_what_comes_back_flies_again_in_a_while() -> None:
    at = came_back(Flights(fly_at=NOW), EVERY, NOW + MINUTE)
    assert (at.fly_at, at.back_at, at.alarmed) == (NOW + 16 * MINUTE, NOW + MINUTE, False)


def test_a_loss_rings_at_once_and_flies_again_soon() -> None:
    at = lost()
    assert at.must_ring(NOW + 2 * MINUTE)
    assert at.lost_since == NOW
    assert at.fly_at == NOW + 3 * MINUTE


def test_pauses_double_up_to_an_hour() -> None:
    at, now, pauses = lost(), NOW + 2 * MINUTE, list[timedelta]()
    for _ in range(6):
        at = rang(at, now, ["phone"])
        assert at.ring_at is not None
        assert not at.must_ring(at.ring_at - MINUTE)
        pauses.append(at.ring_at - now)
        now = at.ring_at
    assert pauses == [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE, HOUR, HOUR]
    assert LONGEST_PAUSE == HOUR


def test_a_bell_that_nobody_heard_rings_again_at_the_next_flight() -> None:
    at = rang(lost(), NOW, [])
    assert at.must_ring(NOW)
    assert not at.heard


def test_the_alarm_keeps_its_beginning_and_tells_the_newest_reason() -> None:
    at = was_lost(lost(), EVERY, NOW + 3 * MINUTE, "the database is away", NOW + 5 * MINUTE)
    assert (at.lost_since, at.why) == (NOW, "the database is away")


def test_an_alarm_that_was_heard_stays_until_the_all_clear_was_taken() -> None:
    at = came_back(rang(lost(), NOW, ["phone"]), EVERY, NOW + HOUR)
    assert at.alarmed
    assert at.fly_at == NOW + HOUR + MINUTE
    over = cleared(at, EVERY, ["phone"], NOW + HOUR)
    assert not over.alarmed
    assert (over.back_at, over.fly_at) == (NOW + HOUR, NOW + HOUR + EVERY)


def test_only_whoever_heard_the_alarm_and_not_its_end_is_owed_the_all_clear() -> None:
    at = came_back(rang(lost(), NOW, ["phone", "pager"]), EVERY, NOW + HOUR)
    at = cleared(at, EVERY, ["phone"], NOW + HOUR)
    assert (at.owed, at.alarmed) == (frozenset({"pager"}), True)
    assert not cleared(at, EVERY, ["pager"], NOW + HOUR).alarmed


def test_an_alarm_that_nobody_heard_is_over_at_once() -> None:
    assert not came_back(rang(lost(), NOW, []), EVERY, NOW + HOUR).alarmed
