"""Answers to questions typed after `/oncall`, as blocks only the one who asked sees."""

import re
from collections.abc import Sequence
from datetime import datetime

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import Mrkdwn, Names, at, escape, join, listed, md, outside
from bot.slack.views.home import incident_line, rotation_lines, silence_blocks
from bot.slack.vocabulary import WORDS
from bot.slack.wishes import CommandError
from rules.incident import Incident
from rules.people import People
from rules.rotation import OnCall
from rules.schedule.who import next_turns, who
from rules.sentence import counted
from rules.silence import Silence

_MOST_LINES = 25
_TO_TYPE = re.compile("\u02cb(/oncall [a-z ]{1,40})\u02cb")
"""A command that our own words name, in what may quote somebody's."""
_MOST_ROTATIONS = 20


def who_answer(on_call: OnCall, rotation: str, when: datetime, now: datetime, names: Names) -> Json:
    """Who is on call at `when`, in one rotation or in all of them."""
    rotations = (rotation,) if rotation else on_call.rotations_at(when)[:_MOST_ROTATIONS]
    if not rotations:
        return said(md("Nobody is on call: the roster is empty. Add rows to it."))
    lead = md("On call {when}:", when=at(when, now)) if when != now else md("On call now:")
    shown = [rotation_lines(on_call, name, when, names) for name in rotations]
    return kit.message(
        join("\n", [lead, *shown]),
        [
            kit.section(join("\n", [lead, text])) if index == 0 else kit.section(text)
            for index, text in enumerate(shown)
        ],
    )


def next_answer(on_call: OnCall, rotation: str, count: int, now: datetime, names: Names) -> Json:
    """The next hand-offs of every role, soonest first."""
    turns = sorted(
        next_turns(on_call, People(), now, rotation=rotation, count=count),
        key=lambda turn: (turn.start, turn.rotation, turn.role),
    )[:_MOST_LINES]
    if not turns:
        now_on = [duty for duty in who(on_call, People(), now, rotation=rotation) if duty.people]
        if now_on and all(duty.until is None for duty in now_on):
            return said(md("Nobody else is next: whoever is on call now stays so."))
        return said(md("Nobody is next: no later shift is written in the roster."))
    lines = [
        md(
            "{start} – {end}: {who}, {role} of {rotation}{source}",
            start=at(turn.start, now),
            end=at(turn.end, now) if turn.end else "?",
            who=listed([outside(names.name(p.key), 80) for p in turn.people]),
            role=turn.role,
            rotation=turn.rotation,
            source=md(" ({source})", source=turn.source) if turn.source else Mrkdwn(),
        )
        for turn in turns
    ]
    return said(join("\n", [md("*Next on call*"), *lines]))


def list_answer(
    incidents: Sequence[Incident], which: str, names: Names, now: datetime, *, count: int | None
) -> Json:
    """Incidents in one line each, with a button to open each of the first.

    `count` is how many there are, None where there are more than were read.
    """
    if not incidents:
        nothing = {"mine": "Nothing is yours.", "all": "There has been no incident yet."}
        return said(md(nothing.get(which, "Nothing is open. Good.")))
    blocks = [
        kit.section(incident_line(i, names, now), kit.button("Open", "show", str(i.number)))
        for i in incidents[:_MOST_LINES]
    ]
    if count is None:
        head, rest = md("The newest of many incidents"), md("and many more")
    else:
        head = md("{many}", many=counted(count, "incident"))
        rest = md("and {rest} more", rest=count - len(blocks))
    more = kit.context(rest) if count is None or count > len(blocks) else []
    return kit.message(head, [*blocks, *more])


def silences_answer(silences: Sequence[Silence], names: Names, now: datetime) -> Json:
    if not silences:
        return said(md("Nothing is silenced."))
    text = md("{count} silences", count=len(silences))
    return kit.message(text, silence_blocks(tuple(silences), names, now))


def help_answer() -> Json:
    lines = [
        md("`/oncall {usage}` {does}", usage=escape(word.usage), does=escape(word.does))
        for word in WORDS.values()
    ]
    times = md(
        "Times: `2h`, `18:00`, `fri 18:00`, `tomorrow 9am`, `2026-11-23 09:00`, in your own zone."
    )
    return kit.message(
        md("What /oncall can do"), [kit.section(join("\n", lines)), *kit.context(times)]
    )


def error_answer(error: CommandError) -> Json:
    problem = Mrkdwn(_TO_TYPE.sub(r"`\1`", outside(error.problem)))
    return said(join(" ", [problem, escape(error.hint)]))


def said(text: Mrkdwn) -> Json:
    return kit.message(text, [kit.section(text)])
