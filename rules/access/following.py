"""Groups that follow a rotation: who comes in and who goes out when the roster says so."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from rules.access.answering import ask_next, people_of
from rules.access.asking import Scene, allow, stretch_end
from rules.access.grant import Grant, GrantState, Origin
from rules.access.group import AccessGroup, AccessRules, Whom, account_of
from rules.access.lasting import revoke
from rules.access.ledger import Happening
from rules.access.telling import Step, Tell, Telling, entry
from rules.rotation import OnCall
from rules.sentence import Who, say

LEASE = timedelta(hours=48)
"""Nobody is put in for longer than this at once: should all else fail, that is when it ends."""
RENEW = timedelta(hours=24)


def on_duty(group: AccessGroup, on_call: OnCall, now: datetime) -> tuple[str, ...]:
    """Return whom the group's rotations want in it now."""
    return people_of(Whom(on_call=group.follows), AccessRules(), on_call, now)


def follow(
    group: AccessGroup,
    scene: Scene,
    *,
    new_id: Callable[[], str],
    roster_read_at: datetime | None,
    withheld: Mapping[str, datetime],
) -> list[Step]:
    """Make the grants by rotation those that the roster asks for.

    `withheld` are people whose grant was revoked by hand, and until when they stay out.
    """
    rules, on_call, now = scene.rules, scene.on_call, scene.now
    stale = roster_read_at is None or now - roster_read_at > group.roster_age
    mine = [g for g in scene.grants if g.origin is Origin.ROTATION and g.group == group.name]
    live = {g.person: g for g in mine if g.is_wanted or g.state is GrantState.REQUESTED}
    duty = on_duty(group, on_call, now)
    steps = [_leave(grant, now) for person, grant in live.items() if person not in duty]
    for person in duty:
        end = stretch_end(person, group.follows, on_call, now) or now
        until = min(end, now + LEASE)
        grant = live.get(person)
        held_back = withheld.get(person, now) > now or not rules.is_looked_up(person)
        if grant is not None and grant.state is GrantState.REQUESTED:
            steps += [] if stale or held_back else [_let_in(grant, end, now)]
            continue
        if grant is not None:
            steps += _renewed(grant, end, now, stale=stale)
            continue
        if person in rules.barred or held_back or not account_of(group, person):
            continue
        new = _new(new_id(), group, person, until, now)
        steps.append(_held(new, group, rules, on_call, now) if stale else _allowed(new, now))
    return steps


def withheld_until(group: AccessGroup, person: str, on_call: OnCall, now: datetime) -> datetime:
    """Return until when somebody whose grant by rotation was revoked stays out."""
    return stretch_end(person, group.follows, on_call, now) or now


def _new(its_id: str, group: AccessGroup, person: str, until: datetime, now: datetime) -> Grant:
    duty = next(iter(group.follows))
    return Grant(
        id=its_id,
        group=group.name,
        person=person,
        account=account_of(group, person),
        origin=Origin.ROTATION,
        state=GrantState.REQUESTED,
        requested_at=now,
        length=until - now,
        until=until,
        why=f"on call: {duty.rotation} {duty.role}".strip(),
    )


def _allowed(grant: Grant, now: datetime) -> Step:
    asked = entry(grant, Happening.REQUESTED, now, why=grant.why)
    step = allow(grant, now, by="", why="the group follows the rotation")
    return Step(step.grant, (asked, *step.entries), step.tells)


def _held(
    grant: Grant, group: AccessGroup, rules: AccessRules, on_call: OnCall, now: datetime
) -> Step:
    """Ask a person first: nobody gets in by a roster that nobody has read for long."""
    asked = entry(
        grant, Happening.REQUESTED, now, why=f"{grant.why}; the roster is too old to trust"
    )
    told = say("{who} comes on call for {group}, but the roster is too old to trust: an approver "
               "is asked first.", who=Who(grant.person), group=group.name)  # fmt: skip
    step = ask_next(grant, group, rules, on_call, now)
    if step.grant.state is not GrantState.REQUESTED:  # nobody to ask: it waits for the roster
        return Step(grant, (asked,), (Tell(Telling.ROTATION_HELD, told),))
    # asking an approver who sleeps must not refuse who is on call: it waits for the roster too
    waiting = step.grant.but(answer_by=None)
    held = tuple(
        Tell(Telling.ROTATION_HELD, one.sentence, one.person) for one in step.tells if one.person
    )
    return Step(waiting, (asked, *step.entries), (Tell(Telling.ROTATION_HELD, told), *held))


def _let_in(grant: Grant, end: datetime, now: datetime) -> Step:
    """Let in who waited for the roster."""
    waited = grant.but(length=min(end - now, LEASE), until=end)
    return allow(waited, now, by="", why="the roster has been read again")


def _renewed(grant: Grant, end: datetime, now: datetime, *, stale: bool) -> list[Step]:
    """Keep the end what the roster says."""
    until = grant.until or end
    if end < until or (until < end and until - now < RENEW and not stale):
        moved = grant.but(until=min(end, now + LEASE))
        line = entry(moved, Happening.END_MOVED, now, until=str(moved.until))
        return [Step(moved, (line,))]
    return []


def _leave(grant: Grant, now: datetime) -> Step:
    due = min(grant.until, now) if grant.until else now
    return revoke(grant, now, by="", why="no longer on call", due=due)
