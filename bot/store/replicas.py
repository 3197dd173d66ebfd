"""Words between the replicas on one PostgreSQL, by LISTEN and NOTIFY on a connection of its own."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta

import asyncpg
import structlog
from sqlalchemy import URL

from bot.clock import Clock
from bot.ports.replicas import Word
from bot.store.database import address_for_driver

_log = structlog.get_logger(__name__)

CHANNEL = "watchbill"
PROBE = timedelta(seconds=10)
"""How often a silent connection is tried: it can be dead without anybody having said so."""
PAUSE = timedelta(seconds=2)
_TIMEOUT = 5.0
_WORDS = {word.value: word for word in Word}
_FAILURES = (
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
    *(OSError, TimeoutError),
)


class PostgresqlReplicas:
    """The Replicas on a PostgreSQL; `hear` is called with every word of the others.

    Behind a pooler that hands a connection to another after each transaction nothing is heard.
    """

    def __init__(self, url: URL, clock: Clock, hear: Callable[[Word], None]) -> None:
        self._address = address_for_driver(url)
        self._clock = clock
        self._hear = hear
        self._me = uuid.uuid4().hex
        self._untold: set[Word] = set()
        self._stir = asyncio.Event()
        self._speaking = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None

    def tell(self, word: Word) -> None:
        self._untold.add(word)
        self._stir.set()

    async def say(self, word: Word) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._notify(connection, word)
        except _FAILURES as error:
            _log.info("other replicas were not told", action="notify", error=type(error).__name__)

    async def run(self) -> None:
        while True:
            try:
                await self._stay_connected()
            except _FAILURES as error:
                _log.warning(
                    "other replicas are not heard: they are looked for each second",
                    action="listen",
                    error=str(error) or type(error).__name__,
                )
            await self._clock.sleep_until(self._clock.now() + PAUSE)

    async def _stay_connected(self) -> None:
        connection = await asyncpg.connect(self._address, timeout=_TIMEOUT)
        try:
            connection.add_termination_listener(lambda _: self._stir.set())
            await connection.add_listener(CHANNEL, self._heard)
            self._connection = connection
            for word in Word:  # what was said meanwhile nobody says again
                self._hear(word)
            while not connection.is_closed():
                self._stir.clear()
                await self._speak_or_probe(connection)
                if not self._untold and not connection.is_closed():
                    await self._clock.wait(self._stir, self._clock.now() + PROBE)
        finally:
            self._connection = None
            connection.terminate()
        raise OSError("the connection was closed")

    async def _speak_or_probe(self, connection: asyncpg.Connection) -> None:
        words, self._untold = self._untold, set()
        async with asyncio.timeout(_TIMEOUT):
            for word in sorted(words):
                await self._notify(connection, word)
            if not words:
                async with self._speaking:
                    await connection.execute("SELECT 1")

    async def _notify(self, connection: asyncpg.Connection, word: Word) -> None:
        async with self._speaking:
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, f"{self._me} {word}")

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        sender, _, said = str(payload).partition(" ")
        if sender != self._me and said in _WORDS:
            self._hear(_WORDS[said])
