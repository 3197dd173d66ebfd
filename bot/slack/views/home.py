"""App Home: who is on call now and next, my shifts, my incidents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import Mrkdwn, Names, at, join, listed, md, one_line, outside
from bot.slack.views.rota import HOME_COVER, HOME_SWAP, slot_value
from bot.slack.views.tasks import open_tasks
from bot.slack.wording.incident import sign
from rules.incident import Incident, State
from rules.people import People, Person
from rules.rotation import OnCall, Span
from rules.schedule.held import Slot
from rules.schedule.who import OnDuty, who
from rules.silence import Silence
from rules.tasks.task import Task

_MOST_ROTATIONS = 12
_MOST_SHIFTS = 5
_MOST_INCIDENTS = 8
_MOST_TASKS = 5
_MOST_SILENCES = 15
_AHEAD = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFacts:
    """What one person's home shows; `open_incidents` are everybody's, newest first.

    `access` are the blocks about elevated groups.
    """

    person: str
    now: datetime
    names: Names
    on_call: OnCall
    open_incidents: tuple[Incident, ...] = ()
    silences: tuple[Silence, ...] = ()
    access: tuple[Json, ...] = ()
    journal: tuple[Json, ...] = ()
    reached: tuple[Json, ...] = ()
    tasks: tuple[Task, ...] = ()


def home_view(facts: HomeFacts) -> Json:
    mine = [i for i in facts.open_incidents if _is_mine(i, facts.person)]
    others = [i for i in facts.open_incidents if i not in mine]
    return kit.home(
        [
            kit.actions(
                "home:do",
                kit.button("Page someone", "home_page", "page", style="primary"),
                kit.button("Create incident", "home_create", "create"),
                kit.button("Take over", "home_take", "take"),
                kit.button("Silence alerts", "home_silence", "silence"),
                kit.button("Production issues", "issues", "0"),
                kit.button("Refresh", "home_refresh", "refresh"),
            ),
            kit.header("On call now"),
            *_on_call(facts),
            *facts.access,
            kit.header("My shifts"),
            *_shifts(facts),
            *facts.reached,
            kit.header("My open incidents"),
            *_incidents(facts, mine, "Nothing is yours. Good."),
            *_tasks(facts),
            *facts.journal,
            kit.header("Other open incidents"),
            *_incidents(facts, others, "Nothing else is open."),
            *_silences(facts),
            *kit.context(md("Type `/oncall help` in any channel for everything else.")),
        ]
    )


def _on_call(facts: HomeFacts) -> list[Json]:
    rotations = facts.on_call.rotations[:_MOST_ROTATIONS]
    if not rotations:
        return [kit.section(md("No rotation is known. Check the roster with `watchbill check`."))]
    return [kit.section(rotation_lines(facts.on_call, r, facts.now, facts.names))
            for r in rotations]  # fmt: skip


def rotation_lines(on_call: OnCall, rotation: str, when: datetime, names: Names) -> Mrkdwn:
    """Who has each role of a rotation at `when`, until when, and who is next."""
    lines = [md("*{rotation}*", rotation=rotation)]
    for duty in who(on_call, People(), when, rotation=rotation):
        after = _after(duty, when, names)
        if duty.people:
            until = md(" until {end}", end=at(duty.until, when)) if duty.until else Mrkdwn()
            people = _people(duty.people, names)
            line = md("{role}: {who}{until}{after}", role=duty.role, who=people, until=until,
                      after=after)  # fmt: skip
            lines.append(line)
        else:
            lines.append(md("{role}: ⚠️ nobody{after}", role=duty.role, after=after))
    return join("\n", lines)


def _after(duty: OnDuty, when: datetime, names: Names) -> Mrkdwn:
    if duty.next is None:
        return Mrkdwn()
    people = _people(duty.next.people, names)
    if duty.people and duty.until == duty.next.start:
        return md(", then {who}", who=people)
    return md(", then {who} {at}", who=people, at=at(duty.next.start, when))


def _people(people: Sequence[Person], names: Names) -> Mrkdwn:
    return listed([outside(names.name(person.key), 80) for person in people])


def _tasks(facts: HomeFacts) -> list[Json]:
    if not facts.tasks:
        return []
    shown = open_tasks(facts.tasks, facts.names, facts.now, most=_MOST_TASKS)
    return [kit.header("Left to do by me"), *shown]


def _is_mine(incident: Incident, person: str) -> bool:
    """Tell whether a person has an incident, or is being paged for one nobody has."""
    waits = incident.state is State.TRIGGERED and person in incident.paged
    return waits or person in {incident.assigned_to, incident.acked_by}


def _shifts(facts: HomeFacts) -> list[Json]:
    mine = sorted(
        span
        for rotation in facts.on_call.rotations
        for role in facts.on_call.roles(rotation)
        for span in facts.on_call.spans(rotation, role)
        if facts.person in span.people and facts.now < span.end and span.start - facts.now < _AHEAD
    )[:_MOST_SHIFTS]
    if not mine:
        return [kit.section(md("You have no shift in the next 60 days."))]
    return [block for n, span in enumerate(mine) for block in _shift(facts, span, n)]


def _shift(facts: HomeFacts, span: Span, number: int) -> list[Json]:
    """One shift, with what can be done about it: both only for what is still to come."""
    line = md(
        "{role} of {rotation}: {start} – {end}{now}",
        role=span.role,
        rotation=span.rotation,
        start=at(span.start, facts.now),
        end=at(span.end, facts.now),
        now=md(" *now*") if facts.now in span else Mrkdwn(),
    )
    slot = Slot(
        rotation=span.rotation,
        role=span.role,
        starts_at=max(span.start, facts.now),
        ends_at=span.end,
    )
    value = slot_value(slot)
    buttons = [kit.button("Ask for cover", HOME_COVER, value)]
    if span.start > facts.now:
        buttons.append(kit.button("Swap", HOME_SWAP, value))
    return [kit.section(line), kit.actions(f"shift:{number}", *buttons)]


def _incidents(facts: HomeFacts, incidents: list[Incident], nothing: str) -> list[Json]:
    if not incidents:
        return [kit.section(md(nothing))]
    shown = [_incident(facts, incident) for incident in incidents[:_MOST_INCIDENTS]]
    rest = len(incidents) - len(shown)
    more = kit.context(md("and {rest} more: `/oncall list open`", rest=rest)) if rest > 0 else []
    return [*shown, *more]


def _incident(facts: HomeFacts, incident: Incident) -> Json:
    title = incident_line(incident, facts.names, facts.now)
    return kit.section(title, kit.button("Open", "show", str(incident.number)))


def incident_line(incident: Incident, names: Names, now: datetime) -> Mrkdwn:
    """One incident in one line: sign, priority, number, title, who has it, since when."""
    has = incident.assigned_to or incident.acked_by
    who = md(", {who}", who=outside(names.name(has), 80)) if has else Mrkdwn()
    word = "silenced" if incident.muted and incident.state is State.TRIGGERED else incident.state
    return md(
        "{sign} *{priority} #{number}* {title} ({state}{who}, opened {when})",
        sign=Mrkdwn(sign(incident)),
        priority=incident.priority,
        number=incident.number,
        title=outside(one_line(incident.title), 120),
        state=str(word),
        who=who,
        when=at(incident.opened_at, now),
    )


def _silences(facts: HomeFacts) -> list[Json]:
    if not facts.silences:
        return []
    return [kit.header("Silences"), *silence_blocks(facts.silences, facts.names, facts.now)]


def silence_blocks(silences: tuple[Silence, ...], names: Names, now: datetime) -> list[Json]:
    """Each silence in force, with a button that ends it; of many the rest in a line each."""
    rest = [
        md(
            "🔕 `{id}` {matchers} until {until}",
            id=silence.id,
            matchers=outside(" ".join(map(str, silence.matchers)), 150),
            until=at(silence.ends_at, now),
        )
        for silence in silences[_MOST_SILENCES:]
    ]
    lead = md("And {n} more; `/oncall unsilence` and its id ends one:", n=len(rest))
    more = [kit.section(join("\n", [lead, *rest]))] if rest else []
    shown = [
        kit.section(
            md(
                "🔕 {matchers} until {until} by {who}: {why}",
                matchers=outside(" ".join(map(str, silence.matchers)), 300),
                until=at(silence.ends_at, now),
                who=outside(names.name(silence.by), 80),
                why=outside(one_line(silence.why), 200),
            ),
            kit.button("End it", "end_silence", silence.id),
        )
        for silence in silences[:_MOST_SILENCES]
    ]
    return [*shown, *more]
