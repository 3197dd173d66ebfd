"""The thread's list of what followed from an incident's cause, each to be split off by one click."""

from bot.acts.act import alert_ref
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.scene import Scene
from bot.slack.text import Mrkdwn, link, md, one_line, outside, safe_url
from rules.alert import AlertStatus
from rules.incident import Incident
from rules.shown_alert import Bond, ShownAlert

SPLIT_OFF = "split_off"
_MOST = 15
_MARKS = {AlertStatus.FIRING: "🔴", AlertStatus.RESOLVED: "🟢", AlertStatus.INFO: "⚪"}


def consequences_of(incident: Incident) -> list[ShownAlert]:
    """Return the consequences it remembers: what still fires first, then the newest."""
    found = [a for a in incident.alerts if a.bond is Bond.CONSEQUENCE]
    return sorted(found, key=lambda a: (a.status is AlertStatus.FIRING, a.last_at), reverse=True)


def consequences_message(scene: Scene) -> Json:
    at = scene.incident
    shown = consequences_of(at)[:_MOST]
    rest = max(0, at.consequences - len(shown))
    head = followed(at) or md("Nothing follows from it any more.")
    more = [kit.section(md("and {rest} more", rest=rest))] if rest else []
    hint = md(
        "They page nobody by themselves. Split off what has a cause of its own: it becomes an "
        "incident and pages."
    )
    body = [kit.section(head), *(_line(at, alert) for alert in shown), *more]
    return kit.message(head, [*body, *(kit.context(hint) if shown and at.is_open else [])])


def followed(incident: Incident) -> Mrkdwn:
    """Say how much followed from the cause, nothing when nothing did."""
    alerts, skipped = incident.consequences, incident.skipped
    counted = [
        f"{alerts} {'alert' if alerts == 1 else 'alerts'} downstream" if alerts else "",
        f"{skipped} {'node' if skipped == 1 else 'nodes'} skipped" if skipped else "",
    ]
    told = " and ".join(filter(None, counted))
    return md("*Root cause* of {told}", told=told) if told else Mrkdwn()


def _line(incident: Incident, alert: ShownAlert) -> Json:
    opened = md(" · {there}", there=link(alert.url, "open")) if safe_url(alert.url) else Mrkdwn()
    text = md(
        "{mark} {title}{opened} · {source}",
        mark=_MARKS[alert.status],
        title=outside(one_line(alert.title), 140),
        opened=opened,
        source=outside(alert.source, 60),
    )
    if not (incident.is_open and alert.status is AlertStatus.FIRING):
        return kit.section(text)
    value = f"{incident.number}:{alert_ref(alert.source, alert.dedup_key)}"
    return kit.section(text, kit.button("Split off", SPLIT_OFF, value))
