"""Keeps the note that somebody leaves for whoever comes on call next."""

from bot.acts.duties import LeaveNote
from bot.duty_jobs import late_note_job
from bot.engine.answer import Answer
from bot.engine.work import Work
from bot.ports.duties import HandoffNote
from rules.sentence import say


async def leave_note(work: Work, act: LeaveNote) -> Answer:
    """Keep the note; one that comes after its hand-off is told by itself."""
    tx, now = work.tx, work.now
    note = HandoffNote(
        rotation=act.rotation,
        boundary_at=act.boundary_at,
        person=act.by,
        note=act.note,
        noted_at=now,
    )
    tx.save_note(note)
    if now < act.boundary_at:
        return Answer(say("Thanks. It will be told at the hand-off, {at}.", at=act.boundary_at))
    tx.enqueue(late_note_job(act.rotation, act.boundary_at, act.by, now))
    return Answer(say("Thanks. The hand-off was at {at}: it is told now.", at=act.boundary_at))
