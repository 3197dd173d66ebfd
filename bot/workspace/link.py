"""How payloads reach the app: a protocol with two makers, Socket Mode and signed HTTP."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bot.workspace.model import Json

Kind = Literal["events_api", "interactive", "slash_commands"]
UNREACHABLE = "connection_failed"


@dataclass(frozen=True)
class Retry:
    """An event is delivered once more; `reason` is one of Slack's words."""

    number: int
    reason: str


@dataclass(frozen=True)
class Ack:
    """The app's answer; `reason` says why there is none."""

    ok: bool
    payload: Any = None
    reason: str = ""
    no_retry: bool = False


class AppLink(Protocol):
    """Carries one payload to the app and waits up to three seconds for its answer."""

    async def send(self, kind: Kind, payload: Json, retry: Retry | None = None) -> Ack: ...

    async def close(self) -> None: ...
