"""Gives one alert of an incident an incident of its own."""

from dataclasses import replace

from bot.acts.act import SplitOff, alert_ref
from bot.engine.answer import Answer, no_incident
from bot.engine.work import Work
from rules.alert import Alert, AlertStatus
from rules.events import AlertReceived, AlertSplitOff
from rules.grouping import open_incident
from rules.incident import Incident
from rules.sentence import say
from rules.shown_alert import ShownAlert


async def split_off(work: Work, act: SplitOff) -> Answer:
    """Take the alert out of its incident and open another for it, which pages by its own right.

    Nothing is opened where it has one by now: its incident was reopened meanwhile.
    """
    incident = await work.tx.incident_numbered(act.number)
    if incident is None:
        return Answer(no_incident(act.number), refused=True)
    gone = next((a for a in incident.alerts if alert_ref(a.source, a.dedup_key) == act.alert), None)
    source, key = (gone.source, gone.dedup_key) if gone else ("", "")
    other = await work.elsewhere(incident, source, key) if gone else None
    decision = work.apply(incident, AlertSplitOff(act.by, source, key), by=act.by)
    if decision.refusal is not None or gone is None:
        lost = say("That alert is not part of #{number} any more.", number=act.number)
        return Answer(decision.refusal or lost, refused=True)
    alert = await _taken(work, incident, gone)
    if other is not None:
        words = say("It is #{number} already: {title}", number=other.number, title=alert.title)
        return Answer(words)
    number = work.tx.next_number()
    opened: Incident = open_incident(
        alert, work.book, incident_id=work.new_id(), number=number, now=work.now
    ).but(group_key="", run_key="", split_from=incident.number)
    work.opened += 1
    work.apply(opened, AlertReceived(alert), by=act.by)
    work.tx.record_alert(opened.id, alert, work.now)
    words = say("Split off as #{number}: {title}", number=number, title=alert.title)
    return Answer(words)


async def _taken(work: Work, incident: Incident, gone: ShownAlert) -> Alert:
    """Take the stored alert with its labels; what the store has forgotten is made of the shown."""
    stored = await work.tx.take_alert(incident.id, gone.source, gone.dedup_key)
    alert = stored or Alert(
        source=gone.source,
        dedup_key=gone.dedup_key,
        status=AlertStatus.FIRING,
        title=gone.title,
        occurred_at=gone.first_at,
        severity=gone.severity,
    )
    return replace(alert, status=AlertStatus.FIRING, description=gone.description, url=gone.url)
