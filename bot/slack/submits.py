"""Modals sent: checked, and stored before the modal closes; a fault is shown beside its field."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bot.acts.act import Act, MakeSilence, OnIncident, OpenByHand
from bot.ports.inbox import NotStoredError
from bot.slack.blocks import Json
from bot.slack.intake import NOT_STORED, Ack, Caller, Intake, form_key, read_metadata, read_number
from bot.slack.text import md
from bot.slack.views.answers import said
from bot.slack.wishes import Typist, ahead_of, matchers_of, override
from rules.durations import parse_duration
from rules.spoken_time import read_moment

_YEAR_3000 = 32_503_680_000


class FieldError(ValueError):
    """What stands in one field cannot be used; `field` is its block."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


class Form:
    """The values of a submitted modal, by block."""

    def __init__(self, view: Json, person: Callable[[str], str]) -> None:
        self._values = (view.get("state") or {}).get("values") or {}
        self._person = person
        self.number = read_number(read_metadata(view).get("n")) or 0

    def text(self, block: str) -> str:
        said = str(self._element(block).get("value") or "").strip()
        return said.encode("utf-8", "replace").decode()  # half a character cannot be stored

    def choice(self, block: str) -> str:
        return str((self._element(block).get("selected_option") or {}).get("value") or "")

    def person(self, block: str) -> str:
        """Return the key of the person chosen, "" when none was."""
        user = str(self._element(block).get("selected_user") or "")
        return self._person(user) if user else ""

    def instant(self, block: str) -> datetime | None:
        """Return the instant picked, None when none was."""
        seconds = self._element(block).get("selected_date_time")
        if not isinstance(seconds, int) or not 0 < seconds < _YEAR_3000:
            return None
        return datetime.fromtimestamp(seconds, UTC)

    def moment(self, block: str, now: datetime, zone: str) -> datetime:
        try:
            return ahead_of(read_moment(self.text(block), now, zone), now).at
        except ValueError as error:
            raise FieldError(block, str(error)) from error

    def _element(self, block: str) -> Json:
        found = (self._values.get(block) or {}).get(block)
        return found if isinstance(found, dict) else {}


Reading = Callable[[Form, Typist], Act]


class Submits:
    """Handles one submitted modal."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def submitted(self, ack: Ack, body: Json) -> None:
        view = body["view"]
        caller = self._intake.caller(body)
        await self._intake.desk.directory.meet(caller.user)
        typist = self._intake.typist(caller.user)
        form = Form(view, self._intake.desk.directory.key_of)
        try:
            act = FORMS[view["callback_id"]](form, typist)
            await self._store(act, caller, form_key(view))
        except FieldError as error:
            await ack(response_action="errors", errors={error.field: str(error)})
        except NotStoredError:
            first = next(b["block_id"] for b in view["blocks"] if b["type"] == "input")
            await ack(response_action="errors", errors={first: NOT_STORED})
        else:
            await ack(response_action="clear")

    async def _store(self, act: Act, caller: Caller, key: str) -> None:
        quiet = isinstance(act, OnIncident)
        await self._intake.store(act, caller.answer_to(quiet=quiet), key)

    async def unknown(self, ack: Ack, body: Json) -> None:
        """A form of an older version: it closes, and the person hears that nothing was done."""
        await ack(response_action="clear")
        text = md("That form is from another version and did nothing. Try `/oncall help`.")
        await self._intake.whisper(self._intake.caller(body), said(text))

    async def closed(self, ack: Ack, _body: Json) -> None:
        await ack()


def _resolve(form: Form, typist: Typist) -> Act:
    return OnIncident(number=form.number, event="resolved", by=typist.by, note=form.text("note"))


def _verify(form: Form, typist: Typist) -> Act:
    if not form.text("words"):
        raise FieldError("words", "Say how you know, or why it needs no proof.")
    event = form.choice("how") or "verified"
    return OnIncident(number=form.number, event=event, by=typist.by, note=form.text("words"))


def _snooze(form: Form, typist: Typist) -> Act:
    if form.text("until"):
        until = form.moment("until", typist.now, typist.zone)
    else:
        until = typist.now + parse_duration(form.choice("for") or "1h")
    return OnIncident(number=form.number, event="snoozed", by=typist.by, until=until)


def _reassign(form: Form, typist: Typist) -> Act:
    return _to_person(form, typist, "reassigned")


def _loop_in(form: Form, typist: Typist) -> Act:
    return _to_person(form, typist, "looped_in")


def _to_person(form: Form, typist: Typist, event: str) -> Act:
    person = form.person("person")
    if not person:
        raise FieldError("person", "Choose a person.")
    return OnIncident(number=form.number, event=event, by=typist.by, person=person)


def _open_by_hand(form: Form, typist: Typist) -> Act:
    person = form.person("person")
    rotation = "" if person else form.choice("rotation")
    if not form.text("title"):
        raise FieldError("title", "Say what is wrong.")
    return OpenByHand(
        by=typist.by,
        title=form.text("title"),
        description=form.text("details"),
        person=person,
        rotation=rotation,
    )


def _silence(form: Form, typist: Typist) -> Act:
    try:
        matchers = matchers_of(form.text("matchers"))
    except ValueError as error:
        raise FieldError("matchers", str(error)) from error
    until = form.moment("until", typist.now, typist.zone)
    return MakeSilence(by=typist.by, matchers=matchers, until=until, why=form.text("why"))


def _override(form: Form, typist: Typist) -> Act:
    try:
        start = read_moment(form.text("from"), typist.now, typist.zone).at
    except ValueError as error:
        raise FieldError("from", str(error)) from error
    begins = max(start, typist.now)
    try:
        end = read_moment(form.text("to"), begins, typist.zone, said_at=typist.now).at
        return override(typist, form.person("person"), form.choice("place"), start, end)
    except ValueError as error:
        raise FieldError("to", str(error)) from error


FORMS: Mapping[str, Reading] = {
    "resolve_note": _resolve,
    "verify": _verify,
    "snooze": _snooze,
    "reassign": _reassign,
    "loop_in": _loop_in,
    "open_by_hand": _open_by_hand,
    "silence": _silence,
    "override": _override,
}
