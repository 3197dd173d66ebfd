"""What happened to an incident, and what will happen next if nobody acts."""

from collections.abc import Iterable, Sequence
from itertools import islice

from bot.ports import TimelineEntry
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.scene import Scene
from bot.slack.text import LONGEST_SECTION, Mrkdwn, at, join, md, spoken
from bot.slack.wording import SIGNS, remarks, state_line, title
from rules.foresee import ahead

_MOST_AHEAD = 12


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
    head = md("What happened to #{number}", number=scene.incident.number)
    return kit.message(head, timeline_blocks(scene, entries)[:40])


def timeline_blocks(scene: Scene, entries: Sequence[TimelineEntry]) -> list[Json]:
    return [
        kit.header(f"{SIGNS[scene.incident.state]} {title(scene.incident)}"),
        kit.section(join("\n", [state_line(scene), *remarks(scene)])),
        kit.header("What happened"),
        *_sections(_past(scene, entries)),
        kit.header("What happens next"),
        *_sections(_future(scene)),
    ]


def _past(scene: Scene, entries: Sequence[TimelineEntry]) -> list[Mrkdwn]:
    if not entries:
        return [md("Nothing has been written down yet.")]
    return [md("{when}  {what}", when=at(e.at, scene.now), what=_said(scene, e)) for e in entries]


def _said(scene: Scene, entry: TimelineEntry) -> Mrkdwn:
    what = spoken(entry.sentence, scene.names, scene.now)
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
            what=spoken(reason.sentence, scene.names, scene.now),
        )
        for seen in islice(ahead(scene.incident, scene.book, scene.now), _MOST_AHEAD)
        for reason in seen.reasons
    ]
    if lines:
        return [md("If nobody acts:"), *lines[:40]]
    if scene.incident.exhausted and scene.incident.step_due_at and scene.book.fallback:
        return [
            md(
                "{when}  {who} are paged again, as the fallback.",
                when=at(scene.incident.step_due_at, scene.now),
                who=scene.people(scene.book.fallback),
            )
        ]
    return [md("Nothing happens by itself.")]


def _sections(lines: Iterable[Mrkdwn]) -> list[Json]:
    """As few sections as hold the lines; Slack takes 3,000 characters in each."""
    sections: list[Json] = []
    held: list[Mrkdwn] = []
    size = 0
    for line in lines:
        if held and size + len(line) + 1 > LONGEST_SECTION - 100:
            sections.append(kit.section(join("\n", held)))
            held, size = [], 0
        held.append(line)
        size += len(line) + 1
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
    ]
