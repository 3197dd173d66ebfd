"""Pages by e-mail: one message by SMTP, with a link that acknowledges."""

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import cache, partial

import aiosmtplib

from bot.clock import Clock
from bot.contact.wording import headline, lines
from bot.ports.contact import Sent, Summons
from bot.ports.delivering import GiveUpError, RetryLaterError
from rules.plain_line import one_line

WHOLE = 15.0
"""Seconds for one message, from the connection to the server's last word."""
STEP = 5.0
_TRY_AGAIN = range(400, 500)
_NOT_OFFERED = aiosmtplib.SMTPException


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """The server we send by. `security` is starttls, tls or none; `trust` makes what checks its name."""

    host: str
    port: int
    sender: str
    security: str = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    trust: Callable[[], ssl.SSLContext] | None = None


def trusting(ca_file: str | None) -> Callable[[], ssl.SSLContext]:
    """Return what makes a context once; it raises OSError as long as the file cannot be read."""
    return cache(partial(ssl.create_default_context, cafile=ca_file))


class Email:
    """Sends by SMTP; the same page has the same Message-ID, so that mail programs show it once."""

    def __init__(
        self, mailbox: Mailbox, clock: Clock, *, step: float = STEP, whole: float = WHOLE
    ) -> None:
        self._mailbox = mailbox
        self._clock = clock
        self._step = step
        self._whole = whole

    async def send(self, summons: Summons) -> Sent:
        message = self._message(summons)
        handed_over = False
        try:
            client = self._client()
        except OSError as error:
            why = f"`contact.email.ca_file` cannot be used: {error.strerror or error}"
            raise RetryLaterError(why) from error
        try:
            async with asyncio.timeout(self._whole):
                await client.connect()
                if self._mailbox.username:
                    await client.login(self._mailbox.username, self._mailbox.password)
                handed_over = True
                await client.send_message(message)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
            raise self._refused(error) from error
        except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
            raise self._failed(error, unsure=handed_over) from error
        except ValueError as error:
            raise GiveUpError(f"the e-mail cannot be written: {error}") from error
        finally:
            client.close()
        return Sent(str(message["Message-ID"]))

    def _client(self) -> aiosmtplib.SMTP:
        at = self._mailbox
        return aiosmtplib.SMTP(
            hostname=at.host,
            port=at.port,
            use_tls=at.security == "tls",
            start_tls=at.security == "starttls",
            tls_context=at.trust() if at.trust else None,
            timeout=self._step,
        )

    def _message(self, summons: Summons) -> EmailMessage:
        sender = self._mailbox.sender
        domain = parseaddr(sender)[1].rpartition("@")[2] or "watchbill.invalid"
        name = hashlib.sha256(summons.key.encode("utf-8", "replace")).hexdigest()[:32]
        message = EmailMessage()
        try:
            message["From"] = sender
            message["To"] = summons.address
            message["Subject"] = headline(summons)
        except ValueError as error:
            raise GiveUpError(f"the e-mail cannot be addressed: {error}") from error
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{name}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        if summons.wakes:
            message["X-Priority"] = "1"
            message["Importance"] = "high"
        message.set_content("\n\n".join(_body(summons)) + "\n", charset="utf-8")
        return message

    def _failed(self, error: Exception, *, unsure: bool) -> GiveUpError | RetryLaterError:
        said = one_line(str(error), 200) or type(error).__name__
        # the bare exception is for what the server does not offer: STARTTLS, logins
        if isinstance(error, aiosmtplib.SMTPNotSupported) or type(error) is _NOT_OFFERED:
            why = f"the mail server {self._mailbox.host} lacks what `contact.email` asks for"
            return GiveUpError(f"{why}: {said}")
        why = f"no answer from the mail server {self._mailbox.host}: {said}"
        return RetryLaterError(why, unsure=unsure)

    def _refused(
        self, error: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPResponseException
    ) -> GiveUpError | RetryLaterError:
        if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
            first = error.recipients[0]
            code, said = first.code, first.message
        else:
            code, said = error.code, error.message
        told = f"the mail server answered {code} ({one_line(said, 200)})"
        if code in _TRY_AGAIN:
            return RetryLaterError(told)
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            told += ": correct `contact.email.username` and `password`"
        return GiveUpError(told)


def _body(summons: Summons) -> list[str]:
    how = (
        [f"Acknowledge it, with one more click there:\n{summons.ack_url}"]
        if summons.ack_url
        else ["Acknowledge it in Slack."]
    )
    return [
        headline(summons),
        "\n".join(lines(summons)),
        *([] if summons.test or summons.alarm else how),
    ]
