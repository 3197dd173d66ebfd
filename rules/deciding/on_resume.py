"""What the auditor's word does to an incident: whatever stopped goes on, and never less loudly."""

from dataclasses import replace
from datetime import datetime, timedelta

from rules.deciding.showing import show_end, show_later
from rules.decision import Decision, Draft
from rules.effects import Page
from rules.escalation import page_fallback
from rules.events import Resumed
from rules.incident import Incident, State
from rules.rulebook import RuleBook
from rules.sentence import Who, say

UNDECIDED_PAUSE = timedelta(hours=1)


def resume(incident: Incident, event: Resumed, book: RuleBook, now: datetime) -> Decision:
    """Set the timers right again and page anew whoever's page is lost; an end stays an end.

    What cannot be decided is passed over: the fallback is paged at once, without asking the policy.
    """
    draft = Draft(incident)
    if not incident.is_open:
        _look_again(draft, event, now)
        return draft.decision()
    draft.change()  # a copy, so that it is written down again with all its timers
    draft.because("audit", event.why)
    if event.undecidable:
        _pass_over(draft, book, now)
    elif _waits(draft.incident):
        for person in dict.fromkeys(event.lost):
            _page_again(draft, person)
        if draft.incident.step_due_at is None:
            draft.change(step_due_at=now)
    show_later(draft)
    return draft.decision()


def _look_again(draft: Draft, event: Resumed, now: datetime) -> None:
    """Set the timer of a proof that is waited for right again."""
    seen = draft.incident.verification
    if seen is None or not draft.incident.is_pending:
        return
    look_at = seen.look_at
    if event.undecidable and _due(look_at, now):
        look_at = now + UNDECIDED_PAUSE
    draft.change(verification=replace(seen, look_at=look_at))
    draft.because("audit", event.why)


def _waits(at: Incident) -> bool:
    return at.state is State.TRIGGERED and at.pages and at.muted is None


def _page_again(draft: Draft, person: str) -> None:
    at = draft.incident
    key = f"{at.id}:{at.generation}.{at.round}.resumed.{at.version}:{person}"
    draft.do(Page(person, key, say("your page was lost; this is the same again")))
    draft.incident = at.with_paged(person)
    draft.because("audit", say("Paging {who} again.", who=Who(person)))


def _pass_over(draft: Draft, book: RuleBook, now: datetime) -> None:
    """Drop every timer that is due; where somebody must be told, that is the fallback."""
    at = draft.incident
    if at.stakes and _due(at.stakes.changes_at, now):
        draft.change(stakes=replace(at.stakes, changes_at=None))
    if _due(at.settles_at, now):
        draft.change(settles_at=None)
    muted_until = at.muted.until if at.muted else None
    if any(_due(due, now) for due in (at.ack_expires_at, at.ack_confirm_by, at.snoozed_until)):
        draft.incident = draft.incident.trigger()
    elif _due(muted_until, now):
        draft.change(muted=None)
    elif not _due(at.step_due_at, now):
        return
    if _waits(draft.incident):
        page_fallback(draft, book, now)
        show_end(draft)
    else:
        draft.change(step_due_at=None)


def _due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now
