"""Beginning to page, and beginning again after an ack, a snooze, a silence or an end."""

from collections.abc import Sequence
from datetime import datetime

from rules.deciding.showing import show_everywhere
from rules.decision import Draft
from rules.escalation import advance
from rules.incident import Mutedness
from rules.matching.matcher import matchable
from rules.rulebook import RuleBook
from rules.sentence import Sentence, say
from rules.silence import Mute, mute
from rules.sla import Effort
from rules.weighing.holding import hold

AlertTimes = Sequence[datetime] | None
"""When the incident's alerts came in, as `Woken` carries it; None when nobody has looked."""


def start(draft: Draft, book: RuleBook, now: datetime, alert_times: AlertTimes = None) -> None:
    """Begin the policy where the priority pages, else only show."""
    if draft.incident.pages and not _held(draft, book, now):
        advance(draft, book, now, alert_times)
    elif draft.incident.pages:
        return
    elif not draft.incident.is_actionable:
        draft.because("not_actionable", say("It is not actionable and pages nobody."))
    else:
        priority = draft.incident.priority
        draft.because(
            f"pages.{priority}", say("{priority} shows and pages nobody.", priority=priority)
        )


def _held(draft: Draft, book: RuleBook, now: datetime) -> bool:
    """Let the first page wait while the promise at stake can still be kept; tell whether it does.

    Only an incident with a deadline can wait for it; what has paged before never waits.
    """
    at = draft.incident
    if at.stakes is None or at.stakes.deadline is None or at.paged:
        return False
    effort = Effort(at.stakes.respond, at.stakes.fix, at.stakes.run)
    when, why = hold(
        at.priority, now, book.priority_rules.holding, deadline=at.stakes.deadline, effort=effort
    )
    if when is None or when <= now:
        return False
    draft.change(step_due_at=when, held_until=when)
    draft.reasons.append(why)
    return True


def begin_again(draft: Draft, book: RuleBook, now: datetime, times: AlertTimes = None) -> None:
    """Trigger the incident anew and page from the first step, unless a silence covers it now."""
    draft.incident = draft.incident.trigger()
    if covering := mute(book.silences, book.windows, matchable(draft.incident), now):
        keep_quiet(draft, covering)
        show_everywhere(draft)
        return
    show_everywhere(draft)
    start(draft, book, now, times)


def keep_quiet(draft: Draft, covering: Mute) -> None:
    draft.incident = draft.incident.mute(Mutedness(covering.until, covering.by, covering.why))
    draft.because("silences", silenced(covering))


def silenced(covering: Mute) -> Sentence:
    return say("Silenced until {until}: {why}.", until=covering.until, why=covering.why)
