"""The canary: an alert of our own, sent through our own door, that must come back from Slack."""

import json
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
import structlog

from bot.app.bell import Bell
from bot.clock import Clock
from bot.config.sentinels import CanarySpec
from bot.engine.rehearsing import CANARY, canary_key
from bot.metrics import Metrics
from bot.ports.audits import AuditReads
from bot.ports.inbox import NotStoredError
from bot.ports.jobs import JobState, JsonObject
from rules.canary import Flights, came_back, cleared, rang, was_lost
from rules.sentence import duration_text

log = structlog.get_logger(__name__)

DOOR_TIMEOUT = aiohttp.ClientTimeout(total=4)
LOOK_EVERY = timedelta(milliseconds=500)
KNOCK_AGAIN = timedelta(seconds=5)
FIRST_FLIGHT = timedelta(seconds=30)
"""A process that has just started learns who it is in Slack first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryParts:
    """What the canary is built from. `door` is where our own process listens, "" before it does."""

    spec: CanarySpec
    reads: AuditReads
    clock: Clock
    session: aiohttp.ClientSession
    bell: Bell
    metrics: Metrics
    door: Callable[[], str]
    secret: str
    host: str


class Canary:
    """Flies, waits, and rings the bell when it did not come back."""

    def __init__(self, parts: CanaryParts) -> None:
        self._parts = parts
        self.flights = Flights(fly_at=parts.clock.now() + FIRST_FLIGHT)

    async def run(self) -> None:
        while True:
            await self._parts.clock.sleep_until(self.flights.fly_at)
            await self.fly()

    async def fly(self) -> str:
        """Send one canary and wait for it; returns why it did not come back, "" when it did."""
        parts, sent_at = self._parts, self._parts.clock.now()
        name, deadline = uuid.uuid4().hex, sent_at + parts.spec.within
        why = await self._knock(name, deadline)
        while not why and (why := await self._whereabouts(name)):
            if parts.clock.now() >= deadline:
                break
            why = ""
            await parts.clock.sleep_until(parts.clock.now() + LOOK_EVERY)
        if why:
            await self._lost(sent_at, why)
        else:
            await self._back(sent_at)
        parts.metrics.canary_alarm.set(self.flights.alarmed)
        return why

    async def standing(self) -> str:
        """Say what is wrong, "" when the last canary came back or the first is yet to fly."""
        at = self.flights
        if at.lost_since is None:
            return ""
        return f"lost since {at.lost_since.isoformat(timespec='seconds')}: {at.why}"

    async def _knock(self, name: str, deadline: datetime) -> str:
        """Hand the canary in at our own door; returns why that did not work."""
        clock, why = self._parts.clock, "the door is not open yet"
        while True:
            if self._parts.door():
                why = await self._post(name)
            if not why or clock.now() + KNOCK_AGAIN > deadline:
                return why
            await clock.sleep_until(clock.now() + KNOCK_AGAIN)

    async def _post(self, name: str) -> str:
        body = {"title": "Canary", "key": name, "status": "firing", "severity": "info"}
        headers = {
            "Authorization": f"Bearer {self._parts.secret}",
            "Content-Type": "application/json",
            "X-Watchbill-Delivery": name,
        }
        url = f"{self._parts.door()}/hooks/{CANARY}"
        try:
            async with self._parts.session.post(
                url,
                data=json.dumps(body).encode(),
                headers=headers,
                timeout=DOOR_TIMEOUT,
                allow_redirects=False,
            ) as answer:
                return "" if answer.status == 202 else f"our own door answered {answer.status}"
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            return f"our own door does not answer ({type(error).__name__})"

    async def _whereabouts(self, name: str) -> str:
        """Say where the canary is, "" once it is back."""
        try:
            job = await self._parts.reads.job_standing(canary_key(name))
        except NotStoredError as error:
            return f"the database cannot be read ({error})"
        if job is None:
            return "the engine has not decided it"
        if job.state == JobState.DONE:
            return ""
        if job.state == JobState.TODO:
            return f"Slack has not taken it: {job.error or 'the outbox has not sent it'}"
        return f"it was given up: {job.error}"

    async def _back(self, sent_at: datetime) -> None:
        parts, now = self._parts, self._parts.clock.now()
        parts.metrics.canary_round_trip.set((now - sent_at).total_seconds())
        parts.metrics.canary_last_success.set(now.timestamp())
        owed = self.flights
        self.flights = came_back(owed, parts.spec.every, now)
        if not (owed.heard and owed.lost_since):
            return
        took = duration_text(now - owed.lost_since)
        text = f"All clear: Watchbill's canary is back after {took}."
        heard = await self._ring("clear", text, owed.lost_since, "clear", only=owed.owed)
        self.flights = cleared(self.flights, parts.spec.every, heard, now)
        if not self.flights.alarmed:
            log.info("the canary is back", action="canary")

    async def _lost(self, sent_at: datetime, why: str) -> None:
        parts, now = self._parts, self._parts.clock.now()
        self.flights = at = was_lost(self.flights, parts.spec.every, sent_at, why, now)
        log.error("the canary is lost", action="canary", why=why)
        if not at.must_ring(now) or at.lost_since is None:
            return
        text = (
            f"Watchbill on {parts.host} may not be able to page anybody: its canary did not come "
            f"back within {duration_text(parts.spec.within)}: {why}. Look at /readyz and the log, "
            "and watch your alerts yourselves meanwhile."
        )
        reached = await self._ring("alarm", text, at.lost_since, f"alarm.{at.rung}")
        self.flights = rang(at, now, reached)

    async def _ring(
        self,
        state: str,
        text: str,
        since: datetime,
        key: str,
        *,
        only: Collection[str] | None = None,
    ) -> Sequence[str]:
        """Ring, everybody or `only` some; return who took it."""
        document: JsonObject = {
            "kind": "canary",
            "state": state,
            "text": text,
            "why": self.flights.why,
            "host": self._parts.host,
            "since": since.isoformat(),
        }
        named = f"canary:{self._parts.host}:{since.isoformat()}:{key}"
        return await self._parts.bell.ring(document, named, only)
