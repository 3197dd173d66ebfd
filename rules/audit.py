"""What nobody would ever be told of: judges incidents and effects that have come to a stop."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rules.effects import BY_HAND
from rules.events import Resumed
from rules.incident import Incident, State
from rules.sentence import Sentence, say


class Fault(StrEnum):
    """What can be wrong; a metric counts by these words."""

    UNWATCHED = "unwatched"
    TIMER_LOST = "timer_lost"
    WAKE_UP_OVERDUE = "wake_up_overdue"
    WAKE_UP_FAULTY = "wake_up_faulty"
    PAGE_LOST = "page_lost"
    PAGE_GIVEN_UP = "page_given_up"
    LEASE_LAPSED = "lease_lapsed"
    LANE_FROZEN = "lane_frozen"
    EFFECT_LATE = "effect_late"
    DELIVERY_UNDECIDED = "delivery_undecided"
    UNREADABLE = "unreadable"
    GRANT_OVERDUE = "grant_overdue"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a thing may take before it counts as stuck.

    `page` and `effect` are for what waits in a lane that lets things through, `ahead` is the
    farthest a lane can be taken or paced, `told` the longest that it can have been told to wait.
    """

    wake_up: timedelta = timedelta(minutes=2)
    lease: timedelta = timedelta(minutes=2)
    page: timedelta = timedelta(minutes=5)
    effect: timedelta = timedelta(minutes=15)
    ahead: timedelta = timedelta(minutes=1)
    told: timedelta = timedelta(hours=1, minutes=1)
    delivery: timedelta = timedelta(minutes=3)
    grant: timedelta = timedelta(minutes=5)

    @property
    def shortest(self) -> timedelta:
        return min(self.wake_up, self.lease, self.page, self.delivery)


PATIENCE = Patience()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An incident that is open or waits for its proof, and what the store knows of it beside itself.

    `wake_at` is when the store will wake it, `pages` the keys of its pages that wait to go out or
    have arrived; `faulty` tells that its wake-up was tried and could not be decided.
    """

    incident: Incident
    wake_at: datetime | None
    pages: frozenset[str] = frozenset()
    faulty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LapsedLease:
    """An effect that somebody began and neither ended nor kept."""

    job_id: str
    lease: int
    kind: str
    lapsed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyLane:
    """A lane with effects that have been due for a while; `known` False: it has no clock at all.

    `opens_at` is when pacing and whoever holds it let the next one through, `blocked_until` until
    when the other side asked to wait or is in a call. `page_due` and `due` are the oldest due
    times, of pages and of anything.
    """

    name: str
    waiting: int
    due: datetime
    page_due: datetime | None = None
    known: bool = True
    opens_at: datetime | None = None
    blocked_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUpPage:
    """A page that was given up, of an incident that still waits for somebody."""

    job_id: str
    kind: str
    number: int
    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """Deliveries that were accepted a while ago and not decided: how many, and since when."""

    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueGrant:
    """Elevated access that should have ended or been looked at by `due`, and was not."""

    id: str
    group: str
    account: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the store holds that may have come to a stop."""

    incidents: tuple[Watched, ...] = ()
    unreadable: tuple[int, ...] = ()
    leases: tuple[LapsedLease, ...] = ()
    lanes: tuple[BusyLane, ...] = ()
    given_up: tuple[GivenUpPage, ...] = ()
    undecided: Undecided | None = None
    grants: tuple[OverdueGrant, ...] = ()


@dataclass(frozen=True, slots=True)
class Resume:
    """Let the incident go on: the event enters the engine like any other."""

    incident_id: str
    event: Resumed


@dataclass(frozen=True, slots=True)
class ReleaseJob:
    """End a lease that nobody keeps, so that the effect is tried again, unsure."""

    job_id: str
    lease: int


@dataclass(frozen=True, slots=True)
class OpenLane:
    """Let the lane's next effect through."""

    name: str


@dataclass(frozen=True, slots=True)
class HastenDeliveries:
    """Have every undecided delivery looked at now."""

    received_before: datetime


Remedy = Resume | ReleaseJob | OpenLane | HastenDeliveries


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, in words; `key` names it, so that it is told once.

    `number` is its incident's, 0 when it is about none. Without a remedy a person must look.
    """

    fault: Fault
    key: str
    sentence: Sentence
    number: int = 0
    remedy: Remedy | None = field(default=None, compare=False)


def audit(facts: Facts, now: datetime, patience: Patience = PATIENCE) -> tuple[Finding, ...]:
    """Return everything that is wrong, each thing once. Total: no facts raise."""
    return tuple(_all(facts, now, patience))


def _all(facts: Facts, now: datetime, patience: Patience) -> Iterator[Finding]:
    for watched in facts.incidents:
        if found := judge_incident(watched, now, patience):
            yield found
    for number in facts.unreadable:
        words = say("#{number} cannot be read from the database: look at the log.", number=number)
        yield _finding(Fault.UNREADABLE, str(number), words, number=number)
    for lease in facts.leases:
        words = say(
            "An effect ({kind}) was begun and has not ended since {at}. It is tried again.",
            kind=lease.kind,
            at=lease.lapsed_at,
        )
        remedy = ReleaseJob(lease.job_id, lease.lease)
        yield _finding(Fault.LEASE_LAPSED, lease.job_id, words, remedy=remedy)
    for grant in facts.grants:
        words = say(
            "Nobody has looked after {account}'s elevated access to {group} since {at}. Take them "
            "out there by hand, and look at the log.",
            account=grant.account, group=grant.group, at=grant.due,
        )  # fmt: skip
        yield _finding(Fault.GRANT_OVERDUE, grant.id, words)
    for lane in facts.lanes:
        if found := judge_lane(lane, now, patience):
            yield found
    for page in facts.given_up:
        words = say(
            "#{number} {title}: a page ({kind}) was given up: {why}",
            number=page.number, title=page.title, kind=page.kind, why=page.why,
        )  # fmt: skip
        yield _finding(Fault.PAGE_GIVEN_UP, page.job_id, words, number=page.number)
    if (late := facts.undecided) is not None and now - late.oldest >= patience.delivery:
        words = say(
            "{count} deliveries have been accepted and not decided, the oldest at {at}: look at the log.",
            count=late.count,
            at=late.oldest,
        )
        remedy_now = HastenDeliveries(now - patience.delivery)
        yield _finding(Fault.DELIVERY_UNDECIDED, "inbox", words, remedy=remedy_now)


def judge_incident(
    watched: Watched, now: datetime, patience: Patience = PATIENCE
) -> Finding | None:
    """Return what is wrong with an incident, the gravest only; None when all is well."""
    at = watched.incident
    if not at.is_open and not at.is_pending:
        return None
    if watched.wake_at != at.wake_at:
        words = say("#{number} {title}: its timer was not the one it asked for.", **_named(at))
        return _about(at, Fault.TIMER_LOST, words)
    if at.wake_at is not None and at.wake_at + patience.wake_up <= now:
        return _overdue(watched, at.wake_at)
    if not _waits_for_somebody(at):
        return None
    lost = lost_pages(at, watched.pages)
    if at.step_due_at is None:
        words = say("#{number} {title}: nothing was due and nobody had it.", **_named(at))
        return _about(at, Fault.UNWATCHED, words, lost=lost)
    if lost:
        words = say("#{number} {title}: the page of {who} was gone.",
                    who=", ".join(lost), **_named(at))  # fmt: skip
        return _about(at, Fault.PAGE_LOST, words, lost=lost)
    return None


def _waits_for_somebody(at: Incident) -> bool:
    return at.state is State.TRIGGERED and at.pages and at.muted is None


def _overdue(watched: Watched, due: datetime) -> Finding:
    at = watched.incident
    if watched.faulty:
        words = say(
            "#{number} {title}: what was due at {due} cannot be decided; the log says why.",
            due=due,
            **_named(at),
        )
        return _about(at, Fault.WAKE_UP_FAULTY, words, undecidable=True)
    words = say("#{number} {title}: what was due at {due} has not been done. Does the bot run?",
                due=due, **_named(at))  # fmt: skip
    return _finding(Fault.WAKE_UP_OVERDUE, at.id, words, number=at.number)


def lost_pages(at: Incident, keys: Iterable[str]) -> tuple[str, ...]:
    """Return whom the latest step paged although no page of theirs is on its way or arrived."""
    if at.exhausted:
        beginnings: tuple[str, ...] = (f"{at.id}:{at.generation}.{at.round}.",)
    else:
        beginnings = (f"{at.id}:{at.generation}.", f"{at.id}{BY_HAND}")
    mine = [key for key in keys if key.startswith(beginnings)]
    return tuple(p for p in at.awaiting if not any(key.endswith(f":{p}") for key in mine))


def judge_lane(lane: BusyLane, now: datetime, patience: Patience = PATIENCE) -> Finding | None:
    """Return what is wrong with a lane; one that was told to wait, and may, is well."""
    if _is_frozen(lane, now, patience):
        words = say(
            "{count} effects wait in lane {lane}, which let nothing through. It is open again.",
            count=lane.waiting,
            lane=lane.name,
        )
        return _finding(Fault.LANE_FROZEN, lane.name, words, remedy=OpenLane(lane.name))
    if lane.blocked_until is not None and lane.blocked_until > now:
        return None
    page_late = lane.page_due is not None and lane.page_due + patience.page <= now
    if not page_late and lane.due + patience.effect > now:
        return None
    words = say(
        "{count} effects wait in lane {lane}, the oldest since {at}: look at the log and at Slack.",
        count=lane.waiting,
        lane=lane.name or "-",
        at=lane.due,
    )
    return _finding(Fault.EFFECT_LATE, lane.name, words)


def _is_frozen(lane: BusyLane, now: datetime, patience: Patience) -> bool:
    if not lane.known:
        return True
    opens, blocked = lane.opens_at or now, lane.blocked_until or now
    return opens > now + patience.ahead or blocked > now + patience.told


def _named(at: Incident) -> dict[str, str | int]:
    return {"number": at.number, "title": at.title}


def _about(
    at: Incident,
    fault: Fault,
    words: Sentence,
    *,
    lost: tuple[str, ...] = (),
    undecidable: bool = False,
) -> Finding:
    event = Resumed(words, lost, undecidable=undecidable)
    return _finding(fault, at.id, words, number=at.number, remedy=Resume(at.id, event))


def _finding(
    fault: Fault, subject: str, words: Sentence, *, number: int = 0, remedy: Remedy | None = None
) -> Finding:
    key = f"{fault}:{subject}"
    return Finding(fault=fault, key=key, sentence=words, number=number, remedy=remedy)
