"""How an incident ends: a fix is claimed, proved, disproved, waived or taken back."""

from dataclasses import replace
from datetime import datetime

from rules.deciding.rerouting import reroute
from rules.deciding.showing import show_end, show_everywhere
from rules.deciding.triggering import AlertTimes, begin_again
from rules.decision import Draft
from rules.effects import Tell, TriggerRun
from rules.events import AUTOMATIC
from rules.incident import Incident
from rules.priority import Priority, Urgency
from rules.rulebook import RuleBook
from rules.sentence import Sentence, Value, Who, plain, say
from rules.verification import Proof, Verdict, Verification
from rules.verifying.evidence import (
    Evidence,
    Finding,
    Judged,
    concerns,
    judged,
    ran_in,
    repaired,
)
from rules.verifying.expecting import claimed, rescheduled
from rules.verifying.signals import Signal, signal_of
from rules.verifying.wording import by_what, what_to_do

RULE = "verification"
_ASKS = frozenset({Proof.WORDS, Proof.BACKFILL})
_LONGEST = 500


def claim(draft: Draft, by: str, book: RuleBook, now: datetime, note: str = "") -> None:
    """Resolve the incident by a person's word, and say what is to prove it."""
    draft.incident = draft.incident.resolve(by, now, note)
    seen = claimed(draft.incident, by, book, now)
    draft.change(verification=seen)
    draft.because("person", _claimed(seen, by, note))
    show_everywhere(draft)
    _ask_at_once(draft)


def _claimed(seen: Verification, by: str, note: str) -> Sentence:
    words = "{who} resolved it"
    values: dict[str, Value] = {"who": Who(by)}
    if seen.expects is not None:
        how = by_what(seen.expects)
        words, values = f"{words}, to be proved by {how.template}", {**how.values, **values}
    if not note:
        return Sentence(f"{words}.", values)
    return Sentence(words + ": {note}", {**values, "note": note})


def claim_by_source(
    draft: Draft, told: Evidence, source: str, book: RuleBook, now: datetime
) -> None:
    """Resolve the incident by its source's word, which is a proof for some kinds of source."""
    draft.incident = draft.incident.resolve(AUTOMATIC, now)
    seen = claimed(draft.incident, AUTOMATIC, book, now)
    draft.change(verification=seen)
    trusted = signal_of(source, book.verifying.kinds) is not Signal.CLICK
    if seen.expects is not None and trusted:
        found = repaired(draft.incident, seen.expects, told)
        _heed(draft, found, told, now)
    show_end(draft)
    _ask_at_once(draft)


def whole(at: Incident) -> Evidence:
    """Return the evidence that nothing of an incident fires any more."""
    return Evidence(
        well=True,
        name="nothing of it fires any more",
        source=at.source,
        began_at=at.last_alert_at,
        labels=at.labels,
        about_it=True,
    )


def hear(draft: Draft, told: Evidence, book: RuleBook, now: datetime) -> None:
    """Let a run or a check prove or disprove the fix of a pending incident."""
    if not concerns(draft.incident, told, book.priority_rules.impact.trials):
        return
    found = judged(draft.incident, told)
    if found.finding is Finding.DISPROVES:
        disprove(draft, found.why, book, now, url=told.url)
    elif _heed(draft, found, told, now):
        show_end(draft)


def hear_of_copy(draft: Draft, told: Evidence, book: RuleBook) -> None:
    """Remember a run that does what a mapped task does, until all of that run is over."""
    at = draft.incident
    if at.verification is None or not concerns(at, told, book.priority_rules.impact.trials):
        return
    if run := ran_in(at, told):
        draft.change(verification=replace(at.verification, ran_in=run))


def _heed(draft: Draft, found: Judged, told: Evidence, now: datetime) -> bool:
    """Write down what was found; tell whether it changes anything people see."""
    seen = draft.incident.verification
    if seen is None:
        return False
    match found.finding:
        case Finding.PROVES:
            proved = say("Proved: {what}.", what=found.why.render(plain))
            evidence = found.why.render(plain)[:_LONGEST]
            # what proves it was over before anybody told of it
            ended = told.ended_at if told.ended_at and told.ended_at >= seen.claimed_at else now
            _end(draft, Verdict.PASSED, min(ended, now), evidence=evidence, url=told.url)
            draft.because(f"{RULE}.passed", proved)
            return True
        case Finding.PART:
            note = found.why.render(plain)[:_LONGEST]
            draft.change(verification=replace(seen, covered=found.covered, evidence=note))
        case _:
            note = found.why.render(plain)[:_LONGEST]
            if note == seen.evidence:
                return False
            silent = told.name if found.finding is Finding.UNTOLD else seen.silent_run
            draft.change(verification=replace(seen, evidence=note, silent_run=silent))
    draft.because(f"{RULE}.not_yet", found.why)
    return True


def prove_by_hand(draft: Draft, by: str, evidence: str, now: datetime) -> None:
    _end(draft, Verdict.PASSED, now, by=by, evidence=evidence[:_LONGEST])
    words = "{who} verified it: {how}" if evidence else "{who} verified it."
    told = say(words, who=Who(by), how=evidence) if evidence else say(words, who=Who(by))
    draft.because(f"{RULE}.passed", told)
    show_everywhere(draft)


def waive(draft: Draft, by: str, why: str, now: datetime) -> None:
    _end(draft, Verdict.WAIVED, now, by=by, evidence=why[:_LONGEST])
    told = say("{who} says that it needs no proof: {why}", who=Who(by), why=why)
    draft.because(f"{RULE}.waived", told)
    show_everywhere(draft)


def ask_for_run(draft: Draft, by: str, now: datetime) -> None:
    """Have the run started that would prove the fix; clicks of one minute start one."""
    at = draft.incident
    minute = f"{now:%Y%m%d%H%M}"
    draft.because(RULE, say("{who} asked for a run that proves it.", who=Who(by)))
    draft.do(TriggerRun(f"{at.id}:run.{at.generation}.{minute}"))


def disprove(
    draft: Draft,
    why: Sentence,
    book: RuleBook,
    now: datetime,
    *,
    url: str = "",
    times: AlertTimes = None,
) -> None:
    """Reopen the incident, more urgent than before, and page whoever is on call now."""
    before = draft.incident
    by = before.resolved_by
    evidence = why.render(plain)[:_LONGEST]
    _end(draft, Verdict.FAILED, now, evidence=evidence, url=url)
    draft.change(unproved=before.unproved + 1)
    draft.because(f"{RULE}.failed", why)
    _raise(draft, book)
    at = draft.incident
    pages = at.is_actionable and (at.pages or at.priority in book.pages)
    draft.change(pages=pages)
    reroute(draft, before, book)
    words = "The fix by {who} did not hold: " if by else "It is not fixed after all: "
    values = {**why.values, "who": Who(by)} if by else why.values
    key = f"{before.id}:unproved.{before.unproved + 1}"
    draft.do(Tell(Sentence(words + why.template, values), key, loud=True))
    begin_again(draft, book, now, times)


def overdue(draft: Draft, book: RuleBook, now: datetime, times: AlertTimes = None) -> None:
    """Page for a run that never proved the fix; ask people where only they can tell.

    They are asked, too, where the run came and went well without a word about the part that had
    failed: most likely it is fixed, and nobody is woken for what a source cannot say.
    """
    known = draft.incident.verification
    if known is None:
        return
    seen = rescheduled(draft.incident, known, book)
    if seen.expects is None:
        return
    if seen is not known:
        draft.change(verification=seen)
        if seen.look_at is not None and seen.look_at > now:
            words = "The schedule was changed: it is to be proved by {what}."
            draft.because(RULE, say(words, what=by_what(seen.expects).render(plain)))
            show_end(draft)
            return
    due, asks = seen.expects.due_at, seen.expects.proof in (*_ASKS, Proof.SOURCE)
    if due is not None and not asks and not seen.silent_run:
        last = seen.evidence or "nothing was heard of it"
        why = say("the run due {due} has not proved it: {last}", due=due, last=last)
        disprove(draft, why, book, now, times=times)
        return
    asked = seen.asked + 1
    again = now + book.verifying.ask_every if asked < book.verifying.most_asks else None
    draft.change(verification=replace(seen, asked=asked, look_at=again))
    _ask(draft, asked)


def taken_back(draft: Draft, now: datetime) -> None:
    """Note on an incident that a person reopens that its fix did not hold."""
    seen = draft.incident.verification
    if seen is not None and seen.verdict is not Verdict.FAILED:
        _end(draft, Verdict.FAILED, now)
        draft.change(unproved=draft.incident.unproved + 1)


def closed(at: Incident, now: datetime) -> Incident:
    """Keep when an incident was closed; one that is not closed any more has no such time."""
    if at.is_closed and at.closed_at is None:
        return at.but(closed_at=now)
    if not at.is_closed and at.closed_at is not None:
        return at.but(closed_at=None)
    return at


def _end(
    draft: Draft,
    verdict: Verdict,
    now: datetime,
    *,
    by: str = "",
    evidence: str = "",
    url: str = "",
) -> None:
    seen = draft.incident.verification or Verification(verdict=verdict, claimed_at=now)
    draft.change(
        verification=replace(
            seen,
            verdict=verdict,
            look_at=None,
            ended_at=now,
            ended_by=by,
            evidence=evidence,
            url=url,
        )
    )


def _ask_at_once(draft: Draft) -> None:
    """Ask for what no run will bring as soon as the fix is claimed."""
    seen = draft.incident.verification
    if seen and seen.is_pending and seen.expects and seen.expects.proof in _ASKS:
        _ask(draft, 0)


def _ask(draft: Draft, asked: int) -> None:
    at = draft.incident
    seen = at.verification
    if seen is None or seen.expects is None or at.hidden:
        return
    told = what_to_do(seen.expects, at.number, seen.silent_run)
    key = f"{at.id}:prove.{at.generation}.{asked}"
    draft.do(Tell(told, key, loud=asked > 0))
    draft.because(f"{RULE}.asked", told)


def _raise(draft: Draft, book: RuleBook) -> None:
    """Make it one level more urgent; the priority follows, and never falls."""
    at = draft.incident
    if at.stakes is None:
        levels = list(Priority)
        raised = levels[max(0, levels.index(at.priority) - 1)]
    else:
        scale = list(Urgency)
        urgency = scale[max(0, scale.index(at.stakes.urgency) - 1)]
        why = "the fix did not hold"
        draft.change(stakes=replace(at.stakes, urgency=urgency, urgency_why=why))
        raised = min(at.priority, book.priority_rules.matrix[at.stakes.impact][urgency])
    if raised != at.priority:
        draft.change(priority=raised)
        words = say("{priority} now: the fix did not hold.", priority=raised)
        draft.because(f"{RULE}.raised", words)
