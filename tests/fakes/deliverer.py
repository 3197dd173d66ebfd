"""A deliverer that writes down what it was told to do, and fails when a test says so."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.clock import Clock
from bot.ports.delivering import Delivered, MessageRef
from bot.ports.jobs import Job


@dataclass(frozen=True)
class Sent:
    at: datetime
    kind: str
    key: str
    job: Job

    @property
    def person(self) -> str:
        return str(self.job.payload.get("person", ""))


@dataclass
class RecordingDeliverer:
    """Delivers every kind; `fault`, given the job, may raise what a real one raises."""

    clock: Clock
    fault: Callable[[Job], None] = lambda job: None
    sent: list[Sent] = field(default_factory=list)

    async def deliver(self, job: Job) -> Delivered:
        self.fault(job)
        first_show = job.kind == "show" and not self.of("show", job.incident_id)
        self.sent.append(Sent(self.clock.now(), job.kind, job.key, job))
        ts = f"{len(self.sent)}.0"
        if first_show:
            return Delivered((MessageRef("root", job.lane, ts, key=job.key),))
        if job.kind == "page":
            ref = MessageRef("page", job.lane, ts, str(job.payload["person"]), job.key)
            return Delivered((ref,))
        return Delivered()

    def of(self, kind: str, incident_id: str = "") -> list[Sent]:
        return [
            s
            for s in self.sent
            if s.kind == kind and (not incident_id or s.job.incident_id == incident_id)
        ]
