"""What people are told of their shifts: reminders, corrections, questions, hand-offs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.ports.duties import HandoffNote
from bot.ports.store import StoredOverride
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import Mrkdwn, Names, at, join, lasting, listed, md, one_line, outside, spoken
from bot.slack.views.home import incident_line
from rules.incident import Incident
from rules.schedule.handoff import Handoff, RoleChange
from rules.schedule.linking import Link
from rules.schedule.reminders import Notice, NoticeKind
from rules.schedule.roster import OverrideKind
from rules.silence import Silence
from rules.verifying.wording import by_what

TEST_PAGE = "test_page"
LEAVE_NOTE = "leave_note"
LONGEST_NOTE = 2000
_MOST_LINES = 8
_MOST_PEOPLE = 60
_LONGEST_BLOCK = 2900


def shift_message(notice: Notice, now: datetime, *, ready: Sequence[Mrkdwn]) -> Json:
    """Tell a person of a shift, or that it is not any more as they were told."""
    start, end = at(notice.start, now), at(notice.end, now)
    place = {"role": notice.role, "rotation": notice.rotation}
    left = lasting(notice.start - now)
    match notice.kind:
        case NoticeKind.REMINDER:
            text = md("⏰ You are {role} of {rotation} from {start} to {end}, in {left}.",
                      **place, start=start, end=end, left=left)  # fmt: skip
        case NoticeKind.MOVED if notice.start <= now:
            text = md("🔀 Your shift has changed: you are {role} of {rotation} already, until {end}.",
                      **place, end=end)  # fmt: skip
        case NoticeKind.MOVED:
            text = md("🔀 Your shift has changed: you are {role} of {rotation} from {start} to {end}.",
                      **place, start=start, end=end)  # fmt: skip
        case _:
            was = at(notice.was or notice.start, now)
            text = md("🔀 You are not {role} of {rotation} from {was} any more.", **place, was=was)
            return kit.message(text, [kit.section(text)])
    test = kit.actions("duty:do", kit.button("Send me a test page", TEST_PAGE, "test"))
    return kit.message(text, [kit.section(text), *kit.context(*ready), test])


def question_message(handoff: Handoff, now: datetime, names: Names) -> Json:
    """Ask who goes what the next one should know."""
    who = listed([outside(names.name(key), 80) for key in handoff.incoming])
    text = md("You hand {rotation} over to {who} at {at}. Anything they should know?",
              rotation=handoff.rotation, who=who, at=at(handoff.at, now))  # fmt: skip
    value = note_value(handoff.rotation, handoff.at)
    ask = kit.actions("handoff:do", kit.button("Leave a note", LEAVE_NOTE, value))
    return kit.message(text, [kit.section(text), ask])


def note_value(rotation: str, boundary: datetime) -> str:
    return json.dumps({"rotation": rotation, "at": boundary.isoformat()})


def note_modal(rotation: str, metadata: str, initial: str = "") -> Json:
    text = kit.text_input(
        "note",
        placeholder="What is going on, what to watch, whom to ask",
        initial=initial,
        multiline=True,
        longest=LONGEST_NOTE,
    )
    label = f"For whoever comes next in {one_line(rotation)[:60]}"
    return kit.modal(
        LEAVE_NOTE,
        "Hand-off note",
        [kit.input_block("note", label, text)],
        submit="Save",
        metadata=metadata,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffFacts:
    """What a hand-off message tells; `until` is the next hand-off, `mentions` by person's key."""

    handoff: Handoff
    now: datetime
    until: datetime
    names: Names
    mentions: dict[str, Mrkdwn]
    incidents: Sequence[Incident] = ()
    pending: Sequence[Incident] = ()
    silences: Sequence[Silence] = ()
    overrides: Sequence[StoredOverride] = ()
    notes: Sequence[HandoffNote] = ()


def handoff_message(facts: HandoffFacts) -> Json:
    """Tell the channel who comes, who goes, and what they find."""
    one = facts.handoff
    lead = md("🔁 *{rotation}*: {changes}", rotation=one.rotation,
              changes=join(" · ", [_change(facts, change) for change in one.changes]))  # fmt: skip
    parts = [
        _open(facts),
        _list("⏳ Fixes still to be proved", [_pending(one, facts) for one in facts.pending]),
        _list("🔕 Silences that end in this shift", [_silence(s, facts) for s in facts.silences]),
        _list("📅 Changes ahead", [_override(o, facts) for o in facts.overrides]),
        *(_note(note, facts) for note in facts.notes),
    ]
    sections = [kit.section(lead), *(kit.section(part) for part in parts if part)]
    late = facts.now - one.at
    if late.total_seconds() > 120:
        sections += kit.context(md("This is {late} late.", late=lasting(late)))
    return kit.message(lead, sections)


def late_note_message(note: HandoffNote, now: datetime, names: Names) -> Json:
    """Tell a note that came after its hand-off."""
    lead = md("📝 {who} adds to the hand-off of {rotation} at {at}:\n{note}",
              who=outside(names.name(note.person), 80), rotation=note.rotation,
              at=at(note.boundary_at, now), note=outside(note.note, _LONGEST_BLOCK))  # fmt: skip
    return kit.message(lead, [kit.section(lead)])


def people_answer(links: Sequence[Link], words: str = "", page: int = 1) -> Json:
    """Everybody whom the roster names: linked or not, why not, and what to do.

    One page of them, those who are not linked first; `words` are what they were looked for by.
    """
    if not links:
        return _said(md("The roster names nobody."))
    missing = [one for one in links if not one.user]
    lines = [_person(one) for one in (*missing, *(one for one in links if one.user))]
    lead = (
        md("{missing} of {all} people cannot be paged:", missing=len(missing), all=len(links))
        if missing
        else md("All {all} people are linked.", all=len(links))
    )
    pages = -(-len(lines) // _MOST_PEOPLE)
    page = min(page, pages)
    shown = lines[(page - 1) * _MOST_PEOPLE : page * _MOST_PEOPLE]
    if pages > 1:
        following = " ".join(["people", *words.split(), str(page % pages + 1)])
        shown.append(md("Page {page} of {pages}. `/oncall {following}` shows the next one.",
                        page=page, pages=pages, following=outside(following, 100)))  # fmt: skip
    return kit.message(lead, [kit.section(lead), *_sections(shown)])


def _person(one: Link) -> Mrkdwn:
    name = outside(one.name, 80)
    if one.user:
        return md("✅ {name}, by {how}", name=name, how=one.how)
    return md("⚠️ {name}: {why}. {to_do}.", name=name, why=one.why,
              to_do=one.to_do[:1].upper() + one.to_do[1:])  # fmt: skip


def _sections(lines: Sequence[Mrkdwn]) -> list[Json]:
    """Put lines into as few sections as they fit in."""
    sections: list[list[Mrkdwn]] = [[]]
    used = 0
    for line in lines:
        if used + len(line) > _LONGEST_BLOCK:
            sections.append([])
            used = 0
        sections[-1].append(line)
        used += len(line) + 1
    return [kit.section(join("\n", some)) for some in sections if some]


def _change(facts: HandoffFacts, change: RoleChange) -> Mrkdwn:
    after = listed([facts.mentions.get(key, _name(facts, key)) for key in change.after])
    before = listed([_name(facts, key) for key in change.before])
    who = md("{before} → {after}", before=before, after=after) if before else after
    if not change.after:
        who = md("{before} → nobody", before=before)
    return md("{role} {who}", role=change.role, who=who)


def _open(facts: HandoffFacts) -> Mrkdwn:
    if not facts.incidents:
        return md("No open incident.")
    lines = [incident_line(one, facts.names, facts.now) for one in facts.incidents]
    return _list("Open incidents", lines)


def _pending(one: Incident, facts: HandoffFacts) -> Mrkdwn:
    expects = one.verification.expects if one.verification else None
    how = spoken(by_what(expects), facts.names, facts.now) if expects else md("a proof")
    return md("*{priority} #{number}* {title}, by {how}", priority=one.priority, number=one.number,
              title=outside(one_line(one.title), 120), how=how)  # fmt: skip


def _silence(silence: Silence, facts: HandoffFacts) -> Mrkdwn:
    return md("{matchers} until {until}: {why}", until=at(silence.ends_at, facts.now),
              matchers=outside(" ".join(map(str, silence.matchers)), 200),
              why=outside(one_line(silence.why), 150))  # fmt: skip


def _override(override: StoredOverride, facts: HandoffFacts) -> Mrkdwn:
    is_ = "is not" if override.kind is OverrideKind.REMOVE else "is"
    return md("{who} {is_} {role} from {start} to {end}", who=_name(facts, override.person),
              is_=is_, role=override.role, start=at(override.starts_at, facts.now),
              end=at(override.ends_at, facts.now))  # fmt: skip


def _note(note: HandoffNote, facts: HandoffFacts) -> Mrkdwn:
    return md("📝 {who}: {note}", who=_name(facts, note.person), note=outside(note.note, 2500))


def _name(facts: HandoffFacts, key: str) -> Mrkdwn:
    return outside(facts.names.name(key), 80)


def _list(title: str, lines: Sequence[Mrkdwn]) -> Mrkdwn:
    if not lines:
        return Mrkdwn()
    more = len(lines) - _MOST_LINES
    rest = [md("… and {more} more", more=more)] if more > 0 else []
    bullets = [md("• {line}", line=line) for line in lines[:_MOST_LINES]]
    return join("\n", [md("*{title}*", title=title), *bullets, *rest])


def _said(text: Mrkdwn) -> Json:
    return kit.message(text, [kit.section(text)])
