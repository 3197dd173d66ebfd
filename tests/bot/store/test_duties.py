"""What the database keeps of followers, of what was told, and of notes."""

from dataclasses import replace
from datetime import timedelta

from bot.ports.duties import HandoffNote
from bot.ports.followers import FollowerState
from bot.store.opening import OpenedStore
from rules.schedule.following import Memory
from rules.schedule.reminders import Notice, NoticeKind
from tests.fakes.clock import FakeClock

GROUP = "user_group:data-oncall"
HOUR = timedelta(hours=1)


def notice(clock: FakeClock, key: str = "a", **more: object) -> Notice:
    made = Notice(
        key=key,
        kind=NoticeKind.REMINDER,
        start=clock.now() + HOUR,
        end=clock.now() + 2 * HOUR,
        person="ana@example.com",
        rotation="data",
        role="primary",
    )
    return replace(made, **more)  # type: ignore[arg-type]


async def test_a_follower_is_behind_until_it_shows_what_is_wanted(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    store, began = opened_store.followers, clock.now()
    await store.want({GROUP: "ana"}, began)
    clock.advance(seconds=30)
    await store.want({GROUP: "bo"}, clock.now())
    state = await store.follower(GROUP)
    assert (state.wanted, state.behind_since, state.lag(clock.now())) == ("bo", began, 30.0)
    memory = Memory(wrote=("U1", "U2"), ref="Bk1", repaired_at=began, stopped_until=clock.now())
    done = replace(state, applied="ana", tried_at=clock.now(), applied_at=began, memory=memory)
    await store.save_follower(replace(done, problem="slow", told="slow"))
    assert (await store.follower(GROUP)).behind_since == began
    await store.save_follower(replace(done, applied="bo"))
    state = await store.follower(GROUP)
    assert (state.behind_since, state.lag(clock.now()), state.problem) == (None, 0.0, "")
    assert state.memory == memory


async def test_a_plan_that_changes_meanwhile_is_not_lost(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    store = opened_store.followers
    await store.want({GROUP: "ana"}, clock.now())
    read = await store.follower(GROUP)
    await store.want({GROUP: "bo"}, clock.now())
    await store.save_follower(replace(read, applied="ana"))
    state = await store.follower(GROUP)
    assert (state.wanted, state.applied) == ("bo", "ana")
    assert state.behind_since is not None


async def test_wanting_what_it_shows_again_ends_the_lag(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    store = opened_store.followers
    await store.want({GROUP: "ana"}, clock.now())
    await store.save_follower(FollowerState(name=GROUP, applied="ana"))
    await store.want({GROUP: "bo"}, clock.now())
    await store.want({GROUP: "ana"}, clock.now())
    assert (await store.follower(GROUP)).behind_since is None


async def test_followers_are_listed_and_forgotten(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    store = opened_store.followers
    assert await store.follower(GROUP) == FollowerState(name=GROUP)
    await store.save_follower(FollowerState(name="topic:x", problem="p\0q", applied="z"))
    await store.want({GROUP: "ana"}, clock.now())
    assert [state.name for state in await store.followers()] == ["topic:x", GROUP]
    await store.forget_follower("topic:x")
    assert [state.name for state in await store.followers()] == [GROUP]


async def test_what_was_told_is_kept_once(opened_store: OpenedStore, clock: FakeClock) -> None:
    told = notice(clock, was=clock.now())
    async with opened_store.store.begin() as tx:
        tx.record_notice(told, clock.now())
    first = clock.now()
    clock.advance(minutes=1)
    async with opened_store.store.begin() as tx:
        tx.record_notice(told, clock.now())
        tx.record_notice(notice(clock, "b"), clock.now())
        assert [n.key for n in await tx.notices(first)] == ["a"]
    found = await opened_store.reader.notices(first)
    assert found[0] == replace(told, told_at=first)
    assert [n.key for n in found] == ["a", "b"]
    assert await opened_store.reader.notices(told.end + HOUR) == []


async def test_a_later_note_replaces_the_earlier(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    at = clock.now() + HOUR
    note = HandoffNote(
        rotation="data", boundary_at=at, person="ana", note="first", noted_at=clock.now()
    )
    for text in ("first", "second \U0001f600 \0"):
        async with opened_store.store.begin() as tx:
            tx.save_note(replace(note, note=text))
    async with opened_store.store.begin() as tx:
        tx.save_note(replace(note, person="bo", note="x" * 5000, noted_at=at))
    found = await opened_store.reader.notes("data", at)
    assert [(n.person, len(n.note)) for n in found] == [("ana", 10), ("bo", 2000)]
    assert await opened_store.reader.notes("data", at + HOUR) == []


async def test_what_is_long_over_is_forgotten(opened_store: OpenedStore, clock: FakeClock) -> None:
    note = HandoffNote(
        rotation="data", boundary_at=clock.now(), person="ana", note="n", noted_at=clock.now()
    )
    async with opened_store.store.begin() as tx:
        tx.record_notice(notice(clock), clock.now())
        tx.save_note(note)
    gone = await opened_store.prune(clock.now() + timedelta(days=1))
    assert (gone["notices"], gone["notes"]) == (1, 1)
