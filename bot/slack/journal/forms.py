"""The journal's forms: opened with what is known, stored before they close."""

import json
import re

from bot.acts.journal import AddToJournal, JournalAct, WaiveJournal, WriteJournal
from bot.ports.delivering import MessageRef
from bot.ports.inbox import NotStoredError
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.intake import NOT_STORED, Ack, Caller, Intake, form_key, read_metadata
from bot.slack.scene import permalink
from bot.slack.submits import Form
from bot.slack.text import md
from bot.slack.views import journal as views
from bot.slack.views.answers import said
from rules.incident import Incident
from rules.journal.entry import LONGEST_NOTE, Told

_ASKED_IN = {
    "symptom": "symptom", "cause_class": "cause_class", "cause": "cause", "fix": "fix",
    "needed": "needed_yes", "needed_why": "needed", "follow_up": "follow_up",
}  # fmt: skip
"""In which block of the form each part of an entry is asked."""
_NUMBER = re.compile(r"#?(\d{1,9})")


async def journal_form(desk: Desk, word: str, incident: Incident, caller: Caller) -> Json:
    """Return the form that writes an entry, or says that none is needed."""
    if word == views.WAIVE:
        return views.waive_modal(incident, caller.metadata(incident.number))
    entry = await desk.recall.journal.entry(incident.id)
    rules = desk.rulebook().journal
    kept = json.loads(caller.metadata(incident.number))
    metadata = json.dumps({**kept, "v": entry.version if entry else 0})
    return views.write_modal(incident, entry, rules.template(incident), rules.causes, metadata)


class JournalForms:
    """Handles the journal's forms, its shortcut, and the buttons of its lists."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._desk = intake.desk

    async def written(self, ack: Ack, body: Json) -> None:
        view, caller = body["view"], self._intake.caller(body)
        form = Form(view, self._desk.directory.key_of)
        told = Told(
            symptom=form.text("symptom"),
            cause_class=form.choice("cause_class"),
            cause=form.text("cause"),
            fix=form.text("fix"),
            needed={"yes": True, "no": False}.get(form.choice("needed_yes")),
            needed_why=form.text("needed"),
            follow_up=form.text("follow_up"),
        )
        if not told:
            first = _first_input(view)
            await ack(response_action="errors", errors={first: "Write at least one line."})
            return
        version = read_metadata(view).get("v")
        asked = {block.get("block_id") for block in view["blocks"]}
        act = WriteJournal(
            by=caller.key,
            number=form.number,
            told=told,
            seen_version=version if isinstance(version, int) else 0,
            unasked=tuple(name for name, block in _ASKED_IN.items() if block not in asked),
        )
        await self._store(ack, view, caller, act)

    async def waived(self, ack: Ack, body: Json) -> None:
        view, caller = body["view"], self._intake.caller(body)
        form = Form(view, self._desk.directory.key_of)
        if not form.text("why"):
            await ack(response_action="errors", errors={"why": "Say why."})
            return
        act = WaiveJournal(by=caller.key, number=form.number, why=form.text("why"))
        await self._store(ack, view, caller, act)

    async def shortcut(self, ack: Ack, body: Json) -> None:
        """A message becomes part of the journal; in an incident's thread its number is known."""
        await ack()
        caller, message = self._intake.caller(body), body.get("message") or {}
        ts = str(message.get("ts") or "")
        thread = str(message.get("thread_ts") or ts)
        number = await self._desk.recall.journal.incident_at(caller.channel, thread)
        author = str(message.get("user") or "")
        kept = json.loads(caller.metadata())
        kept |= {"a": author[:40], "t": ts[:40]}
        text = self._intake.read(message)[:LONGEST_NOTE]
        view = views.add_modal(text, number, json.dumps(kept))
        await self._desk.api.open_modal(caller.trigger, view)

    async def added(self, ack: Ack, body: Json) -> None:
        view, caller = body["view"], self._intake.caller(body)
        form, kept = Form(view, self._desk.directory.key_of), read_metadata(view)
        written = form.text("number")
        hit = _NUMBER.fullmatch(written)
        if written and hit is None:
            wrong = {"number": "Write the incident's number, like 42, or leave it empty."}
            await ack(response_action="errors", errors=wrong)
            return
        author, ts = str(kept.get("a") or ""), str(kept.get("t") or "")
        place = MessageRef("", caller.channel, ts) if caller.channel and ts else None
        act = AddToJournal(
            by=caller.key,
            text=form.text("text"),
            number=int(hit[1]) if hit else None,
            author=self._desk.directory.key_of(author) if author else "",
            link=permalink(self._desk.workspace_url(), place),
        )
        await self._store(ack, view, caller, act)

    async def read(self, ack: Ack, body: Json) -> None:
        """Show one entry of a list."""
        await ack()
        caller = self._intake.caller(body)
        entry_id = str(body["actions"][0].get("value") or "")[:64]
        entry = await self._desk.recall.journal.entry(entry_id)
        if entry is None:
            await self._intake.whisper(caller, said(md("That entry is not there any more.")))
            return
        await self._desk.directory.learn_names(entry.facts.people)
        causes, now = self._desk.rulebook().journal.causes, self._desk.clock.now()
        shown = views.entry_answer(entry, causes, self._desk.directory, now)
        await self._intake.whisper(caller, shown)

    async def _store(self, ack: Ack, view: Json, caller: Caller, act: JournalAct) -> None:
        try:
            await self._intake.store(act, caller.answer_to(), form_key(view))
        except NotStoredError:
            await ack(response_action="errors", errors={_first_input(view): NOT_STORED})
        else:
            await ack(response_action="clear")
            await self._desk.directory.learn(caller.user)


def _first_input(view: Json) -> str:
    return str(next(one["block_id"] for one in view["blocks"] if one["type"] == "input"))
