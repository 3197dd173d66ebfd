"""How long a grant lasts: its end, the warning before, what ends it early, and the noise after."""

from datetime import datetime, timedelta

from rules.access.answering import ask_next
from rules.access.asking import is_on_call, stretch_end
from rules.access.grant import Grant, GrantState, Origin
from rules.access.group import AccessGroup, AccessRules, account_of
from rules.access.ledger import Happening
from rules.access.seeing import fold
from rules.access.telling import Refusal, Step, Tell, Telling, entry
from rules.rotation import OnCall
from rules.sentence import Who, say

WARN_BEFORE = timedelta(minutes=10)
SLOW = timedelta(minutes=1)
NOISE = tuple(timedelta(minutes=m) for m in (1, 5, 15, 30, 60))
"""How late a revocation is when that is said, louder each time; then every hour."""
FALLBACK_HEARS, OWNERS_HEAR = 2, 3
"""From the how manieth time on; the channel always does."""


def end_of(grant: Grant, group: AccessGroup | None) -> datetime | None:
    """Return when it ends: its own time, or its incident's close plus grace, if that is sooner."""
    ends = [grant.until] if grant.until else []
    if grant.incident_closed_at is not None and group is not None and group.grace is not None:
        ends.append(grant.incident_closed_at + group.grace)
    return min(ends, default=None)


def wake_at(grant: Grant, group: AccessGroup | None) -> datetime | None:
    """Return when time next matters to it, None when it does not."""
    end = end_of(grant, group)
    match grant.state:
        case GrantState.REQUESTED:
            return grant.answer_by
        case GrantState.ACTIVE if end is not None and _warns(grant, end):
            return end - WARN_BEFORE
        case GrantState.GRANTING if not grant.alarms:
            return min(end or _slow_at(grant), _slow_at(grant))
        case GrantState.GRANTING | GrantState.ACTIVE:
            return end
        case GrantState.REVOKING:
            return _noise_at(grant)
        case _:
            return None


def wake(
    grant: Grant, group: AccessGroup | None, rules: AccessRules, on_call: OnCall, now: datetime
) -> Step | None:
    """Do what time asks of a grant; None when nothing is due."""
    begins = grant.is_wanted or grant.state is GrantState.REQUESTED
    if begins and (why := rules.barred.get(grant.person) or moved(grant, group)):
        return revoke(grant, now, by="", why=why, due=now)
    if grant.state is GrantState.REQUESTED:
        due = grant.answer_by is not None and grant.answer_by <= now and group is not None
        return ask_next(grant, group, rules, on_call, now) if due and group else None
    end = end_of(grant, group)
    if grant.is_wanted and end is not None and end <= now:
        closed = end != grant.until
        why = f"#{grant.incident} is closed" if closed else "its time is over"
        return revoke(grant, now, by="", why=why, due=end)
    if grant.is_wanted and group is not None and _off_shift(grant, group, on_call, now):
        return revoke(grant, now, by="", why="their shift is over", due=now)
    if grant.state is GrantState.ACTIVE and end is not None and _warns(grant, end):
        return _warn(grant, group, end, now) if end - WARN_BEFORE <= now else None
    if grant.state is GrantState.GRANTING and not grant.alarms and _slow_at(grant) <= now:
        return _slow(grant, group)
    if grant.state is GrantState.REVOKING and _noise_at(grant) <= now:
        return _late(grant, group, now)
    return None


def revoke(grant: Grant, now: datetime, *, by: str, why: str, due: datetime) -> Step:
    """Begin to end it; a request ends at once. `due` is when it should have been gone."""
    if grant.state is GrantState.REQUESTED:
        ended = grant.but(
            state=GrantState.REFUSED, answer_by=None, ended_by=by, end_reason=why, gone_since=now
        )
        told = say("Your request for {group} is withdrawn: {why}.", group=grant.group, why=why)
        line = entry(ended, Happening.REFUSED, now, by=by, why=why, rule="withdrawn")
        return Step(ended, (line,), (Tell(Telling.REFUSED, told, grant.person),))
    ending = grant.but(
        state=GrantState.REVOKING, revoke_at=due, ended_by=by, end_reason=why, alarms=0
    )
    line = entry(ending, Happening.REVOCATION_STARTED, now, by=by, why=why, due=due.isoformat())
    return Step(ending, (line,))


def extend(
    grant: Grant,
    group: AccessGroup,
    by: str,
    *,
    rules: AccessRules,
    on_call: OnCall,
    now: datetime,
) -> Step | Refusal:
    """Lengthen an own grant, as often and as long as the group's rules say."""
    if by != grant.person:
        return Refusal("own grant", say("Only {who} can extend this.", who=Who(grant.person)))
    if not grant.is_wanted or grant.origin is not Origin.ASKED or grant.until is None:
        return Refusal("over", say("{group} cannot be extended: it is {state}. Ask again.",
                       group=group.name, state=grant.state.value))  # fmt: skip
    end = end_of(grant, group)
    if end is not None and end <= now:
        return Refusal("over", say("{group} cannot be extended: its time is over. Ask again.",
                       group=group.name))  # fmt: skip
    if why := rules.barred.get(by):
        return Refusal("barred", say("You cannot have access: {why}.", why=why))
    if grant.extensions >= group.extensions:
        return Refusal("extend", say("{group} can be extended {times} times, and was. Ask again.",
                       group=group.name, times=group.extensions))  # fmt: skip
    if grant.incident_closed_at is not None and group.grace is not None:
        return Refusal("incident", say("#{number} is closed, so {group} ends soon. Ask again if you "
                       "still need it.", number=grant.incident, group=group.name))  # fmt: skip
    until = max(grant.until, now) + group.extend_by
    if grant.with_shift:
        shift_end = stretch_end(by, group.shifts, on_call, now) or now
        if shift_end <= grant.until:
            return Refusal("shift", say("{group} ends with your shift. Ask for it again if you "
                           "still need it then.", group=group.name))  # fmt: skip
        until = min(until, shift_end)
    longer = grant.but(until=until, extensions=grant.extensions + 1, warned=False)
    line = entry(longer, Happening.EXTENDED, now, by=by, until=until.isoformat())
    told = say("You keep {group} until {until}.", group=group.name, until=until)
    return Step(longer, (line,), (Tell(Telling.ACTIVE, told, grant.person),))


def incident_seen(grant: Grant, closed_at: datetime | None) -> Grant:
    """Return the grant knowing whether its incident is closed; a reopened one counts again."""
    if grant.incident_closed_at == closed_at or (grant.incident_closed_at and closed_at):
        return grant
    return grant.but(incident_closed_at=closed_at, warned=False)


def moved(grant: Grant, group: AccessGroup | None) -> str:
    """Say that the account it was given to is theirs no more, "" when it is."""
    if group is None or fold(account_of(group, grant.person)) == fold(grant.account):
        return ""
    return f"the account {grant.account} is theirs no more"


def _off_shift(grant: Grant, group: AccessGroup, on_call: OnCall, now: datetime) -> bool:
    return grant.with_shift and not is_on_call(grant.person, group.shifts, on_call, now)


def _warns(grant: Grant, end: datetime) -> bool:
    """Tell whether a warning is still to come; what is had for minutes only has none."""
    lasts = end - (grant.active_since or grant.requested_at)
    return grant.origin is Origin.ASKED and not grant.warned and lasts > WARN_BEFORE * 3 / 2


def _warn(grant: Grant, group: AccessGroup | None, end: datetime, now: datetime) -> Step:
    closes = end != grant.until
    may = group is not None and grant.extensions < group.extensions and not closes
    why = " because #{number} is closed" if closes else ""
    rest = " Extend it if you still need it." if may else ""
    told = say("{group} ends in {left}" + why + "." + rest,
               group=grant.group, left=end - now, number=grant.incident)  # fmt: skip
    warned = grant.but(warned=True)
    line = entry(warned, Happening.END_WARNED, now, end=end.isoformat())
    return Step(warned, (line,), (Tell(Telling.WARNING, told, grant.person),))


def _slow_at(grant: Grant) -> datetime:
    return (grant.granted_at or grant.requested_at) + SLOW


def _slow(grant: Grant, group: AccessGroup | None) -> Step:
    """Say that it takes longer than people expect; whoever hears of it once need not ask."""
    told = say(
        "{who} is not in {group} yet. {trouble} I keep trying.",
        who=Who(grant.person), group=grant.group,
        trouble=grant.trouble or "The back-end has not shown it yet.",
    )  # fmt: skip
    asked = grant.origin is Origin.ASKED
    to = (grant.person,) if asked or group is None else (group.owners or (grant.person,))
    tells = tuple(Tell(Telling.GRANTING, told, one) for one in to)
    return Step(grant.but(alarms=1), (), tells)


def _noise_at(grant: Grant) -> datetime:
    due, made = grant.revoke_at or grant.requested_at, grant.alarms
    after = NOISE[made] if made < len(NOISE) else NOISE[-1] * (made - len(NOISE) + 2)
    return due + after


def _late(grant: Grant, group: AccessGroup | None, now: datetime) -> Step:
    """Say that somebody still has what they should not; more people hear of it each time."""
    late = now - (grant.revoke_at or now)
    louder = grant.but(alarms=max(grant.alarms + 1, sum(late >= step for step in NOISE)))
    if late >= NOISE[-1]:
        louder = louder.but(alarms=len(NOISE) - 1 + late // NOISE[-1])
    trouble = " {trouble}" if grant.trouble else " The back-end has not shown them gone yet."
    told = say(
        "🔴 {who} should have left {group} {late} ago and has not been seen gone." + trouble
        + " I keep trying. Remove {account} there by hand if this lasts.",
        who=Who(grant.person), group=grant.group, late=late, trouble=grant.trouble,
        account=grant.account,
    )  # fmt: skip
    line = entry(louder, Happening.REVOCATION_LATE, now, why=grant.trouble,
                 late_seconds=str(int(late.total_seconds())))  # fmt: skip
    owners = group.owners if group is not None and louder.alarms >= OWNERS_HEAR else ()
    return Step(
        louder,
        (line,),
        (Tell(Telling.LATE, told), *(Tell(Telling.LATE, told, one) for one in owners)),
    )
