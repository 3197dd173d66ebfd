"""The one place where facts become a decision."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from rules.deciding import (
    ending,
    on_alert,
    on_page,
    on_person,
    on_resume,
    on_split,
    on_task,
    on_time,
)
from rules.deciding.accompany import accompanied
from rules.deciding.contact import contacted
from rules.deciding.illustrate import illustrated
from rules.decision import Decision
from rules.events import (
    AckConfirmed,
    Acked,
    AlertReceived,
    AlertSplitOff,
    ContactFailed,
    Corrected,
    Escalated,
    Event,
    LoopedIn,
    Muted,
    PageDelivered,
    PageFailed,
    Reassigned,
    Reopened,
    Resolved,
    Resumed,
    RunObserved,
    RunRequested,
    Snoozed,
    TaskChanged,
    Unacked,
    Unmuted,
    Unsnoozed,
    Verified,
    Waived,
    Woken,
)
from rules.incident import Incident
from rules.journal.prompt import with_prompt
from rules.rulebook import RuleBook


def decide(incident: Incident, event: Event, rulebook: RuleBook, now: datetime) -> Decision:
    """Decide what an event does to an incident.

    Total: no event in any state raises. What a person may not do comes back as a refusal, in
    words, with the incident unchanged; a wake-up that is no longer due changes nothing.
    """
    decision = _decide(incident, event, rulebook, now)
    noted = ending.closed(_noted(decision.incident, event, now), now)
    return decision if noted is decision.incident else replace(decision, incident=noted)


def _noted(incident: Incident, event: Event, now: datetime) -> Incident:
    """Keep when it broke, was first paged and first taken, which no later event changes."""
    if isinstance(event, AlertReceived) and incident.version == 0 and incident.occurred_at is None:
        incident = incident.but(occurred_at=event.alert.occurred_at)
    if incident.first_paged_at is None and incident.paged:
        incident = incident.but(first_paged_at=now)
    if incident.first_acked_at is None and incident.acked_at is not None:
        incident = incident.but(first_acked_at=incident.acked_at)
    return incident


def _decide(incident: Incident, event: Event, rulebook: RuleBook, now: datetime) -> Decision:
    shown = illustrated(incident, _decided(incident, event, rulebook, now))
    told = accompanied(incident, shown, rulebook, now)
    return with_prompt(incident, contacted(told, rulebook), rulebook.journal)


def _decided(incident: Incident, event: Event, rulebook: RuleBook, now: datetime) -> Decision:
    match event:
        case AlertReceived():
            return on_alert.receive(incident, event, rulebook, now)
        case Woken():
            return on_time.wake(incident, event, rulebook, now)
        case PageDelivered() | ContactFailed() | PageFailed():
            return on_page.finish(incident, event, rulebook, now)
        case Resumed():
            return on_resume.resume(incident, event, rulebook, now)
        case AlertSplitOff():
            return on_split.split_off(incident, event, rulebook, now)
        case TaskChanged():
            return on_task.count(incident, event)
        case RunObserved():
            return on_time.observe(incident, event, rulebook, now)
        case Muted() | Unmuted():
            return on_time.mute_by_hand(incident, event, rulebook, now)
        case (
            Acked()
            | AckConfirmed()
            | Unacked()
            | Resolved()
            | Verified()
            | Waived()
            | RunRequested()
            | Reopened()
            | Snoozed()
            | Unsnoozed()
            | Reassigned()
            | Escalated()
            | LoopedIn()
            | Corrected()
        ):
            return on_person.act(incident, event, rulebook, now)
        case _:
            assert_never(event)
