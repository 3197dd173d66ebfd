"""Decides whether a person who asks for an elevated group may have it, and what must come first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rules.access.answering import ask_next, may_approve
from rules.access.grant import Grant, GrantState, Origin
from rules.access.group import AccessGroup, AccessRules, Duty, Whom, account_of
from rules.access.ledger import Entry, Happening
from rules.access.telling import Refusal, Step, Tell, Telling, entry
from rules.incident import Incident
from rules.priority import Priority
from rules.rotation import OnCall
from rules.sentence import Sentence, Who, say

WEEK = timedelta(days=7)
DISTRUST = timedelta(hours=24)
_GRAVE = frozenset({Priority.P1, Priority.P2})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What somebody asks for; `id` is the grant's. `incident` 0: the one that fits, if any."""

    id: str
    group: str
    person: str
    length: timedelta
    why: str = ""
    incident: int = 0
    until_shift_ends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The facts a decision rests on.

    `had` are the grants of the group that the person asked for in seven days, `ledger` its lines
    of the last day, or those of all groups.
    """

    rules: AccessRules
    on_call: OnCall
    now: datetime
    incidents: Sequence[Incident] = ()
    grants: Sequence[Grant] = ()
    had: Sequence[Grant] = field(default=())
    ledger: Sequence[Entry] = field(default=())


def decide_request(ask: Ask, scene: Scene) -> Step | Refusal:
    """Grant, ask an approver, or refuse with the rule that says so."""
    group = scene.rules.groups.get(ask.group)
    if group is None:
        return _unknown(ask, scene)
    incident = _incident(ask, group, scene)
    if refusal := next(_refusals(ask, group, scene, incident), None):
        return refusal
    distrusted = _revoked_lately(ask, scene)
    broke_glass = not distrusted and _may_break_glass(ask, group, scene, incident)
    if broke_glass and (incident is None or not _is_grave(incident)):
        incident = _gravest(scene)
    shift_end = _shift_end(ask, group, scene)
    grant = Grant(
        id=ask.id,
        group=group.name,
        person=ask.person,
        account=account_of(group, ask.person),
        origin=Origin.ASKED,
        state=GrantState.REQUESTED,
        requested_at=scene.now,
        length=ask.length,
        until=shift_end,
        with_shift=shift_end is not None,
        why=ask.why.strip(),
        incident=incident.number if incident else 0,
        break_glass=broke_glass,
    )
    asked = entry(grant, Happening.REQUESTED, scene.now, by=ask.person, why=grant.why,
                  length=str(ask.length))  # fmt: skip
    if not group.approvers and not distrusted:
        step = allow(grant, scene.now, by="", why="the group needs no approval")
    elif broke_glass:
        step = _break_glass(grant, group, scene)
    elif may_approve(group, scene.rules, scene.on_call, scene.now, but=ask.person):
        step = ask_next(grant, group, scene.rules, scene.on_call, scene.now)
    else:
        return Refusal(
            "no approver",
            say("Nobody who may approve {group} is there now. Ask its owners.", group=group.name),
        )
    return Step(step.grant, (asked, *step.entries), step.tells)


def allow(grant: Grant, now: datetime, *, by: str, why: str, **evidence: str) -> Step:
    """Let the grant begin: its time counts from now."""
    until = now + grant.length
    if grant.until is not None:
        until = min(until, grant.until)
    begun = grant.but(
        state=GrantState.GRANTING, until=until, approved_by=by, granted_at=now, answer_by=None
    )
    return Step(begun, (entry(begun, Happening.APPROVED, now, by=by, why=why, **evidence),))


def _unknown(ask: Ask, scene: Scene) -> Refusal:
    names = ", ".join(sorted(scene.rules.groups)) or "none"
    return Refusal(
        "unknown group",
        say("There is no group {name}. Known: {names}.", name=ask.group, names=names),
    )


def _refusals(
    ask: Ask, group: AccessGroup, scene: Scene, incident: Incident | None
) -> Iterator[Refusal]:
    """Name every rule that forbids it, the weightiest first."""
    named = {"group": group.name}
    if why := scene.rules.barred.get(ask.person):
        yield Refusal("barred", say("You cannot have access: {why}.", why=why))
    if not account_of(group, ask.person):
        yield Refusal("no account", say("I know no account of yours for {group}. An "
                      "administrator can add it under `accounts`.", **named))  # fmt: skip
    if not is_one_of(ask.person, group.may_ask, scene):
        yield Refusal("may_ask", say("Only {whom} may ask for {group}.",
                      whom=_in_words(group.may_ask), **named))  # fmt: skip
    yield from _wrong_lengths(ask, group, scene)
    if group.reason_required and not ask.why.strip():
        yield Refusal("reason", say("Say why you need {group}.", **named))
    if ask.incident and incident is None:
        yield Refusal("incident", say("#{number} is no open incident.", number=ask.incident))
    if group.incident_required and incident is None:
        yield Refusal("incident", say("{group} is only for an open incident. Name its number, or "
                      "acknowledge it first.", **named))  # fmt: skip
    if has := _already(ask, scene):
        yield Refusal("already", _has_it(has))
    limit = group.weekly_limit
    had = [one for one in scene.had if one.is_open or one.active_since]  # not what never worked
    if limit is not None and len(had) >= limit:
        again = min(grant.requested_at for grant in had[-limit:]) + WEEK
        yield Refusal("weekly_limit", say("You had {group} {count} times in seven days, the most "
                      "there is. Again from {again}, or ask an owner.",
                      count=len(had), again=again, **named))  # fmt: skip


def _wrong_lengths(ask: Ask, group: AccessGroup, scene: Scene) -> Iterator[Refusal]:
    if ask.length <= timedelta(0) or ask.length > group.longest:
        yield Refusal("longest", say("{group} can be had for {longest} at most. Ask for less.",
                      longest=group.longest, group=group.name))  # fmt: skip
    if ask.until_shift_ends and not _shift_end(ask, group, scene):
        yield Refusal("shift", say("You are on no shift for {group} now. Say how long you need "
                      "it.", group=group.name))  # fmt: skip


def is_one_of(person: str, whom: Whom, scene: Scene) -> bool:
    """Tell whether they are named, on call, or in one of the Slack groups, now."""
    if person in whom.people or is_on_call(person, whom.on_call, scene.on_call, scene.now):
        return True
    groups = scene.rules.in_slack_group
    return any(person in groups.get(handle, frozenset()) for handle in whom.slack_groups)


def is_on_call(person: str, duties: Sequence[Duty], on_call: OnCall, now: datetime) -> bool:
    return any(
        person in on_call.at(duty.rotation, role, now)
        for duty in duties
        for role in duty.roles(on_call)
    )


def stretch_end(
    person: str, duties: Sequence[Duty], on_call: OnCall, now: datetime
) -> datetime | None:
    """Return when the person stops being on call for any of these, None when they are not."""
    at = now
    while True:
        ends = [
            span.end
            for duty in duties
            for role in duty.roles(on_call)
            if (span := on_call.span_at(duty.rotation, role, at)) and person in span.people
        ]
        if not ends:
            return None if at == now else at
        at = max(ends)


def _in_words(whom: Whom) -> str:
    parts = [f"whoever is on call for {duty.rotation}" for duty in whom.on_call]
    parts += [f"@{handle}" for handle in whom.slack_groups]
    parts += [f"{len(whom.people)} named people"] if whom.people else []
    return " and ".join(dict.fromkeys(parts)) or "whoever its rotation brings in"


def _already(ask: Ask, scene: Scene) -> Grant | None:
    mine = (one for one in scene.grants if (one.group, one.person) == (ask.group, ask.person))
    return next((one for one in mine if one.is_open and one.state is not GrantState.REVOKING), None)


def _has_it(grant: Grant) -> Sentence:
    if grant.state is GrantState.REQUESTED:
        return say("You have already asked for {group}; wait for the answer.", group=grant.group)
    if grant.until is None or grant.origin is Origin.ROTATION:
        return say("You are in {group} already, by your rotation.", group=grant.group)
    return say("You are in {group} already, until {until}. Extend that instead.",
               group=grant.group, until=grant.until)  # fmt: skip


def _incident(ask: Ask, group: AccessGroup, scene: Scene) -> Incident | None:
    """Return the open incident named, or the gravest of those the person works on."""
    open_ones = [one for one in scene.incidents if not one.is_closed]
    if ask.incident:
        return next((one for one in open_ones if one.number == ask.incident), None)
    theirs = [one for one in open_ones if ask.person in {one.assigned_to, one.acked_by}]
    if not theirs and group.incident_required and len(open_ones) == 1:
        return open_ones[0]
    return min(theirs, key=lambda one: (one.priority, -one.number), default=None)


def _gravest(scene: Scene) -> Incident | None:
    grave = [one for one in scene.incidents if _is_grave(one)]
    return min(grave, key=lambda one: (one.priority, -one.number), default=None)


def _revoked_lately(ask: Ask, scene: Scene) -> bool:
    """Tell whether somebody else took it from them just now: they need somebody's yes then.

    Or whoever holds a stolen session would have it again as soon as it is revoked.
    """
    return any(
        line.what is Happening.REVOCATION_STARTED
        and (line.group, line.person) == (ask.group, ask.person)
        and line.by not in {"", ask.person}
        and line.at > scene.now - DISTRUST
        for line in scene.ledger
    )


def _is_grave(incident: Incident) -> bool:
    return incident.is_open and incident.priority in _GRAVE


def _may_break_glass(ask: Ask, group: AccessGroup, scene: Scene, incident: Incident | None) -> bool:
    """Tell whether they may, for the incident they name, or for the gravest when they name none."""
    meant = incident if ask.incident else _gravest(scene)
    return (
        bool(group.approvers)
        and meant is not None
        and _is_grave(meant)
        and is_on_call(ask.person, group.break_glass, scene.on_call, scene.now)
    )


def _break_glass(grant: Grant, group: AccessGroup, scene: Scene) -> Step:
    step = allow(grant, scene.now, by="", why="break-glass: on call, and a P1 or P2 is open",
                 rule="break_glass")  # fmt: skip
    loud = say(
        "🚨 Break-glass: {who} takes {group} without approval, until {until}, for #{number}. "
        "Why: {why}",
        who=Who(grant.person),
        group=group.name,
        until=step.grant.until or scene.now,
        number=grant.incident,
        why=grant.why or "not said",
    )
    to_owners = tuple(
        Tell(Telling.BREAK_GLASS, loud, owner) for owner in group.owners if owner != grant.person
    )
    return Step(
        step.grant, step.entries, (*step.tells, Tell(Telling.BREAK_GLASS, loud), *to_owners)
    )


def _shift_end(ask: Ask, group: AccessGroup, scene: Scene) -> datetime | None:
    if not (ask.until_shift_ends or group.ends_with_shift):
        return None
    return stretch_end(ask.person, group.shifts, scene.on_call, scene.now)
