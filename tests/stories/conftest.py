"""A fresh story on each database."""

from collections.abc import Callable

import pytest

from bot.store.opening import OpenedStore
from rules.rulebook import RuleBook
from tests.fakes.clock import FakeClock
from tests.stories.story import Story, rulebook

Tell = Callable[..., Story]


@pytest.fixture
def tell(opened_store: OpenedStore, clock: FakeClock) -> Tell:
    """Begin a story; `tell()` with the usual rulebook, `tell(book)` with another."""

    def begin(book: RuleBook | None = None) -> Story:
        return Story(opened_store, clock, book or rulebook())

    return begin
