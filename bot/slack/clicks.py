"""Buttons and menus: an act is stored and acknowledged, anything longer opens a modal."""

from collections.abc import Mapping
from datetime import timedelta

from bot.acts.act import EndSilence, OnIncident, SplitOff
from bot.ports.delivering import RetryLaterError
from bot.ports.inbox import NotStoredError
from bot.slack.api import LOG
from bot.slack.blocks import Json
from bot.slack.correcting import form_metadata
from bot.slack.intake import NOT_STORED, OUTDATED, Ack, Caller, Intake, read_number
from bot.slack.journal.forms import journal_form
from bot.slack.replies import render_home
from bot.slack.scene import people_in
from bot.slack.text import md
from bot.slack.views import modals
from bot.slack.views.answers import said
from bot.slack.views.correct import correct_modal
from bot.slack.views.incident import STILL, no_more_asked
from bot.slack.views.journal import FORMS as JOURNAL
from bot.slack.views.timeline import MOST_READ, timeline_modal
from bot.slack.wording.incident import no_incident
from rules.incident import Incident, State
from rules.matching.known import with_catalogue
from rules.matching.matcher import parse_matchers

EVENTS: Mapping[str, str] = {
    "ack": "acked",
    "resolve": "resolved",
    "unack": "unacked",
    "reopen": "reopened",
    "escalate": "escalated",
    "unsnooze": "unsnoozed",
    "ack_confirm": "ack_confirmed",
    "verify_now": "run_requested",
}
"""Buttons that do one thing to one incident, and the event each stands for."""

FORMS = (
    *("snooze", "reassign", "page", "resolve_note", "silence", "verify"),
    *("timeline", "show", "correct", *JOURNAL),
)
HOME_FORMS = ("home_page", "home_create", "home_take", "home_silence")
_RECENT = timedelta(days=7)
_MOST_RECENT = 500


class Clicks:
    """Handles one click."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._desk = intake.desk

    async def event(self, ack: Ack, body: Json) -> None:
        """A button or menu item that changes an incident: stored first, then acknowledged."""
        caller, (word, number) = self._intake.caller(body), _chosen(body)
        if number is None:
            return await self.unknown(ack, body)
        asked = str(_action(body).get("block_id", "")).startswith(STILL)
        own = caller.key if asked and word == "unack" else ""
        act = OnIncident(number=number, event=EVENTS[word], by=caller.key, person=own)
        try:
            await self._intake.store(act, caller.answer_to(quiet=True), _key(body))
        except NotStoredError:
            await ack()
            return await self._intake.whisper(caller, said(md(NOT_STORED)))
        await ack()
        if asked and caller.response_url:
            try:
                await self._no_more_asked(number, caller, handed_back=bool(own))
            except (NotStoredError, RetryLaterError) as error:  # the click itself is stored
                LOG.warning("the question about #%s stays as it is: %s", number, error)
        await self._desk.directory.learn(caller.user)
        return None

    async def _no_more_asked(self, number: int, caller: Caller, *, handed_back: bool) -> None:
        """Answer in place of the question: what it asks about may be another's by now."""
        incident = await self._desk.reader.incident_numbered(number)
        if incident is None:
            told = said(no_incident(number))
        elif (
            handed_back and incident.state is State.ACKNOWLEDGED and incident.acked_by == caller.key
        ):
            told = said(md("You hand #{number} back: it pages again.", number=number))
        else:
            scene, _ = await self._desk.scene(incident, ask=False)
            told = no_more_asked(scene, caller.key)
        await self._desk.api.respond(caller.response_url, {"replace_original": True, **told})

    async def overflow(self, ack: Ack, body: Json) -> None:
        word, _ = _chosen(body)
        if word in EVENTS:
            await self.event(ack, body)
        elif word in FORMS:
            await self.form(ack, body)
        else:
            await self.unknown(ack, body)

    async def form(self, ack: Ack, body: Json) -> None:
        """Something that needs a modal: open it at once, fill it when the facts are read."""
        await ack()
        caller, (word, number) = self._intake.caller(body), _chosen(body)
        view_id = await self._open(body, caller, modals.loading(number or 0))
        incident = await self._desk.reader.incident_numbered(number or 0)
        if incident is None:
            view = modals.trouble("Not found", no_incident(number or 0))
        else:
            view = await self._filled(word, incident, caller)
        await self._desk.api.change_modal(view_id, view)

    async def home_form(self, ack: Ack, body: Json) -> None:
        """A button of App Home that opens a form; nothing must be read for most of them."""
        await ack()
        caller = self._intake.caller(body)
        await self._open(body, caller, self._form_from_home(_action(body)["action_id"], caller))

    async def end_silence(self, ack: Ack, body: Json) -> None:
        caller = self._intake.caller(body)
        act = EndSilence(by=caller.key, silence_id=str(_action(body).get("value", ""))[:64])
        try:
            await self._intake.store(act, caller.answer_to(), _key(body))
        except NotStoredError:
            await ack()
            return await self._intake.whisper(caller, said(md(NOT_STORED)))
        await ack()
        return None

    async def split_off(self, ack: Ack, body: Json) -> None:
        """One alert gets an incident of its own; the answer says which number it has."""
        caller = self._intake.caller(body)
        written, _, alert = str(_action(body).get("value", ""))[:64].partition(":")
        number = read_number(written)
        if number is None or not alert:
            return await self.unknown(ack, body)
        act = SplitOff(number=number, alert=alert, by=caller.key)
        try:
            await self._intake.store(act, caller.answer_to(), _key(body))
        except NotStoredError:
            await ack()
            return await self._intake.whisper(caller, said(md(NOT_STORED)))
        await ack()
        return None

    async def refresh_home(self, ack: Ack, body: Json) -> None:
        await ack()
        user = self._intake.caller(body).user
        await self._desk.api.show_home(user, await render_home(self._desk, user))

    async def preview(self, ack: Ack, body: Json) -> None:
        """Enter was pressed in the silence form: show what it would have caught."""
        await ack()
        view = body["view"]
        written = str(_action(body).get("value") or "")
        fresh = modals.silence_modal(
            str(view.get("private_metadata") or ""),
            matchers=written,
            until=_typed(view, "until"),
            why=_typed(view, "why"),
            preview=await self._preview(written),
        )
        await self._desk.api.change_modal(str(view["id"]), fresh)

    async def link(self, ack: Ack, _body: Json) -> None:
        """A button that only leads somewhere: Slack wants it acknowledged all the same."""
        await ack()

    async def unknown(self, ack: Ack, body: Json) -> None:
        """A button of an older version, or nobody's: it answers, and does nothing."""
        await ack()
        await self._intake.whisper(self._intake.caller(body), said(md(OUTDATED)))

    async def _open(self, body: Json, caller: Caller, view: Json) -> str:
        opened = (body.get("view") or {}).get("type") == "modal"
        show = self._desk.api.push_modal if opened else self._desk.api.open_modal
        return await show(caller.trigger, view)

    async def _filled(self, word: str, incident: Incident, caller: Caller) -> Json:
        if word in JOURNAL:
            return await journal_form(self._desk, word, incident, caller)
        metadata = caller.metadata(incident.number)
        match word:
            case "snooze":
                return modals.snooze_modal(incident, metadata)
            case "reassign":
                return modals.reassign_modal(incident, metadata)
            case "page":
                return modals.loop_in_modal(incident, metadata)
            case "verify":
                return modals.proof_modal(incident, metadata)
            case "resolve_note":
                return modals.resolve_modal(incident, metadata)
            case "correct":
                return correct_modal(incident, form_metadata(incident, caller))
            case "silence":
                matchers = modals.like_this(incident)
                preview = await self._preview(matchers)
                return modals.silence_modal(metadata, matchers=matchers, preview=preview)
            case _:
                scene, _ = await self._desk.scene(incident)
                entries = await self._desk.reader.timeline(incident.id, MOST_READ)
                named = people_in([entry.sentence for entry in entries])
                await self._desk.directory.learn_names([*named, *(e.by for e in entries)])
                return timeline_modal(scene, entries, metadata)

    def _form_from_home(self, action: str, caller: Caller) -> Json:
        on_call, metadata = self._desk.on_call(), caller.metadata()
        match action:
            case "home_take":
                return modals.override_modal(on_call, caller.user, metadata)
            case "home_silence":
                return modals.silence_modal(metadata, preview=modals.preview_block(None))
            case "home_create":
                return modals.open_modal("Create incident", on_call, metadata)
            case _:
                return modals.open_modal("Page someone", on_call, metadata)

    async def _preview(self, written: str) -> Json:
        try:
            matchers, rest = parse_matchers(written)
        except ValueError as error:
            return modals.preview_block(None, str(error))
        if rest:
            return modals.preview_block(None, f'I cannot read "{rest[:60]}" as label=value.')
        if not matchers:
            return modals.preview_block(None)
        since = self._desk.clock.now() - _RECENT
        stored = await self._desk.reader.recent_alert_labels(since, _MOST_RECENT)
        catalogue = self._desk.rulebook().catalogue
        recent = [with_catalogue(labels, catalogue) for labels in stored]
        return modals.preview_block(modals.caught(matchers, recent))


def _action(body: Json) -> Json:
    found = body["actions"][0]
    return found if isinstance(found, dict) else {}


def _chosen(body: Json) -> tuple[str, int | None]:
    """Tell which word was clicked, and the number of its incident."""
    action = _action(body)
    option = (action.get("selected_option") or {}).get("value")
    word, _, number = (
        str(option).partition(":")
        if option
        else (str(action["action_id"]), "", str(action.get("value", "")))
    )
    return word, read_number(number)


def _key(body: Json) -> str:
    action = _action(body)
    user = body["user"]["id"]
    return f"click:{user}:{action.get('action_ts', '')}:{action['action_id']}"


def _typed(view: Json, block: str) -> str:
    values = (view.get("state") or {}).get("values") or {}
    return str(((values.get(block) or {}).get(block) or {}).get("value") or "")
