"""Writes decisions about access down: grants, ledger, messages, and work for the back-ends."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.ports.access import ACCESS_SYNC, ACCESS_TELL
from bot.ports.jobs import JobPriority, NewJob
from bot.ports.store import Transaction
from bot.wire import sentence_to_json
from rules.access.grant import Grant, GrantState, Origin
from rules.access.lasting import FALLBACK_HEARS, wake_at
from rules.access.telling import Step, Tell, Telling
from rules.rulebook import RuleBook
from rules.sentence import plain

_AT_WORK = frozenset({GrantState.GRANTING, GrantState.REVOKING})


def sync_job(group: str, due_at: datetime) -> NewJob:
    """Make a group what the ledger says; asking again while it waits changes nothing.

    Groups have a lane each, so that one is never changed by two at once, and none waits for
    another whose back-end is slow.
    """
    return NewJob(
        key=f"access:{group}",
        kind=ACCESS_SYNC,
        lane=f"access:{group}",
        priority=JobPriority.PERSON,
        due_at=due_at,
        payload={"group": group},
        renew=True,
    )


def write_steps(
    tx: Transaction, steps: Iterable[Step], book: RuleBook, now: datetime, *, sync: bool = True
) -> list[str]:
    """Save what was decided and enqueue what follows; returns the groups with work to do."""
    groups: dict[str, None] = {}
    for step in steps:
        grant = step.grant
        tx.access.save(grant, wake_at(grant, book.access.groups.get(grant.group)))
        for line in step.entries:
            tx.access.note(line)
        for job in _tells(grant, step.tells, book, now):
            tx.enqueue(job)
        if grant.state in _AT_WORK:
            groups[grant.group] = None
    if sync:
        for group in groups:
            tx.enqueue(sync_job(group, now))
    return list(groups)


def tell_job(
    tell: Tell, now: datetime, *, group: str, grant: str = "", channel: str = ""
) -> NewJob:
    """Send one message about access."""
    words = tell.sentence.render(plain)
    to = tell.person or channel
    return NewJob(
        key=f"access:{grant or group}:{tell.what}:{to}:{now.isoformat()}:{len(words)}",
        kind=ACCESS_TELL,
        lane=f"dm:{tell.person}" if tell.person else f"slack:{channel}",
        priority=JobPriority.PERSON,
        due_at=now,
        payload={
            "what": tell.what.value,
            "grant": grant,
            "group": group,
            "person": tell.person,
            "channel": "" if tell.person else channel,
            "sentence": sentence_to_json(tell.sentence),
        },
        incident_id=f"access:{grant}" if grant else "",
    )


def channel_of(book: RuleBook) -> str:
    return book.routes[-1].channel


def _tells(grant: Grant, tells: Sequence[Tell], book: RuleBook, now: datetime) -> list[NewJob]:
    wanted = list(tells)
    if grant.alarms >= FALLBACK_HEARS:
        late = [one for one in tells if one.what is Telling.LATE and not one.person]
        known = {one.person for one in tells}
        wanted += [
            Tell(one.what, one.sentence, person)
            for one in late
            for person in book.fallback_of("", again=True)
            if person not in known
        ]
    if grant.origin is Origin.ROTATION:  # the channel's hand-off says who comes and goes
        wanted = [one for one in wanted if one.what is not Telling.REFUSED]
    channel = channel_of(book)
    return [
        tell_job(one, now, group=grant.group, grant=grant.id, channel=channel) for one in wanted
    ]
