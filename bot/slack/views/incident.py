"""The incident in the channel and in the pager's direct message."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.scene import Scene
from bot.slack.text import (
    Mrkdwn,
    join,
    link,
    md,
    mention_channel,
    one_line,
    outside,
    safe_url,
    spoken,
)
from bot.slack.views.access import ask_button
from bot.slack.views.consequences import consequences_of, followed
from bot.slack.views.journal import entry_line, seen_line
from bot.slack.views.verification import proof_line, run_button, verify_button
from bot.slack.wording.incident import (
    category_line,
    notification,
    remarks,
    short,
    sign,
    source_of,
    state_line,
    title,
)
from bot.slack.wording.stakes import stakes_lines
from rules.alert import AlertStatus
from rules.incident import Incident, State
from rules.people import People
from rules.priority import Priority
from rules.schedule.who import OnDuty, who
from rules.sentence import Sentence
from rules.shown_alert import Bond, ShownAlert

SHOWN_LINES = 5
LABELS = (
    "product",
    "team",
    "owner",
    "dag",
    "dag_id",
    "task",
    "task_id",
    "model",
    "table",
    "dataset",
    "database",
    "pipeline",
    "job",
    "job_name",
    "service",
    "host",
    "instance",
    "namespace",
    "cluster",
    "repository.full_name",
    "environment",
    "env",
)
_OWNERSHIP = ("product", "team", "owner")
RUNBOOKS = ("runbook_url", "runbook")
_MOST_LABELS = 8
_GRAVE = frozenset({Priority.P1, Priority.P2})
_MARKS = {AlertStatus.FIRING: "🔴", AlertStatus.RESOLVED: "🟢", AlertStatus.INFO: "⚪"}


def root_message(scene: Scene) -> Json:
    """The one message of an incident in its channel, edited for its whole life."""
    at = scene.incident
    return kit.message(
        notification(scene),
        [
            kit.header(f"{sign(at)} {title(at)}"),
            kit.section(join("\n", _heads(scene))),
            *_remarks(scene),
            *_description(at),
            *_alerts(at),
            *kit.fields(_labels(at)),
            *kit.context(_origin(scene)),
            kit.actions(f"incident:{at.number}", *_offered(scene)),
        ],
    )


def _heads(scene: Scene) -> list[Mrkdwn]:
    lines = [category_line(scene.incident), state_line(scene), proof_line(scene)]
    return [line for line in lines if line]


def page_message(scene: Scene, person: str, reason: Sentence | None) -> Json:
    """The direct message that pages `person`, who has been paged once this is read."""
    at = scene.incident
    scene = replace(scene, paged_at={person: scene.now, **scene.paged_at})
    return kit.message(
        notification(scene),
        [
            kit.header(f"{sign(at)} {title(at)}"),
            kit.section(join("\n", _heads(scene))),
            *_remarks(scene),
            *_description(at),
            kit.actions(f"incident:{at.number}", *_offered(scene)),
            *kit.context(why_you(scene, person, reason), _origin(scene)),
        ],
    )


def why_you(scene: Scene, person: str, reason: Sentence | None) -> Mrkdwn:
    """Say why this person was paged: the shift they hold, else the step's own words."""
    for duty in duties(scene, scene.incident.rotation):
        if duty.until and person in {one.key for one in duty.people}:
            return md(
                "You are {role} of {rotation} until {end}.",
                role=duty.role,
                rotation=duty.rotation,
                end=scene.when(duty.until),
            )
    if reason is None:
        return Mrkdwn()
    return join("", [md("Why you: "), spoken(reason, scene.names, scene.now), md(".")])


def duties(scene: Scene, rotation: str) -> list[OnDuty]:
    """Return who has each role of a rotation now; none for one the roster does not have."""
    if rotation not in scene.on_call.rotations:
        return []
    return who(scene.on_call, People(), scene.now, rotation=rotation)


def thread_note(scene: Scene, sentence: Sentence) -> Json:
    said = spoken(sentence, scene.names, scene.now)
    return kit.message(said, [kit.section(said)])


def group_note(scene: Scene, group: Mrkdwn) -> Json:
    """A reply that mentions a user group, also shown in the channel."""
    text = md("{group} {what}", group=group, what=notification(scene))
    shown = md(
        "{group} please look: {title}\n{state}",
        group=group,
        title=short(scene.incident),
        state=state_line(scene),
    )
    return kit.message(text, [kit.section(shown)])


STILL = "still:"
"""How the block begins that asks the acker; its buttons are about their acknowledgement alone."""


def still_on_it(scene: Scene) -> Json:
    """Ask the acker whether they still have it."""
    at = scene.incident
    asked = md("Still on {title}?", title=short(at))
    until = (
        md(
            "Without an answer by {when} it is handed back and pages again.",
            when=scene.when(at.ack_confirm_by),
        )
        if at.ack_confirm_by
        else md("Without an answer it is handed back and pages again.")
    )
    return kit.message(
        md("Still on #{number}? {what}", number=at.number, what=outside(one_line(at.title), 150)),
        [
            kit.section(join("\n", [asked, until])),
            kit.actions(
                f"{STILL}{at.number}",
                kit.button("Yes, still on it", "ack_confirm", str(at.number), style="primary"),
                kit.button("Hand it back", "unack", str(at.number)),
            ),
            *kit.context(_place(scene)),
        ],
    )


def no_more_asked(scene: Scene, person: str) -> Json:
    """What stands in place of that question once its reader has clicked: how things are."""
    at = scene.incident
    if at.state is State.ACKNOWLEDGED and at.acked_by == person:
        text = md("Thanks. You still have #{number}.", number=at.number)
    else:
        text = join(" ", [md("You do not have {title} now.", title=short(at)), state_line(scene)])
    return kit.message(text, [kit.section(text), *kit.context(_place(scene))])


def buttons(incident: Incident) -> list[Json]:
    """The two buttons and the menu, as the state allows."""
    number = str(incident.number)
    made: list[Json] = []
    if incident.state is State.TRIGGERED:
        made.append(kit.button("Acknowledge", "ack", number, style="primary"))
    if incident.is_open:
        made.append(kit.button("Resolve", "resolve", number))
    if incident.is_pending:
        made.append(verify_button(incident))
    choices = [(label, f"{word}:{number}") for label, word in choices_for(incident)]
    return [*made, kit.overflow("overflow", choices)]


def _offered(scene: Scene) -> list[Json]:
    """The buttons, two at most; who has a grave one gets the keys where Acknowledge stood."""
    at, made = scene.incident, buttons(scene.incident)
    if at.is_pending and at.source in scene.book.verifying.runnable:
        made.insert(-1, run_button(at))
    held = at.state is State.ACKNOWLEDGED and at.priority in _GRAVE
    if held and scene.book.access.groups:
        made.insert(-1, ask_button(at.number))
    return made


def choices_for(incident: Incident) -> Sequence[tuple[str, str]]:
    """The menu's (label, word): what makes sense now, five at most."""
    if incident.state is State.RESOLVED:
        return (("Reopen", "reopen"), ("Not right?…", "correct"),
                ("Timeline…", "timeline"), ("Journal…", "journal"))  # fmt: skip
    last = (
        ("Reassign…", "reassign"),
        ("Not right?…", "correct"),
        ("Timeline, page, silence…", "timeline"),
    )
    if incident.snoozed_until:
        return (("Wake it up now", "unsnooze"), ("Unacknowledge", "unack"), *last)
    if incident.state is State.ACKNOWLEDGED:
        return (("Unacknowledge", "unack"), ("Snooze…", "snooze"), *last)
    return (("Escalate now", "escalate"), ("Snooze…", "snooze"), *last)


def _remarks(scene: Scene) -> list[Json]:
    at = scene.incident
    # the title says what was skipped already
    told = md("🔗 {told} (in the thread)", told=followed(at))
    cause = told if at.consequences else Mrkdwn()
    lines = [*stakes_lines(scene), *([cause] if cause else []), *remarks(scene)]
    lines += [line for line in (seen_line(scene), entry_line(scene)) if line]
    return [kit.section(join("\n", lines))] if lines else []


def _description(incident: Incident) -> list[Json]:
    text = "\n".join(line for line in incident.description.splitlines()[:12] if line.strip())
    if not text.strip() or one_line(text) in one_line(incident.title):
        return []
    return [kit.plain_section(text, 900)]


def _alerts(incident: Incident) -> list[Json]:
    own = [a for a in incident.alerts if a.bond is not Bond.CONSEQUENCE]
    total = max(incident.alert_count - incident.consequences, len(own))
    if total < 2:
        return []
    latest = sorted(own, key=lambda a: (a.status is AlertStatus.FIRING, a.last_at), reverse=True)
    # "and 1 more" takes the line that the one alert would.
    most = SHOWN_LINES + (total == SHOWN_LINES + 1)
    shown = [_alert_line(alert) for alert in latest[:most]]
    rest = total - len(shown)
    more = md("and {rest} more", rest=rest) if rest > 0 else Mrkdwn()
    elsewhere = sum(a.status is AlertStatus.FIRING for a in consequences_of(incident))
    count = md(
        "*{firing} of {count} alerts firing*",
        firing=min(total, max(0, incident.firing_count - elsewhere)),
        count=total,
    )
    if incident.storm:  # the remark above has said so
        count = Mrkdwn()
    groups = _groups(incident) if incident.storm else Mrkdwn()
    return [kit.section(join("\n", [count, groups, *shown, more]))]


def _alert_line(alert: ShownAlert) -> Mrkdwn:
    times = md(" ({count} times)", count=alert.count) if alert.count > 1 else Mrkdwn()
    word = Mrkdwn() if alert.status is AlertStatus.FIRING else md(" – {s}", s=str(alert.status))
    name = outside(one_line(alert.title), 140)
    # The label is ours: an alert must not name one address and lead to another.
    opened = md(" · {there}", there=link(alert.url, "open")) if safe_url(alert.url) else Mrkdwn()
    return Mrkdwn(f"{_MARKS[alert.status]} {name}{times}{word}{opened}")


def _groups(incident: Incident) -> Mrkdwn:
    """Count the latest alerts by the first part of their name, so that a storm has a shape."""
    names = Counter(one_line(a.title).split(" ")[0].split(".")[0] for a in incident.alerts)
    if len(names) < 2:
        return Mrkdwn()
    parts = [md("{name} {count}", name=outside(n, 40), count=c) for n, c in names.most_common(4)]
    return md("Of the latest {n}: {parts}", n=len(incident.alerts), parts=join(", ", parts))


def _labels(incident: Incident) -> list[Mrkdwn]:
    # what the catalogue knows of these is said above
    told = _OWNERSHIP if incident.stakes and incident.stakes.product else ()
    found = [(label, incident.labels[label]) for label in LABELS
             if incident.labels.get(label) and label not in told]  # fmt: skip
    return [
        md("*{label}*\n{value}", label=label, value=outside(one_line(value), 200))
        for label, value in found[:_MOST_LABELS]
    ]


def _origin(scene: Scene) -> Mrkdwn:
    at = scene.incident
    runbook = next((at.labels[name] for name in RUNBOOKS if at.labels.get(name)), "")
    runbook = runbook or (at.stakes.runbook if at.stakes else "")
    shown = link(runbook, "Runbook") if runbook.startswith("http") else outside(runbook, 200)
    source = Mrkdwn() if at.unreadable or not at.url else link(at.url, _opens(at))
    return join(
        " · ",
        [
            source or md("from {source}", source=source_of(at)),
            md("📖 {shown}", shown=shown) if runbook else Mrkdwn(),
            _previous(scene),
            md("split off from #{number}", number=at.split_from) if at.split_from else Mrkdwn(),
            md("opened {when}", when=scene.when(at.opened_at)),
            _repeats(scene),
            _place(scene),
        ],
    )


def _repeats(scene: Scene) -> Mrkdwn:
    """Of several alerts each line says how often; a single one has no line."""
    at = scene.incident
    if at.alert_count > 1 or len(at.alerts) != 1 or at.alerts[0].count < 2:
        return Mrkdwn()
    only = at.alerts[0]
    return md(
        "reported {count} times, last {when}", count=only.count, when=scene.when(only.last_at)
    )


def _opens(incident: Incident) -> str:
    return "Open" if incident.source.startswith("@") else f"Open in {incident.source}"


def _previous(scene: Scene) -> Mrkdwn:
    entry = scene.recalled.seen.shown
    told = entry.number if entry and scene.incident.is_open else None
    if scene.incident.previous in {None, told}:  # the journal's line has named it
        return Mrkdwn()
    return md(
        "seen before: {shown}", shown=link(scene.previous_link, f"#{scene.incident.previous}")
    )


def _place(scene: Scene) -> Mrkdwn:
    if scene.permalink:
        return link(scene.permalink, f"#{scene.incident.channel}")
    return mention_channel(scene.channel_id) if scene.channel_id else Mrkdwn()
