"""The jobs that reach a paged person by another method: how each is written and read back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.ports.jobs import Job, JobPriority, NewJob
from bot.wire import sentence_from_json, sentence_to_json
from rules.contacting.method import MOST_STEPS, Method
from rules.effects import Contact
from rules.sentence import Sentence

CONTACT = "contact"
RECEIPT = "contact_receipt"
PAGE = "page"
FIRST_LOOK = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactOrderJob:
    """What a job of kind `contact` is to do; `page` is the key of the page it belongs to.

    `over`: the person has done something about the incident since.
    """

    page: str
    person: str
    method: Method
    step: int
    reason: Sentence
    force: bool
    over: bool = False


def lane_of(method: Method, person: str) -> str:
    """Return the lane of a method to a person, apart from every lane of Slack."""
    return f"contact:{method}:{person}"


def lanes_of(person: str) -> tuple[str, ...]:
    return tuple(lane_of(method, person) for method in Method)


def key_of(page: str, step: int) -> str:
    """Return the key of a step of a page; step 0 is the page itself."""
    return f"contact:{step}:{page}" if step else page


def keys_of(page: str) -> tuple[str, ...]:
    """Return the keys that the steps of a page can have, the page's own first."""
    return tuple(key_of(page, step) for step in range(MOST_STEPS + 1))


def key_after(key: str) -> str:
    """Return the key of the step that follows a further step of a page."""
    _, step, page = key.split(":", 2)
    return key_of(page, int(step) + 1)


def page_of(key: str) -> str:
    """Return the key of the page that a step belongs to."""
    return key.split(":", 2)[2] if key.startswith("contact:") else key


def contact_job(effect: Contact, incident_id: str, now: datetime, since: datetime) -> NewJob:
    """Return the job of one step, due once its wait is over."""
    return NewJob(
        key=key_of(effect.key, effect.step),
        kind=CONTACT,
        lane=lane_of(effect.method, effect.person),
        priority=JobPriority.PAGE,
        due_at=now + effect.after,
        payload={
            "page": effect.key,
            "person": effect.person,
            "method": effect.method.value,
            "step": effect.step,
            "reason": sentence_to_json(effect.reason),
            "force": effect.force,
            "since": since.isoformat(),
        },
        incident_id=incident_id,
    )


def receipt_job(job: Job, receipt: str, now: datetime, *, over: bool = False) -> NewJob:
    """Return the job that asks a service again and again whether somebody acknowledged there.

    `over`: it only tells the service to stop, at once.
    """
    return NewJob(
        key=f"{RECEIPT}:{job.key}:{receipt}",
        kind=RECEIPT,
        lane="",
        priority=JobPriority.PERSON,
        due_at=now if over else now + FIRST_LOOK,
        payload={**job.payload, "receipt": receipt, "sent_as": job.key, "over": over},
        incident_id=job.incident_id,
    )


def order_of(job: Job) -> ContactOrderJob:
    """Read what a job of kind `contact` or `contact_receipt` is about."""
    told = job.payload
    return ContactOrderJob(
        page=told["page"],
        person=told["person"],
        method=Method(told["method"]),
        step=int(told["step"]),
        reason=sentence_from_json(told["reason"]),
        force=bool(told.get("force")),
        over=bool(told.get("over")),
    )


def step_of(job: Job) -> tuple[str, int, Method]:
    """Return the page's key, the step and its method, of a page or of a further step."""
    if job.kind == PAGE:
        return job.key, 0, Method.SLACK
    return job.payload["page"], int(job.payload["step"]), Method(job.payload["method"])
