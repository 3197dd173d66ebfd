"""A Reader that answers from lists a test fills."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.ports.changes import RosterChange
from bot.ports.delivering import MessageRef
from bot.ports.duties import HandoffNote
from bot.ports.inbox import Delivery
from bot.ports.jobs import Job
from bot.ports.store import StoredOverride, TimelineEntry
from rules.expected_runs import Occasion, Standing
from rules.incident import Incident, State
from rules.run import Run
from rules.schedule.covering import CoverRequest
from rules.schedule.reminders import Notice
from rules.schedule.roster import Change, Override
from rules.schedule.swapping import SwapRequest
from rules.seen_lineage import Seen
from rules.silence import Silence


class FakeReader:
    """Holds what a store would; nothing is checked."""

    def __init__(self, *incidents: Incident) -> None:
        self.held: dict[str, Incident] = {incident.id: incident for incident in incidents}
        self.placed: dict[str, list[MessageRef]] = defaultdict(list)
        self.lines: dict[str, list[TimelineEntry]] = defaultdict(list)
        self.muting: list[Silence] = []
        self.laid_over: list[StoredOverride] = []
        self.labels: list[tuple[datetime, Mapping[str, str]]] = []
        self.raw: dict[str, Delivery] = {}
        self.clocks: list[Standing] = []
        self.due: list[Occasion] = []
        self.runs: list[Run] = []
        self.dead: list[tuple[Job, str]] = []
        self.seen = Seen()
        self.told: list[Notice] = []
        self.noted: list[HandoffNote] = []
        self.covering: list[CoverRequest] = []
        self.swapping: list[SwapRequest] = []
        self.audit: list[RosterChange] = []
        self.paged: list[tuple[str, datetime]] = []

    def put(self, incident: Incident) -> None:
        self.held[incident.id] = incident

    async def incident(self, incident_id: str) -> Incident | None:
        return self.held.get(incident_id)

    async def incident_numbered(self, number: int) -> Incident | None:
        return next((i for i in self.held.values() if i.number == number), None)

    async def incidents(
        self, *, states: Sequence[State], limit: int, assigned_to: str = ""
    ) -> Sequence[Incident]:
        found = [
            i
            for i in sorted(self.held.values(), key=lambda i: -i.number)
            if i.state in states and (not assigned_to or i.assigned_to == assigned_to)
        ]
        return found[:limit]

    async def pending_incidents(self, limit: int) -> Sequence[Incident]:
        newest = sorted(self.held.values(), key=lambda i: -i.number)
        return [i for i in newest if i.is_pending][:limit]

    async def lineage_version(self) -> int:
        return self.seen.version

    async def seen_lineage(self) -> Seen:
        return self.seen

    async def open_count(self) -> int:
        return sum(incident.is_open for incident in self.held.values())

    async def messages(self, incident_id: str) -> Sequence[MessageRef]:
        return tuple(self.placed[incident_id])

    async def timeline(self, incident_id: str, limit: int) -> Sequence[TimelineEntry]:
        return tuple(self.lines[incident_id][-limit:])

    async def delivery(self, delivery_id: str) -> Delivery | None:
        return self.raw.get(delivery_id)

    async def silences(self, now: datetime) -> Sequence[Silence]:
        return [s for s in self.muting if s.ends_at > now]

    async def overrides(self, since: datetime) -> Sequence[StoredOverride]:
        return [o for o in self.laid_over if o.ends_at > since]

    async def changes(self, since: datetime) -> Sequence[Change]:
        legs = (leg for swap in self.swapping for leg in swap.legs())
        return [*await self.overrides(since), *(leg for leg in legs if leg.ends_at > since)]

    async def override(self, override_id: str) -> Override | None:
        return next((o for o in self.laid_over if o.id == override_id), None)

    async def cover_request(self, request_id: str) -> CoverRequest | None:
        return next((c for c in self.covering if c.id == request_id), None)

    async def cover_requests(self, since: datetime) -> Sequence[CoverRequest]:
        return [c for c in self.covering if c.slot.ends_at > since]

    async def swap(self, swap_id: str) -> SwapRequest | None:
        return next((s for s in self.swapping if s.id == swap_id), None)

    async def swaps(self, since: datetime) -> Sequence[SwapRequest]:
        return [s for s in self.swapping if max(s.mine.ends_at, s.theirs.ends_at) > since]

    async def roster_changes(self, since: datetime, limit: int) -> Sequence[RosterChange]:
        return [c for c in reversed(self.audit) if c.at >= since][:limit]

    async def pages_sent(
        self, start: datetime, end: datetime, *, rotation: str = ""
    ) -> Sequence[tuple[str, datetime]]:
        return [(who, at) for who, at in self.paged if start <= at < end]

    async def recent_alert_labels(self, since: datetime, limit: int) -> Sequence[Mapping[str, str]]:
        return [labels for at, labels in reversed(self.labels) if at >= since][:limit]

    async def dead_jobs(self, limit: int, kind: str = "") -> Sequence[tuple[Job, str]]:
        return [dead for dead in self.dead if kind in {"", dead[0].kind}][:limit]

    async def deliveries_wait(self, now: datetime) -> bool:
        return bool(self.raw)

    async def next_wake(self) -> datetime | None:
        return min((i.wake_at for i in self.held.values() if i.wake_at), default=None)

    async def standings(self) -> Sequence[Standing]:
        return tuple(self.clocks)

    async def occasions(self, product_or_name: str, since: datetime) -> Sequence[Occasion]:
        return [o for o in self.due if product_or_name in {o.name, o.product} and o.due_at >= since]

    async def latest_runs(self, source: str, pipeline: str, limit: int) -> Sequence[Run]:
        told = (r for r in self.runs if source in {"", r.source})
        return [r for r in told if pipeline in {"", r.pipeline}][:limit]

    async def runs_are_overdue(self, now: datetime) -> bool:
        return any(c.look_at is not None and c.look_at <= now for c in self.clocks)

    async def overdue_runs(self) -> int:
        return sum(clock.missed_at is not None for clock in self.clocks)

    async def notices(self, since: datetime) -> Sequence[Notice]:
        return [notice for notice in self.told if notice.end > since]

    async def notes(self, rotation: str, boundary_at: datetime) -> Sequence[HandoffNote]:
        place = rotation, boundary_at
        return [note for note in self.noted if (note.rotation, note.boundary_at) == place]

    async def outbox_lag(self, now: datetime) -> Mapping[str, float]:
        return {}
