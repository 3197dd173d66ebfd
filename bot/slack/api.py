"""Calls to Slack's Web API, with one table from what went wrong to what to do about it."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NoReturn

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.slack.blocks import Json, sized

LOG = logging.getLogger(__name__)

TIMEOUT_SECONDS = 4
_A_MINUTE = timedelta(minutes=1)

Check = Callable[[str, Mapping[str, Any]], None]
"""Looks at what is about to leave: the surface (message, modal, home) and the payload."""

IN_VAIN: Mapping[str, str] = {
    "channel_not_found": "there is no such channel, or it is private: /invite @Watchbill in it",
    "not_in_channel": "Watchbill is not in the channel: /invite @Watchbill in it",
    "is_archived": "the channel is archived: unarchive it, or name another in the configuration",
    "user_not_found": "Slack knows no such person: correct their e-mail or Slack id",
    "users_not_found": "Slack knows nobody with this e-mail: correct it, or add their Slack id",
    "user_disabled": "the person's Slack account is closed: take them off the roster",
    "cannot_dm_bot": "a bot cannot be paged: name a person",
    "user_not_visible": "Watchbill may not see this person: ask a Slack admin",
    "restricted_action": "the workspace does not let apps post here: ask a Slack admin",
    "restricted_action_read_only_channel": "the channel is read-only: let Watchbill post in it",
    "missing_scope": "the Slack app lacks a scope: install it again with `watchbill manifest`",
    "no_permission": "the Slack app may not do this: install it again with `watchbill manifest`",
    "not_allowed_token_type": "the wrong kind of token: slack.bot_token starts with xoxb-",
    "access_denied": "Slack refused access: ask a Slack admin",
    "ekm_access_denied": "the workspace's encryption policy refused: ask a Slack admin",
    "msg_too_long": "the message is too long for Slack; this is a fault of Watchbill",
    "invalid_blocks": "Slack refused the layout; this is a fault of Watchbill",
    "invalid_blocks_format": "Slack refused the layout; this is a fault of Watchbill",
    "msg_blocks_too_long": "the layout is too long for Slack; this is a fault of Watchbill",
    "invalid_arguments": "Slack refused the arguments; this is a fault of Watchbill",
    "file_uploads_disabled": "the workspace does not let files be uploaded: ask a Slack admin",
    "file_upload_size_restricted": "the file is larger than the workspace allows",
    "file_not_found": "Slack did not keep the uploaded file",
    "posting_to_channel_denied": "Watchbill may not share files in the channel: ask a Slack admin",
    "no_text": "the message was empty; this is a fault of Watchbill",
    "message_not_found": "the message is gone",
    "cant_update_message": "the message was posted by another app",
    "edit_window_closed": "the workspace does not let old messages be edited",
    "thread_not_found": "the thread is gone",
    "not_enabled": "App Home is off: switch the Home tab on in the Slack app's settings",
    "messages_tab_disabled": "Watchbill can write to nobody: switch the Messages tab on in the "
    "Slack app's settings",
    "hash_conflict": "the view has changed meanwhile",
    "view_too_large": "the form is too large for Slack; this is a fault of Watchbill",
    "push_limit_reached": "three forms are open already: close one and click again",
    "expired_trigger_id": "Slack waited too long: click again",
    "exchanged_trigger_id": "this click was used already: click again",
}

NOT_NOW: Mapping[str, str] = {
    "invalid_auth": "Slack refuses the token: put a valid slack.bot_token in place",
    "not_authed": "no token was sent: set slack.bot_token",
    "token_revoked": "the token was revoked: install the app again and replace slack.bot_token",
    "token_expired": "the token has expired: replace slack.bot_token",
    "account_inactive": "the app was removed from the workspace: install it again",
    "team_access_not_granted": "the app has no access to this workspace: install it again",
    "org_login_required": "the workspace is being moved by Slack",
}

_CLOSED_VIEW = frozenset({"not_found", "view_not_found"})
_LAYOUT = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "invalid_arguments",
    }
)
_NO_LAYOUT = (
    "Slack refused the layout and the buttons of this message. "
    "Write `/oncall ack` and the number to take it, `/oncall help` for the rest."
)


class SlackRefusedError(GiveUpError):
    """Slack understood and said no; `code` is its word for it."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def allow(surface: str, payload: Mapping[str, Any]) -> None:
    """Check nothing."""


def web_client(token: str, api_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Make a client that never retries by itself: all retrying is the outbox's."""
    return AsyncWebClient(
        token=token,
        base_url=api_url,
        timeout=TIMEOUT_SECONDS,
        session=session,
        retry_handlers=[],
        logger=LOG,
    )


def new_session() -> aiohttp.ClientSession:
    """Open the connection pool for `web_client`; whoever opens it closes it."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))


class SlackApi:
    """Calls one method and answers its document, or raises what the outbox understands."""

    def __init__(self, client: AsyncWebClient, check: Check = allow) -> None:
        self._client = client
        self._check = check
        self.trouble = ""
        """What Slack last said about our token, "" while it is accepted."""

    async def post(self, channel: str, message: Json, key: str, **more: Any) -> tuple[str, str]:
        """Post a message marked with `key`; return the channel's id and the message's ts."""
        answer = await self._told(
            "chat.postMessage",
            message,
            repeatable=False,
            channel=channel,
            metadata={"event_type": "watchbill", "event_payload": {"key": key}},
            unfurl_links=False,
            unfurl_media=False,
            **more,
        )
        return str(answer["channel"]), str(answer["ts"])

    async def update(self, channel: str, ts: str, message: Json) -> None:
        await self._told("chat.update", message, channel=channel, ts=ts)

    async def ephemeral(self, channel: str, user: str, message: Json) -> None:
        await self._told(
            "chat.postEphemeral", message, repeatable=False, channel=channel, user=user
        )

    async def show_home(self, user: str, view: Json) -> None:
        self._check("home", view)
        await self.call("views.publish", user_id=user, view=view)

    async def open_modal(self, trigger_id: str, view: Json) -> str:
        """Open a modal and return its id."""
        self._check("modal", view)
        answer = await self.call("views.open", trigger_id=trigger_id, view=view)
        return str(answer["view"]["id"])

    async def push_modal(self, trigger_id: str, view: Json) -> str:
        """Put a modal on top of the open one and return its id."""
        self._check("modal", view)
        answer = await self.call("views.push", trigger_id=trigger_id, view=view)
        return str(answer["view"]["id"])

    async def change_modal(self, view_id: str, view: Json) -> None:
        """Show something else in an open modal; whoever has closed it misses nothing."""
        self._check("modal", view)
        try:
            await self.call("views.update", view_id=view_id, view=view)
        except SlackRefusedError as refused:
            if refused.code not in _CLOSED_VIEW:
                raise

    async def respond(self, url: str, body: Json) -> int:
        """POST to a response_url; return the HTTP status, which is 4xx when it is used up."""
        self._check("message", body)
        hook = AsyncWebhookClient(
            url,
            timeout=TIMEOUT_SECONDS,
            session=self._client.session,
            retry_handlers=[],
            logger=LOG,
        )
        try:
            answer = await hook.send_dict(body)
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            raise RetryLaterError(f"no answer to an answer: {type(error).__name__}") from error
        if answer.status_code == 429:
            raise RetryLaterError(
                "response_url: rate limited", throttled=True, after=_retry_after(answer.headers)
            )
        if answer.status_code >= 500:
            raise RetryLaterError(f"response_url: {answer.status_code}")
        return answer.status_code

    async def call(self, method: str, *, repeatable: bool = True, **arguments: Any) -> Json:
        """Call `method`. `repeatable`: doing it twice is the same as doing it once.

        Raises RetryLaterError (`unsure` when a call that is not repeatable may have taken
        effect) or SlackRefusedError.
        """
        return await self._send(method, repeatable=repeatable, json=arguments)

    async def read(self, method: str, **arguments: Any) -> Json:
        """Call a method that only reads; Slack takes the arguments of many of these as a form."""
        given = {name: value for name, value in arguments.items() if value not in {"", None}}
        return await self._send(method, repeatable=True, http_verb="GET", params=given)

    async def form(self, method: str, *, repeatable: bool = True, **arguments: Any) -> Json:
        """Call a method that wants its arguments as a form."""
        return await self._send(method, repeatable=repeatable, data=arguments)

    async def carry(self, url: str, content: bytes) -> None:
        """POST the bytes of a file to where Slack wants them; doing it twice does no harm.

        Raises RetryLaterError or GiveUpError.
        """
        session = self._client.session
        if session is None:
            raise RetryLaterError("the connection to Slack is closed")
        headers = {"Content-Type": "application/octet-stream"}
        try:
            async with session.post(url, data=content, headers=headers) as answer:
                status, told = answer.status, answer.headers
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            raise RetryLaterError(f"no answer to an upload: {type(error).__name__}") from error
        if status == 429:
            raise RetryLaterError("upload: rate limited", throttled=True, after=_retry_after(told))
        if status >= 500:
            raise RetryLaterError(f"upload: Slack answered {status}")
        if status >= 300:
            raise GiveUpError(f"upload: Slack answered {status}")

    async def who_am_i(self) -> tuple[Json, frozenset[str]]:
        """Return what auth.test says, and the scopes the token has."""
        answer = await self._ask("auth.test", repeatable=True)
        headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
        scopes = str(headers.get("x-oauth-scopes", ""))
        return _document(answer, "auth.test", repeatable=True), frozenset(
            scope.strip() for scope in scopes.split(",") if scope.strip()
        )

    async def _told(self, method: str, message: Json, **arguments: Any) -> Json:
        """Send a message; of one whose layout Slack refuses, the text a phone shows.

        A page that looks wrong must not be a page that nobody gets.
        """
        if blocks := message.get("blocks"):
            message = {**message, "blocks": sized(blocks)}
        self._check("message", message)
        try:
            return await self.call(method, **message, **arguments)
        except SlackRefusedError as refused:
            if refused.code not in _LAYOUT or not message.get("blocks"):
                raise
            LOG.warning("sent as plain text: %s", refused)
        plain: Json = {"text": f"{message['text']}\n{_NO_LAYOUT}", "blocks": []}
        return await self.call(method, **plain, **arguments)

    async def _send(self, method: str, *, repeatable: bool, **how: Any) -> Json:
        return _document(
            await self._ask(method, repeatable=repeatable, **how), method, repeatable=repeatable
        )

    async def _ask(self, method: str, *, repeatable: bool, **how: Any) -> AsyncSlackResponse:
        try:
            answer = await self._client.api_call(method, **how)
        except SlackApiError as error:
            self.trouble = NOT_NOW.get(_code(error), "")
            _explain(error, method, repeatable=repeatable)
        except aiohttp.ClientConnectorError as error:
            why = f"cannot reach Slack for {method}: {error}"
            raise RetryLaterError(why, whole_lane=True) from error
        except aiohttp.ConnectionTimeoutError as error:
            why = f"cannot reach Slack for {method}: timed out"
            raise RetryLaterError(why, whole_lane=True) from error
        # AttributeError: the library's own, when Slack answers 200 with a text that is no JSON.
        except (
            TimeoutError,
            OSError,
            aiohttp.ClientError,
            SlackClientError,
            AttributeError,
        ) as error:
            why = f"no answer from Slack to {method}: {type(error).__name__}"
            raise RetryLaterError(why, unsure=not repeatable, whole_lane=True) from error
        self.trouble = ""
        return answer


def _document(answer: AsyncSlackResponse, method: str, *, repeatable: bool) -> Json:
    if not isinstance(answer.data, dict):
        raise RetryLaterError(f"Slack answered {method} without JSON", unsure=not repeatable)
    return answer.data


def _explain(error: SlackApiError, method: str, *, repeatable: bool) -> NoReturn:
    """Turn Slack's refusal into one of the two errors the outbox knows."""
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 200))
    code = _code(error)
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        after = _retry_after(getattr(response, "headers", None) or {})
        raise RetryLaterError(f"{method}: rate limited", after=after, throttled=True) from error
    if code in NOT_NOW:
        why = f"{method}: {NOT_NOW[code]} ({code})"
        raise RetryLaterError(why, after=_A_MINUTE, whole_lane=True, ours=True) from error
    if (
        status >= 500
        or not code
        or code
        in {
            "internal_error",
            "fatal_error",
            "service_unavailable",
            "request_timeout",
            "team_added_to_org",
        }
    ):
        why = f"Slack had trouble with {method}: {code or status}"
        raise RetryLaterError(why, unsure=not repeatable) from error
    details = (_said(error).get("response_metadata") or {}).get("messages", [])
    detail = f" {'; '.join(map(str, details[:3]))}" if details else ""
    why = IN_VAIN.get(code, "Slack said no")
    raise SlackRefusedError(code, f"{method}: {why} ({code}){detail}") from error


def _said(error: SlackApiError) -> Json:
    document = getattr(error.response, "data", None)
    return document if isinstance(document, dict) else {}


def _code(error: SlackApiError) -> str:
    return str(_said(error).get("error", ""))


def _retry_after(headers: Mapping[str, str]) -> timedelta:
    found = next((v for k, v in headers.items() if k.lower() == "retry-after"), "")
    try:
        return timedelta(seconds=min(max(float(found), 1.0), 3600.0))
    except ValueError:
        return timedelta(seconds=30)
