"""Getting what people do to the app, and events again when nobody answered."""

import time
from collections.abc import Callable
from datetime import timedelta

from bot.clock import Clock
from bot.workspace import payloads
from bot.workspace.background import Background
from bot.workspace.faults import Faults
from bot.workspace.link import Ack, AppLink, Kind, Retry
from bot.workspace.model import Call, Json
from bot.workspace.records import Records
from bot.workspace.socket_mode import SocketMode

# Slack sends an unanswered event again almost at once, after a minute, after five minutes.
RETRIES = (timedelta(0), timedelta(minutes=1), timedelta(minutes=5))
DEFAULT_EVENTS = frozenset({"app_home_opened", "app_mention", "message.im"})


class Delivering(Records):
    """A workspace with a line to one app."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        stopwatch: Callable[[], float] = time.monotonic,
        events: frozenset[str] = DEFAULT_EVENTS,
    ) -> None:
        super().__init__(clock=clock, stopwatch=stopwatch)
        self.events = events
        self.faults = Faults(self.clock)
        self.sockets = SocketMode(self)
        self.background = Background()
        self.link: AppLink = self.sockets

    async def interact(self, kind: Kind, payload: Json) -> Ack:
        """Deliver once: Slack never repeats an interaction."""
        started = self.stopwatch()
        ack = await self.link.send(kind, payload)
        name = str(payload.get("type") or payload.get("command"))
        self._log_delivery(f"→ {name}", _summary(payload), ack, started)
        return ack

    def emit(self, subscription: str, event: Json) -> None:
        """Deliver an event in the background, if the app subscribes to it."""
        if subscription in self.events:
            self.background.start(self._deliver(payloads.event_callback(self, event)))

    async def _deliver(self, payload: Json) -> None:
        retry: Retry | None = None
        for number, pause in enumerate((None, *RETRIES)):
            if pause is not None:
                await self.clock.sleep_until(self.clock.now() + pause)
            started = self.stopwatch()
            ack = await self.link.send("events_api", payload, retry)
            self._log_delivery(f"→ {payload['event']['type']}", payload["event"], ack, started)
            if ack.ok or ack.no_retry:
                return
            retry = Retry(number + 1, ack.reason)

    def _log_delivery(self, name: str, args: Json, ack: Ack, started: float) -> None:
        ms = (self.stopwatch() - started) * 1000
        answer = "ok" if ack.ok else ack.reason
        self.log(Call(self.clock.now(), name, args, answer, 200, ms, by="app"))


def _summary(payload: Json) -> Json:
    keys = ("command", "text", "callback_id", "channel_id", "actions")
    out = {key: payload[key] for key in keys if key in payload}
    if "view" in payload:
        out["callback_id"] = payload["view"].get("callback_id")
    return out
