"""The Bolt app: which handler answers what, and that nothing stays unanswered."""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.logger.messages import warning_client_prioritized_and_token_skipped
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.ports.inbox import Inbox
from bot.slack.access.clicks import AccessClicks
from bot.slack.blocks import Json
from bot.slack.clicks import EVENTS, FORMS, HOME_FORMS, Clicks
from bot.slack.correcting import Corrections
from bot.slack.desk import Desk
from bot.slack.duty.clicks import DutyClicks
from bot.slack.happenings import Happenings
from bot.slack.intake import Ack, Handler, Intake, Running
from bot.slack.issues import ACTIONS as ISSUES
from bot.slack.issues import IssuePages
from bot.slack.journal.forms import JournalForms
from bot.slack.rota.clicks import RotaClicks
from bot.slack.rota.loads import APPLY, DRAW
from bot.slack.rota.notes import CONFIRM_ROSTER, RosterClicks
from bot.slack.runbooks import ACTIONS as RUNBOOK_ACTIONS
from bot.slack.runbooks import RunbookClicks
from bot.slack.submits import FORMS as MODALS
from bot.slack.submits import Submits
from bot.slack.tasks import ACTIONS as TASK_ACTIONS
from bot.slack.tasks import TaskClicks
from bot.slack.text import md
from bot.slack.views import journal as journal_views
from bot.slack.views.access import ASK, DECISIONS, FORM
from bot.slack.views.answers import said
from bot.slack.views.consequences import SPLIT_OFF
from bot.slack.views.duties import LEAVE_NOTE, TEST_PAGE
from bot.slack.views.rota import COVER_ACTIONS, HOME_COVER, HOME_SWAP, SWAP_ACTIONS, UNDO
from bot.slack.views.tasks import TASK_FORMS
from bot.slack.vocabulary import ADD_TO_JOURNAL, COMMAND, CREATE_INCIDENT, PAGE_SOMEONE
from bot.slack.words import Words

LOG = logging.getLogger(__name__)


def _is_for_readers(record: logging.LogRecord) -> bool:
    # Bolt finds SLACK_BOT_TOKEN in the environment by itself, and says that it needs none
    return record.getMessage() != warning_client_prioritized_and_token_skipped()


LOG.addFilter(_is_for_readers)

_ANY = re.compile(".*", re.DOTALL)
_TROUBLE = "Something went wrong in Watchbill; it has been logged. Please try again."


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in the workspace, as auth.test says; empty until it has answered."""

    bot_user: str = ""
    bot: str = ""
    team: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Listening:
    """The Bolt app, and what runs in it; `running` tells when it is idle."""

    app: AsyncApp
    running: Running


def build_listeners(
    desk: Desk,
    inbox: Inbox,
    *,
    token: str,
    identity: Callable[[], Identity],
    signing_secret: str = "",
) -> Listening:
    """Build the app. `signing_secret` is needed only when Slack comes by HTTP."""

    async def authorize(**_: Any) -> AuthorizeResult:
        # Known without asking Slack: nothing may delay the acknowledgement.
        me = identity()
        return AuthorizeResult(
            enterprise_id=None,
            team_id=me.team,
            bot_user_id=me.bot_user,
            bot_id=me.bot,
            bot_token=token,
        )

    app = AsyncApp(
        name="watchbill",
        client=AsyncWebClient(token=None, retry_handlers=[]),
        authorize=authorize,
        signing_secret=signing_secret,
        logger=LOG,
    )
    intake = Intake(inbox, desk, Running())
    app.error(_on_error(intake))
    _register(app, intake)
    return Listening(app, intake.running)


def _register(app: AsyncApp, intake: Intake) -> None:
    clicks, submits, words = Clicks(intake), Submits(intake), Words(intake)
    corrections, duty = Corrections(intake), DutyClicks(intake)
    happenings, pages = Happenings(intake, words), IssuePages(intake)

    def on(handler: Handler) -> Handler:
        async def listener(ack: Ack, body: Json) -> None:
            async with intake.running.one():
                await handler(ack, body)

        return listener

    app.command(COMMAND)(on(words.command))
    for word in EVENTS:
        app.action(word)(on(clicks.event))
    for word in FORMS:
        app.action(word)(on(clicks.form))
    for word in HOME_FORMS:
        app.action(word)(on(clicks.home_form))
    app.action("overflow")(on(clicks.overflow))
    for word in ISSUES:
        app.action(word)(on(pages.show))
    app.action("end_silence")(on(clicks.end_silence))
    app.action(SPLIT_OFF)(on(clicks.split_off))
    app.action("home_refresh")(on(clicks.refresh_home))
    app.action("matchers")(on(clicks.preview))
    app.action("link")(on(clicks.link))
    app.action(TEST_PAGE)(on(duty.test_page))
    app.action(LEAVE_NOTE)(on(duty.note_form))
    app.view(LEAVE_NOTE)(on(duty.note_submitted))
    app.action(CONFIRM_ROSTER)(on(RosterClicks(intake, intake.desk.confirm_roster).confirm))
    app.action("rule_narrower")(on(corrections.narrower))
    app.action("rule_wider")(on(corrections.wider))
    app.view("correct")(on(corrections.submitted))
    app.view("correct_rule")(on(corrections.saved))
    _register_rota(app, RotaClicks(intake), on)
    _register_aftercare(app, RunbookClicks(intake), TaskClicks(intake), on)
    _register_access(app, AccessClicks(intake), on)
    for callback in MODALS:
        app.view(callback)(on(submits.submitted))
    _register_journal(app, JournalForms(intake), on)
    app.shortcut(CREATE_INCIDENT)(on(happenings.create_incident))
    app.shortcut(PAGE_SOMEONE)(on(happenings.page_someone))
    app.event("app_home_opened")(on(happenings.home_opened))
    _register_words(app, happenings, intake)
    # Last: whatever is left is answered, so that nothing stays silent.
    app.command(_ANY)(on(words.unknown))
    app.action(_ANY)(on(clicks.unknown))
    app.view_submission(_ANY)(on(submits.unknown))
    app.view_closed(_ANY)(on(submits.closed))
    app.shortcut(_ANY)(on(happenings.unknown_shortcut))
    app.event(_ANY)(on(happenings.other_event))


def _register_words(app: AsyncApp, happenings: Happenings, intake: Intake) -> None:
    """Register what is written to us: stored in a middleware, answered by the listener.

    Bolt acknowledges an event before its listener begins, but not before its middleware ends.
    """

    async def hear(
        body: Json, context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]
    ) -> None:
        async with intake.running.one():
            context["answer"] = await happenings.hear(body)
        await next_()

    async def reply(body: Json, context: AsyncBoltContext) -> None:
        async with intake.running.one():
            await happenings.reply(body, context["answer"])

    for kind in ("message", "app_mention"):
        app.event(kind, middleware=[hear])(reply)


def _register_aftercare(
    app: AsyncApp, runbooks: RunbookClicks, tasks: TaskClicks, on: Callable[[Handler], Handler]
) -> None:
    for word in RUNBOOK_ACTIONS:
        app.action(word)(on(runbooks.click))
    for word in TASK_ACTIONS:
        app.action(word)(on(tasks.click))
    for form in TASK_FORMS:
        app.view(form)(on(tasks.submitted))


def _register_rota(app: AsyncApp, rota: RotaClicks, on: Callable[[Handler], Handler]) -> None:
    for word in (UNDO, *COVER_ACTIONS, *SWAP_ACTIONS):
        app.action(word)(on(rota.click))
    for word in (HOME_COVER, HOME_SWAP):
        app.action(word)(on(rota.home))
    app.action(DRAW)(on(rota.load))
    app.action(APPLY)(on(rota.load))
    app.view("cover")(on(rota.cover_form))
    app.view("swap")(on(rota.swap_form))


def _register_access(app: AsyncApp, access: AccessClicks, on: Callable[[Handler], Handler]) -> None:
    for word in DECISIONS:
        app.action(word)(on(access.click))
    app.action(ASK)(on(access.open_form))
    app.view(FORM)(on(access.submitted))


def _register_journal(app: AsyncApp, forms: JournalForms, on: Callable[[Handler], Handler]) -> None:
    app.view(journal_views.WRITE)(on(forms.written))
    app.view(journal_views.WAIVE)(on(forms.waived))
    app.view(journal_views.ADD)(on(forms.added))
    app.action(journal_views.READ)(on(forms.read))
    app.shortcut(ADD_TO_JOURNAL)(on(forms.shortcut))


def _on_error(intake: Intake) -> Callable[[Exception, Json], Awaitable[BoltResponse]]:
    async def on_error(error: Exception, body: Json) -> BoltResponse:
        """Log it, tell the person, and acknowledge: Slack would only show a warning sign."""
        while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        expected = isinstance(error, RetryLaterError | GiveUpError)
        LOG.error("a listener failed: %s", error, exc_info=None if expected else error)
        if body.get("user") or body.get("user_id"):
            text = (
                md("Slack would not do that: {why}", why=str(error)) if expected else md(_TROUBLE)
            )
            try:
                await intake.whisper(intake.caller(body), said(text))
            except (RetryLaterError, GiveUpError) as again:
                LOG.warning("and the person could not be told: %s", again)
        return BoltResponse(status=200, body="")

    return on_error
