"""A fresh story on each database."""

from collections.abc import Callable

import pytest

from bot.store.opening import OpenedStore
from rules.access.group import AccessGroup
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from tests.fakes.clock import FakeClock
from tests.stories.elevated import ANA, BO, Elevated, book_of, free
from tests.stories.story import Story, on_call, rulebook

Tell = Callable[..., Story]
Begin = Callable[..., Elevated]


@pytest.fixture
def tell(opened_store: OpenedStore, clock: FakeClock) -> Tell:
    """Begin a story; `tell()` with the usual rulebook, `tell(book)` with another."""

    def begin(book: RuleBook | None = None) -> Story:
        return Story(opened_store, clock, book or rulebook())

    return begin


@pytest.fixture
def begin(opened_store: OpenedStore, clock: FakeClock) -> Begin:
    """Begin a story of elevated groups; `begin()` with one that needs no approval."""

    def begun(*groups: AccessGroup, roster: OnCall | None = None) -> Elevated:
        book = book_of(*(groups or (free(),)), on_call=roster or on_call(primary=ANA, secondary=BO))
        return Elevated(opened_store, clock, book)

    return begun
