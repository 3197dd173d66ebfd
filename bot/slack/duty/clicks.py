"""Buttons under what people are told of their shifts: a test page, and a note for the next one."""

import json
from datetime import datetime, timedelta

from bot.acts.act import OpenByHand
from bot.acts.duties import LeaveNote
from bot.ports.inbox import NotStoredError
from bot.slack.blocks import Json
from bot.slack.intake import NOT_STORED, Ack, Caller, Intake, form_key, read_metadata
from bot.slack.submits import Form
from bot.slack.text import md
from bot.slack.views.answers import said
from bot.slack.views.duties import LONGEST_NOTE, note_modal

TEST_TITLE = "Test page"
TEST_TEXT = "You asked for it. Acknowledge it, then resolve it; nothing is broken."
_TOO_OLD = timedelta(days=1)


class DutyClicks:
    """Handles these buttons, and the form of the note."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._desk = intake.desk

    async def test_page(self, ack: Ack, body: Json) -> None:
        """Page the one who clicked with a harmless incident: stored first, then acknowledged."""
        caller = self._intake.caller(body)
        act = OpenByHand(by=caller.key, title=TEST_TITLE, description=TEST_TEXT, person=caller.key)
        stamp = str(body["actions"][0].get("action_ts", ""))
        try:
            await self._intake.store(act, caller.answer_to(), f"test_page:{caller.user}:{stamp}")
        except NotStoredError:
            await ack()
            return await self._intake.whisper(caller, said(md(NOT_STORED)))
        await ack()
        return None

    async def note_form(self, ack: Ack, body: Json) -> None:
        """Open the form for the hand-off that the button names."""
        await ack()
        caller = self._intake.caller(body)
        place = _place(str(body["actions"][0].get("value") or ""))
        if place is None or self._desk.clock.now() - place[1] > _TOO_OLD:
            text = md("That hand-off is over. Write in the channel what others should know.")
            return await self._intake.whisper(caller, said(text))
        notes = await self._desk.reader.notes(*place)
        before = next((note.note for note in notes if note.person == caller.key), "")
        view = note_modal(place[0], _metadata(caller, *place), before)
        await self._desk.api.open_modal(caller.trigger, view)
        return None

    async def note_submitted(self, ack: Ack, body: Json) -> None:
        """Store the note before the form closes."""
        view = body["view"]
        caller = self._intake.caller(body)
        place = _place(json.dumps(read_metadata(view)))
        text = Form(view, self._desk.directory.key_of).text("note")[:LONGEST_NOTE]
        if place is None or not text:
            await ack(response_action="errors", errors={"note": "Write something, or cancel."})
            return
        act = LeaveNote(by=caller.key, rotation=place[0], boundary_at=place[1], note=text)
        try:
            await self._intake.store(act, caller.answer_to(), form_key(view))
        except NotStoredError:
            await ack(response_action="errors", errors={"note": NOT_STORED})
        else:
            await ack(response_action="clear")


def _metadata(caller: Caller, rotation: str, boundary: datetime) -> str:
    kept = json.loads(caller.metadata())
    return json.dumps({**kept, "rotation": rotation[:500], "at": boundary.isoformat()})


def _place(written: str) -> tuple[str, datetime] | None:
    """Read what a button or form carries; None when it is not of this version."""
    try:
        found = json.loads(written)
        rotation, boundary = found["rotation"], datetime.fromisoformat(str(found["at"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not isinstance(rotation, str) or not rotation or boundary.tzinfo is None:
        return None
    return rotation, boundary
