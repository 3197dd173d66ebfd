"""What the passing of time does to an incident: steps, snoozes, acks, silences, flapping."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from rules.deciding.ending import claim_by_source, hear, hear_of_copy, overdue, whole
from rules.deciding.rerouting import reroute
from rules.deciding.showing import show_end, show_everywhere, show_step
from rules.deciding.triggering import AlertTimes, begin_again, silenced, start
from rules.decision import Decision, Draft
from rules.effects import AskAcker, Page
from rules.escalation import advance
from rules.events import Muted, RunObserved, Unmuted, Woken
from rules.incident import Incident, Mutedness, State
from rules.matching.matcher import matchable
from rules.rulebook import RuleBook
from rules.sentence import Sentence, Who, say
from rules.silence import mute
from rules.stakes import reweigh
from rules.verifying.evidence import of_run

_Act = Callable[[Draft, RuleBook, datetime, AlertTimes], None]


def wake(incident: Incident, event: Woken, book: RuleBook, now: datetime) -> Decision:
    """Do what is due; overdue things are done at once, and once."""
    draft = Draft(incident)
    seen = incident.verification
    if seen is not None and incident.is_pending and _due(seen.look_at, now):
        overdue(draft, book, now, event.alert_times)
    if _due(incident.settles_at, now):
        _settle(draft, book, now)
    timers: tuple[tuple[datetime | None, _Act], ...] = (
        # first, so that what else is due begins by the route of the priority that it has now
        (incident.stakes.changes_at if incident.stakes else None, _reweigh),
        (incident.muted.until if incident.muted else None, _unmute),
        (incident.snoozed_until, _end_snooze),
        (incident.ack_confirm_by, _take_back),
        (incident.ack_expires_at, _ask_acker),
    )
    for due_at, act in timers:
        if _due(due_at, now) and draft.incident.is_open:
            act(draft, book, now, event.alert_times)
    if incident.step_due_at == draft.incident.step_due_at and _due(incident.step_due_at, now):
        advance(draft, book, now, event.alert_times)
        show_step(draft, incident.paged)
    return draft.decision()


def observe(incident: Incident, event: RunObserved, book: RuleBook, now: datetime) -> Decision:
    """Let a run prove or disprove the fix; nothing where none is waited for."""
    draft = Draft(incident)
    if incident.is_pending and event.run.state.is_over:
        hear(draft, of_run(event.run), book, now)
    elif incident.is_pending:
        hear_of_copy(draft, of_run(event.run), book)
    return draft.decision()


def mute_by_hand(
    incident: Incident, event: Muted | Unmuted, book: RuleBook, now: datetime
) -> Decision:
    """Mute what nobody has acknowledged yet, or end a mute early."""
    draft = Draft(incident)
    match event:
        case Muted(by, until, why) if incident.state is State.TRIGGERED and until > now:
            draft.incident = incident.mute(Mutedness(until, by, why))
            sentence = say(
                "{who} silenced it until {until}: {why}", who=Who(by), until=until, why=why
            )
            draft.because("silences", sentence)
            show_everywhere(draft)
        case Unmuted(by) if incident.muted and incident.is_open:
            draft.because("silences", say("{who} ended the silence.", who=Who(by)))
            _unmute(draft, book, now, None)
        case _:
            pass
    return draft.decision()


def _due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def _settle(draft: Draft, book: RuleBook, now: datetime) -> None:
    draft.change(settles_at=None)
    if draft.incident.is_open and draft.incident.firing_count == 0:
        draft.because("flapping.quiet", say("Quiet long enough: it no longer flaps."))
        at = draft.incident
        claim_by_source(draft, whole(at), at.source, book, now)


def _unmute(draft: Draft, book: RuleBook, now: datetime, times: AlertTimes) -> None:
    at = draft.incident
    if still := mute(book.silences, book.windows, matchable(at), now):
        draft.change(muted=Mutedness(still.until, still.by, still.why))
        draft.because("silences", silenced(still))
    elif at.state is State.ACKNOWLEDGED:
        draft.change(muted=None)
    elif at.muted and at.settles_at and at.firing_count == 0:
        draft.change(muted=replace(at.muted, until=at.settles_at))
    else:
        draft.because("silences.ended", say("The silence has ended and it still fires."))
        begin_again(draft, book, now, times)


def _end_snooze(draft: Draft, book: RuleBook, now: datetime, times: AlertTimes) -> None:
    who = draft.incident.snoozed_by
    draft.because("snooze.ended", say("The snooze of {who} has ended.", who=Who(who)))
    begin_again(draft, book, now, times)
    _page_too(draft, who, say("your snooze has ended"))


def _ask_acker(draft: Draft, book: RuleBook, now: datetime, _times: AlertTimes) -> None:
    at = draft.incident
    draft.change(ack_expires_at=None, ack_confirm_by=now + book.ack_confirm)
    draft.do(AskAcker(at.acked_by, f"{at.id}:confirm.{at.version}:{at.acked_by}"))
    sentence = say("Asking {who} whether they are still on it.", who=Who(at.acked_by))
    draft.because("ack_timeout", sentence)


def _take_back(draft: Draft, book: RuleBook, now: datetime, times: AlertTimes) -> None:
    who = draft.incident.acked_by
    draft.because("ack_timeout", say("{who} did not confirm being on it.", who=Who(who)))
    begin_again(draft, book, now, times)
    _page_too(draft, who, say("you acknowledged it and did not confirm"))


def _reweigh(draft: Draft, book: RuleBook, now: datetime, times: AlertTimes) -> None:
    """Weigh again what time has made more or less urgent; it can begin to page, or stop waiting.

    The priority only rises: whoever was paged for it still has it at that priority.
    """
    at = draft.incident
    if at.stakes is None:
        return
    weighed = reweigh(at.stakes, book, now)
    draft.change(stakes=weighed.stakes)
    draft.reasons.extend(weighed.reasons)
    if weighed.priority < at.priority:
        pages = at.pages or (weighed.priority in book.pages and at.is_actionable)
        draft.change(priority=weighed.priority, pages=pages)
    rerouted = reroute(draft, at, book)
    if weighed.priority < at.priority or rerouted:
        waits = at.held_until is not None or not at.pages or rerouted
        pages = draft.incident.pages
        if pages and waits and at.state is State.TRIGGERED and at.muted is None:
            draft.change(step_due_at=None, held_until=None)
            start(draft, book, now, times)
    elif weighed.priority > at.priority:
        stays = say("It stays {priority}: the priority of an open incident never falls by itself.",
                    priority=at.priority)  # fmt: skip
        draft.because("priority.stays", stays)
    show_end(draft)


def _page_too(draft: Draft, person: str, reason: Sentence) -> None:
    """Page one more person beside those the policy has just paged."""
    at = draft.incident
    paged_now = any(isinstance(e, Page) and e.person == person for e in draft.effects)
    if at.pages and not at.muted and not paged_now:
        draft.do(Page(person, f"{at.id}:{at.generation}.again:{person}", reason))
        draft.incident = at.with_paged(person)
        draft.because("page", say("Paging {who} too.", who=Who(person)))
