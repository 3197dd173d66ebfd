"""What every orchestrator is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.ports.delivering import GiveUpError


@dataclass(frozen=True, slots=True)
class Target:
    """What to run: `labels` are the incident's; `key` is one for each wish, at most 64 letters.

    With `unsure` an attempt may have reached the orchestrator already, since `asked_at`.
    """

    labels: Mapping[str, str]
    key: str
    asked_at: datetime
    unsure: bool = False

    def need(self, label: str) -> str:
        """Return a label; raises GiveUpError when the incident has none."""
        if not (found := self.labels.get(label, "")):
            raise GiveUpError(f"the incident has no label {label}, so nobody knows what to run")
        return found


@dataclass(frozen=True, slots=True)
class Started:
    run_id: str
    url: str = ""


class Orchestrator(Protocol):
    """Starts runs; raises RetryLaterError and GiveUpError, and never starts one twice."""

    async def trigger(self, target: Target) -> Started: ...
