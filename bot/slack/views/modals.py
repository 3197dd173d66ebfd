"""The modals: short forms, each with one purpose and an example in every field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import Mrkdwn, join, md, one_line, outside, units
from bot.slack.views.verification import verify_modal
from bot.slack.wording.incident import title
from rules.incident import Incident
from rules.matching.matcher import Matcher, all_hold
from rules.rotation import OnCall

SNOOZES = (("30 minutes", "30m"), ("1 hour", "1h"), ("2 hours", "2h"), ("4 hours", "4h"),
           ("8 hours", "8h"), ("24 hours", "24h"))  # fmt: skip
NO_ROTATION = "-"
_SHOWN_CAUGHT = 5
_TIMES = 'Such as "18:00", "fri 18:00", "tomorrow 9am", "2h".'
_LIKE_THIS = ("team", "product", "dag_id", "dag", "model", "table", "alertname", "job")


@dataclass(frozen=True, slots=True)
class Caught:
    """What a silence would have caught of the alerts looked at."""

    looked_at: int
    count: int
    titles: tuple[str, ...]


def loading(number: int) -> Json:
    return loading_text(f"Incident #{number}")


def loading_text(heading: str) -> Json:
    return kit.modal("loading", heading, [kit.section(md("One moment…"))])


def trouble(heading: str, text: Mrkdwn) -> Json:
    return kit.modal("trouble", heading, [kit.section(text)])


def resolve_modal(incident: Incident, metadata: str) -> Json:
    note = kit.text_input(
        "note", placeholder="What was it, and what helped?", multiline=True, longest=1000
    )
    return kit.modal(
        "resolve_note",
        f"Resolve #{incident.number}",
        [_about(incident), kit.input_block("note", "Note for the next person", note)],
        submit="Resolve",
        metadata=metadata,
    )


def proof_modal(incident: Incident, metadata: str) -> Json:
    return verify_modal(incident, _about(incident), metadata)


def snooze_modal(incident: Incident, metadata: str) -> Json:
    return kit.modal(
        "snooze",
        f"Snooze #{incident.number}",
        [
            _about(incident),
            kit.input_block("for", "For", kit.select("for", SNOOZES, "1h")),
            kit.input_block(
                "until",
                "Or until",
                kit.text_input("until", placeholder="09:00", longest=60),
                optional=True,
                hint=f"{_TIMES} In your own zone.",
            ),
        ],
        submit="Snooze",
        metadata=metadata,
    )


def reassign_modal(incident: Incident, metadata: str) -> Json:
    return kit.modal(
        "reassign",
        f"Reassign #{incident.number}",
        [
            _about(incident),
            kit.input_block("person", "To", kit.users_select("person", "Choose a person")),
        ],
        submit="Reassign",
        metadata=metadata,
    )


def loop_in_modal(incident: Incident, metadata: str) -> Json:
    return kit.modal(
        "loop_in",
        f"Page about #{incident.number}",
        [
            _about(incident),
            kit.input_block("person", "Page", kit.users_select("person", "Choose a person")),
        ],
        submit="Page",
        metadata=metadata,
    )


def open_modal(
    heading: str, on_call: OnCall, metadata: str, *, title: str = "", details: str = ""
) -> Json:
    """Open an incident by hand and page a person, or whoever is on call for a rotation."""
    return kit.modal(
        "open_by_hand",
        heading,
        [
            kit.input_block(
                "title",
                "What is wrong",
                kit.text_input(
                    "title", placeholder="The orders table is empty", initial=title, longest=200
                ),
            ),
            kit.input_block(
                "details",
                "Details",
                kit.text_input("details", initial=details, multiline=True, longest=2000),
                optional=True,
            ),
            *_rotations(on_call),
            kit.input_block(
                "person",
                "Or page this person",
                kit.users_select("person", "Choose a person"),
                optional=True,
            ),
        ],
        submit="Page",
        metadata=metadata,
    )


def _rotations(on_call: OnCall) -> list[Json]:
    names = [name for name in on_call.rotations if units(name) <= 150]
    if not names:
        return []
    choices = [(f"on call for {name}", name) for name in names]
    element = kit.select("rotation", choices, names[0])
    return [kit.input_block("rotation", "Page whoever is", element)]


def silence_modal(
    metadata: str, *, matchers: str = "", until: str = "2h", why: str = "", preview: Json
) -> Json:
    """Silence by labels; `preview` says what it would have caught."""
    asked = {
        **kit.text_input("matchers", placeholder='team=finance dag=~"daily.*"',
                         initial=matchers, longest=1000),
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    }  # fmt: skip
    return kit.modal(
        "silence",
        "Silence alerts",
        [
            {
                **kit.input_block(
                    "matchers",
                    "Alerts with these labels",
                    asked,
                    hint="label=value, label=~regular expression; press Enter for a preview.",
                ),
                "dispatch_action": True,
            },
            preview,
            kit.input_block(
                "until",
                "For, or until",
                kit.text_input("until", initial=until, longest=60),
                hint=f"{_TIMES} In your own zone.",
            ),
            kit.input_block(
                "why",
                "Why",
                kit.text_input(
                    "why", placeholder="Planned work on the warehouse", initial=why, longest=500
                ),
            ),
        ],
        submit="Silence",
        metadata=metadata,
    )


def caught(matchers: Sequence[Matcher], recent: Sequence[Mapping[str, str]]) -> Caught:
    """Count which recent alerts the matchers would have caught; titles of the newest."""
    hits = [labels for labels in recent if all_hold(matchers, labels)]
    titles = dict.fromkeys(one_line(labels.get("title", "")) for labels in hits)
    return Caught(len(recent), len(hits), tuple(islice(filter(None, titles), _SHOWN_CAUGHT)))


def preview_block(found: Caught | None, problem: str = "") -> Json:
    """Show what a silence would have caught, or why that cannot be said."""
    if problem:
        text = md("⚠️ {problem}", problem=problem)
    elif found is None:
        text = md("Write labels to see what they would have caught.")
    elif not found.looked_at:
        text = md("There are no recent alerts to compare with.")
    elif not found.count:
        text = md("Would have caught *none* of the last {n} alerts. Check the spelling.",
                  n=found.looked_at)  # fmt: skip
    else:
        lead = md("Would have caught *{count}* of the last {n} alerts:", count=found.count,
                  n=found.looked_at)  # fmt: skip
        shown = [md("• {title}", title=outside(title, 120)) for title in found.titles]
        text = join("\n", [lead, *shown])
    return {**kit.section(text), "block_id": "preview"}


def like_this(incident: Incident) -> str:
    """Matchers that fit this incident and its like, for a person to narrow or widen."""
    found = [f"{label}={_quoted(incident.labels[label])}"
             for label in _LIKE_THIS if incident.labels.get(label)]  # fmt: skip
    if found:
        return " ".join([f"source={_quoted(incident.source)}", *found[:3]])
    return f"dedup_key={_quoted(incident.dedup_key)}"


def _quoted(value: str) -> str:
    escaped = one_line(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if not escaped.isalnum() else escaped


def override_modal(on_call: OnCall, user: str, metadata: str) -> Json:
    """Put somebody on call for a while; oneself, from now, unless said otherwise."""
    places = [
        (f"{role} of {rotation}", f"{rotation}/{role}")
        for rotation in on_call.rotations
        for role in on_call.roles(rotation)
        if units(f"{rotation}/{role}") <= 150
    ]
    if not places:
        return trouble("Take over", md("The roster is empty. Add rows to it first."))
    return kit.modal(
        "override",
        "Take over",
        [
            kit.input_block("person", "Who", kit.users_select("person", "Choose a person", user)),
            kit.input_block("place", "Is", kit.select("place", places, places[0][1])),
            kit.input_block("from", "From", kit.text_input("from", initial="now", longest=60)),
            kit.input_block(
                "to",
                "Until",
                kit.text_input("to", placeholder="18:00", longest=60),
                hint=f"{_TIMES} In your own zone.",
            ),
        ],
        submit="Take over",
        metadata=metadata,
    )


def _about(incident: Incident) -> Json:
    return kit.plain_section(title(incident), 300)
