"""Tells in Slack how on-call is spread, draws it, and offers what would even it out."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.acts.roster import ApplyProposal, Handover
from bot.loads import LOOK_BACK, Weighed, weigh
from bot.picture.load_drawing import load_svg, told
from bot.picture.raster import DrawingError, png_of
from bot.ports.delivering import Delivered, GiveUpError
from bot.ports.jobs import Job
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.direct import messages_with
from bot.slack.pictures import Drawn, share
from bot.slack.text import Mrkdwn, at, cut, escape, join, md, one_line, outside, spoken
from rules.schedule.evening_out import Proposal
from rules.schedule.held import Slot
from rules.schedule.load_report import LoadReport, PersonLoad
from rules.sentence import counted

APPLY = "load_apply"
DRAW = "load_draw"
_MOST_SHOWN, _MOST_TOGETHER = 20, 10
_LONGEST_VALUE = 1900
_LONGEST_ALT = 950
_NOTHING = Delivered()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a picture is asked of: one rotation or all, in [start, end)."""

    rotation: str
    start: datetime
    end: datetime


async def answer_load(desk: Desk, rotation: str) -> Json:
    """Say who carried what in the last four weeks, and what would even out the next four."""
    now = desk.clock.now()
    start = now - LOOK_BACK
    weighed = await _weighed(desk, Asked(rotation, start, now))
    names = [row.person for row in weighed.report.people]
    await desk.directory.learn_names(names)
    lead = md("*Load of {what}, the last four weeks*", what=rotation or "all rotations")
    lines = [_line(desk, row) for row in weighed.report.people[:_MOST_SHOWN]]
    if not lines:
        return kit.message(lead, [kit.section(md("Nobody takes part in any rotation."))])
    even = md("Evenness {even}; 100 % is everybody's fair share.",
              even=f"{weighed.report.evenness:.0%}")  # fmt: skip
    left = len(names) - len(lines)
    more = md("{left} more carry less for their share; `watchbill roster load` lists them all.",
              left=left) if left else Mrkdwn()  # fmt: skip
    value = json.dumps([rotation, int(start.timestamp()), int(now.timestamp())])
    blocks = [
        kit.section(join("\n", [lead, *lines[:_MOST_TOGETHER]])),
        *(kit.section(join("\n", rest)) for rest in (lines[_MOST_TOGETHER:],) if rest),
        *kit.context(even, more),
        kit.actions("load", kit.button("Send me a picture", DRAW, value)),
        *_proposed(desk, weighed.proposal, now),
    ]
    return kit.message(join("\n", [lead, *lines]), blocks)


async def load_picture(desk: Desk, job: Job) -> Delivered:
    """Send the picture of the load as a direct message, once."""
    payload = job.payload
    start, end = (datetime.fromisoformat(payload[name]) for name in ("start", "end"))
    rotation, person = str(payload.get("rotation") or ""), str(payload["person"])
    weighed = await _weighed(desk, Asked(rotation, start, end))
    await desk.directory.learn_names([row.person for row in weighed.report.people])
    title = f"On-call load of {rotation or 'all rotations'}"
    try:
        draw = partial(drawn, weighed.report, desk, title)
        picture = await asyncio.to_thread(draw)
    except DrawingError as error:
        raise GiveUpError(f"it could not be drawn: {error}") from error
    channel = await messages_with(desk, person)
    mark = hashlib.sha256(job.key.encode()).hexdigest()[:8]
    await share(desk, channel, f"load-{mark}.png", picture, caption=md("{title}", title=title),
                title="On-call load")  # fmt: skip
    return _NOTHING


def drawn(report: LoadReport, desk: Desk, title: str) -> Drawn:
    """Draw a report. Raises DrawingError."""
    named = desk.directory.name
    words = cut(one_line(told(report, named)), _LONGEST_ALT)
    return Drawn(png_of(load_svg(report, named, title)), words)


def asked_of(value: object) -> Asked | None:
    """Read a picture's button; None for anything else."""
    try:
        rotation, start, end = json.loads(str(value))
        begins, ends = (datetime.fromtimestamp(int(t), UTC) for t in (start, end))
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return Asked(str(rotation), begins, ends)


def proposal_value(proposal: Proposal) -> str:
    """Write the moves into a button, as many as fit."""
    rows: list[list[str | int]] = []
    for move in proposal.moves:
        slot = move.slot
        row: list[str | int] = [
            slot.rotation, slot.role, int(slot.starts_at.timestamp()),
            int(slot.ends_at.timestamp()), move.taker, move.giver,
        ]  # fmt: skip
        if len(json.dumps([*rows, row])) > _LONGEST_VALUE:
            break
        rows.append(row)
    return json.dumps(rows)


def proposal_of(value: object, by: str) -> ApplyProposal | None:
    """Read the button of a proposal; None for anything else."""
    try:
        rows = tuple(
            Handover(
                slot=Slot(
                    rotation=str(rotation),
                    role=str(role),
                    starts_at=datetime.fromtimestamp(int(start), UTC),
                    ends_at=datetime.fromtimestamp(int(end), UTC),
                ),
                person=str(taker),
                instead_of=str(giver),
            )
            for rotation, role, start, end, taker, giver in json.loads(str(value))
        )
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return ApplyProposal(by=by, rows=rows) if rows else None


async def _weighed(desk: Desk, asked: Asked) -> Weighed:
    return await weigh(
        desk.reader,
        desk.schedule,
        desk.directory.people,
        start=asked.start,
        end=asked.end,
        now=desk.clock.now(),
        rotation=asked.rotation,
    )


def _line(desk: Desk, row: PersonLoad) -> Mrkdwn:
    hours = {
        kind.value: f"{spent / timedelta(hours=1):.0f}" for kind, spent in row.load.time.items()
    }
    return md(
        "*{who}*: {hours} h ({weekday} weekday, {night} night, {weekend} weekend, {holiday}"
        " holiday), {share} of the load, {fair} would be fair; {pages}, woken in {woken}",
        who=outside(desk.directory.name(row.person), 80),
        hours=f"{row.load.hours:.0f}",
        share=f"{row.share:.0%}",
        fair=f"{row.fair:.0%}",
        pages=counted(row.pages, "page"),
        woken=counted(row.woken, "night"),
        **hours,
    )


def _proposed(desk: Desk, proposal: Proposal, now: datetime) -> list[Json]:
    if not proposal.moves:
        return kit.context(md("Moving coming turns would not make it much more even."))
    value = proposal_value(proposal)
    shown = proposal.moves[: len(json.loads(value))]
    lead = md(
        "*Proposal for the next four weeks*: evenness goes from {before} to {after}. Nothing"
        " changes unless you apply it.",
        before=f"{proposal.before:.0%}",
        after=f"{proposal.after:.0%}",
    )
    lines = [
        join(
            " ",
            [
                md(
                    "• {taker} instead of {giver}: {role} of {rotation}, {start} – {end}.",
                    taker=outside(desk.directory.name(move.taker), 80),
                    giver=outside(desk.directory.name(move.giver), 80),
                    role=move.slot.role,
                    rotation=move.slot.rotation,
                    start=at(move.slot.starts_at, now),
                    end=at(move.slot.ends_at, now),
                ),
                spoken(move.reason, desk.directory, now),
            ],
        )
        for move in shown
    ]
    button = kit.button(f"Apply {counted(len(shown), 'change')}", APPLY, value)
    confirm = {
        "title": kit.plain("Apply the proposal?"),
        "text": kit.mrkdwn(escape("Everybody concerned is told, and each change can be undone.")),
        "confirm": kit.plain("Apply", 30),
        "deny": kit.plain("Not now", 30),
    }
    return [
        # each by itself: what does not fit into a block would be applied unseen
        *(kit.section(text) for text in (lead, *lines)),
        kit.actions("proposal", {**button, "confirm": confirm}),
    ]
