"""What `serve` says when it cannot start."""

import asyncio

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


async def test_an_address_that_is_taken_says_which_keys_name_it() -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as taken:
        port = taken.sockets[0].getsockname()[1]
        with pytest.raises(OSError, match="in use") as caught:
            await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    assert f"{port}" in cannot_start(caught.value)
    assert "set `listen` or `local_workspace.listen`" in cannot_start(caught.value)


def test_what_says_what_to_do_is_left_as_it_is() -> None:
    message = "database: /x/watchbill.db cannot be used (no); is it there, and may we in?"
    assert cannot_start(NotStoredError(message)) == message
    assert cannot_start(StoreInUseError("stop it first")) == "stop it first"
