"""The jobs that tell people of their shifts: how each is written into the outbox and read back."""

from datetime import datetime

from bot.ports.jobs import Job, JobPriority, JsonObject, NewJob
from rules.schedule.reminders import Notice, NoticeKind

REMIND = "remind"
ASK_NOTE = "ask_note"
HANDOFF = "handoff"
LATE_NOTE = "late_note"
FOLLOW = "follow"


def follow_job(name: str, now: datetime) -> NewJob:
    """Make a follower show what is so now; asking again while it waits changes nothing."""
    return NewJob(
        key=f"follow:{name}",
        kind=FOLLOW,
        lane=f"follow:{name}",
        priority=JobPriority.PERSON,
        due_at=now,
        payload={"follower": name},
        renew=True,
    )


def notice_job(notice: Notice, now: datetime, *, channel: str) -> NewJob:
    """Return the job of a notice that one person or, for a hand-off, `channel` gets."""
    match notice.kind:
        case NoticeKind.HANDOFF:
            kind, lane = HANDOFF, f"slack:{channel}"
        case NoticeKind.QUESTION:
            kind, lane = ASK_NOTE, f"dm:{notice.person}"
        case _:
            kind, lane = REMIND, f"dm:{notice.person}"
    return NewJob(
        key=notice.key,
        kind=kind,
        lane=lane,
        priority=JobPriority.NOTE,
        due_at=now,
        payload=_written(notice),
    )


def late_note_job(rotation: str, boundary: datetime, person: str, now: datetime) -> NewJob:
    """Tell a note that came after its hand-off had been told."""
    return NewJob(
        key=f"late_note:{rotation}:{boundary.isoformat()}:{person}:{now.isoformat()}",
        kind=LATE_NOTE,
        lane="",
        priority=JobPriority.NOTE,
        due_at=now,
        payload={"rotation": rotation, "at": boundary.isoformat(), "person": person},
    )


def notice_of(job: Job) -> Notice:
    """Read the notice of a job."""
    told = job.payload
    return Notice(
        key=job.key,
        kind=NoticeKind(told["kind"]),
        start=datetime.fromisoformat(told["start"]),
        end=datetime.fromisoformat(told["end"]),
        person=told["person"],
        rotation=told["rotation"],
        role=told["role"],
        was=datetime.fromisoformat(told["was"]) if told.get("was") else None,
    )


def _written(notice: Notice) -> JsonObject:
    return {
        "kind": notice.kind.value,
        "start": notice.start.isoformat(),
        "end": notice.end.isoformat(),
        "person": notice.person,
        "rotation": notice.rotation,
        "role": notice.role,
        "was": notice.was.isoformat() if notice.was else None,
    }
