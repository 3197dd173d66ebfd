"""The sentences about an incident: its title, its state, and what the reader should do."""

from dataclasses import replace
from datetime import datetime

from bot.slack.plan import Planned
from bot.slack.scene import Scene
from bot.slack.text import (
    Mrkdwn,
    join,
    lasting,
    link,
    listed,
    md,
    one_line,
    outside,
    roughly,
    spoken,
)
from bot.slack.wording.promise import promise_for_phone, will_page, will_page_for_phone
from rules.category import SURE
from rules.corrected import Correction
from rules.incident import Incident, State
from rules.verifying.wording import by_what

SIGNS = {State.TRIGGERED: "🔴", State.ACKNOWLEDGED: "🟡", State.RESOLVED: "🟢"}
MUTED, SNOOZED = "🔕", "💤"


def sign(incident: Incident) -> str:
    """The state at a glance; the words beside it say the same."""
    if incident.muted and incident.is_open:
        return MUTED
    return SNOOZED if incident.snoozed_until else SIGNS[incident.state]


def no_incident(number: int) -> Mrkdwn:
    return md("There is no incident #{number}. Try `/oncall list all`.", number=number)


def title(incident: Incident) -> str:
    """Plain text: "P2 #42 daily_orders.load failed"."""
    return f"{incident.priority} #{incident.number} {one_line(incident.title)}"


def short(incident: Incident) -> Mrkdwn:
    return md(
        "*{priority} #{number}* {title}",
        priority=incident.priority,
        number=incident.number,
        title=outside(one_line(incident.title), 150),
    )


def what_broke(incident: Incident, limit: int = 160) -> Mrkdwn:
    """The title, with the first line of the description when it says more."""
    name = one_line(incident.title)
    if incident.storm:
        return md("{name}: {count} alerts", name=outside(name, limit), count=incident.alert_count)
    detail = next((line for line in map(one_line, incident.description.splitlines()) if line), "")
    if not detail or detail.casefold() in name.casefold():
        return outside(name, limit)
    return md("{name}: {detail}", name=outside(name, limit), detail=outside(detail, limit))


def notification(scene: Scene) -> Mrkdwn:
    """The line a phone shows: what broke, and what happens if nobody moves."""
    at = scene.incident
    promise = promise_for_phone(scene)
    if promise:
        # what was promised says more at 03:00 than the first line of an error
        name = outside(one_line(at.title), 100)
        head = md("{priority} #{number} {name}: {promise}", priority=at.priority, number=at.number,
                  name=name, promise=promise)  # fmt: skip
    else:
        head = md("{priority} #{number}: {what}", priority=at.priority, number=at.number,
                  what=what_broke(at))  # fmt: skip
    end = "" if head.rstrip().endswith((".", "!", "?")) else "."
    return md("{head}{end} {call}", head=head, end=end, call=_call(scene))


def _call(scene: Scene) -> Mrkdwn:
    """What to do, without times of day: phones do not turn them into the reader's zone."""
    at = scene.incident
    if at.state is State.RESOLVED:
        return join(" ", [md("Resolved by {who}.", who=resolver(scene)), _unproved(scene)])
    if at.muted:
        return md("Silenced, nobody is paged.")
    if at.snoozed_until:
        left = roughly(at.snoozed_until - scene.now)
        return md("Snoozed by {who} for {left}.", who=scene.who(at.snoozed_by), left=left)
    if at.state is State.ACKNOWLEDGED:
        return md("Acknowledged by {who}.", who=scene.who(at.acked_by))
    if not at.pages:
        if not at.is_actionable:
            return md("Not actionable: nobody is paged.")
        return md("Nobody is paged for a {priority}.", priority=at.priority)
    if at.held_until:
        return will_page_for_phone(scene, at.held_until)
    step = scene.coming()
    if step is None:
        return md("Please acknowledge.")
    left = f"within {roughly(step.at - scene.now)}" if step.at > scene.now else "now"
    told = _reach(scene, step)
    verb = "is" if len(step.people) + len(step.places) == 1 else "are"
    again = " again" if step.people and set(step.people) <= set(at.paged) else ""
    return md(
        "Ack {left} or {told} {verb} paged{again}.",
        left=left,
        told=told,
        verb=verb,
        again=again,
    )


def _unproved(scene: Scene) -> Mrkdwn:
    seen = scene.incident.verification
    if seen is None or seen.expects is None or not scene.incident.is_pending:
        return Mrkdwn()
    how = by_what(replace(seen.expects, due_at=None, bad=None))
    return md("Still to be proved by {how}.", how=spoken(how, scene.names, scene.now))


def _reach(scene: Scene, step: Planned) -> Mrkdwn:
    return listed([*(scene.who(key) for key in step.people), *step.places])


def resolver(scene: Scene) -> Mrkdwn:
    """Who resolved it: a person, or the source whose alerts cleared."""
    by = scene.incident.resolved_by
    return scene.who(by) if by else source_of(scene.incident)


def source_of(incident: Incident) -> Mrkdwn:
    """Where the incident came from; people count as a source too."""
    return md("a person") if incident.source.startswith("@") else outside(incident.source, 80)


def category_line(incident: Incident) -> Mrkdwn:
    """What kind of trouble it is: "*Completeness*", "Probably *access*, or schema"."""
    found, other = incident.category, incident.category_alt
    if found is None or incident.unreadable or incident.storm:
        return Mrkdwn()
    sure = incident.confidence >= SURE
    shown = found.words.capitalize() if sure else found.words
    line = md("*{shown}*" if sure else "Probably *{shown}*", shown=shown)
    return md("{line}, or {other}", line=line, other=other.words) if other else line


def state_line(scene: Scene) -> Mrkdwn:
    """One line: the state in a word, who has it, since when, what comes next."""
    at = scene.incident
    if at.state is State.RESOLVED:
        return _resolved(scene)
    if at.muted:
        return _muted(scene)
    if at.state is State.ACKNOWLEDGED:
        return _acknowledged(scene)
    if not at.pages and not at.is_actionable:
        rule = "" if at.correction and at.correction.actionable is False else at.quiet_rule
        return md(
            "*Triggered* {since}. Not actionable{rule}, so it pages nobody.",
            since=scene.when(at.opened_at),
            rule=md(" by rule {rule}", rule=rule) if rule else "",
        )
    if not at.pages:
        return md(
            "*Triggered* {since}. A {priority} pages nobody.",
            since=scene.when(at.opened_at),
            priority=at.priority,
        )
    if at.held_until:
        return join(" ", [md("*Triggered.*"), will_page(scene, at.held_until)])
    return join(" ", [md("*Triggered.*"), _paged(scene), _next(scene)])


def _resolved(scene: Scene) -> Mrkdwn:
    at = scene.incident
    when = at.resolved_at or scene.now
    line = md(
        "*Resolved* by {who} {when} after {long}.",
        who=resolver(scene),
        when=scene.when(when),
        long=roughly(when - at.opened_at),
    )
    return join(" ", [line, md("“{note}”", note=outside(at.note)) if at.note else Mrkdwn()])


def _muted(scene: Scene) -> Mrkdwn:
    muted = scene.incident.muted
    if muted is None:
        return Mrkdwn()
    by = md(" by {who}", who=scene.who(muted.by)) if muted.by else Mrkdwn()
    why = md(": {why}", why=outside(muted.why)) if muted.why else Mrkdwn()
    return md(
        "*Silenced* until {until}{by}{why}. Nobody is paged.",
        until=scene.when(muted.until),
        by=by,
        why=why,
    )


def _acknowledged(scene: Scene) -> Mrkdwn:
    at = scene.incident
    since = scene.when(at.acked_at) if at.acked_at else Mrkdwn()
    if at.snoozed_until:
        return md(
            "*Snoozed* by {who} until {until}; then it pages again.",
            who=scene.who(at.snoozed_by),
            until=scene.when(at.snoozed_until),
        )
    line = md("*Acknowledged* by {who} {since}.", who=scene.who(at.acked_by), since=since)
    return join(" ", [line, _assigned(scene), _ack_end(scene)])


def _assigned(scene: Scene) -> Mrkdwn:
    at = scene.incident
    if not at.assigned_to or at.assigned_to == at.acked_by:
        return Mrkdwn()
    return md("Assigned to {who}.", who=scene.who(at.assigned_to))


def _ack_end(scene: Scene) -> Mrkdwn:
    at = scene.incident
    if at.ack_confirm_by:
        return md(
            "Asked whether they are still on it; without an answer by {when} it pages again.",
            when=scene.when(at.ack_confirm_by),
        )
    if at.ack_expires_at:
        return md("We ask again {when}.", when=scene.when(at.ack_expires_at))
    return Mrkdwn()


def _paged(scene: Scene) -> Mrkdwn:
    at = scene.incident
    done = [(who, scene.paged_at[who]) for who in at.paged if who in scene.paged_at]
    otherwise = [who for who in at.paged if who not in scene.paged_at and who in scene.also_by]
    reached = {**scene.paged_at, **scene.also_by}
    waiting = [scene.who(who) for who in at.paged if who not in reached]
    told = "{who} paged {when}{also}"
    parts = [
        md(told, who=scene.who(who), when=scene.when(when), also=_also(scene, who))
        for who, when in done
    ]
    parts += [
        md("{who} paged by {methods}", who=scene.who(who), methods=", ".join(scene.also_by[who]))
        for who in otherwise
    ]
    if waiting:
        parts.append(md("paging {who}", who=listed(waiting)))
    if not parts:
        return md("Nobody has been paged yet.")
    line = join(", ", parts)
    return Mrkdwn(line[:1].upper() + line[1:] + ".")


def _also(scene: Scene, person: str) -> Mrkdwn:
    methods = scene.also_by.get(person)
    return md(" and by {methods}", methods=", ".join(methods)) if methods else Mrkdwn()


def _next(scene: Scene) -> Mrkdwn:
    step = scene.coming()
    if step is None:
        return _settling(scene)
    told = _reach(scene, step)
    return md("{told} next {when}.", told=told, when=next_time(scene, step.at))


def next_time(scene: Scene, when: datetime) -> Mrkdwn:
    return md("now") if when <= scene.now else md("at {when}", when=scene.when(when))


def _settling(scene: Scene) -> Mrkdwn:
    if scene.incident.exhausted:
        return md("Every step of the policy is done. Somebody, please acknowledge.")
    return Mrkdwn()


def _corrected(scene: Scene, told: Correction) -> Mrkdwn:
    """Say what a person put right; nothing that fires later changes it back."""
    parts = [
        told.category.words if told.category else "",
        f"{told.impact} impact" if told.impact else "",
        {None: "", True: "actionable", False: "not actionable"}[told.actionable],
    ]
    return md(
        "✏️ *Corrected* by {who} {when}: {what}{why}",
        who=scene.who(told.by),
        when=scene.when(told.at),
        what=", ".join(part for part in parts if part),
        why=md(". “{why}”", why=outside(one_line(told.why), 200)) if told.why else "",
    )


def remarks(scene: Scene) -> list[Mrkdwn]:
    """What else is odd about this incident, one line each."""
    at, lines = scene.incident, []
    if at.correction:
        lines.append(_corrected(scene, at.correction))
    if at.unreadable:
        hint = "We could not read this alert. Look at the raw body, then fix the source's format."
        raw = link(at.url, "Raw body") if at.url else Mrkdwn()
        lines.append(join(" ", [md("⚠️ *Unreadable.* {hint}", hint=Mrkdwn(hint)), raw]))
    if at.storm:
        lines.append(
            md(
                "🌩️ *Storm*: {count} alerts of {source}, {firing} still firing.{more}",
                count=at.alert_count,
                more=" More join here." if at.is_open else "",
                source=source_of(at),
                firing=at.firing_count,
            )
        )
    if at.flapping:
        lines.append(
            md(
                "🔁 *Flapping*: opened {count} times in {within}. Held open until it is quiet.",
                count=at.openings,
                within=lasting(scene.book.flapping.within),
            )
        )
    if at.is_open and at.settles_at:
        lines.append(md("Resolves {when} if it stays quiet.", when=next_time(scene, at.settles_at)))
    return lines
