"""A crash at any await of granting and revoking, and any mix of faults: what stays is the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.access.sync import RECONCILE
from bot.acts.access import GiveBack, RevokeAll
from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.store.opening import OpenedStore, open_store
from rules.access.group import Whom
from rules.rulebook import RuleBook
from tests.fakes.clock import FakeClock
from tests.stories.elevated import ANA, BO, CY, DEE, Elevated, book_of, group
from tests.stories.story import on_call

PEOPLE = (ANA, BO, CY)


class Crashed(BaseException):
    """The process is dead: nothing that it would do afterwards happens."""


class Quiet(Elevated):
    """Goes over groups seldom, so that few points to die at are alike."""

    every = timedelta(hours=2)


def _book(**changes: Any) -> RuleBook:
    usual: dict[str, Any] = {"approvers": Whom(), "may_ask": Whom(people=PEOPLE), **changes}
    return book_of(group(**usual), on_call=on_call(primary=ANA, secondary=BO))


class Dying:
    """Kills at the `at`-th point that a story comes by; the points are both sides of each await."""

    def __init__(self, story: Elevated, at: int) -> None:
        self._counted = count(1)
        self._at = at
        self.died = False
        self._story = story
        story.groups.fault = self.point
        story.groups.after = self.point

    def point(self, _: str = "") -> None:
        if not self.died and next(self._counted) == self._at:
            self.died = True
            raise Crashed

    @contextmanager
    def around_commits(self) -> Iterator[None]:
        """Also die just before and just after a transaction of the sync's or the keeper's."""
        store = self._story.store.store
        begin, point = store.begin, self.point

        class Watched:
            def __init__(self) -> None:
                self._inner = begin()

            async def __aenter__(self) -> object:
                point()
                return await self._inner.__aenter__()

            async def __aexit__(self, *how: object) -> object:
                ended = await self._inner.__aexit__(*how)  # type: ignore[arg-type]
                if how[0] is None:
                    point()
                return ended

        store.begin = Watched  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            store.begin = begin  # type: ignore[method-assign]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("owned", [False, True])
async def test_a_crash_at_any_await_neither_loses_nor_keeps_anything(
    opened_store: OpenedStore, clock: FakeClock, owned: bool
) -> None:
    died = 0
    story = Quiet(opened_store, clock, _book(owned=owned, dry_run=False))
    for at in count(1):
        dying = Dying(story, at)
        with dying.around_commits():
            for step in (_take, _time_passes):
                try:
                    await step(story)
                except BaseException as crash:
                    if not _is_crash(crash):
                        raise
                    story.restart()
                    await opened_store.queue.release_all(clock.now())
        story.groups.fault = story.groups.after = lambda call: None
        await story.after(hours=1, minutes=2)
        assert len(story.groups.log) >= 2, "nobody was put in and taken out"
        story.groups.log.clear()
        if not dying.died:
            break
        died += 1
        assert story.groups.who() == [], f"somebody stays after a crash at {at}"
        assert not await opened_store.access.open_grants()
    assert died > 10


async def _take(story: Elevated) -> None:
    await story.asks_for(ANA, hours=1)


async def _time_passes(story: Elevated) -> None:
    await story.after(hours=1, minutes=1)


def _is_crash(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_is_crash(one) for one in error.exceptions)
    return isinstance(error, Crashed)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["ask", "back", "all", "wait", "long", "down", "500", "lies", "never", "well", "by hand",
             "taken", "late"]
        ),
        st.sampled_from(PEOPLE),
    ),
    max_size=12,
)  # fmt: skip


@example(steps=[("ask", ANA), ("late", ANA)], owned=False, native=False)
@example(steps=[("ask", ANA), ("500", ANA), ("down", ANA)], owned=False, native=False)
@example(steps=[("by hand", BO), ("ask", BO), ("lies", BO), ("long", BO)], owned=True, native=True)
@settings(max_examples=25)
@given(steps=STEPS, owned=st.booleans(), native=st.booleans())
async def test_whatever_happened_a_healthy_back_end_ends_as_the_ledger_says(
    sqlite_template: Path, steps: list[tuple[str, str]], owned: bool, native: bool
) -> None:
    clock = FakeClock()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "watchbill.db"
        path.write_bytes(sqlite_template.read_bytes())
        opened = await open_store(f"sqlite:///{path}", clock)
        try:
            story = Elevated(opened, clock, _book(owned=owned, dry_run=False))
            story.groups.native = native
            by_hand: set[str] = set()
            for what, who in steps:
                await _do(story, what, who, by_hand)
            story.groups.fault, story.groups.lies = lambda call: None, False
            await story.after(seconds=RECONCILE.total_seconds() + 3)
            grants = await opened.access.open_grants()
            wanted = {grant.account for grant in grants if grant.is_wanted}
            present = set(story.groups.who())
            assert wanted <= present
            if owned:
                assert present == wanted
            else:
                assert present - wanted <= by_hand
            now = clock.now()
            late = [g for g in grants if g.is_wanted and g.until and g.until <= now]
            assert not late
        finally:
            await opened.close()


async def _do(story: Elevated, what: str, who: str, by_hand: set[str]) -> None:  # noqa: PLR0912 - one branch a step
    def down(call: str) -> None:
        raise RetryLaterError(f"{call} answers 500")

    def never(call: str) -> None:
        if call == "grant":
            raise GiveUpError("no such user")

    match what:
        case "ask":
            await story.asks_for(who, hours=1)
        case "back" | "late":
            mine = [g for g in await story.store.access.open_grants() if g.person == who]
            for grant in mine:
                await story.asks(GiveBack(by=who, grant=grant.id))
            if what == "late" and mine and not by_hand & {who} and who not in story.groups.who():
                story.groups.put("prod", who)  # a request of before has its effect only now
        case "all":
            await story.asks(RevokeAll(by=DEE))
        case "wait":
            await story.after(minutes=7)
        case "long":
            await story.after(minutes=61)
        case "down":
            await story.down(hours=3)
        case "500":
            story.groups.fault = down
        case "never":
            story.groups.fault = never
        case "lies":
            story.groups.lies = True
        case "by hand":
            if who not in story.groups.who():
                story.groups.put("prod", who)
                by_hand.add(who)
        case "taken":
            story.groups.take("prod", who)
            by_hand.discard(who)
        case _:
            story.groups.fault, story.groups.lies = lambda call: None, False
