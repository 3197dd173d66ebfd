"""What the bot reaches services by: they stand where aiohttp's session and aiosmtplib's client do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any

import aiohttp
import aiosmtplib

from tests.simulation.services import Answer, SimulatedServices, Unreachable

_TIMEOUT = 4.0
_STEP = 5.0


class SimulatedSession:
    """Stands where aiohttp's session does."""

    def __init__(self, services: SimulatedServices) -> None:
        self._services = services

    @asynccontextmanager
    async def request(self, verb: str, url: str, **how: Any) -> AsyncIterator[Answer]:
        try:
            async with asyncio.timeout(_TIMEOUT):
                if verb == "GET":
                    answer = await self._services.get(url, how["params"])
                else:
                    answer = await self._services.post(url, how)
        except Unreachable as error:
            raise aiohttp.ConnectionTimeoutError from error
        yield answer


class SimulatedMail:
    """Stands where aiosmtplib's client does."""

    def __init__(self, services: SimulatedServices) -> None:
        self._services = services

    async def connect(self) -> None:
        """Nobody is asked before there is something to send."""

    async def send_message(self, message: EmailMessage) -> None:
        address = str(message["To"])
        try:
            async with asyncio.timeout(_STEP):
                told = await self._services.mail(message)
        except Unreachable as error:
            raise aiosmtplib.SMTPServerDisconnected("connection lost") from error
        except TimeoutError as error:
            raise aiosmtplib.SMTPReadTimeoutError("timed out") from error
        if told == "refused":
            refused = aiosmtplib.SMTPRecipientRefused(550, "no such mailbox", address)
            raise aiosmtplib.SMTPRecipientsRefused([refused])
        if told == "failed":
            raise aiosmtplib.SMTPServerDisconnected("connection lost")
        if told != "taken":
            raise aiosmtplib.SMTPResponseException(451, "try again later")

    def close(self) -> None:
        """Have nothing to close."""
