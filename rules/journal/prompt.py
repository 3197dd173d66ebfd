"""Who is asked to write a journal entry, and when they are reminded: gently, and with an end."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rules.decision import Decision
from rules.effects import AskJournal
from rules.hours import Hours
from rules.incident import Incident
from rules.journal.entry import JournalEntry
from rules.journal.template import JournalRules
from rules.verification import Verdict

FRESH = timedelta(hours=1)
"""So long after a question nobody is asked again."""


class PromptState(StrEnum):
    """How asking for an entry stands; only `open` reminds anybody."""

    OPEN = "open"
    WRITTEN = "written"
    WAIVED = "waived"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPrompt:
    """The question for one incident's entry. `key` names this time of asking.

    `by` and `why` tell who said that no entry is needed, and why.
    """

    incident_id: str
    number: int
    person: str
    title: str
    key: str
    asked_at: datetime
    changed_at: datetime
    state: PromptState = PromptState.OPEN
    by: str = ""
    why: str = ""


def person_to_ask(incident: Incident) -> str:
    """Return who knows best: who resolved it, else who had it, else who was paged first."""
    paged = incident.paged[0] if incident.paged else ""
    return incident.resolved_by or incident.acked_by or incident.assigned_to or paged


def with_prompt(before: Incident, decision: Decision, rules: JournalRules) -> Decision:
    """Add the order to ask for an entry when an incident was resolved, or its fix was proved."""
    after = decision.incident
    person = person_to_ask(after)
    if after.is_open or decision.refusal is not None or not person or not rules.wanted(after):
        return decision
    resolved = before.is_open
    proved = _settled(after) and not _settled(before)
    if not (resolved or proved):
        return decision
    order = AskJournal(person, f"{after.id}:journal:{after.version}", proved=not resolved)
    return replace(decision, effects=(*decision.effects, order))


def is_behind(entry: JournalEntry | None, incident: Incident) -> bool:
    """Tell whether somebody resolved it again after its entry was written: it tells another fix."""
    if entry is None or not entry.is_written or not incident.resolved_by:
        return False
    then, now = entry.facts.resolved_at, incident.resolved_at
    return then is not None and now is not None and then < now


@dataclass(frozen=True, slots=True)
class Next:
    """What comes after a time of asking: a reminder at `at`, or with `ends` the end of them."""

    at: datetime
    ends: bool = False


def again_after_proof(prompt: JournalPrompt, now: datetime) -> bool:
    """Tell whether a proof is the time to ask again: not while the first question is fresh."""
    return prompt.state is PromptState.OPEN and now - prompt.asked_at >= FRESH


def next_step(rules: JournalRules, sent: int, now: datetime, quiet: Hours | None) -> Next:
    """Return what comes after `sent` reminders; after the last one has had its time, the end.

    A reminder that would fall into quiet hours waits until they are over.
    """
    if sent < len(rules.remind):
        return Next(outside(now + rules.remind[sent], quiet))
    return Next(now + (rules.remind[-1] if rules.remind else timedelta(0)), ends=True)


def outside(at: datetime, quiet: Hours | None) -> datetime:
    """Return `at`, or the end of the quiet hours that it falls into."""
    return (quiet.closes_after(at) or at) if quiet else at


def _settled(incident: Incident) -> bool:
    seen = incident.verification
    return seen is not None and seen.verdict in {Verdict.PASSED, Verdict.WAIVED}
