"""Why an incident is as it is, what happened to it, and what will happen if nobody acts."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

from bot.ports.store import TimelineEntry
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.scene import Scene
from bot.slack.text import LONGEST_SECTION, Mrkdwn, at, join, md, one_line, outside, spoken, units
from bot.slack.views.access import ask_button
from bot.slack.wording.incident import SIGNS, remarks, state_line, title
from rules.chain import Linked, chain, link_of
from rules.decision import Reason
from rules.foresee import ahead
from rules.sentence import Sentence, counted, together

_MOST_AHEAD = 7
_MOST_STORY, _MOST_LATEST = 40, 5
_JOINED, _BELONGS = "grouping", "folding."
MOST_READ = 400
"""Lines of an incident's story: the oldest of them tell why it is as it is."""


def timeline_modal(scene: Scene, entries: Sequence[TimelineEntry], metadata: str) -> Json:
    return kit.modal(
        "timeline",
        f"Incident #{scene.incident.number}",
        [
            *timeline_blocks(scene, entries),
            kit.actions(f"more:{scene.incident.number}", *_more(scene)),
        ],
        metadata=metadata,
    )


def timeline_answer(scene: Scene, entries: Sequence[TimelineEntry]) -> Json:
    """Why it went as it did, and the latest of what happened; a button away is the rest."""
    number = str(scene.incident.number)
    return kit.message(
        md("Why #{number} went as it did", number=number),
        [
            *_reasons(scene, entries),
            kit.header("What happened"),
            *_sections(_past(scene, entries, _MOST_LATEST)),
            kit.actions(f"story:{number}", kit.button("Whole timeline…", "timeline", number)),
        ],
    )


def timeline_blocks(scene: Scene, entries: Sequence[TimelineEntry]) -> list[Json]:
    return [
        *_reasons(scene, entries),
        kit.header("What happened"),
        *_sections(_past(scene, entries, _MOST_STORY)),
        kit.header("What happens next"),
        *_sections(_future(scene)),
    ]


def _reasons(scene: Scene, entries: Sequence[TimelineEntry]) -> list[Json]:
    return [
        kit.header(f"{SIGNS[scene.incident.state]} {title(scene.incident)}"),
        kit.section(join("\n", [state_line(scene), *remarks(scene)])),
        kit.header("Why"),
        *_why(scene, entries),
    ]


def _past(scene: Scene, entries: Sequence[TimelineEntry], most: int) -> list[Mrkdwn]:
    story = [one for one in entries if one.at != entries[0].at or link_of(one.rule) is None]
    if not story:
        word = "since it opened" if entries else "has been written down yet"
        return [md("Nothing {word}.", word=word)]
    lines = list(_told(scene, story))
    if len(lines) <= most:
        return lines
    earlier = counted(len(lines) - most, "earlier line")
    return [md("{earlier} left out.", earlier=earlier), *lines[-most:]]


def _told(scene: Scene, story: Sequence[TimelineEntry]) -> Iterator[Mrkdwn]:
    """One line each; what joined, and why it belongs here, are one line."""
    held: TimelineEntry | None = None
    for one in story:
        if held and (one.rule, one.at) == (_JOINED, held.at):
            why = _said(scene, held)
            yield md("{line} · {why}", line=_line(scene, one), why=why)
            held = None
            continue
        if held:
            yield _line(scene, held)
        held = one if one.rule.startswith(_BELONGS) else None
        if held is None:
            yield _line(scene, one)
    if held:
        yield _line(scene, held)


def _line(scene: Scene, entry: TimelineEntry) -> Mrkdwn:
    return md("{when}  {what}", when=at(entry.at, scene.now), what=_said(scene, entry))


def _why(scene: Scene, entries: Sequence[TimelineEntry]) -> list[Json]:
    """The whole chain of reasons, a section for each link; what joined later is story."""
    recorded = [
        Reason(one.rule, one.sentence)
        for one in entries
        if one.at == entries[0].at or not one.rule.startswith((_JOINED, _BELONGS))
    ]
    return [
        kit.section(_link(scene, linked))
        for linked in chain(scene.incident, recorded, scene.book, scene.now)
    ]


def _link(scene: Scene, linked: Linked) -> Mrkdwn:
    """One link of the chain: what one rule says is one line, and a single line needs no heading."""
    lines = [
        _with_rule(scene, together(*(one.sentence for one in reasons)), rule)
        for rule, reasons in groupby(linked.reasons, key=lambda one: one.rule)
    ]
    lead = md("*{title}*", title=linked.title)
    return join(": ", [lead, *lines]) if len(lines) == 1 else join("\n", [lead, *lines])


def _with_rule(scene: Scene, sentence: Sentence, rule: str) -> Mrkdwn:
    """Say a sentence, and where the rule stands that made it true."""
    said = spoken(sentence, scene.names, scene.now)
    return md("{said}  `{rule}`", said=said, rule=outside(one_line(rule), 120)) if rule else said


def _said(scene: Scene, entry: TimelineEntry) -> Mrkdwn:
    what = _with_rule(scene, entry.sentence, entry.rule)
    if not entry.by or any(
        str(entry.by) == getattr(v, "key", "") for v in entry.sentence.values.values()
    ):
        return what
    return md("{what} (by {who})", what=what, who=scene.who(entry.by))


def _future(scene: Scene) -> list[Mrkdwn]:
    """Ask the rules themselves what time alone would do, decision by decision."""
    lines = [
        md(
            "{when}  {what}",
            when=at(seen.at, scene.now),
            what=_with_rule(scene, reason.sentence, reason.rule),
        )
        for seen in islice(ahead(scene.incident, scene.book, scene.now), _MOST_AHEAD)
        for reason in seen.reasons
    ]
    if lines:
        return [md("If nobody acts:"), *lines[:40]]
    fallback = scene.book.fallback_of(scene.incident.rotation, again=True)
    if scene.incident.exhausted and scene.incident.step_due_at and fallback:
        return [
            md(
                "{when}  {who} are paged again, as the fallback.",
                when=at(scene.incident.step_due_at, scene.now),
                who=scene.people(fallback),
            )
        ]
    return [md("Nothing happens by itself.")]


def _sections(lines: Iterable[Mrkdwn]) -> list[Json]:
    """As few sections as hold the lines; Slack takes 3,000 characters in each."""
    sections: list[Json] = []
    held: list[Mrkdwn] = []
    size = 0
    for line in lines:
        if held and size + units(line) + 1 > LONGEST_SECTION - 100:
            sections.append(kit.section(join("\n", held)))
            held, size = [], 0
        held.append(line)
        size += units(line) + 1
    return [*sections, kit.section(join("\n", held))][-30:]


def _more(scene: Scene) -> list[Json]:
    number = str(scene.incident.number)
    silence = kit.button("Silence alerts like this…", "silence", number)
    if not scene.incident.is_open:
        return [silence]
    return [
        kit.button("Resolve with a note…", "resolve_note", number),
        silence,
        kit.button("Page someone…", "page", number),
        kit.button("Reassign…", "reassign", number),
        *([ask_button(scene.incident.number)] if scene.book.access.groups else []),
    ]
