"""Who uses a bot meanwhile: senders that try every alert until it is accepted, and a person."""

import asyncio
import random
from dataclasses import dataclass, field

import aiohttp

from tests.process.harness import SECRET, Json, LocalSlack, alert, pause, team

TEAMS = 24
ALERTS_A_GROUP = 4
SENDERS = 8
RATE = 25.0
"""Alerts a second, while somebody answers."""


@dataclass
class Sent:
    """What was answered 202: delivery id to the key of its alert. `refused` counts by status."""

    accepted: dict[str, str] = field(default_factory=dict)
    refused: dict[int, int] = field(default_factory=dict)
    tried: int = 0
    stopped: bool = False


class Load:
    """Several senders that try every alert until it is accepted, as webhook senders do."""

    def __init__(self, url: str, chance: random.Random, *, rate: float = RATE) -> None:
        self.sent = Sent()
        self._url = f"{url}/hooks/tests"
        self._chance = chance
        self._rate = rate

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
            await pause(self._chance.uniform(0.5, 1.5) * SENDERS / self._rate)

    async def _deliver(self, session: aiohttp.ClientSession, delivery: str, body: Json) -> None:
        headers = {"Authorization": f"Bearer {SECRET}", "X-Watchbill-Delivery": delivery}
        while True:
            try:
                async with session.post(self._url, json=body, headers=headers) as answer:
                    if answer.status == 202:
                        self.sent.accepted[delivery] = body["key"]
                        return
                    self.sent.refused[answer.status] = self.sent.refused.get(answer.status, 0) + 1
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            await pause(0.2)


@dataclass
class Clicks:
    """A person who acknowledges some of their pages, and remembers what Slack said was taken."""

    slack: LocalSlack
    person: str
    chance: random.Random
    acked: set[str] = field(default_factory=set)
    stopped: bool = False
    _seen: set[str] = field(default_factory=set)

    async def run(self) -> None:
        while not self.stopped:
            await pause(1.0)
            try:
                for page in await self._new():
                    if self.chance.random() < 0.7:
                        await self._ack(page)
            except (aiohttp.ClientError, OSError, TimeoutError):
                continue  # Slack is made to hang now and then

    async def _new(self) -> list[Json]:
        pages = await self.slack.direct(self.person)
        new = [page for page in pages if page["key"] not in self._seen]
        self._seen.update(page["key"] for page in new)
        return new

    async def _ack(self, page: Json) -> None:
        buttons = [e for b in page.get("blocks", []) for e in b.get("elements", [])]
        if not any(button.get("action_id") == "ack" for button in buttons):
            return
        outcome = await self.slack.click(page, self.person, "ack")
        if outcome["acked"] and not outcome.get("error"):
            self.acked.add(page["key"].partition(":")[0])
