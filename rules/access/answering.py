"""Who may say yes to a request, who is asked next, and what a yes or a no leads to."""

from datetime import datetime

from rules.access.grant import Grant, GrantState, Origin
from rules.access.group import AccessGroup, AccessRules, Whom
from rules.access.ledger import Happening
from rules.access.telling import Refusal, Step, Tell, Telling, entry
from rules.rotation import OnCall
from rules.sentence import Sentence, Who, say


def people_of(whom: Whom, rules: AccessRules, on_call: OnCall, now: datetime) -> tuple[str, ...]:
    """Return everybody it names now: on call first, then by name, then of the Slack groups."""
    found = [
        person
        for duty in whom.on_call
        for role in duty.roles(on_call)
        for person in on_call.at(duty.rotation, role, now)
    ]
    found += whom.people
    for handle in whom.slack_groups:
        found += sorted(rules.in_slack_group.get(handle, ()))
    return tuple(dict.fromkeys(found))


def may_approve(
    group: AccessGroup, rules: AccessRules, on_call: OnCall, now: datetime, *, but: str
) -> tuple[str, ...]:
    """Return who may approve for `but`, who never may themselves: owners where nobody else may."""

    def able(people: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(one for one in people if one != but and one not in rules.barred)

    return able(people_of(group.approvers, rules, on_call, now)) or able(group.owners)


def ask_next(
    grant: Grant, group: AccessGroup, rules: AccessRules, on_call: OnCall, now: datetime
) -> Step:
    """Ask the first approver who has not been asked; refuse when all have been."""
    able = may_approve(group, rules, on_call, now, but=grant.person)
    waiting = next((one for one in able if one not in grant.asked), None)
    if waiting is None:
        return _refused(
            grant, now, by="", why="nobody answered in time", rule="approval_wait",
            told=say("Nobody who may approve {group} answered in time, so it was refused. "
                     "Ask again, or ask an owner.", group=group.name),
        )  # fmt: skip
    asked = grant.but(asked=(*grant.asked, waiting), answer_by=now + group.approval_wait)
    question = _question(grant, now)
    before = say("Nobody has answered yet; {who} is asked now.", who=Who(waiting))
    tells = [Tell(Telling.APPROVE, question, waiting)]
    if grant.asked:
        tells.append(Tell(Telling.GRANTING, before, grant.person))
    line = entry(asked, Happening.APPROVAL_ASKED, now, approver=waiting)
    return Step(asked, (line,), tuple(tells))


def check_answer(
    grant: Grant,
    group: AccessGroup,
    by: str,
    *,
    rules: AccessRules,
    on_call: OnCall,
    now: datetime,
) -> Refusal | None:
    """Say why this person's answer does not count, None when it does."""
    if grant.state is not GrantState.REQUESTED:
        return Refusal("answered", say("This request has been answered: it is {state}.",
                       state=grant.state.value))  # fmt: skip
    if by == grant.person:
        return Refusal("own request", say("Nobody may approve their own request."))
    if by not in may_approve(group, rules, on_call, now, but=grant.person):
        return Refusal("approvers", say("Only approvers of {group} can answer this.",
                       group=group.name))  # fmt: skip
    return None


def may_revoke(
    group: AccessGroup, by: str, rules: AccessRules, on_call: OnCall, now: datetime
) -> bool:
    """Tell whether they own it, approve it, or lead on call for a rotation it is about."""
    if by in group.owners or by in may_approve(group, rules, on_call, now, but=""):
        return True
    duties = (*group.follows, *group.may_ask.on_call, *group.break_glass)
    rotations = dict.fromkeys(duty.rotation for duty in duties)
    first = ((name, role) for name in rotations for role in on_call.roles(name)[:1])
    return any(by in on_call.at(name, role, now) for name, role in first)


def refuse(grant: Grant, by: str, why: str, now: datetime) -> Step:
    """Refuse a request that `check_answer` lets `by` answer."""
    reason = ": {why}" if why else "."
    told = say("{by} refused {group}" + reason, by=Who(by), group=grant.group, why=why)
    return _refused(grant, now, by=by, why=why, rule="approver", told=told)


def others_told(grant: Grant, by: str, told: Sentence) -> tuple[Tell, ...]:
    """Let approvers who were asked in vain know that it is settled."""
    return tuple(Tell(Telling.ANSWERED, told, one) for one in grant.asked if one != by)


def answered_words(grant: Grant, by: str, *, yes: bool) -> Sentence:
    verb = "approved" if yes else "refused"
    return say("{by} " + verb + " {group} for {who}.",
               by=Who(by), group=grant.group, who=Who(grant.person))  # fmt: skip


def _question(grant: Grant, now: datetime) -> Sentence:  # noqa: ARG001 - says nothing of the time
    about = " for #{number}" if grant.incident else ""
    if grant.origin is Origin.ROTATION:
        return say(
            "{who} comes on call, but the roster is too old to trust. Shall they have {group}?",
            who=Who(grant.person), group=grant.group,
        )  # fmt: skip
    return say(
        "{who} asks for {group} for {length}" + about + ". Why: {why}",
        who=Who(grant.person),
        group=grant.group,
        length=grant.length,
        number=grant.incident,
        why=grant.why or "not said",
    )


def _refused(grant: Grant, now: datetime, *, by: str, why: str, rule: str, told: Sentence) -> Step:
    ended = grant.but(
        state=GrantState.REFUSED, answer_by=None, ended_by=by, end_reason=why, gone_since=now
    )
    words = say("{group} for {who} was refused: {why}.",
                group=grant.group, who=Who(grant.person), why=why or "no reason given")  # fmt: skip
    tells = (Tell(Telling.REFUSED, told, grant.person), *others_told(grant, by, words))
    return Step(ended, (entry(ended, Happening.REFUSED, now, by=by, why=why, rule=rule),), tells)
