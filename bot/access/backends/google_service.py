"""Calls of Google's own client for groups and policies: one at a time, never repeated by itself."""

import asyncio
import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from bot.config.types import Url
from bot.ports.delivering import GiveUpError, RetryLaterError
from rules.documents.spec import Spec, Text

if TYPE_CHECKING:
    from google.oauth2.service_account import Credentials

Json = Mapping[str, Any]
TIMEOUT = 10.0
_WHOLE_CALL = 18.0
_LARGEST_KEY = 100_000
_LONGEST_WAIT = timedelta(hours=1)
_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"})
_OFF = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
_NAME = re.compile(r"[^\s/?#\\\x00-\x1f\ud800-\udfff]{1,320}")
_ENABLE = re.compile(r"https://console\.(?:developers|cloud)\.google\.com/\S+")


class GoogleSpec(Spec):
    """Options of a back-end of Google's."""

    credentials: Text = Field(
        description="The service account's key, a .json file, read when it is first used."
    )
    subject: str = Field(
        default="",
        max_length=320,
        description="E-mail of an administrator to act as, by domain-wide delegation; left out, "
        "the service account acts by its own rights, which is better.",
    )
    api_url: Url | None = Field(default=None, description="Where Google's interface is.")


class RefusedError(GiveUpError):
    """Google said no: `status` is that of HTTP, `reason` a word, `message` its own text."""

    def __init__(self, words: str, status: int, reason: str, message: str) -> None:
        super().__init__(words)
        self.status = status
        self.reason = reason
        self.message = message


class GoogleService:
    """One of Google's services as a service account, by the description that the client carries.

    The client blocks, so each call runs in a thread, with a connection of its own: httplib2 is not
    for several threads, and one kept open goes stale between calls that are minutes apart.
    """

    def __init__(self, name: str, version: str, scopes: tuple[str, ...], spec: GoogleSpec) -> None:
        self._name, self._version, self._scopes = name, version, scopes
        self._spec = spec
        self._credentials: Credentials | None = None
        self._service: Any = None
        self._timeout = TIMEOUT
        # what goes wrong is told once, in our words
        logging.getLogger("googleapiclient.http").setLevel(logging.ERROR)

    @property
    def address(self) -> str:
        """Return the service account's address, once its key was read."""
        return str(getattr(self._credentials, "service_account_email", "the service account"))

    async def call(self, request: Callable[[Any], Any], *, empty: bool = False) -> Json:
        """Make one request of the client's; `empty` when the answer holds nothing.

        Raises RetryLaterError, RefusedError, GiveUpError.
        """
        try:
            async with asyncio.timeout(_WHOLE_CALL):
                answer = await asyncio.to_thread(self._call, request)
        except TimeoutError:
            raise RetryLaterError("Google takes too long to answer.", unsure=True) from None
        if isinstance(answer, dict):
            return answer
        if empty and not answer:
            return {}
        raise RetryLaterError("Google's answer cannot be read.", unsure=True)

    def _call(self, request: Callable[[Any], Any]) -> object:
        import httplib2  # heavy, and only for who has such a group
        from google.auth.exceptions import GoogleAuthError, RefreshError
        from google_auth_httplib2 import AuthorizedHttp
        from googleapiclient.errors import Error, HttpError

        from bot.google.once import OnceHttp

        http = AuthorizedHttp(self._signed_in(), http=OnceHttp(self._timeout))
        try:
            answer: object = request(self._built()).execute(http=http)
        except HttpError as error:
            after = error.resp.get("retry-after")
            raise self._fault(int(error.resp.status), error.content, after) from None
        except RefreshError as error:
            raise _token_fault(error) from None
        except (GoogleAuthError, httplib2.error.HttpLib2Error, HTTPException, OSError) as error:
            named = "time-out" if isinstance(error, TimeoutError) else type(error).__name__
            words = f"Google cannot be reached ({named})."
            raise RetryLaterError(
                words, unsure=not isinstance(error, ConnectionRefusedError)
            ) from None
        except (Error, ValueError) as error:
            words = f"Google's answer cannot be read ({type(error).__name__})."
            raise RetryLaterError(words, unsure=True) from None
        finally:
            http.close()
        return answer

    def _built(self) -> Any:
        """Build the client from the description it carries: no request leaves for it."""
        if self._service is None:
            import httplib2  # heavy, as above
            from googleapiclient.discovery import build_from_document

            from bot.google.described import described

            document = described(self._name, self._version, self._spec.api_url or "")
            # only to build with: each call brings its own
            self._service = build_from_document(document, http=httplib2.Http(timeout=self._timeout))
        return self._service

    def _signed_in(self) -> "Credentials":
        if self._credentials is None:
            from google.auth.exceptions import GoogleAuthError  # heavy, as above
            from google.oauth2.service_account import Credentials

            info = _key(Path(self._spec.credentials))
            make: Any = Credentials.from_service_account_info
            try:
                made: Credentials = make(
                    info, scopes=self._scopes, subject=self._spec.subject or None
                )
            except (ValueError, KeyError, TypeError, GoogleAuthError):
                words = f"the private key in {self._spec.credentials} is broken."
                raise GiveUpError(f"{words} Download a new one.") from None
            self._credentials = made
        return self._credentials

    def _fault(
        self, status: int, content: bytes, retry_after: str | None
    ) -> RetryLaterError | RefusedError:
        reason, message = told(content)
        if status == 429 or (status == 403 and reason in _TOO_FAST):
            words = f"Google asks us to wait ({status} {reason})."
            return RetryLaterError(words, after=wait_of(retry_after), throttled=True)
        if status >= 500 or status == 408:
            words = f"Google answers {status} {reason}".strip() + "."
            return RetryLaterError(words, after=wait_of(retry_after), unsure=True)
        return RefusedError(self._words(status, reason, message), status, reason, message)

    def _words(self, status: int, reason: str, message: str) -> str:
        match status:
            case 401:
                return "Google does not accept the credentials. Make a new key for the service account."
            case 403 if reason in _OFF or "disabled" in message:
                where = _ENABLE.search(message)
                at = f": {where[0]}" if where else " in the Google Cloud console."
                return f"its interface is off in the service account's project. Enable it{at}"
            case 403:
                return (
                    f"{self.address} may not do this ({message or reason})."
                    " docs/access-backends.md has the rights it needs."
                )
            case _:
                return f"Google answers {status} {message or reason}".strip() + "."


def checked(name: str) -> str:
    """Return a group's or member's name if it can be one. Raises GiveUpError."""
    if not _NAME.fullmatch(name) or name in {".", ".."}:
        raise GiveUpError(f"{name[:100]!r} cannot be a name at Google. Correct it.")
    return name


def told(content: bytes) -> tuple[str, str]:
    """Return Google's reason, a word, and its message, from the body of an error."""
    try:
        error = json.loads(content)["error"]
        message = " ".join(str(error.get("message", "")).split())[:300]
        reasons = [one.get("reason") for one in error.get("errors") or ()]
        reasons += [one.get("reason") for one in error.get("details") or ()]
        reasons.append(error.get("status"))
        return next((str(reason) for reason in reasons if reason), ""), message
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""


def wait_of(retry_after: str | None) -> timedelta | None:
    text = (retry_after or "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        return None
    return min(timedelta(seconds=int(text)), _LONGEST_WAIT)


def _token_fault(error: Any) -> RetryLaterError | GiveUpError:
    if error.retryable:
        return RetryLaterError("Google gives no access token now.")
    folded = str(error).casefold()
    if "short-lived" in folded or "iat" in folded or "reasonable timeframe" in folded:
        words = "Google refuses our signature's time. Set this machine's clock right (NTP)."
    elif "unauthorized_client" in folded:
        words = (
            "the service account may not act as `subject`. Give it domain-wide delegation for the"
            " scopes in docs/access-backends.md, or leave `subject` out."
        )
    else:
        words = "Google gives the service account no access token. Make a new key for it."
    return GiveUpError(words)


def _key(path: Path) -> dict[str, Any]:
    """Return a service account's key. Raises GiveUpError, which tells nothing of what is in it."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_KEY)
    except OSError as error:
        raise GiveUpError(f"`credentials`: {path} cannot be read: {error.strerror}.") from None
    try:
        info = json.loads(text)
    except ValueError:
        info = None
    if not isinstance(info, dict) or info.get("type") != "service_account":
        words = f"`credentials`: {path} is no key of a service account."
        raise GiveUpError(f"{words} Make one under IAM, Service accounts, Keys.")
    return info
