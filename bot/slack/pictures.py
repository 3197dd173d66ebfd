"""Draws the blast radius and puts it into the incident's thread."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot.picture.drawing import blast_svg
from bot.picture.raster import DrawingError, png_of
from bot.ports.delivering import (
    CLOCKS_APART,
    Delivered,
    GiveUpError,
    MessageRef,
    RetryLaterError,
)
from bot.ports.jobs import Job
from bot.slack.api import LOG, SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.scene import root_of
from bot.slack.text import Mrkdwn, cut, md, one_line
from rules.deciding.illustrate import picture_cause
from rules.incident import Incident, Stakes
from rules.lineage import Lineage
from rules.products.blast import Named, blast, told

_LATER = timedelta(seconds=15)
_LONGEST_ALT = 1000
_NOTHING = Delivered()


@dataclass(frozen=True, slots=True)
class Drawn:
    """A PNG, and the same in words for those who cannot see it."""

    png: bytes
    words: str


async def show_picture(desk: Desk, job: Job) -> Delivered:
    """Share the picture in the thread, unless the incident needs none any more."""
    incident = await desk.incident(job)
    lineage, stakes = desk.rulebook().lineage, incident.stakes
    if lineage is None or stakes is None or not picture_cause(incident):
        return _NOTHING
    root = root_of(await desk.reader.messages(incident.id))
    if root is None:
        raise RetryLaterError("the incident has no message in the channel yet", after=_LATER)
    name = _file_name(incident, job)
    if job.unsure and await _shared(desk, root, name, job.first_attempt_at or job.created_at):
        return _NOTHING
    try:
        draw = partial(drawn, lineage, stakes, desk.directory.name)
        picture = await asyncio.to_thread(draw)
    except DrawingError as error:
        raise GiveUpError(f"it could not be drawn: {error}") from error
    await share(
        desk,
        root.channel,
        name,
        picture,
        caption=_caption(incident),
        title="Blast radius",
        thread=root.ts,
    )
    return _NOTHING


def drawn(lineage: Lineage, stakes: Stakes, named: Named) -> Drawn:
    """Draw what breaks with the asset or product at stake. Raises DrawingError."""
    known = lineage.catalogue.product
    shown = blast(
        lineage,
        lineage.broken_with(stakes.asset, stakes.product),
        # of wrong data the deadline is no promise's, and moves
        deadline=stakes.deadline if stakes.consumers is None else None,
        product=known(stakes.product) if stakes.product else None,
        promised=known(stakes.promised) if stakes.promised else None,
        named=named,
    )
    return Drawn(png_of(blast_svg(shown)), told(shown))


async def share(
    desk: Desk,
    channel: str,
    name: str,
    picture: Drawn,
    *,
    caption: Mrkdwn,
    title: str,
    thread: str = "",
) -> None:
    """Upload as Slack wants it: ask where to, send the bytes, say where it belongs."""
    place = await desk.api.form(
        "files.getUploadURLExternal",
        filename=name,
        length=len(picture.png),
        alt_txt=cut(one_line(picture.words), _LONGEST_ALT - 50),
    )
    await desk.api.carry(str(place["upload_url"]), picture.png)
    more = {"thread_ts": thread} if thread else {}
    belongs = partial(
        desk.api.form,
        "files.completeUploadExternal",
        repeatable=False,
        files=json.dumps([{"id": str(place["file_id"]), "title": title}]),
        channel_id=channel,
        initial_comment=caption,
        **more,
    )
    try:
        await belongs()
    except SlackRefusedError as refused:
        # posting works from outside a channel, sharing a file does not
        if refused.code not in {"not_in_channel", "channel_not_found"}:
            raise
        if not await desk.places.join(channel):
            raise
        await belongs()


async def _shared(desk: Desk, root: MessageRef, name: str, since: datetime) -> bool:
    """Tell whether an attempt whose answer was lost has shared the file all the same."""
    oldest = f"{(since - CLOCKS_APART).timestamp():.6f}"
    try:
        page = await desk.api.read(
            "conversations.replies", channel=root.channel, ts=root.ts, oldest=oldest, limit=200
        )
    except SlackRefusedError as refused:
        LOG.warning("cannot look for an earlier picture in %s: %s", root.channel, refused)
        return True
    messages: list[Json] = page.get("messages", [])
    return any(file.get("name") == name for one in messages for file in one.get("files") or [])


def _file_name(incident: Incident, job: Job) -> str:
    """Name the file so that it can be found again: one name for one cause."""
    mark = hashlib.sha256(job.key.encode()).hexdigest()[:8]
    return f"blast-radius-{incident.number}-{mark}.png"


def _caption(incident: Incident) -> Mrkdwn:
    stakes = incident.stakes
    name = one_line(stakes.name) if stakes else ""
    return md("Who is hit while {name} is broken", name=name)
