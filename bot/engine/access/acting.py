"""Carries out what people ask about elevated groups, in the open transaction."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from bot.acts.access import (
    OPERATOR,
    AccessAct,
    ApproveAccess,
    AskAccess,
    ExtendAccess,
    GiveBack,
    RefuseAccess,
    RevokeAccess,
    RevokeAll,
)
from bot.engine.access.jobs import sync_job, write_steps
from bot.engine.answer import Answer
from bot.engine.work import Work
from rules.access.answering import (
    answered_words,
    check_answer,
    may_revoke,
    others_told,
    refuse,
)
from rules.access.asking import DISTRUST, WEEK, Ask, Scene, allow, decide_request
from rules.access.following import withheld_until
from rules.access.grant import Grant, GrantState, Origin
from rules.access.group import AccessGroup
from rules.access.lasting import extend, moved, revoke
from rules.access.ledger import Entry, Happening
from rules.access.seeing import fold, stays_anyway
from rules.access.telling import Refusal, Step
from rules.rotation import OnCall
from rules.sentence import Who, plain, say, together

_OVER = frozenset({GrantState.ENDED, GrantState.REFUSED, GrantState.FAILED, GrantState.REVOKING})
_SETTLED = _OVER - {GrantState.REVOKING}
_LENGTH = 6
_FRESH = timedelta(minutes=10)
"""What opens a group counts for so long; who clicked and was not heard has long done otherwise."""


async def change_access(work: Work, act: AccessAct, *, asked_at: datetime) -> Answer:
    """Do one act on elevated access; refusals are written into the ledger too."""
    await work.tx.access.hold()
    if late := await _too_late(work, act, asked_at):
        return late
    match act:
        case AskAccess():
            return await _ask(work, act)
        case ApproveAccess():
            return await _with_grant(work, act.grant, lambda g, r: _answer(work, act, g, r))
        case RefuseAccess():
            asked = await work.tx.access.grant(act.grant)
            answer = await _with_grant(work, act.grant, lambda g, r: _answer(work, act, g, r))
            if asked is not None and not answer.refused:
                await _withhold(work, [asked])
            return answer
        case ExtendAccess():
            return await _with_grant(work, act.grant, lambda g, r: _extend(work, act, g, r))
        case GiveBack():
            return await _give_back(work, act)
        case RevokeAccess():
            return await _revoke_one(work, act)
        case RevokeAll():
            return await _revoke_all(work, act)
        case _:
            assert_never(act)


async def _too_late(work: Work, act: AccessAct, asked_at: datetime) -> Answer | None:
    """Refuse what would open a group and has lain for long; what ends something always counts."""
    late = work.now - asked_at
    if late <= _FRESH or not isinstance(act, AskAccess | ApproveAccess | ExtendAccess):
        return None
    grant = "" if isinstance(act, AskAccess) else act.grant
    found = await work.tx.access.grant(grant) if grant else None
    group = act.group if isinstance(act, AskAccess) else (found.group if found else "")
    told = say("I was not there when you did this, {late} ago, so nothing came of it. Ask again if "
               "it is still needed.", late=late)  # fmt: skip
    return _refused(work, Refusal("too late", told), group, act.by, "", grant)


async def _ask(work: Work, act: AskAccess) -> Answer:
    ask = Ask(
        id=await _free_id(work),
        group=act.group,
        person=act.by,
        length=act.length,
        why=act.why,
        incident=act.incident,
        until_shift_ends=act.until_shift_ends,
    )
    since = work.now - WEEK
    scene = replace(
        _scene(work),
        incidents=tuple(await work.tx.open_incidents()),
        grants=tuple(await work.tx.access.open_grants(act.group)),
        had=tuple(await work.tx.access.asked_since(act.group, act.by, since)),
        ledger=tuple(await work.tx.access.revocations(act.group, act.by, work.now - DISTRUST)),
    )
    decided = decide_request(ask, scene)
    if isinstance(decided, Refusal):
        return _refused(work, decided, act.group, act.by, act.why)
    write_steps(work.tx, [decided], work.book, work.now)
    if decided.grant.state is GrantState.REQUESTED:
        who = Who(decided.grant.asked[-1])
        return Answer(say("Asked {who} to approve {group}.", who=who, group=act.group))
    return Answer(say("You are being put into {group}, until {until}.",
                      group=act.group, until=decided.grant.until or work.now))  # fmt: skip


async def _free_id(work: Work) -> str:
    """Return an id short enough to be typed, which no other grant ever had."""
    while True:
        made = work.new_id()[-_LENGTH:]
        if await work.tx.access.grant(made) is None:
            return made


async def _with_grant(
    work: Work, its_id: str, do: Callable[[Grant, AccessGroup], Answer]
) -> Answer:
    grant = await work.tx.access.grant(its_id)
    group = work.book.access.groups.get(grant.group) if grant else None
    if grant is None or group is None:
        return _no_grant(its_id)
    return do(grant, group)


def _no_grant(its_id: str) -> Answer:
    return Answer(say("There is no grant {id}.", id=its_id), refused=True)


def _answer(
    work: Work, act: ApproveAccess | RefuseAccess, grant: Grant, group: AccessGroup
) -> Answer:
    rules, on_call, now = work.book.access, _on_call(work), work.now
    if no := check_answer(grant, group, act.by, rules=rules, on_call=on_call, now=now):
        return _refused(work, no, group.name, act.by, "", grant.id)
    if isinstance(act, RefuseAccess):
        write_steps(work.tx, [refuse(grant, act.by, act.why, now)], work.book, now)
        return Answer(answered_words(grant, act.by, yes=False))
    if why := rules.barred.get(grant.person) or moved(grant, group):
        gone = Refusal("barred", say("{who} cannot have access: {why}.",
                       who=Who(grant.person), why=why))  # fmt: skip
        return _refused(work, gone, group.name, act.by, "", grant.id)
    step = allow(grant, now, by=act.by, why="an approver said yes")
    told = answered_words(grant, act.by, yes=True)
    tells = (*step.tells, *others_told(grant, act.by, told))
    write_steps(work.tx, [Step(step.grant, step.entries, tells)], work.book, now)
    return Answer(told)


def _extend(work: Work, act: ExtendAccess, grant: Grant, group: AccessGroup) -> Answer:
    step = extend(
        grant, group, act.by, rules=work.book.access, on_call=_on_call(work), now=work.now
    )
    if isinstance(step, Refusal):
        return _refused(work, step, group.name, act.by, "", grant.id)
    write_steps(work.tx, [step], work.book, work.now)
    work.tx.enqueue(sync_job(group.name, work.now))
    until = step.grant.until or work.now
    return Answer(say("You keep {group} until {until}.", group=group.name, until=until))


async def _give_back(work: Work, act: GiveBack) -> Answer:
    grant = await work.tx.access.grant(act.grant)
    if grant is None or grant.group not in work.book.access.groups:
        return _no_grant(act.grant)
    if act.by != grant.person:
        only = Refusal("own grant", say("Only {who} can give this back.", who=Who(grant.person)))
        return _refused(work, only, grant.group, act.by, "", grant.id)
    if grant.origin is Origin.ROTATION:
        duty = Refusal("rotation", say("You are in {group} by your rotation. Hand the shift over, "
                       "and it goes with it.", group=grant.group))  # fmt: skip
        return _refused(work, duty, grant.group, act.by, "", grant.id)
    return await _ended(work, [grant], act.by, "given back")


async def _revoke_one(work: Work, act: RevokeAccess) -> Answer:
    grant = await work.tx.access.grant(act.grant)
    if grant is None:
        return _no_grant(act.grant)
    if not _may_revoke(work, act.by, grant.group):
        no = Refusal("owners", say("Only owners and approvers of {group}, and who leads on call, "
                     "can revoke.", group=grant.group))  # fmt: skip
        return _refused(work, no, grant.group, act.by, act.why, grant.id)
    await _withhold(work, [grant])
    return await _ended(work, [grant], act.by, act.why or "revoked")


async def _revoke_all(work: Work, act: RevokeAll) -> Answer:
    every = await work.tx.access.open_grants()
    known = {*work.book.access.groups, *(one.group for one in every)}
    meant = {name for name in known if name.casefold() == act.group.casefold()}
    if act.group and not meant:
        names = ", ".join(sorted(known)) or "none"
        told = say("There is no group {name}. Known: {names}. `/oncall revoke all` alone ends "
                   "everybody's.", name=act.group, names=names)  # fmt: skip
        return _refused(work, Refusal("unknown group", told), act.group, act.by, act.why)
    grants = [one for one in every if one.group in meant or not act.group]
    mine = [grant for grant in grants if _may_revoke(work, act.by, grant.group)]
    if grants and not mine:
        no = Refusal("owners", say("Only owners, approvers and who leads on call can revoke."))
        return _refused(work, no, act.group, act.by, act.why)
    await _withhold(work, mine)
    answer = await _ended(work, mine, act.by, act.why or "everybody's was revoked")
    if left := sorted({one.group for one in grants} - {one.group for one in mine}):
        rest = say("Those of {left} are not yours to end: ask their owners.", left=", ".join(left))
        return replace(answer, sentence=together(answer.sentence, rest))
    return answer


async def _withhold(work: Work, grants: Sequence[Grant]) -> None:
    """Keep those out, until their shift is over, whom the rotation would put in again at once."""
    for grant in grants:
        group = work.book.access.groups.get(grant.group)
        if grant.origin is not Origin.ROTATION or group is None or grant.state in _SETTLED:
            continue
        until = withheld_until(group, grant.person, _on_call(work), work.now)
        standing = await work.tx.access.standing(group.name)
        withheld = {**standing.withheld, grant.person: until}
        work.tx.access.save_standing(replace(standing, withheld=withheld))


async def _ended(work: Work, grants: Sequence[Grant], by: str, why: str) -> Answer:
    ending = [one for one in grants if one.state not in _OVER]
    steps = [revoke(one, work.now, by=by, why=why, due=work.now) for one in ending]
    write_steps(work.tx, steps, work.book, work.now)
    if not ending:
        return Answer(say("There is nothing to end."), refused=True)
    if len(ending) > 1:
        return Answer(say("{count} grants are being ended.", count=len(ending)))
    (grant,) = ending
    group = work.book.access.groups.get(grant.group)
    if group is not None and grant.started_at and stays_anyway(group, grant):
        return Answer(say("This grant ends, but {who} stays in {group}: they were in it before.",
                          who=Who(grant.person), group=grant.group))  # fmt: skip
    if kept := await _kept_in_by(work, grant):
        return Answer(say("This grant ends, but {who} stays in {group} by another: {ids}.",
                          who=Who(grant.person), group=grant.group, ids=kept))  # fmt: skip
    return Answer(say("{who} is being taken out of {group}.",
                      who=Who(grant.person), group=grant.group))  # fmt: skip


async def _kept_in_by(work: Work, ending: Grant) -> str:
    """Return the ids of the grants that keep the account in all the same, "" without any."""
    here = await work.tx.access.open_grants(ending.group)
    mine = [one.id for one in here if one.is_wanted and one.id != ending.id
            and fold(one.account) == fold(ending.account)]  # fmt: skip
    return ", ".join(mine)


def _may_revoke(work: Work, by: str, group: str) -> bool:
    """Tell whether they may; of a group that is configured no more the fallback people may."""
    if by == OPERATOR or by in work.book.fallback:
        return True
    found = work.book.access.groups.get(group)
    rules, on_call = work.book.access, _on_call(work)
    return found is not None and may_revoke(found, by, rules, on_call, work.now)


def _refused(work: Work, no: Refusal, group: str, by: str, why: str, grant: str = "") -> Answer:
    line = Entry(
        at=work.now,
        what=Happening.REFUSED,
        group=group,
        person=by,
        grant=grant,
        by=by,
        why=why,
        evidence={"rule": no.rule, "told": no.sentence.render(plain)},
    )
    work.tx.access.note(line)
    return Answer(no.sentence, refused=True)


def _scene(work: Work) -> Scene:
    return Scene(rules=work.book.access, on_call=_on_call(work), now=work.now)


def _on_call(work: Work) -> OnCall:
    return work.book.access.on_call(work.book.on_call)
