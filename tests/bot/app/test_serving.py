"""What `serve` says when it cannot start."""

import pytest

from bot.app.serving import cannot_start
from bot.ports.inbox import NotStoredError
from bot.store.errors import StoreInUseError


@pytest.mark.parametrize(
    "words",
    [
        "attempt to write a readonly database",
        "database or disk is full",
        "cannot execute INSERT in a read-only transaction",
    ],
)
def test_the_databases_own_words_get_a_place_and_what_to_look_at(words: str) -> None:
    said = cannot_start(NotStoredError(words))
    assert said.startswith(f"database: {words}; ")
    assert "is there room" in said


def test_what_says_what_to_do_is_left_as_it_is() -> None:
    message = "database: /x/watchbill.db cannot be used (no); is it there, and may we in?"
    assert cannot_start(NotStoredError(message)) == message
    assert cannot_start(StoreInUseError("stop it first")) == "stop it first"
