"""Keeping which runbook an incident has, what was tried of it, and which runbooks are wanting."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from rules.runbooks.gaps import LastUse, RunbookGap
from rules.runbooks.runbook import ActionRun, ActionState, Guide, RunbookUse, Tick


class RunbookWrites(Protocol):
    """The part of a transaction that keeps runbooks in use; what it writes stands at the commit."""

    def attach(self, use: RunbookUse) -> None:
        """Give an incident its runbook; one that it has already stays."""
        ...

    async def guide(self, incident_id: str) -> Guide | None: ...
    def tick(self, incident_id: str, tick: Tick) -> None:
        """Keep what came of a step; a later word on the same step counts."""
        ...

    def untick(self, incident_id: str, step: int) -> None: ...
    def ask(self, run: ActionRun) -> None:
        """Keep that an action was asked for; a key that is known changes nothing."""
        ...

    async def begin_action(self, key: str, at: datetime) -> bool:
        """Mark an action as running; False unless it was asked for and never begun."""
        ...

    async def end_action(self, key: str, state: ActionState, output: str, at: datetime) -> None: ...

    async def open_gaps(self) -> Sequence[RunbookGap]: ...
    def open_gap(self, gap: RunbookGap) -> None:
        """Keep a gap; one that is open already stays as it is, one that was closed begins anew."""
        ...

    def close_gap(self, key: str, at: datetime) -> None: ...
    def nudged_gap(self, key: str, at: datetime) -> None: ...


class RunbookReads(Protocol):
    """Reads runbooks in use; every method may raise NotStoredError."""

    async def guide(self, incident_id: str) -> Guide | None:
        """Return the runbook of an incident with what was tried of it, None when it has none."""
        ...

    async def run(self, key: str) -> ActionRun | None: ...
    async def gaps(self) -> Sequence[RunbookGap]:
        """Return the open gaps, the oldest first."""
        ...

    async def last_uses(self) -> Mapping[str, LastUse]:
        """Return by runbook how it did the last time one of its steps was tried."""
        ...


class NoRunbooks:
    """Where no runbook was ever used."""

    async def guide(self, incident_id: str) -> Guide | None:  # noqa: ARG002 - the port's
        return None

    async def run(self, key: str) -> ActionRun | None:  # noqa: ARG002 - the port's
        return None

    async def gaps(self) -> Sequence[RunbookGap]:
        return ()

    async def last_uses(self) -> Mapping[str, LastUse]:
        return {}
