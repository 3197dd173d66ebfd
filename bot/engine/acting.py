"""Carries out what people asked for in Slack, and answers them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bot.acts.access import (
    ApproveAccess,
    AskAccess,
    ExtendAccess,
    GiveBack,
    RefuseAccess,
    RevokeAccess,
    RevokeAll,
)
from bot.acts.act import (
    AckAll,
    Act,
    AnswerTo,
    EndRule,
    EndSilence,
    MakeSilence,
    OnIncident,
    OpenByHand,
    SaveRule,
    SplitOff,
    act_from_json,
    event_of,
)
from bot.acts.duties import LeaveNote
from bot.acts.journal import AddToJournal, JournalAct, WaiveJournal, WriteJournal
from bot.acts.roster import (
    ApplyProposal,
    AskCover,
    AskSwap,
    DrawLoad,
    EndOverride,
    MakeOverride,
    OnCover,
    OnSwap,
)
from bot.acts.runbooks import RunAction, TickStep
from bot.acts.tasks import OnTask
from bot.engine.access.acting import change_access
from bot.engine.aftercare.following_runbook import follow_runbook
from bot.engine.aftercare.journalling import journal
from bot.engine.aftercare.tasking import work_on_task
from bot.engine.answer import Answer, no_incident
from bot.engine.noting import leave_note
from bot.engine.rota.rostering import change_roster
from bot.engine.splitting import split_off
from bot.engine.teaching import teach
from bot.engine.work import Work
from bot.ports.inbox import Delivery
from bot.ports.jobs import JobPriority, NewJob
from bot.wire import sentence_to_json
from rules.alert import Alert, AlertStatus, Severity
from rules.classify import categorised
from rules.deciding.on_person import ANSWER_TIME
from rules.events import Acked, AlertReceived, Muted, PersonEvent, Reassigned, Reopened, Unmuted
from rules.grouping import open_incident
from rules.incident import Incident, State
from rules.matching.matcher import all_hold, matchable, parse_matchers
from rules.policy import OnePerson, Policy, Step
from rules.rulebook import RuleBook
from rules.sentence import Sentence, Who, say
from rules.silence import Silence

BY_HAND = "@person"
"""The source of incidents that people open themselves."""


async def carry_out(work: Work, act: Act, *, asked_at: datetime | None = None) -> Answer:
    """Do one act in the open transaction; the answer says what became of it.

    `asked_at` is when it was stored: what opens a group does so soon, or not at all.
    """
    match act:
        case OnIncident():
            return await _on_incident(work, act)
        case SplitOff():
            return await split_off(work, act)
        case AckAll(by=by):
            return await _ack_all(work, by)
        case MakeSilence():
            return await _make_silence(work, act)
        case EndSilence():
            return await _end_silence(work, act)
        case (
            SaveRule()
            | EndRule()
            | LeaveNote()
            | TickStep()
            | RunAction()
            | OnTask()
            | WriteJournal()
            | WaiveJournal()
            | AddToJournal()
        ):
            return await _put_down(work, act)
        case (
            AskAccess()
            | ApproveAccess()
            | RefuseAccess()
            | ExtendAccess()
            | GiveBack()
            | RevokeAccess()
            | RevokeAll()
        ):
            return await change_access(work, act, asked_at=asked_at or work.now)
        case OpenByHand():
            return await _open_by_hand(work, act)
        case (
            MakeOverride()
            | EndOverride()
            | AskCover()
            | OnCover()
            | AskSwap()
            | OnSwap()
            | ApplyProposal()
            | DrawLoad()
        ):
            return await change_roster(work, act)
        case _:
            assert_never(act)


async def _put_down(
    work: Work, act: SaveRule | EndRule | LeaveNote | TickStep | RunAction | OnTask | JournalAct
) -> Answer:
    """Do an act that leaves the paging of every incident as it is."""
    match act:
        case SaveRule() | EndRule():
            return await teach(work, act)
        case LeaveNote():
            return await leave_note(work, act)
        case TickStep() | RunAction():
            return await follow_runbook(work, act)
        case OnTask():
            return await work_on_task(work, act)
        case WriteJournal() | WaiveJournal() | AddToJournal():
            return await journal(work, act)
        case _:
            assert_never(act)


async def act_on(work: Work, delivery: Delivery) -> None:
    """Carry out what a delivery from Slack asks for, and order the answer to it."""
    payload = act_from_json(delivery.body)
    answer = await carry_out(work, payload.act, asked_at=delivery.received_at)
    if job := answer_job(delivery, payload.answer_to, answer, work.now):
        work.tx.enqueue(job)


def apology(delivery: Delivery, now: datetime) -> NewJob | None:
    """Return the job that tells whoever asked that it failed, None when it cannot be known who."""
    try:
        to = act_from_json(delivery.body).answer_to
    except ValueError:
        return None
    words = (
        "⚠️ I failed to do that, and nothing has changed. Try again. If it fails again, ask whoever"
        " runs Watchbill to look for {id} in its log."
    )
    return answer_job(delivery, to, Answer(say(words, id=delivery.id), refused=True), now)


def answer_job(delivery: Delivery, to: AnswerTo, answer: Answer, now: datetime) -> NewJob | None:
    """Return the job that answers the person, None when success may stay unsaid or nobody asks."""
    if not to.user or (to.quiet and not answer.refused):
        return None
    return NewJob(
        key=f"answer:{delivery.id}",
        kind="answer",
        lane="",
        priority=JobPriority.ANSWER,
        due_at=now,
        payload={
            "answer_to": {
                "user": to.user,
                "channel": to.channel,
                "response_url": to.response_url,
            },
            "sentence": sentence_to_json(answer.sentence),
            "undo": {"override": answer.undo, "back_to": answer.back_to} if answer.undo else None,
        },
    )


async def _on_incident(work: Work, act: OnIncident) -> Answer:
    incident = await work.tx.incident_numbered(act.number)
    if incident is None:
        return Answer(no_incident(act.number), refused=True)
    event = event_of(act)
    own = incident.source, incident.dedup_key
    if isinstance(event, Reopened) and (other := await work.elsewhere(incident, *own)):
        words = "#{number} stays as it is: the same thing is #{other}. Look there."
        return Answer(say(words, number=incident.number, other=other.number), refused=True)
    if work.book.contacts.available:
        for person in _need_not_wake(incident, event):
            await work.tx.contact.call_off(incident.id, person, work.now)
    decision = work.apply(incident, event, by=act.by)
    if decision.refusal is not None:
        return Answer(decision.refusal, refused=True)
    first = decision.reasons[0].sentence if decision.reasons else say("Nothing changed.")
    return Answer(_about(incident, first))


def _need_not_wake(incident: Incident, event: PersonEvent) -> Sequence[str]:
    """Return who does something about it, and whoever was paged before it was handed on."""
    if not isinstance(event, Reassigned):
        return (event.by,)
    return tuple(dict.fromkeys((event.by, *(one for one in incident.paged if one != event.to))))


def _about(incident: Incident, sentence: Sentence) -> Sentence:
    values = {**sentence.values, "about_number": incident.number, "about_title": incident.title}
    return Sentence("#{about_number} {about_title}: " + sentence.template, values)


async def _ack_all(work: Work, by: str) -> Answer:
    waiting = [
        i for i in await work.tx.open_incidents() if i.state is State.TRIGGERED and not i.muted
    ]
    for incident in waiting:
        work.apply(incident, Acked(by), by=by)
    if not waiting:
        return Answer(say("Nothing is waiting for an acknowledgement."))
    return Answer(say("Acknowledged {count} incidents.", count=len(waiting)))


def _short_ids(work: Work) -> Iterator[str]:
    while True:
        yield work.new_id()[-6:]


async def _make_silence(work: Work, act: MakeSilence) -> Answer:
    try:
        matchers, rest = parse_matchers(act.matchers)
    except ValueError as error:
        return Answer(say("{why}", why=str(error)), refused=True)
    if not matchers or rest:
        wrong = say("I cannot read {text}. Write label=value.", text=rest or act.matchers or '""')
        return Answer(wrong, refused=True)
    if act.until <= work.now:
        return Answer(say("A silence must end in the future."), refused=True)
    taken = {one.id for one in await work.tx.silences(work.now)}
    its_id = next(made for made in _short_ids(work) if made not in taken)
    silence = Silence(its_id, matchers, work.now, act.until, act.by, act.why)
    work.tx.save_silence(silence)
    covered = 0
    for incident in await work.tx.open_incidents():
        if silence.mutes_until(matchable(incident), work.now) and not incident.muted:
            work.apply(incident, Muted(act.by, act.until, act.why), by=act.by)
            covered += 1
    also = "; {covered} open incidents are covered" if covered else ""
    return Answer(
        say(
            "Silence {id} covers {matchers} until {until}" + also + ".",
            id=silence.id,
            matchers=" ".join(map(str, matchers)),
            until=act.until,
            covered=covered,
        )
    )


async def _end_silence(work: Work, act: EndSilence) -> Answer:
    found = next((s for s in work.book.silences if s.id == act.silence_id), None)
    if found is None:
        return Answer(say("There is no silence {id}.", id=act.silence_id), refused=True)
    work.tx.save_silence(replace(found, ends_at=work.now))
    work.book = replace(
        work.book, silences=tuple(s for s in work.book.silences if s.id != found.id)
    )
    for incident in await work.tx.open_incidents():
        if incident.muted and all_hold(found.matchers, matchable(incident)):
            work.apply(incident, Unmuted(act.by), by=act.by)
    return Answer(say("Silence {id} has ended.", id=found.id))


async def _open_by_hand(work: Work, act: OpenByHand) -> Answer:
    incident_id = work.new_id()
    alert = Alert(
        source=BY_HAND,
        dedup_key=f"by-hand:{incident_id}",
        status=AlertStatus.FIRING,
        severity=Severity.ERROR,
        title=act.title,
        description=act.description,
        url=act.url,
        occurred_at=work.now,
    )
    alert = categorised(alert, work.book)
    await work.load_for([alert])
    opened = open_incident(
        alert, work.book, incident_id=incident_id, number=work.tx.next_number(), now=work.now
    )
    incident = _routed(opened, act, work.book)
    work.opened += 1
    work.apply(incident, AlertReceived(alert), by=act.by)
    work.tx.record_alert(incident.id, alert, work.now)
    target = say("{who}", who=Who(act.person)) if act.person else say("{r}", r=incident.rotation)
    sentence = Sentence(
        "Opened #{number}, paging " + target.template + ".",
        {"number": incident.number, **target.values},
    )
    return Answer(sentence)


def _routed(incident: Incident, act: OpenByHand, book: RuleBook) -> Incident:
    incident = replace(incident, pages=True)
    if route := next((r for r in book.routes if act.rotation and r.rotation == act.rotation), None):
        incident = replace(
            incident,
            route=route.name,
            channel=route.channel,
            rotation=route.rotation,
            policy=book.policies[route.policy],
        )
    if not act.person:
        return incident
    wait = next((s.wait for s in incident.policy.steps if s.wait), ANSWER_TIME)
    first = Step((OnePerson(act.person),), wait)
    return replace(incident, policy=Policy(incident.policy.name, (first, *incident.policy.steps)))
