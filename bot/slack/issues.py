"""`/oncall issues`: read once for the answer, and again for each page of the long list."""

import asyncio

from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.intake import Ack, Intake
from bot.slack.views.issues import Issues, issues_answer, issues_modal, ranked
from bot.slack.views.modals import loading_text
from rules.catalogue import Catalogue
from rules.incident import State
from rules.products.catalogue_gaps import GapGroup, gaps_of, grouped

ACTIONS = ("issues", "issues_page", "issues_next")
_OPEN = (State.TRIGGERED, State.ACKNOWLEDGED)
_MOST_READ = 500


async def read_issues(desk: Desk) -> Issues:
    """Read what is open now; a catalogue of thousands is looked through in a thread."""
    found = await desk.reader.incidents(states=_OPEN, limit=_MOST_READ)
    catalogue, now = desk.rulebook().catalogue, desk.clock.now()
    return Issues(
        now=now,
        names=desk.directory,
        incidents=ranked(found, now),
        total=max(len(found), await desk.reader.open_count()),
        catalogue=catalogue,
        gaps=await asyncio.to_thread(_gaps, catalogue),
    )


async def answer_issues(desk: Desk, reader: str = "") -> Json:
    """Answer what is open; `reader` is the one member who sees it, who gets a link of their own."""
    link = desk.issues_link(desk.directory.key_of(reader)) if reader else ""
    return issues_answer(await read_issues(desk), link)


class IssuePages:
    """Turns the pages of the long list."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._desk = intake.desk

    async def show(self, ack: Ack, body: Json) -> None:
        """Open the list at a page, or turn to it where it is open already."""
        await ack()
        caller = self._intake.caller(body)
        view = body.get("view") or {}
        written = str(body["actions"][0].get("value") or "0")
        page = int(written) if written.isascii() and written.isdigit() and len(written) < 6 else 0
        if view.get("type") == "modal":
            view_id = str(view["id"])
        else:
            view_id = await self._desk.api.open_modal(caller.trigger, loading_text("Open issues"))
        issues = await read_issues(self._desk)
        link = self._desk.issues_link(self._desk.directory.key_of(caller.user))
        shown = issues_modal(issues, page, caller.metadata(), link)
        await self._desk.api.change_modal(view_id, shown)


def _gaps(catalogue: Catalogue) -> tuple[GapGroup, ...]:
    return grouped(tuple(gaps_of(catalogue)))
