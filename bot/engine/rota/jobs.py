"""Jobs of the outbox that show cover requests and swaps, remind of them, and let them expire."""

from datetime import datetime

from bot.acts.roster import DrawLoad
from bot.ports.jobs import JobPriority, NewJob
from bot.wire import sentence_to_json
from rules.schedule.covering import CoverRequest
from rules.schedule.swapping import SwapRequest
from rules.sentence import Sentence


def show_cover(request: CoverRequest, now: datetime) -> NewJob:
    """Make the message in the channel show the request as it is."""
    return NewJob(
        key=f"cover:{request.id}",
        kind="show_cover",
        lane=f"slack:{request.channel}",
        priority=JobPriority.PERSON,
        due_at=now,
        payload={"request": request.id},
        incident_id=_subject("cover", request.id),
        renew=True,
    )


def expire_cover(request: CoverRequest) -> NewJob:
    """Say in the channel and to the asker that nobody took it, if that is so then."""
    return NewJob(
        key=f"cover:{request.id}:expires",
        kind="expire_cover",
        lane=f"slack:{request.channel}",
        priority=JobPriority.PERSON,
        due_at=request.expires_at,
        payload={"request": request.id},
        incident_id=_subject("cover", request.id),
    )


def repeat_cover(request: CoverRequest, now: datetime) -> NewJob:
    """Ask once more, in the thread and seen in the channel."""
    return NewJob(
        key=f"cover:{request.id}:again:{now.isoformat()}",
        kind="repeat_cover",
        lane=f"slack:{request.channel}",
        priority=JobPriority.PERSON,
        due_at=now,
        payload={"request": request.id},
        incident_id=_subject("cover", request.id),
    )


def show_swap(swap: SwapRequest, person: str, due_at: datetime, *, why: str = "") -> NewJob:
    """Make a person's message show the swap as it is; `why` names a later look at it."""
    return NewJob(
        key=f"swap:{swap.id}:{person}" + (f":{why}" if why else ""),
        kind="show_swap",
        lane=f"dm:{person}",
        priority=JobPriority.PERSON,
        due_at=due_at,
        payload={"swap": swap.id, "person": person, "expires": bool(why)},
        incident_id=_subject("swap", swap.id),
        renew=not why,
    )


def remind_of_swap(swap: SwapRequest, person: str, due_at: datetime) -> NewJob:
    """Remind who must answer or approve, if they still must then."""
    return NewJob(
        key=f"swap:{swap.id}:{person}:remind:{due_at.isoformat()}",
        kind="remind_swap",
        lane=f"dm:{person}",
        priority=JobPriority.NOTE,
        due_at=due_at,
        payload={"swap": swap.id, "person": person},
        incident_id=_subject("swap", swap.id),
    )


def tell_person(
    its_id: str,
    person: str,
    sentence: Sentence,
    now: datetime,
    undo: str = "",
    back_to: tuple[str, ...] = (),
) -> NewJob:
    """Send a direct message that pages nobody."""
    return NewJob(
        key=f"tell:{its_id}",
        kind="tell_person",
        lane=f"dm:{person}",
        priority=JobPriority.PERSON,
        due_at=now,
        payload={
            "person": person,
            "sentence": sentence_to_json(sentence),
            "undo": {"override": undo, "back_to": list(back_to)} if undo else None,
        },
    )


def draw_load(act: DrawLoad, its_id: str, now: datetime) -> NewJob:
    return NewJob(
        key=f"load:{its_id}",
        kind="load_picture",
        lane="pictures",
        priority=JobPriority.PICTURE,
        due_at=now,
        payload={
            "person": act.by,
            "start": act.starts_at.isoformat(),
            "end": act.ends_at.isoformat(),
            "rotation": act.rotation,
        },
    )


def _subject(kind: str, its_id: str) -> str:
    """Return what the messages of a request are kept under, beside those of incidents."""
    return f"{kind}:{its_id}"
