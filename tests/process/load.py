"""Senders that try every alert until it is accepted, as webhook senders do."""

import asyncio
import random
from dataclasses import dataclass, field

import aiohttp

from tests.process.harness import SECRET, Bot, Json, alert, pause, team

TEAMS = 24
ALERTS_A_GROUP = 4
SENDERS = 8
RATE = 25.0
"""Alerts a second, while somebody answers."""


@dataclass
class Sent:
    """What was answered 202: delivery id to the key of its alert."""

    accepted: dict[str, str] = field(default_factory=dict)
    tried: int = 0
    stopped: bool = False


class Load:
    """Several senders that try every alert until it is accepted, as webhook senders do."""

    def __init__(self, bot: Bot, chance: random.Random) -> None:
        self.sent = Sent()
        self._bot = bot
        self._chance = chance

    async def run(self) -> None:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(SENDERS):
                group.create_task(self._send_some(session))

    async def _send_some(self, session: aiohttp.ClientSession) -> None:
        while not self.sent.stopped:
            number, self.sent.tried = self.sent.tried, self.sent.tried + 1
            turn, of = divmod(number, TEAMS)
            group = f"run-{of}-{turn // ALERTS_A_GROUP}"
            key = f"check-{number}"
            await self._deliver(session, f"delivery-{number}", alert(key, of=team(of), group=group))
            await pause(self._chance.uniform(0.5, 1.5) * SENDERS / RATE)

    async def _deliver(self, session: aiohttp.ClientSession, delivery: str, body: Json) -> None:
        headers = {"Authorization": f"Bearer {SECRET}", "X-Watchbill-Delivery": delivery}
        url = f"{self._bot.url}/hooks/tests"
        while True:
            try:
                async with session.post(url, json=body, headers=headers) as answer:
                    if answer.status == 202:
                        self.sent.accepted[delivery] = body["key"]
                        return
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            await pause(0.2)
